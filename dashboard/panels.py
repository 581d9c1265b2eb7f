"""PANELS: what the pages inside a family show, one panel a formula of the lecture, and the frame that each stands in.

A panel has an address, `#page/key`, that opens its page and scrolls to it; the Lecture page puts them in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr
from gradio.context import Context

LATEX = [{"left": "$$", "right": "$$", "display": True}, {"left": "$", "right": "$", "display": False}]


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        page: The slug of its page.
        key: Its name on the page; letters and hyphens.
        title: Its title for people.
        formula: LaTeX in the lecture's notation.
        reading: One sentence that says how to read it.
        algorithm: The line of the algorithm that is being run, as LaTeX within text.
        source: The citation.
    """

    page: str
    key: str
    title: str
    formula: str
    reading: str
    algorithm: str
    source: str

    @property
    def address(self) -> str:
        """Its link within the app."""
        return f"#{self.page}/{self.key}"

    @property
    def anchor(self) -> str:
        """Its element's id."""
        return f"panel-{self.page}-{self.key}"


KINGMA = "Kingma & Welling, Auto-Encoding Variational Bayes, 2014"
GOODFELLOW = "Goodfellow et al., Generative Adversarial Nets, 2014"
HO = "Ho, Jain & Abbeel, Denoising Diffusion Probabilistic Models, 2020"
SONG = "Song, Meng & Ermon, Denoising Diffusion Implicit Models, 2021"

