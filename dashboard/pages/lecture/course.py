"""STEPS: the lecture as ways through the app, part by part, each step a place and what to do there.

The short way takes a class through in 20 minutes; the long one adds what the lecture derives, and takes 45.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from dashboard import pages
from dashboard.pages.lecture.views import IN_VIEW
from dashboard.ui.panels import Panel


@dataclass(frozen=True)
class Step:
    """One step of the lecture.

    Attributes:
        part: The lecture's part that it belongs to.
        page: The slug of the page to open.
        key: The panel on it, '' for the page itself.
        minutes: How long it takes with a class.
        do: What to do there.
        see: What there is to see, in the lecture's words where it has them.
        slide: The lecture's slide that it shows live: its heading, or how it begins.
        name: Its title where the page itself is meant; a panel has its own.
        short: Whether it is on the short way too.
    """

    part: str
    page: str
    key: str
    minutes: float
    do: str
    see: str
    slide: str
    name: str = ""
    short: bool = True

    @property
    def panel(self) -> Panel | None:
        """The panel, None where the whole page is meant."""
        return pages.panels().get((self.page, self.key))

    @property
    def title(self) -> str:
        """Its title for people."""
        return self.panel.title if self.panel else self.name

    @property
    def address(self) -> str:
        """Its link within the app."""
        return f"#{self.page}/{self.key}" if self.key else f"#{self.page}"


RECAP, VAES, GANS, DIFFUSION, TRILEMMA = "Recap", "VAEs", "GANs", "Diffusion models", "The trilemma"
ALL = (
    Step(RECAP, "compare", "", 1, "Press Generate.",
         "A generative model describes how a data set is generated, by a distribution that one can draw from. Here are "
         "three such distributions, learnt from the same images and drawn from with the same seed.",
         "What is Generative model?",
         "What is a generative model?"),
    Step(VAES, "basics", "parametric", 3, "Drag mean and deviation onto the data, then the weights onto the counts.",
         "A few parameters govern the distribution, and log p(data) has one highest point: maximum likelihood.",
         "Discrete Random Variables; Continuous Random Variables", short=False),
    Step(VAES, "basics", "joint", 2.5, "Drag x from −1 to 4.",
         "The posterior is the joint along one x, over the integral of it; with 16 numbers in z nobody can take it.",
         "This becomes intractable!", short=False),
    Step(VAES, "basics", "divergences", 2, "Drag q onto one bump, then over both.",
         "Variational inference looks for the q that is closest, and what is closest depends on the divergence.",
         "KL divergence", short=False),
    Step(VAES, "basics", "derivation", 3, "Press Next line to the end.",
         "Minimising the KL divergence to the posterior is maximising the ELBO, as log p(x) does not depend on q.",
         "KL(q(z)||p(z|x)), line by line", short=False),
    Step(VAES, "vae", "posterior", 1, "Choose two images of different classes in turn.",
         "The true p(z|x) is intractable, so a Gaussian q(z|x) whose mean and width are functions of x stands for it.",
         "Posterior distribution of latent given data"),
    Step(VAES, "vae", "elbo", 1, "Choose an image, then scribble one.",
         "Maximising the ELBO is minimising the KL divergence to the true posterior: a bar for what the decoder leaves "
         "unexplained, a bar for the code.",
         "ELBO"),
    Step(VAES, "vae", "importance", 2.5, "Press Draw, and watch the bound rise.",
         "log p(x) is hard to optimise, but it can be estimated: more draws of z come nearer to it, from below.",
         "VAEs - Creating a Latent Vector: log p(x), hard to optimize", short=False),
    Step(VAES, "vae", "decoder", 1.5, "Draw x again, then turn the deviation down to 0.",
         "The decoder assumes a Gaussian with mean and deviation; samples elsewhere are its means.",
         "VAEs - Creating a Latent Vector: the decoder assumes a Gaussian", short=False),
    Step(VAES, "latent", "reconstruction", 1.5,
         "Draw a digit, then something that is none; in colour, choose a common image, then a rare one.",
         "The encoder takes x to z and the decoder takes z back; what is no image of the set comes back as one.",
         "VAE: probabilistic autoencoder"),
    Step(VAES, "vae", "noise", 1, "Draw the noise again, then turn it up.",
         "Even if x is the same, z can differ, by the noise drawn from the zero-mean Gaussian.",
         "VAEs - Creating a Latent Vector"),
    Step(VAES, "vae", "prior", 1, "Turn the temperature down, then switch the prior.",
         "New images need z from somewhere: from N(0, I), or from what the encoder really uses.",
         "Variational autoencoder successfully generates images"),
    Step(VAES, "latent", "interpolation", 1, "Move the slider slowly through the middle.",
         "Interpolation of latent variables induces transitions in the generated images, in all three families.",
         "Interpolation of latent variables"),
    Step(VAES, "latent", "map", 1, "Walk the pointer from one class's region to another's.",
         "Neighbours in latent space are neighbours among images; between the regions lie images of neither class.",
         "Interpolation of latent variables"),
    Step(VAES, "latent", "traversal", 0.5, "Compare the first row with the last.",
         "Some dimensions carry slant, stroke and shape; the KL divergence says how much each is used.",
         "Encoder includes two neural networks"),
    Step(GANS, "basics", "densities", 2, "Drag x to the edge, then draw more.",
         "VAE and diffusion model have an explicit density, if only from below; a GAN generates data directly.",
         "Implicit density models", short=False),
    Step(GANS, "gan", "game", 1.5, "Look at the minimax run, then at the shipped one.",
         "D maximises V(D, G), G minimises it. At the equilibrium D says 1/2 to everything, and V is −log 4.",
         "Objective Function: V(D, G)"),
    Step(GANS, "gan", "losses", 2, "Drag D(G(z)) down to 0.01.",
         "G should minimise log(1 − D(G(z))), which is flat where D is sure; −log D(G(z)) is steep there.",
         "G: should minimize log(1-D(G(x)))", short=False),
    Step(GANS, "gan", "timelapse", 0.5, "Press play.",
         "Sampling happens in z alone; the same z become images as G learns.",
         "This is the only place where sampling happens"),
    Step(GANS, "gan", "judge", 1, "Look at what it believes least among the real images.",
         "There is no likelihood here: D is the only judge, and this is what it has learnt to see.",
         "Real-World Data Training"),
    Step(GANS, "gan", "truncation", 1, "Drag truncation from 1 down to 0.4.",
         "Quality is bought with diversity, and measured: precision rises while recall falls.",
         "This is the only place where sampling happens"),
    Step(DIFFUSION, "diffusion", "forward", 1, "Drag t until the image is lost.",
         "The forward step q adds noise little by little; any xₜ can be had in one go.",
         "Forward step (q)"),
    Step(DIFFUSION, "diffusion", "reverse", 1.5, "Run both samplers, then scrub back and forth.",
         "Generation happens here: the network undoes the noise, and its guess of x₀ sharpens from a blur.",
         "Reverse step (pθ)"),
    Step(DIFFUSION, "diffusion", "algorithms", 4, "Press Next line, all the way down each of the two.",
         "Training draws an image, a t and a noise, and asks the network for the noise; sampling takes a little of it "
         "off, again and again.",
         "Algorithm 1 Training", short=False),
    Step(DIFFUSION, "diffusion", "simple", 2.5, "Press Measure, then switch the weights.",
         "One loss for all t: the bound's, with its weights left out.",
         "Simplified Version of the loss function", short=False),
    Step(DIFFUSION, "diffusion", "bound", 1, "Find the steepest part of the curve.",
         "The ELBO of diffusion models is one KL divergence a step; nearly all of it is paid in the last few.",
         "ELBO of diffusion models"),
    Step(DIFFUSION, "diffusion", "steps", 1, "Draw with 1, 5 and 20 steps; read the time of 1000 before you draw it.",
         "The simplified loss trains one network for all t; how many calls of it an image is worth is a choice.",
         "Reverse process"),
    Step(DIFFUSION, "training", "curves", 0.5, "Switch the axis from images to seconds.",
         "Three losses that cannot be compared, and three trainings that can.",
         "Simplified Version of the loss function"),
    Step(DIFFUSION, "training", "timelapse", 0.5, "Drag the slider to the first recognisable images.",
         "The VAE is blurred early and stays so; the GAN jumps; the DDPM grows slowly.",
         "Simplified Version of the loss function"),
    Step(TRILEMMA, "trilemma", "", 1.5, "Weigh quality, diversity and speed as your class would.",
         "Which model should we use? The answer here is measured, with its runner-up and what that would cost.",
         "Trilemma of Generative models: Quality vs. Diversity vs. Speed",
         "Quality, diversity, speed: which model should we use?"),
)  # fmt: skip


def here(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps whose page is there: one that was taken out takes its steps with it."""
    return tuple(step for step in steps if step.page in pages.PAGES)


