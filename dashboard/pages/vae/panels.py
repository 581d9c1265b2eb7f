"""The formulas of the lecture that this page has as controls, a panel each."""

from __future__ import annotations

from dashboard.pages import slug_of
from dashboard.ui.panels import HO, KINGMA, Panel, by_key

PANELS = by_key(
    slug_of(__name__),
    Panel(
        "posterior", "Posterior, prior and aggregated posterior",
        r"q(z|x) = N\left(\mu_q(x), \Sigma_q(x)\right), \qquad p(z) = N(0, I), \qquad q(z) = E_{x}\left[q(z|x)\right]",
        "One narrow bell is what the encoder says of the chosen image; where the bell of the prior and the sum over "
        "all images differ, samples from the prior fall on spots that no image was encoded to.",
        r"$\mu(x), \sigma(x) \leftarrow$ encoder of $x$; the two curves beside it do not depend on $x$.",
        f"{KINGMA}; Hoffman & Johnson, ELBO surgery, 2016",
    ),
    Panel(
        "elbo", "The evidence lower bound, term by term",
        r"\log p(x) \ge \underbrace{E_{z\sim q(z|x)}\left[\log p(x|z)\right]}_{\text{reconstruction}} - "
        r"\underbrace{D_{KL}\left(q(z|x)\,\|\,p(z)\right)}_{\text{price of the code}}",
        "The bar is the price of an image in nats, shorter is better: what the decoder leaves unexplained, plus what "
        "the code itself costs.",
        r"$z \leftarrow \mu + \sigma\varepsilon$; $\log p(x|z)$ over the 256 levels of each pixel; "
        r"$D_{KL}$ in closed form.",
        f"{KINGMA}, equation 3; discretised as in {HO}, equation 13",
    ),
    Panel(
        "importance", "Above the ELBO: importance-weighted bounds",
        r"\log p(x) \ge L_K = E\left[\log \frac{1}{K}\sum_{k=1}^{K} \frac{p(x|z_k)\,p(z_k)}{q(z_k|x)}\right], \qquad "
        r"z_k \sim q(z|x), \qquad L_1 = ELBO",
        "The integral p(x) cannot be taken, but it can be estimated: the curve rises from the ELBO towards log p(x) as "
        "more draws are averaged before the logarithm.",
        r"1,000 draws of $z$, decoded and weighed; $p(x|z)$ over the 256 levels of each pixel, $p(z) = N(0, I)$.",
        "Burda, Grosse & Salakhutdinov, Importance Weighted Autoencoders, 2016, equation 8 and theorem 1",
    ),
    Panel(
        "decoder", "What the decoder says: a mean and a deviation",
        r"p(x|z) = N\left(x\,|\,f_\mu(z),\ f_\sigma(z)^2 \times I\right)",
        "The decoder's answer is a distribution of images, not one: its mean is the smooth picture that is shown as a "
        "sample, and a draw of it has noise in every pixel.",
        r"$z \leftarrow \mu(x)$; $x \leftarrow f_\mu(z) + f_\sigma(z)\,\epsilon$, $\epsilon \sim N(0, I)$.",
        f"{KINGMA}, appendix C.2; Rybkin et al., Simple and Effective VAE Training with Calibrated Decoders, 2021",
    ),
    Panel(
        "noise", "Even if x is the same, z differs",
        r"z = \mu(x) + \sigma(x) \times \epsilon, \qquad \epsilon \sim N(0, 1)",
        "All pictures come from one and the same image: each is decoded from another draw of z, and what differs "
        "between them is what the encoder is unsure of.",
        r"Draw $\epsilon \sim N(0, I)$; $z \leftarrow \mu(x) + \sigma(x) \times \epsilon$; decode $f_\mu(z)$.",
        f"{KINGMA}, section 2.4, the reparameterisation trick",
    ),
    Panel(
        "prior", "Where z comes from: prior and temperature",
        r"z \sim p(z), \qquad x = f_\mu(z)",
        "Turn the temperature down and the images grow typical, and alike; turn it up and they vary, and some look "
        "like nothing real.",
        r"$z \leftarrow m_k + \tau\,L_k\,\epsilon$ with component $k$ of the fitted prior, or $z \leftarrow "
        r"\tau\,\epsilon$.",
        "Ghosh et al., From Variational to Deterministic Autoencoders, 2020 (priors fitted afterwards)",
    ),
)  # fmt: skip
