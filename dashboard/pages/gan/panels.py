"""The formulas of the lecture that this page has as controls, a panel each."""

from __future__ import annotations

from dashboard.pages import slug_of
from dashboard.ui.panels import GOODFELLOW, Panel, by_key

PANELS = by_key(
    slug_of(__name__),
    Panel(
        "game", "The game of the two players",
        r"\min_G \max_D V(D,G) = E_{x\sim p_{data}(x)}\left[\log D(x)\right] + "
        r"E_{z\sim p_z(z)}\left[\log(1 - D(G(z)))\right]",
        "At the equilibrium D can only guess: D(x) and D(G(z)) meet at 1/2 and V at −log 4; a curve that leaves its "
        "dashed line says which player is ahead.",
        r"For each step: ascend $V$ in $D$, then descend $E[\log(1 - D(G(z)))]$ in $G$.",
        f"{GOODFELLOW}, equation 1 and algorithm 1; Huang et al., The GAN is dead; long live the GAN!, 2024",
    ),
    Panel(
        "losses", "What G descends: the minimax and the non-saturating loss",
        r"\underbrace{\min_G E\left[\log(1 - D(G(z)))\right]}_{\text{minimax}} \qquad\qquad "
        r"\underbrace{\min_G E\left[-\log D(G(z))\right]}_{\text{non-saturating}}",
        "Drag D(G(z)) to the left, where D knows G's images at once: the minimax loss hardly pulls any more, and the "
        "other pulls hardest.",
        r"Both losses and their derivatives by the logit of $D$, as they stand; the shipped runs say in their cards "
        r"which loss they were trained with.",
        f"{GOODFELLOW}, section 3",
    ),
    Panel(
        "timelapse", "The same seeds through training",
        r"x_i = G_{\theta(n)}(z_i), \qquad z_i \text{ fixed}",
        "Each place in the grid keeps its z: move through the training and watch noise become shapes, and shapes "
        "images.",
        r"After $n$ images seen, decode the same $z_1, \dots, z_{24}$.",
        GOODFELLOW,
    ),
    Panel(
        "judge", "What the discriminator believes",
        r"D(x) \in (0, 1), \qquad D^*(x) = \frac{p_{data}(x)}{p_{data}(x) + p_g(x)}",
        "Left to right: from what it holds to be made up to what it holds to be real; where real and generated images"
        " get the same scores, it cannot tell them apart.",
        r"$D(x)$ of real test images and $D(G(z))$ of fresh samples, sorted.",
        f"{GOODFELLOW}, proposition 1",
    ),
    Panel(
        "truncation", "Truncation: quality against diversity",
        r"x = G(\psi z), \qquad z \sim N(0, I)",
        "Smaller ψ keeps z near the middle: precision rises and recall falls, coverage only later. The marks are "
        "measured, the samples are made as you drag.",
        r"$z \leftarrow \psi z$ before the generator.",
        "Brock, Donahue & Simonyan, BigGAN, 2019, section 3.1 (there by resampling, here by scaling)",
    ),
)  # fmt: skip
