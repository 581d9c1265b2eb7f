import pytest
from scipy import stats

from gencore.comparison.verdict import told_apart, verdict


def quality(family, kid, recall, label="a point"):
    scores = {key: {"mean": sum(values) / len(values), "values": values} for key, values in
              (("kid", kid), ("recall", recall))}  # fmt: skip
    point = {"label": label, "kind": "headline"}
    return {"kind": "quality", "checkpoint": f"runs/x/{family}", "family": family, "point": point,
            "scores": {"pixels": scores}}  # fmt: skip


def cost(family, ms):
    point = {"label": "a point", "kind": "headline"}
    return {"kind": "cost", "checkpoint": f"runs/x/{family}", "family": family, "point": point,
            "batches": [{"n": n, "ms_per_image": ms * more} for n, more in ((1, 10), (16, 1), (64, 0.1))]}  # fmt: skip


ROWS = [
    quality("vae", [0.5, 0.51, 0.49], [0.30, 0.31, 0.32]),
    quality("gan", [0.21, 0.20, 0.22], [0.10, 0.12, 0.11]),
    quality("ddpm", [0.20, 0.22, 0.21], [0.50, 0.52, 0.51]),
    cost("vae", 0.1), cost("gan", 0.102), cost("ddpm", 20.0),
]  # fmt: skip
NAMES = ["runs/x/vae", "runs/x/gan", "runs/x/ddpm"]


def test_it_says_what_to_use_for_what_and_how_sure_that_is():
    said = verdict(ROWS, NAMES, "pixels")
    closest, varied, fastest = said.split("; ")
    assert closest.startswith("closest to the real images: GAN (KID 0.21 in pixels features") or "DDPM" in closest
    assert "told apart from VAE (KID 0.5)" in closest and "not told apart from" in closest
    assert varied.startswith("most varied: DDPM (Recall 0.51")
    assert "told apart from VAE (Recall 0.31) and GAN (Recall 0.11)" in varied, "higher is better there"
    assert fastest.startswith("fastest: VAE (0.1 ms an image, 16 at once, as fast as GAN)")
    assert "\n" not in said and "another seed" in said


def test_of_several_rows_of_a_point_the_last_counts_and_others_checkpoints_do_not():
    better = quality("vae", [0.01, 0.011, 0.012], [0.9, 0.9, 0.91])
    assert verdict([*ROWS, better], NAMES, "pixels").startswith("closest to the real images: VAE (KID 0.011")
    other = better | {"checkpoint": "runs/y/vae"}
    assert verdict([*ROWS, other], NAMES, "pixels") == verdict(ROWS, NAMES, "pixels")


def test_nothing_measured_is_said():
    assert verdict([], NAMES, "pixels").startswith("Nothing could be measured")
    assert verdict(ROWS, NAMES, "classifier").startswith("fastest: ")


@pytest.mark.parametrize("shift", [0.0, 1.5, 3.0])
def test_told_apart_is_a_95_percent_interval_without_zero(shift):
    one, other = [1.0, 1.4, 0.8, 1.1, 0.9], [shift + value for value in (1.2, 0.6, 1.3, 1.0, 0.9)]
    interval = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    assert told_apart(one, other) == (interval.low > 0 or interval.high < 0)
    assert (
        not told_apart([1.0], [2.0]) and told_apart([1.0, 1.0], [2.0, 2.0]) and not told_apart([1.0, 1.0], [1.0, 1.0])
    )