ALL = (
    Panel(
        "latent", "interpolation", "From one image to another",
        r"z(\lambda) = (1-\lambda)\,z_a + \lambda\,z_b \quad\text{or}\quad "
        r"\frac{\sin((1-\lambda)\theta)\,z_a + \sin(\lambda\theta)\,z_b}{\sin\theta}",
        "Read each row from left to right: a smooth row means that neighbours in latent space are neighbours among "
        "images, a row that jumps or fades means that they are not.",
        r"Decode $z(\lambda)$ for $\lambda = 0, \dots, 1$; straight lines for the VAE, great circles for Gaussian "
        r"latents whose length hardly varies.",
        f"{KINGMA}; White, Sampling Generative Networks, 2016; {SONG}, section 5.3",
    ),
    Panel(
        "latent", "map", "A map of the latent space",
        r"z = \mu + U\,(u, v)^{\top} + r(u, v)",
        "Every mark is a test image where its encoding lies; point anywhere to see what the decoder makes of that "
        "spot.",
        r"Decode $f_\mu(z)$ at the pointer; what the map does not show of $z$ is that of the images nearby, "
        r"$r(u, v)$.",
        f"{KINGMA}, appendix A",
    ),
    Panel(
        "latent", "traversal", "One dimension at a time",
        r"D_{KL}\left(q(z_i|x)\,\|\,p(z_i)\right) = \tfrac12\left(\mu_i^2 + \sigma_i^2 - 1\right) - \log\sigma_i",
        "Each row moves a single number of $z$ and leaves the others; the strongest, by KL divergence, comes first, "
        "and a row in which nothing happens is a dimension that the model does not use.",
        r"Decode $z + \delta\,e_i$ for $\delta$ from $-3\,s_i$ to $3\,s_i$, with $s_i$ the spread of the encodings.",
        f"{KINGMA}, appendix B; Higgins et al., beta-VAE, 2017",
    ),
    Panel(
        "latent", "reconstruction", "Encode, decode, compare",
        r"\log p(x) \ge E_{z\sim q(z|x)}\left[\log p(x|z)\right] - D_{KL}\left(q(z|x)\,\|\,p(z)\right)",
        "Left the image, then what each model gives back: what is lost on the way through the latent is what the "
        "model holds to be noise.",
        r"$z \leftarrow \mu(x)$, or $x_T$ by running DDIM backwards; then decode.",
        f"{KINGMA}; {SONG}, section 4.3",
    ),
    Panel(
        "vae", "posterior", "Posterior, prior and aggregated posterior",
        r"q(z|x) = N\left(\mu_q(x), \Sigma_q(x)\right), \qquad p(z) = N(0, I), \qquad q(z) = E_{x}\left[q(z|x)\right]",
        "One narrow bell is what the encoder says of the chosen image; where the bell of the prior and the sum over "
        "all images differ, samples from the prior fall on spots that no image was encoded to.",
        r"$\mu(x), \sigma(x) \leftarrow$ encoder of $x$; the two curves beside it do not depend on $x$.",
        f"{KINGMA}; Hoffman & Johnson, ELBO surgery, 2016",
    ),
    Panel(
        "vae", "elbo", "The evidence lower bound, term by term",
        r"\log p(x) \ge \underbrace{E_{z\sim q(z|x)}\left[\log p(x|z)\right]}_{\text{reconstruction}} - "
        r"\underbrace{D_{KL}\left(q(z|x)\,\|\,p(z)\right)}_{\text{price of the code}}",
        "The bar is the price of an image in nats, shorter is better: what the decoder leaves unexplained, plus what "
        "the code itself costs.",
        r"$z \leftarrow \mu + \sigma\varepsilon$; $\log p(x|z)$ over the 256 levels of each pixel; "
        r"$D_{KL}$ in closed form.",
        f"{KINGMA}, equation 3; discretised as in {HO}, equation 13",
    ),
    Panel(
        "vae", "noise", "Even if x is the same, z differs",
        r"z = \mu(x) + \sigma(x) \times \epsilon, \qquad \epsilon \sim N(0, 1)",
        "All pictures come from one and the same image: each is decoded from another draw of z, and what differs "
        "between them is what the encoder is unsure of.",
        r"Draw $\epsilon \sim N(0, I)$; $z \leftarrow \mu(x) + \sigma(x) \times \epsilon$; decode $f_\mu(z)$.",
        f"{KINGMA}, section 2.4, the reparameterisation trick",
    ),
    Panel(
        "vae", "prior", "Where z comes from: prior and temperature",
        r"z \sim p(z), \qquad x = f_\mu(z)",
        "Turn the temperature down and the images grow typical, and alike; turn it up and they vary, and some look "
        "like nothing real.",
        r"$z \leftarrow m_k + \tau\,L_k\,\epsilon$ with component $k$ of the fitted prior, or $z \leftarrow "
        r"\tau\,\epsilon$.",
        "Ghosh et al., From Variational to Deterministic Autoencoders, 2020 (priors fitted afterwards)",
    ),
    Panel(
        "gan", "game", "The game of the two players",
        r"\min_G \max_D V(D,G) = E_{x\sim p_{data}(x)}\left[\log D(x)\right] + "
        r"E_{z\sim p_z(z)}\left[\log(1 - D(G(z)))\right]",
        "At the equilibrium D can only guess: D(x) and D(G(z)) meet at 1/2 and V at −log 4; a curve that leaves its "
        "dashed line says which player is ahead.",
        r"For each step: ascend $V$ in $D$, then descend $E[\log(1 - D(G(z)))]$ in $G$.",
        f"{GOODFELLOW}, equation 1 and algorithm 1; Huang et al., The GAN is dead; long live the GAN!, 2024",
    ),
    Panel(
        "gan", "timelapse", "The same seeds through training",
        r"x_i = G_{\theta(n)}(z_i), \qquad z_i \text{ fixed}",
        "Each place in the grid keeps its z: move through the training and watch noise become shapes, and shapes "
        "images.",
        r"After $n$ images seen, decode the same $z_1, \dots, z_{24}$.",
        GOODFELLOW,
    ),
    Panel(
        "gan", "judge", "What the discriminator believes",
        r"D(x) \in (0, 1), \qquad D^*(x) = \frac{p_{data}(x)}{p_{data}(x) + p_g(x)}",
        "Left to right: from what it holds to be made up to what it holds to be real; where real and generated images"
        " get the same scores, it cannot tell them apart.",
        r"$D(x)$ of real test images and $D(G(z))$ of fresh samples, sorted.",
        f"{GOODFELLOW}, proposition 1",
    ),
    Panel(
        "gan", "truncation", "Truncation: quality against diversity",
        r"x = G(\psi z), \qquad z \sim N(0, I)",
        "Smaller ψ keeps z near the middle: precision rises and recall falls, coverage only later. The marks are "
        "measured, the samples are made as you drag.",
        r"$z \leftarrow \psi z$ before the generator.",
        "Brock, Donahue & Simonyan, BigGAN, 2019, section 3.1 (there by resampling, here by scaling)",
    ),
    Panel(
        "diffusion", "forward", "Forward: an image becomes noise",
        r"q(x_t|x_0) = N\left(\sqrt{\bar a_t}\,x_0,\ (1-\bar a_t) I\right), \qquad "
        r"SNR(t) = \frac{\bar a_t}{1-\bar a_t}",
        "Move t: the signal fades by the first curve while the noise grows by the second; where the image can no "
        "longer be told, the network has to invent it.",
        r"$x_t \leftarrow \sqrt{\bar a_t}\,x_0 + \sqrt{1-\bar a_t}\,\epsilon$, in one step for any $t$.",
        f"{HO}, equation 4; Nichol & Dhariwal, Improved DDPM, 2021",
    ),
    Panel(
        "diffusion", "reverse", "Reverse: noise becomes an image",
        r"p_\theta(x_{t-1}|x_t) = N\left(x_{t-1};\ \mu_\theta(x_t, t),\ \sigma_t^2 I\right)",
        "Above the state $x_t$, below the image that the network sees in it: both samplers start from the very same "
        "noise, so what differs is the way alone.",
        r"$\hat x_0 \leftarrow \left(x_t - \sqrt{1-\bar a_t}\,\epsilon_\theta(x_t, t)\right)/\sqrt{\bar a_t}$; "
        r"then one step of the sampler.",
        f"{HO}, algorithm 2; {SONG}, equation 12; Lu et al., DPM-Solver++, 2022",
    ),
    Panel(
        "diffusion", "bound", "The bound, and where along t it is lost",
        r"-\log p(x_0) \le \underbrace{L_0}_{\text{pixels}} + \sum_{t=2}^{T} \underbrace{E\left[D_{KL}"
        r"\left(q(x_{t-1}|x_t,x_0)\,\|\,p_\theta(x_{t-1}|x_t)\right)\right]}_{L_{t-1}} + "
        r"\underbrace{D_{KL}\left(q(x_T|x_0)\,\|\,p(x_T)\right)}_{L_T}",
        "The curve is what each noise level costs, and the area under it is the bound's largest part: fine texture "
        "near t = 0 costs nearly all of it, though the eye sees little of it.",
        r"Draw $x_t \sim q(x_t|x_0)$ at stratified $t$; add up the closed-form KL divergences.",
        f"{HO}, equation 5 and section 4.3; Nichol & Dhariwal, Improved DDPM, 2021, figure 2",
    ),
    Panel(
        "diffusion", "steps", "How many steps does it take?",
        r"L_t^{simple} = E_{x_0,t,\epsilon}\left[\left\|\epsilon - \epsilon_\theta\left(\sqrt{\bar a_t}\,x_0 + "
        r"\sqrt{1-\bar a_t}\,\epsilon,\ t\right)\right\|^2\right]",
        "The same noise walked in few or in many steps: the time grows with every step, the images stop getting "
        "better at a knee.",
        r"For $t = T, \dots, 1$ on a grid of so many steps: predict the noise, take it off.",
        f"{HO}, algorithms 1 and 2; {SONG}, table 1",
    ),
    Panel(
        "training", "curves", "What a training went through",
        r"\theta \leftarrow \theta - \eta\,\nabla_\theta L(\theta)",
        "Each family minimises a loss of its own, so heights cannot be compared between families, but their shapes "
        "can: where a curve is flat, more images bring little.",
        r"One point a logged step: the mean over the steps since the one before.",
        "This project's own training logs, log.jsonl of each run",
    ),
    Panel(
        "training", "timelapse", "The three families side by side through training",
        r"x_i^{(n)} = g_{\theta(n)}(z_i)",
        "One slider for all: at the same number of images seen, or after the same time, each family shows what it had"
        " learnt by then.",
        r"The averaged weights after $n$ images draw the same seeds.",
        "Karras et al., 2018 (averaged weights)",
    ),
)  # fmt: skip
PANELS = {(panel.page, panel.key): panel for panel in ALL}


