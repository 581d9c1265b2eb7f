"""VAE: posterior and prior, the bound term by term, the noise in z, and where samples come from."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr
import numpy as np
from gradio.context import Context

from dashboard.pages.vae import elbo_figure, posterior_figure, sharpness_figure
from dashboard.pages.vae.engine import DRAWS, WIDEST, Drawn, Posteriors
from dashboard.pages.vae.panels import PANELS
from dashboard.service import PREVIEW, InputError, Service
from dashboard.ui import knobs as controls
from dashboard.ui import model_card
from dashboard.ui.image_picker import Subject
from dashboard.ui.panels import framed, on_open

TITLE = "VAE"
SLUG = "vae"
FEW, EVERY = "the strongest", "all"  # dimensions of the posterior's chart
WAIT = "Another run has the device; this follows when it ends."
NO_IMAGE = "Choose an image above, or draw one."
WHITE = 0.25  # standard deviation of a pixel that is white on the map
DRAWS_TEMPLATE = (
    '<div class="vae-draws"><p class="inside-problem words" data-at="problem" role="alert"></p><div class="three">'
    '<figure><img data-at="image" alt=""><figcaption>the image x</figcaption></figure>'
    '<figure><img data-at="centre" alt=""><figcaption>decoded from its mean, f(μ(x))</figcaption></figure>'
    '<figure><img data-at="spread" alt=""><figcaption data-at="peak"></figcaption></figure></div>'
    f'<figure><img data-at="draws" alt=""><figcaption>decoded from {DRAWS} draws of z</figcaption></figure>'
    '<p class="inside-words words" data-at="words"></p></div>'
)
SAMPLES_TEMPLATE = (
    '<div class="vae-samples"><p class="inside-problem" data-at="problem" role="alert"></p>'
    '<img data-at="images" alt=""><p class="inside-words" data-at="words"></p></div>'
)
ANOTHER = "() => String(Math.floor(Math.random() * 1e6))"


def build(service: Service) -> None:
    """Lay out the page in the current Blocks and connect it to the service."""
    Inside(service).connect()


class Inside:
    """The page's components and what they do."""

    def __init__(self, service: Service):
        self.service, self.posteriors = service, service.shared(Posteriors)
        datasets = service.datasets()
        gr.HTML(
            '<div class="title"><h1>Inside the VAE</h1><p>An encoder gives every image a small cloud of codes, a '
            "decoder turns codes into images. Choose an image and see what becomes of it.</p></div>",
            js_on_load=None,
        )
        with gr.Row(elem_classes=["shared", "inside-choosers"]):
            self.dataset = gr.Dropdown(
                controls.datasets(datasets), value=next(iter(datasets), None), label="data", interactive=True,
                filterable=False, elem_id="inside-dataset", visible=len(datasets) > 1,
            )  # fmt: skip
            self.model = gr.Dropdown(
                [], label="model", interactive=True, filterable=False, elem_id="inside-model", visible=False
            )
        self.status = gr.HTML("", js_on_load=None, elem_id="inside-status")
        self.subject = Subject(service, SLUG)
        self._build_posterior()
        self._build_noise()
        with framed(PANELS["elbo"]):
            self.elbo = gr.HTML("", js_on_load=None, elem_classes=["chart", "prices"], elem_id="inside-elbo")
        self._build_prior()

    # ---- layout

    def _build_posterior(self) -> None:
        with framed(PANELS["posterior"]):
            self.shown = gr.Radio([FEW, EVERY], value=FEW, label="dimensions", interactive=True,
                                  elem_id="inside-shown", elem_classes=["knob"])  # fmt: skip
            self.bells = gr.HTML("", js_on_load=None, elem_classes=["chart", "bells"], elem_id="inside-bells")

    def _build_noise(self) -> None:
        with framed(PANELS["noise"]):
            with gr.Row(elem_classes=["vae-turns"]):
                self.scale = gr.Slider(0, WIDEST, value=1, step=0.1, label="σ(x) times", interactive=True,
                                       info="0: the mean alone. 1: the posterior. More, to see where it would lead.",
                                       elem_id="inside-scale", elem_classes=["knob"])  # fmt: skip
                self.seed, self.again = seed_controls("noise")
            self.draws = pictures(DRAWS_TEMPLATE, "inside-draws")

    def _build_prior(self) -> None:
        with framed(PANELS["prior"]), gr.Row(elem_classes=["vae-halves"]):
            with gr.Column():
                self.knobs = {name: self._build_knobs(name) for name in self.posteriors.kinds}
                with gr.Row(elem_classes=["vae-turns"]):
                    self.sample_seed, self.sample_again = seed_controls("prior")
                self.samples = pictures(SAMPLES_TEMPLATE, "inside-samples")
            with gr.Column():
                names = list(sharpness_figure.VARIETY)
                self.variety = gr.Radio(names, value=names[0], label="variety as", interactive=True,
                                        elem_id="inside-variety", elem_classes=["knob"])  # fmt: skip
                self.blur = gr.HTML("", js_on_load=None, elem_classes=["chart"], elem_id="inside-blur")

    def _build_knobs(self, family: str) -> tuple[gr.Column, list[gr.components.Component]]:
        """Lay out the knobs of one family; those of the chosen model are shown."""
        knobs = self.service.families[family].knobs
        usual = {knob.name: knob.default for knob in knobs}
        with gr.Column(visible=False) as box:
            return box, [controls.control(knob, f"inside-{family}", knob.applies(usual)) for knob in knobs]

    # ---- events

    def connect(self) -> None:
        """Connect the components."""
        calm: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        last = {**calm, "trigger_mode": "always_last"}
        boxes = [box for box, _ in self.knobs.values()]
        knobs = [knob for _, mine in self.knobs.values() for knob in mine]
        everything = [self.dataset, self.model, self.status, *self.subject.outputs, *boxes]
        about = [self.subject.image, self.dataset, self.model]
        self.subject.connect(self.dataset)
        sampling = [self.dataset, self.model, self.sample_seed, self.variety, *knobs]
        seeing = [*about, self.shown, self.scale, self.seed, self.subject.strip]
        views = [self.bells, self.draws, self.elbo]
        made = [self.samples, self.blur, *knobs]

        opened = on_open(self.open, [self.dataset, self.model, self.subject.strip], everything)
        switched = self.dataset.input(self.show, [self.dataset, self.model, self.subject.strip], everything, **calm)
        chosen = self.model.input(self.choose, [self.dataset, self.model], [self.status, *boxes], **calm)
        for first in (opened, switched):  # an image that is chosen is seen by its own change
            first.then(self.miss, [self.subject.image], views, **calm)
        chosen.then(self.see, seeing, views, **calm)
        for first in (opened, switched, chosen):
            first.then(self.sample, sampling, made, **calm)
        self.subject.image.change(self.see, seeing, views, **last)

        self.shown.input(self.draw_bells, [*about, self.shown], [self.bells], **last)
        noise = {"fn": self.move_noise, "inputs": [*about, self.scale, self.seed], "outputs": [self.draws], **last}
        for changed in (self.scale, self.seed):
            changed.input(**noise)
        self.again.click(None, None, [self.seed], js=ANOTHER).then(**noise)
        for changed in (*knobs, self.sample_seed):
            changed.input(self.sample, sampling, made, **last)
        self.sample_again.click(None, None, [self.sample_seed], js=ANOTHER).then(self.sample, sampling, made, **last)
        self.variety.input(self.draw_blur, [self.dataset, self.model, self.variety, *knobs], [self.blur], **last)
        Context.root_block.unload(self.leave)

    # ---- handlers: what the page is about

    def open(self, request: gr.Request, dataset: str | None, model: str | None, strip: dict | None) -> dict:
        """Show the page as it was, else the data set that the address names, else the first."""
        dataset, choices = controls.opened_on(request, self.service.datasets(), dataset if strip else None)
        return {**self.show(dataset, model, strip), self.dataset: choices}

    def show(self, dataset: str | None, model: str | None, strip: dict | None) -> dict:
        """Show a data set: its images, its models, and the knobs of the one chosen."""
        names = list(self.posteriors.checkpoints(dataset or ""))
        model = model if model in names else next(iter(names), "")
        return {
            self.model: gr.update(choices=names, value=model or None, visible=len(names) > 1),
            **self.subject.show(dataset or "", strip),
            **self.choose(dataset, model),
        }

    def choose(self, dataset: str | None, model: str | None) -> dict:
        """Show what can be said of a model before it runs: its knobs, or why it cannot run."""
        try:
            family, words = self.posteriors.check(dataset or "", model or ""), ""
        except InputError as error:
            family, words = "", str(error)
        problem = (
            f'<div class="status"><span class="problem" role="alert">{escape(words)}</span></div>' if words else ""
        )
        return {self.status: problem, **{box: gr.update(visible=name == family)
                                         for name, (box, _) in self.knobs.items()}}  # fmt: skip

    # ---- handlers: the chosen image

    def see(
        self, image: np.ndarray | None, dataset: str, model: str, shown: str, scale: Any, seed: Any, strip: dict | None
    ) -> Iterator[dict]:
        """Show what the model makes of an image, one panel after another."""
        if self.service.turn.busy:
            yield {self.draws: {"words": WAIT, "problem": ""}}
        yield self.draw_bells(image, dataset, model, shown)
        yield self.draw_noise(image, dataset, model, scale, seed)
        yield self.draw_elbo(image, dataset, model, strip)

    def miss(self, image: np.ndarray | None) -> dict:
        """Say that no image is chosen, where none is."""
        if image is not None:
            return {self.draws: gr.skip()}
        return {self.bells: sorry(NO_IMAGE), self.elbo: sorry(NO_IMAGE), self.draws: {"problem": NO_IMAGE, "words": ""}}

    def _family(self, image: np.ndarray | None, dataset: str, model: str) -> str:
        """Return the family of the model that the page is about.

        Raises:
            InputError: if it cannot run, or no image is chosen.
        """
        family = self.posteriors.check(dataset or "", model or "")
        if image is None:
            raise InputError(NO_IMAGE)
        return family

    def draw_bells(self, image: np.ndarray | None, dataset: str, model: str, shown: str) -> dict:
        """Draw the posterior of the image beside what does not depend on it."""
        try:
            family = self._family(image, dataset, model)
            posterior = self.posteriors.posterior(model, image)
        except InputError as error:
            return {self.bells: sorry(error)}
        try:
            found, missing = self.posteriors.aggregate(model), ""
        except InputError as error:
            found, missing = None, str(error)
        return {self.bells: posterior_figure.card(family, posterior, found, shown == EVERY, missing)}

    def move_noise(self, *values: Any) -> Iterator[dict]:
        """Show draws under another setting; say so when they have to wait."""
        if self.service.turn.busy:
            yield {self.draws: {"words": WAIT, "problem": ""}}
        yield self.draw_noise(*values)

    def draw_noise(self, image: np.ndarray | None, dataset: str, model: str, scale: Any, seed: Any) -> dict:
        """Show images decoded from draws of the image's posterior."""
        try:
            self._family(image, dataset, model)
            drawn = self.posteriors.draws(model, image, seed, scale)
        except InputError as error:
            return {self.draws: {"problem": str(error), "words": ""}}
        return {self.draws: painted(drawn, float(scale), self.apart(dataset))}

    def apart(self, dataset: str) -> float | None:
        """Return how far two real images are apart on average, None when that was not described."""
        found = self.service.reference(dataset)
        if found is None:
            return None
        middles = (found["bins"][1:] + found["bins"][:-1]) / 2
        return float(np.sum(middles * found["density"] * np.diff(found["bins"])))

    def draw_elbo(self, image: np.ndarray | None, dataset: str, model: str, strip: dict | None) -> dict:
        """Draw the price of the image, beside the dearest and the cheapest shown and the mean of the test images."""
        try:
            family = self._family(image, dataset, model)
            if not self.posteriors.bounds(family):
                title = self.service.families[family].title
                raise InputError(f"A {title} has no bound of the likelihood, so there is nothing to take apart.")
            prices = [self.posteriors.price(model, image, "this image", model_card.data_uri(image[None]))]
            prices += self._others(model, image, strip)
        except InputError as error:
            return {self.elbo: sorry(error)}
        row = elbo_figure.best(self.service.measurements(dataset).bounds, model)
        prices[1:1] = [elbo_figure.of_row(row)] if row else []
        missing = "" if row else f"No test images have been priced yet: python -m gencore bound {model}"
        return {self.elbo: elbo_figure.card(family, prices, image.size, missing)}

    def _others(self, model: str, image: np.ndarray, strip: dict | None) -> list[elbo_figure.Price]:
        """Return the prices of the cheapest and the dearest of the images to choose from, but the chosen one."""
        images = (strip or {}).get("images")
        if images is None or len(images) < 2 or images.shape[1:] != image.shape:
            return []
        cheap, dear = self.posteriors.extremes(model, images)
        named = (("cheapest shown", images[cheap]), ("dearest shown", images[dear]))
        return [self.posteriors.price(model, one, label, model_card.data_uri(one[None])) for label, one in named]

    # ---- handlers: samples from the prior

    def _settings(self, dataset: str, model: str, values: tuple) -> tuple[str, list, dict[str, Any]]:
        """Return the chosen model's family, its knobs' values as the controls have them, and those that apply.

        Raises:
            InputError: if the model cannot run.
        """
        family, rest = self.posteriors.check(dataset or "", model or ""), list(values)
        for name, (_, mine) in self.knobs.items():
            given, rest = rest[: len(mine)], rest[len(mine) :]
            if name == family:
                return family, given, controls.chosen(self.service.families[name].knobs, given)
        raise InputError(f"There are no knobs for {model}.")

    def sample(
        self, request: gr.Request, dataset: str, model: str, seed: Any, variety: str, *values: Any
    ) -> Iterator[dict]:
        """Show samples of the same seeds under the knobs, and where these settings were measured."""
        try:
            family, given, knobs = self._settings(dataset, model, values)
            order = self.service.order(dataset, PREVIEW["n"], seed, {family: {"checkpoint": model, "knobs": knobs}})
        except InputError as error:
            yield {self.samples: {"problem": str(error)}}
            return
        name = f"{request.session_hash}-{SLUG}"
        stop = self.service.begin(name)
        if self.service.turn.busy:
            yield {self.samples: {"words": WAIT, "problem": ""}}
        for frame in self.service.run(order, stop):
            if not self.service.holds(name, stop):
                yield gr.skip()
                return
            if frame.images is not None:
                yield {self.samples: self._sampled(frame.images, order.seed)}
            elif frame.problem:
                yield {self.samples: {"problem": frame.problem}}
        usual = self.service.families[family].knobs
        all_values = dict(zip((knob.name for knob in usual), given, strict=True))
        applies = {control: gr.update(visible=knob.applies(all_values))
                   for knob, control in zip(usual, self.knobs[family][1], strict=True)}  # fmt: skip
        yield {**applies, **self.draw_blur(dataset, model, variety, *values)}

    @staticmethod
    def _sampled(images: np.ndarray, seed: int) -> dict[str, Any]:
        words = f"{len(images)} samples of seed {seed}: each place keeps its seed, whatever the sliders say."
        return {
            "images": model_card.data_uri(images),
            "images-alt": f"{len(images)} samples",
            "words": words,
            "problem": "",
        }

    def draw_blur(self, dataset: str, model: str, variety: str, *values: Any) -> dict:
        """Draw blur against variety of the measured settings, with the nearest to the present one marked."""
        try:
            family, _, knobs = self._settings(dataset, model, values)
            settled = self.service.part(dataset, family, {"checkpoint": model, "knobs": knobs}).knobs
        except InputError as error:
            return {self.blur: sorry(error)}
        measured = self.service.measurements(dataset)
        metric = sharpness_figure.VARIETY.get(variety) or next(iter(sharpness_figure.VARIETY.values()))
        missing = f"Nothing has been measured yet: python -m gencore evaluate {model}"
        kind = self.service.families[family]
        return {self.blur: sharpness_figure.card(measured, model, kind.knobs, settled, metric, missing)}

    def leave(self, request: gr.Request) -> None:
        """Stop the samples of a visitor who has gone."""
        self.service.forget(f"{request.session_hash}-{SLUG}")


