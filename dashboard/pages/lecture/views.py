"""IN_VIEW: what a step needs on the screen at once, by the address of its panel: its control and its picture."""

from __future__ import annotations

# Selectors: what is touched, and what answers.
IN_VIEW: dict[tuple[str, str], tuple[str, str]] = {
    ("compare", ""): ("#compare-generate", ".lane .picture"),
    ("basics", "parametric"): ("#basics-mean", "#basics-normal svg"),
    ("basics", "joint"): ("#basics-x", "#basics-slice svg"),
    ("basics", "divergences"): ("#basics-q-mean", "#basics-divergences svg"),
    ("basics", "derivation"): ("#basics-derivation-next", "#basics-derivation .katex"),
    ("basics", "densities"): ("#basics-density-x", "#basics-densities svg"),
    ("vae", "posterior"): ("#vae-image-picker .image-picker-images", "#vae-bells svg"),
    ("vae", "elbo"): ("#vae-image-picker canvas", "#vae-elbo svg"),
    ("vae", "importance"): ("#vae-importance-go", "#vae-importance"),
    ("vae", "decoder"): ("#vae-decoder-again", "#vae-likely img[data-at=draws]"),
    ("vae", "noise"): ("#vae-noise-again", "#vae-draws img[data-at=draws]"),
    ("vae", "prior"): (".vae-halves [type=range]", "#vae-samples img"),
    ("latent", "reconstruction"): ("#latent-image-picker canvas", "#latent-rebuilt img"),
    ("latent", "interpolation"): ("#latent-walks [data-at=share]", "#latent-walks [data-at=rows]"),
    ("latent", "map"): ("#latent-map canvas", "#latent-spot"),
    ("latent", "traversal"): ("#latent-image-picker .image-picker-images", "#latent-traversal img"),
    ("gan", "game"): ("#gan-run", "#gan-game svg"),
    ("gan", "losses"): ("#gan-believed", "#gan-losses svg"),
    ("gan", "timelapse"): ("#gan-timelapse [data-at=play]", "#gan-timelapse [data-at=grids]"),
    ("gan", "judge"): ("#gan-judge-another", "#gan-judge-scores svg"),
    ("gan", "truncation"): (".gan-turning [type=range]", "#gan-samples img"),
    ("diffusion", "forward"): ("#diffusion-forward [data-at=range]", "#diffusion-forward [data-at=xt]"),
    ("diffusion", "reverse"): ("#diffusion-reverse-go", "#diffusion-film canvas"),
    ("diffusion", "algorithms"): ("#diffusion-algorithm-training [data-at=next]", "#diffusion-algorithm-training img"),
    ("diffusion", "simple"): ("#diffusion-weights", "#diffusion-simple"),
    ("diffusion", "bound"): ("#diffusion-bound-curve svg", "#diffusion-bound-split svg"),
    ("diffusion", "steps"): ("#diffusion-steps [data-at=range]", "#diffusion-steps [data-at=image]"),
    ("training", "curves"): ("#training-axis", "#training-charts svg"),
    ("training", "timelapse"): ("#training-timelapse [data-at=play]", "#training-timelapse [data-at=grids]"),
    ("trilemma", ""): ("#trilemma-home [type=range]", "#trilemma-home [data-at=answer]"),
}