@contextmanager
def framed(page: str, key: str) -> Iterator[Panel]:
    """Stand a panel in its frame: title, formula and how to read it above what is laid out inside, sources below."""
    panel = PANELS[page, key]
    with gr.Column(elem_classes=["card", "panel"], elem_id=panel.anchor):
        gr.HTML(
            f'<div class="panel-head"><h2>{escape(panel.title)}</h2>'
            f'<a class="anchor" href="{panel.address}" aria-label="Link to this panel">#</a></div>',
            js_on_load=None,
        )
        gr.Markdown(f"$${panel.formula}$$", latex_delimiters=LATEX, elem_classes=["formula"])
        gr.Markdown(panel.reading, latex_delimiters=LATEX, elem_classes=["panel-reading"])
        yield panel
        gr.Markdown(
            f"**Being run:** {panel.algorithm}\n\n**Source:** {panel.source}.",
            latex_delimiters=LATEX,
            elem_classes=["panel-foot"],
        )


def on_open(handler: Callable[..., Any], inputs: Any, outputs: Any, **options: Any) -> Any:
    """Run a handler whenever the page being laid out is opened: pages cost nothing until someone looks at them."""
    tab = Context.block
    while not isinstance(tab, gr.Tab):
        tab = tab.parent
    options = {"show_progress": "hidden", "api_visibility": "private", **options}
    return tab.select(handler, inputs, outputs, **options)
