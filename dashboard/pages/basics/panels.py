"""The formulas of the lecture that this page has as controls, a panel each."""

from __future__ import annotations

from dashboard.pages import slug_of
from dashboard.ui.panels import GOODFELLOW, HO, KINGMA, Panel, by_key

BISHOP = "Bishop, Pattern Recognition and Machine Learning, 2006"
BLEI = "Blei, Kucukelbir & McAuliffe, Variational Inference: A Review for Statisticians, 2017"
PANELS = by_key(
    slug_of(__name__),
    Panel(
        "parametric", "Parametric distributions and maximum likelihood",
        r"\log p(\text{data}) = \sum_{i} \log p(x_i), \qquad p(x) = N\left(x;\ \mu, \sigma^2\right) "
        r"\quad\text{or}\quad p(x = k) = \pi_k",
        "Drag the mean and the deviation onto the data: log p(data) rises until the distribution is the data's own.",
        r"$\log p(\text{data})$ of 12 numbers, and of 16 outcomes, as it stands.",
        f"{BISHOP}, chapter 2, equations 2.121 and 2.122",
    ),
    Panel(
        "joint", "The joint, the marginal, and why the posterior is intractable",
        r"p(z|x) = \frac{p(x|z)\,p(z)}{\int p(x|z)\,p(z)\,dz}, \qquad p(x) = \int p(x, z)\,dz",
        "Drag x: the joint along it is the posterior's shape, its area is p(x), and that area is the integral over z.",
        r"$p(z) = N(0, 1)$, $p(x|z) = N(z^2 - 1,\ 0.5^2)$; the integral as a sum over 2,001 values of $z$.",
        f"{KINGMA}, section 2.1",
    ),
    Panel(
        "divergences", "Two KL divergences",
        r"KL(q\,\|\,p) = E_{q}\left[\log \frac{q}{p}\right], \qquad KL(p\,\|\,q) = E_{p}\left[\log \frac{p}{q}\right]",
        "Drag q: both divergences are 0 only where q is p, and a normal q cannot be; each has another best q.",
        r"Both integrals as sums over 1,601 values of $x$; their least values by Nelder and Mead's search.",
        f"{BISHOP}, section 10.1.2, figure 10.3",
    ),
    Panel(
        "derivation", "The ELBO, derived",
        r"\log p(x) = \underbrace{E_q\left[\log p(z,x)\right] - E_q\left[\log q(z)\right]}_{ELBO(q)} + "
        r"KL\left(q(z)\,\|\,p(z|x)\right)",
        "Each line follows from the one before by one rule; its number on the toy is the same until a term is dropped.",
        r"Each line's right side, on the model of the panel above, at $x = 1$ with $q = N(1.3,\ 0.2^2)$.",
        f"{BLEI}, equations 11 to 13; {KINGMA}, equations 1 to 3",
    ),
    Panel(
        "densities", "Explicit and implicit densities",
        r"\underbrace{\log p(x) \ge ELBO}_{\text{VAE, diffusion: explicit, bounded}} \qquad\qquad "
        r"\underbrace{x = G(z),\ z \sim p(z)}_{\text{GAN: implicit, draws alone}}",
        "Drag x, then draw more: an explicit model answers at every x, an implicit one only by counting draws nearby.",
        r"The VAE's best normal $q$, in closed form; draws of a generator; a chain of 50 steps, its denoiser ideal.",
        f"{GOODFELLOW}; Goodfellow, NIPS 2016 Tutorial: Generative Adversarial Networks, figure 9; {HO}, equation 5",
    ),
)  # fmt: skip