STEPS = here(ALL)
WAYS = ("short", "long")


def way(name: str, steps: Sequence[Step] = STEPS) -> list[Step]:
    """Return the steps of the way of that name, in order."""
    return [step for step in steps if step.short or name == "long"]


def length(name: str, steps: Sequence[Step] = STEPS) -> float:
    """Return the minutes that a way takes."""
    return sum(step.minutes for step in way(name, steps))


def parts(steps: Sequence[Step] = STEPS) -> dict[str, list[Step]]:
    """Return the steps by part, in order."""
    found: dict[str, list[Step]] = {}
    for step in steps:
        found.setdefault(step.part, []).append(step)
    return found


def minutes(value: float) -> str:
    """Return minutes as a clock shows them: '1:30'."""
    return f"{int(value)}:{round(60 * (value % 1)):02d}"


def outline(steps: Sequence[Step] = STEPS) -> str:
    """Return the steps as an element that the page's script reads, for the bar that leads through them."""
    told = [
        {"href": step.address, "title": step.title, "do": step.do, "slide": step.slide, "minutes": step.minutes,
         "ways": [name for name in WAYS if step in way(name, steps)],
         "view": IN_VIEW.get((step.page, step.key), ())}
        for step in steps
    ]  # fmt: skip
    return f'<template id="lecture-steps" data-steps="{escape(json.dumps(told))}"></template>'
