"""The formulas of the lecture that this page has as controls, a panel each."""

from __future__ import annotations

from dashboard.pages import slug_of
from dashboard.ui.panels import HO, SONG, Panel, by_key

PANELS = by_key(
    slug_of(__name__),
    Panel(
        "forward", "Forward: an image becomes noise",
        r"q(x_t|x_0) = N\left(\sqrt{\bar a_t}\,x_0,\ (1-\bar a_t) I\right), \qquad "
        r"SNR(t) = \frac{\bar a_t}{1-\bar a_t}",
        "Move t: the signal fades by the first curve while the noise grows by the second; where the image can no "
        "longer be told, the network has to invent it.",
        r"$x_t \leftarrow \sqrt{\bar a_t}\,x_0 + \sqrt{1-\bar a_t}\,\epsilon$, in one step for any $t$.",
        f"{HO}, equation 4; Nichol & Dhariwal, Improved DDPM, 2021",
    ),
    Panel(
        "reverse", "Reverse: noise becomes an image",
        r"p_\theta(x_{t-1}|x_t) = N\left(x_{t-1};\ \mu_\theta(x_t, t),\ \sigma_t^2 I\right)",
        "Above the state $x_t$, below the image that the network sees in it: both samplers start from the very same "
        "noise, and differ in the way, and in the noise that some add on it.",
        r"$\hat x_0 \leftarrow \left(x_t - \sqrt{1-\bar a_t}\,\epsilon_\theta(x_t, t)\right)/\sqrt{\bar a_t}$; "
        r"then one step of the sampler.",
        f"{HO}, algorithm 2; {SONG}, equation 12; Lu et al., DPM-Solver++, 2022",
    ),
    Panel(
        "algorithms", "Algorithm 1 and Algorithm 2, a line at a time",
        r"\nabla_\theta \left\|\epsilon - \epsilon_\theta\left(\sqrt{\bar a_t}\,x_0 + "
        r"\sqrt{1-\bar a_t}\,\epsilon,\ t\right)\right\|^2, \qquad x_{t-1} = \frac{1}{\sqrt{a_t}}\left(x_t - "
        r"\frac{1-a_t}{\sqrt{1-\bar a_t}}\,\epsilon_\theta(x_t, t)\right) + \sigma_t z",
        "The lit line is the one being run, and the pictures are the tensors it has made. Noise is grey where it is 0, "
        "black and white from ±2 on.",
        r"The lines as they stand, with the shipped weights; $t$ counts from 1 to $T$ as in the paper, one more than "
        r"in the other panels. In line 4 of sampling, $\epsilon_\theta$ is the noise beside the $\hat x_0$ clipped to "
        r"$[-1, 1]$, as in the paper's code.",
        f"{HO}, algorithms 1 and 2",
    ),
    Panel(
        "simple", "The simplified loss over t, and its weights",
        r"L^{simple} = E_{t}\left[\left\|\epsilon - \epsilon_\theta(x_t, t)\right\|^2\right], \qquad L_{t-1} = "
        r"E\left[\frac{\beta_t^2}{2\sigma_t^2\, a_t (1-\bar a_t)} \left\|\epsilon - "
        r"\epsilon_\theta(x_t, t)\right\|^2\right]",
        "Switch the weights: the simplified loss is the bound's with its weights left out, so that training looks at "
        "all noise levels, not almost only at the faintest.",
        r"The chosen image at 25 $t$ with 4 draws of noise each; weights with $\sigma_t^2 = \tilde\beta_t$.",
        f"{HO}, equations 12 and 14",
    ),
    Panel(
        "bound", "The bound, and where along t it is lost",
        r"-\log p(x_0) \le \underbrace{L_0}_{\text{pixels}} + \sum_{t=2}^{T} \underbrace{E\left[D_{KL}"
        r"\left(q(x_{t-1}|x_t,x_0)\,\|\,p_\theta(x_{t-1}|x_t)\right)\right]}_{L_{t-1}} + "
        r"\underbrace{D_{KL}\left(q(x_T|x_0)\,\|\,p(x_T)\right)}_{L_T}",
        "The curve is what each noise level costs, and the area under it is the bound's largest part: fine texture "
        "near t = 0 costs nearly all of it, though the eye sees little of it.",
        r"Draw $x_t \sim q(x_t|x_0)$ at stratified $t$; add up the closed-form KL divergences.",
        f"{HO}, equation 5 and section 4.3; Nichol & Dhariwal, Improved DDPM, 2021, figure 2",
    ),
    Panel(
        "steps", "How many steps does it take?",
        r"L_t^{simple} = E_{x_0,t,\epsilon}\left[\left\|\epsilon - \epsilon_\theta\left(\sqrt{\bar a_t}\,x_0 + "
        r"\sqrt{1-\bar a_t}\,\epsilon,\ t\right)\right\|^2\right]",
        "Noise walked in few or in many steps: the time grows with every step, the images stop getting better at a "
        "knee. With a sampler that adds no noise of its own (ddim, unipc, dpm-solver++) an image stays the same one.",
        r"For $t = T, \dots, 1$ on a grid of so many steps: predict the noise, take it off.",
        f"{HO}, algorithms 1 and 2; {SONG}, table 1",
    ),
)  # fmt: skip