# ---- parts


def pictures(template: str, name: str) -> gr.HTML:
    """Return a component that paints the pictures and words of its value in place."""
    return gr.HTML(
        {},
        html_template=template,
        js_on_load="lab.inside(element, props, watch)",
        apply_default_css=False,
        elem_id=name,
    )


def seed_controls(name: str) -> tuple[gr.Textbox, gr.Button]:
    """Return the field of a seed and the button that draws another."""
    seed = gr.Textbox(str(PREVIEW["seed"]), label="seed", interactive=True, max_lines=1,
                      elem_id=f"inside-{name}-seed", elem_classes=["seed"])  # fmt: skip
    return seed, gr.Button("Draw again", variant="secondary", elem_id=f"inside-{name}-again",
                           elem_classes=["again"])  # fmt: skip


def sorry(error: InputError | str) -> str:
    """Return one sentence in place of a chart."""
    return f'<p class="inside-problem" role="alert">{escape(str(error))}</p>'


def painted(drawn: Drawn, scale: float, apart: float | None) -> dict[str, Any]:
    """Return the value of the pictures of draws of z."""
    peak = float(drawn.spread.max())
    shade = np.sqrt(np.clip(drawn.spread / WHITE, 0, 1))  # the eye tells dark greys apart worse than light ones
    real = "" if apart is None else f", two real images {apart:.1f}"
    differ = "z differs" if scale else "and z does not differ, as σ is taken times 0"
    return {
        "problem": "",
        "image": model_card.data_uri(drawn.image[None]),
        "image-alt": "The chosen image",
        "centre": model_card.data_uri(drawn.centre[None]),
        "centre-alt": "The image decoded from the mean of its posterior",
        "spread": model_card.data_uri((255 * shade).astype(np.uint8)[None, None]),
        "spread-alt": "Standard deviation of each pixel over the draws",
        "peak": f"standard deviation of each pixel: at most {peak:.2f}; white: {WHITE:g} or more",
        "draws": model_card.data_uri(drawn.images),
        "draws-alt": f"{len(drawn.images)} images decoded from draws of z",
        "words": (
            f"x is the same, {differ}: two draws are {drawn.between_z:.2f} apart on average, and the images decoded "
            f"from them {drawn.between_images:.2f}{real} (Euclidean; pixels from 0 to 1)."
        ),
    }
