"""The formulas of the lecture that this page has as controls, a panel each."""

from __future__ import annotations

from dashboard.pages import slug_of
from dashboard.ui.panels import KINGMA, SONG, Panel, by_key

PANELS = by_key(
    slug_of(__name__),
    Panel(
        "interpolation", "From one image to another",
        r"z(\lambda) = (1-\lambda)\,z_a + \lambda\,z_b \quad\text{or}\quad "
        r"\frac{\sin((1-\lambda)\theta)\,z_a + \sin(\lambda\theta)\,z_b}{\sin\theta}",
        "Read each row from left to right: a smooth row means that neighbours in latent space are neighbours among "
        "images, a row that jumps or fades means that they are not.",
        r"Decode $z(\lambda)$ for $\lambda = 0, \dots, 1$; straight lines for the VAE, great circles for Gaussian "
        r"latents whose length hardly varies.",
        f"{KINGMA}; White, Sampling Generative Networks, 2016; {SONG}, section 5.3",
    ),
    Panel(
        "map", "A map of the latent space",
        r"z = \mu + U\,(u, v)^{\top} + r(u, v)",
        "Every mark is a test image where its encoding lies; point anywhere to see what the decoder makes of that "
        "spot.",
        r"Decode $f_\mu(z)$ at the pointer; what the map does not show of $z$ is that of the images nearby, "
        r"$r(u, v)$.",
        f"{KINGMA}, appendix A",
    ),
    Panel(
        "traversal", "One dimension at a time",
        r"D_{KL}\left(q(z_i|x)\,\|\,p(z_i)\right) = \tfrac12\left(\mu_i^2 + \sigma_i^2 - 1\right) - \log\sigma_i",
        "Each row moves a single number of $z$ and leaves the others; the strongest, by KL divergence, comes first, "
        "and a row in which nothing happens is a dimension that the model does not use.",
        r"Decode $z + \delta\,e_i$ for $\delta$ from $-3\,s_i$ to $3\,s_i$, with $s_i$ the spread of the encodings.",
        f"{KINGMA}, appendix B; Higgins et al., beta-VAE, 2017",
    ),
    Panel(
        "reconstruction", "Encode, decode, compare",
        r"\log p(x) \ge E_{z\sim q(z|x)}\left[\log p(x|z)\right] - D_{KL}\left(q(z|x)\,\|\,p(z)\right)",
        "Left the image, then what each model gives back: what is lost on the way through the latent is what the "
        "model holds to be noise.",
        r"$z \leftarrow \mu(x)$, or $x_T$ by running DDIM backwards; then decode.",
        f"{KINGMA}; {SONG}, section 4.3",
    ),
)  # fmt: skip
