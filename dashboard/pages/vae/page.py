"""VAE: posterior and prior, the bound term by term, the noise in z, and where samples come from."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from html import escape
from threading import Event
from typing import Any

import gradio as gr
import numpy as np

from dashboard.pages import slug_of
from dashboard.pages.vae import elbo_figure, importance_figure, posterior_figure, sharpness_figure
from dashboard.pages.vae.elbo_figure import Price
from dashboard.pages.vae.engine import DRAWS, LIKELY, MOST_WEIGHED, WIDEST, Drawn, Likely, Posteriors
from dashboard.pages.vae.panels import PANELS
from dashboard.service import PREVIEW, Frame, InputError, Order, Service, downloads
from dashboard.service.device import Waiting
from dashboard.ui import dataset_choice, model_card, share_bundle
from dashboard.ui.address import Address
from dashboard.ui.events import RUN, Values, after
from dashboard.ui.html import scripted, title
from dashboard.ui.image_picker import ImagePicker
from dashboard.ui.knobs import KnobPanel
from dashboard.ui.panels import chart, framed, on_open
from dashboard.ui.run import Run, Runs, status
from dashboard.ui.seed_field import ANOTHER_SEED, seed_field

TITLE = "VAE"
SLUG = slug_of(__name__)
FEW, EVERY = "the strongest", "all"  # dimensions of the posterior's chart
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
LIKELY_TEMPLATE = (
    '<div class="vae-draws"><p class="inside-problem words" data-at="problem" role="alert"></p><div class="three">'
    '<figure><img data-at="image" alt=""><figcaption>the image x</figcaption></figure>'
    '<figure><img data-at="mean" alt=""><figcaption>f<sub>μ</sub>(z), with z = μ(x)</figcaption></figure>'
    '<figure><img data-at="std" alt=""><figcaption>f<sub>σ</sub>(z): <span data-at="peak"></span></figcaption></figure>'
    f'</div><figure><img data-at="draws" alt=""><figcaption>{LIKELY} draws of x from p(x|z), all of one z</figcaption>'
    '</figure><p class="inside-words words" data-at="words"></p></div>'
)
SAMPLES_TEMPLATE = (
    '<div class="vae-samples"><p class="inside-problem" data-at="problem" role="alert"></p>'
    '<img data-at="images" alt=""><p class="inside-words" data-at="words"></p></div>'
)


def build(service: Service) -> None:
    """Lay out the page in the current Blocks and connect it to the service."""
    Inside(service).connect()


class Inside:
    """The page's components and what they do."""

    def __init__(self, service: Service):
        self.service, self.posteriors = service, service.shared(Posteriors)
        datasets = service.datasets()
        title(
            "Inside the VAE",
            "An encoder gives every image a small cloud of codes, a decoder turns codes into images. Choose an "
            "image and see what becomes of it.",
        )
        with gr.Row(elem_classes=["shared", "inside-choosers"]):
            self.dataset = dataset_choice.dropdown(SLUG, datasets)
            self.model = gr.Dropdown(
                [], label="model", interactive=True, filterable=False, elem_id="vae-model", visible=False
            )
        self.status = gr.HTML("", js_on_load=None, elem_id="vae-status")
        self.image_picker = ImagePicker(service, SLUG)
        self._build_posterior()
        self._build_noise()
        with framed(PANELS["elbo"]):
            self.elbo = gr.HTML("", js_on_load=None, elem_classes=["chart", "prices"], elem_id="vae-elbo")
        self._build_importance()
        self._build_decoder()
        self._build_prior()
        # At all that is said of the image, at its posterior, at draws of z and at those of x alone; runs of samples.
        self.looks, self.bell_looks, self.noise_looks, self.likely_looks = (Runs() for _ in range(4))
        self.runs, self.bundles = Runs(), Runs()
        self._build_address()

    # ---- layout

    def _build_posterior(self) -> None:
        with framed(PANELS["posterior"]):
            self.shown = gr.Radio([FEW, EVERY], value=FEW, label="dimensions", interactive=True,
                                  elem_id="vae-shown", elem_classes=["knob"])  # fmt: skip
            self.bells = gr.HTML("", js_on_load=None, elem_classes=["chart", "bells"], elem_id="vae-bells")

    def _build_noise(self) -> None:
        with framed(PANELS["noise"]):
            with gr.Row(elem_classes=["vae-turns"]):
                self.scale = gr.Slider(0, WIDEST, value=1, step=0.1, label="σ(x) times", interactive=True,
                                       info="0: the mean alone. 1: the posterior. More, to see where it would lead.",
                                       elem_id="vae-scale", elem_classes=["knob"])  # fmt: skip
                self.seed, self.again = seed_controls("noise")
            self.draws = pictures(DRAWS_TEMPLATE, "vae-draws")

    def _build_importance(self) -> None:
        with framed(PANELS["importance"]):
            with gr.Row(elem_classes=["vae-turns"]):
                self.weighing = Runs(
                    gr.Button(f"Draw {MOST_WEIGHED:,} z", elem_id="vae-importance-go", variant="primary"),
                    gr.Button("Stop", elem_id="vae-importance-stop", variant="secondary", interactive=False),
                )
            self.weighed = chart("vae-importance")

    def _build_decoder(self) -> None:
        with framed(PANELS["decoder"]):
            with gr.Row(elem_classes=["vae-turns"]):
                self.width = gr.Slider(0, WIDEST, value=1, step=0.1, label="f_σ(z) times", interactive=True,
                                       info="0: the mean alone, which is what is shown as a sample elsewhere.",
                                       elem_id="vae-width", elem_classes=["knob"])  # fmt: skip
                self.likely_seed, self.likely_again = seed_controls("decoder")
            self.likely = pictures(LIKELY_TEMPLATE, "vae-likely")

    def _build_prior(self) -> None:
        with framed(PANELS["prior"]), gr.Row(elem_classes=["vae-halves"]):
            with gr.Column():
                self.knobs = KnobPanel(self.posteriors.kinds, SLUG)
                with gr.Row(elem_classes=["vae-turns"]):
                    self.sample_seed, self.sample_again = seed_controls("prior")
                self.samples = pictures(SAMPLES_TEMPLATE, "vae-samples")
                self.bundle = share_bundle.share_bundle(SLUG)
            with gr.Column():
                names = list(sharpness_figure.VARIETY)
                self.variety = gr.Radio(names, value=names[0], label="variety as", interactive=True,
                                        elem_id="vae-variety", elem_classes=["knob"])  # fmt: skip
                self.blur = chart("vae-blur")

    def _build_address(self) -> None:
        address = Address(SLUG, self.service.datasets)
        address.keep("data", self.dataset)
        address.keep("model", self.model, among=lambda data: list(self.posteriors.checkpoints(data)))
        self.image_picker.keep(address)
        address.keep("dimensions", self.shown)
        address.keep("noise", self.scale)
        address.keep("noise-seed", self.seed)
        address.keep("width", self.width)
        address.keep("width-seed", self.likely_seed)
        address.knobs(self.knobs)
        address.keep("seed", self.sample_seed)
        address.keep("variety", self.variety)

    # ---- events

    def connect(self) -> None:
        """Connect the components."""
        calm: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        last = {**calm, "trigger_mode": "always_last"}
        knobs, columns = self.knobs.inputs, list(self.knobs.columns.values())
        everything = [self.dataset, self.model, self.status, *self.image_picker.outputs, *columns]
        about = [self.image_picker.image, self.dataset, self.model]
        sampling = [self.dataset, self.model, self.sample_seed, self.variety, *knobs]
        width = [self.width, self.likely_seed]
        seeing = [*about, self.shown, self.scale, self.seed, *width, self.image_picker.strip]
        views = [self.bells, self.draws, self.elbo, self.weighed, self.likely, *self.weighing.over]
        made = [self.samples, self.blur]

        # One run for all panels: Gradio would call listeners of their own one after another, each a round trip.
        self.seeing, self.sampling = seeing, sampling
        asked, shown = {*seeing, *sampling}, {*everything, *views, *made}
        on_open(self.opened, asked, shown, **RUN)
        self.dataset.input(self.switched, asked, shown, **RUN)
        self.model.input(self.swapped, asked, shown, **RUN)
        self.image_picker.connect(self.dataset, self.follow, seeing, views)

        self.shown.input(self.draw_bells, [*about, self.shown], [self.bells], **last)
        noise = {"fn": self.move_noise, "inputs": [*about, self.scale, self.seed], "outputs": [self.draws], **last}
        for changed in (self.scale, self.seed):
            changed.input(**noise)
        self.again.click(None, None, [self.seed], js=ANOTHER_SEED).then(**noise)
        likely = {"fn": self.move_width, "inputs": [*about, *width], "outputs": [self.likely], **last}
        for changed in width:
            changed.input(**likely)
        self.likely_again.click(None, None, [self.likely_seed], js=ANOTHER_SEED).then(**likely)
        weighing = self.weighing.go.click(self.weigh, about, [self.weighed, *self.weighing.over], **RUN)
        self.weighing.connect(weighing)
        for turned in (*self.knobs.connect(), self.sample_seed.input):
            turned(self.sample, sampling, made, **last)
        self.sample_again.click(None, None, [self.sample_seed], js=ANOTHER_SEED).then(
            self.sample, sampling, made, **last
        )
        self.variety.input(self.draw_blur, [self.dataset, self.model, self.variety, *knobs], [self.blur], **last)
        self.bundle.ask(self.give, sampling, [self.bundle], **RUN)
        for runs in (self.looks, self.bell_looks, self.noise_looks, self.likely_looks, self.runs, self.bundles):
            runs.connect()

    # ---- handlers: what the page is about

    def opened(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show the page, its image first; on one that was open before, nothing is made again."""
        about = (given[one] for one in (self.dataset, self.model, self.image_picker.strip))
        updates = self.open(request, *about)
        given, new = after(given, updates), self.image_picker.strip in updates
        yield updates
        if new:
            yield from self._made(request, given)

    def switched(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show another data set."""
        updates = self.show(*(given[one] for one in (self.dataset, self.model, self.image_picker.strip)))
        given = after(given, updates)
        yield updates
        yield from self._made(request, given)

    def swapped(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show another model."""
        yield self.choose(given[self.dataset], given[self.model])
        yield from self._made(request, given)

    def _made(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show what the model makes of the image, and its samples."""
        yield from self.follow(request, given)
        yield from self.sample(request, *(given[one] for one in self.sampling))

    def follow(self, request: gr.Request, given: Values) -> Iterator[dict]:
        """Show what the model makes of another image."""
        yield from self.see(request, *(given[one] for one in self.seeing))

    def open(self, request: gr.Request, dataset: str | None, model: str | None, strip: dict | None) -> dict:
        """Show the page as it was, else the data set that the address names, else the first."""
        dataset, choices = dataset_choice.opened_on(request, self.service.datasets(), dataset if strip else None)
        return {**self.show(dataset, model, strip), self.dataset: choices}

    def show(self, dataset: str | None, model: str | None, strip: dict | None) -> dict:
        """Show a data set: its images, its models, and the knobs of the one chosen."""
        names = list(self.posteriors.checkpoints(dataset or ""))
        model = model if model in names else next(iter(names), "")
        return {
            self.model: gr.update(choices=names, value=model or None, visible=len(names) > 1),
            **self.image_picker.show(dataset or "", strip),
            **self.choose(dataset, model),
        }

    def choose(self, dataset: str | None, model: str | None) -> dict:
        """Show what can be said of a model before it runs: its knobs, or why it cannot run."""
        try:
            family, words = self.posteriors.check(dataset or "", model or ""), ""
        except InputError as error:
            family, words = "", str(error)
        return {self.status: status(words, problem=True) if words else "", **self.knobs.show(family)}

    # ---- handlers: the chosen image

    def see(
        self, request: gr.Request, image: np.ndarray | None, dataset: str, model: str, shown: str, scale: Any,
        seed: Any, width: Any, likely_seed: Any, strip: dict | None,
    ) -> Iterator[dict]:  # fmt: skip
        """Show what the model makes of an image, one panel after another."""
        look = self.looks.begin(request)
        self.weighing.leave(request)  # what was weighed is not the image that is shown any more
        yield from self._shown(look, self._bells(image, dataset, model, shown, look.stop))
        yield from self._shown(look, self._noise(image, dataset, model, scale, seed, look.stop))
        yield from self._shown(look, self._elbo(image, dataset, model, strip, look.stop))
        yield from self._shown(look, self._likely(image, dataset, model, width, likely_seed, look.stop))
        yield {self.weighed: idle(), **self.weighing.over} if look.current else gr.skip()

    def _shown(self, look: Run, work: Generator[Waiting, None, dict]) -> Iterator[dict]:
        """Show a panel, and before that, below the draws, that it waits for the device."""
        updates = yield from look.made(work, lambda words: {self.draws: {"words": words, "problem": ""}})
        yield updates if look.current else gr.skip()

    def _family(self, image: np.ndarray | None, dataset: str, model: str) -> str:
        """Return the family of the model that the page is about.

        Raises:
            InputError: if it cannot run, or no image is chosen.
        """
        family = self.posteriors.check(dataset or "", model or "")
        if image is None:
            raise InputError(NO_IMAGE)
        return family

    def draw_bells(
        self, request: gr.Request, image: np.ndarray | None, dataset: str, model: str, shown: str
    ) -> Iterator[dict]:
        """Draw other dimensions of the posterior."""
        look = self.bell_looks.begin(request)
        yield from self._shown(look, self._bells(image, dataset, model, shown, look.stop))

    def _bells(
        self, image: np.ndarray | None, dataset: str, model: str, shown: str, stop: Event
    ) -> Generator[Waiting, None, dict]:
        """Draw the posterior of the image beside what does not depend on it."""
        try:
            family = self._family(image, dataset, model)
            posterior = yield from self.posteriors.posterior(model, image, stop)
        except InputError as error:
            return {self.bells: sorry(error)}
        try:
            found, missing = (yield from self.posteriors.aggregate(model, stop)), ""
        except InputError as error:
            found, missing = None, str(error)
        return {self.bells: posterior_figure.card(family, posterior, found, shown == EVERY, missing)}

    def move_noise(
        self, request: gr.Request, image: np.ndarray | None, dataset: str, model: str, scale: Any, seed: Any
    ) -> Iterator[dict]:
        """Show draws under another setting."""
        look = self.noise_looks.begin(request)
        yield from self._shown(look, self._noise(image, dataset, model, scale, seed, look.stop))

    def _noise(
        self, image: np.ndarray | None, dataset: str, model: str, scale: Any, seed: Any, stop: Event
    ) -> Generator[Waiting, None, dict]:
        """Show images decoded from draws of the image's posterior."""
        try:
            self._family(image, dataset, model)
            drawn = yield from self.posteriors.draws(model, image, seed, scale, stop)
        except InputError as error:
            return {self.draws: {"problem": str(error), "words": ""}}
        return {self.draws: painted(drawn, float(scale), self.apart(dataset))}

    def move_width(
        self, request: gr.Request, image: np.ndarray | None, dataset: str, model: str, width: Any, seed: Any
    ) -> Iterator[dict]:
        """Show draws of x under another setting."""
        look = self.likely_looks.begin(request)
        yield from self._shown(look, self._likely(image, dataset, model, width, seed, look.stop))

    def _likely(
        self, image: np.ndarray | None, dataset: str, model: str, width: Any, seed: Any, stop: Event
    ) -> Generator[Waiting, None, dict]:
        """Show p(x|z) at the mean of the image's posterior."""
        try:
            self.posteriors.decodes_normal(self._family(image, dataset, model))
            found = yield from self.posteriors.likely(model, image, seed, width, stop)
        except InputError as error:
            return {self.likely: {"problem": str(error), "words": ""}}
        return {self.likely: painted_likely(found, image)}

    def weigh(self, request: gr.Request, image: np.ndarray | None, dataset: str, model: str) -> Iterator[dict]:
        """Draw z and weigh them, and show the bounds as they rise."""
        try:
            family = self._family(image, dataset, model)
            self.posteriors.decodes_normal(family)
        except InputError as error:
            yield {self.weighed: sorry(error)}
            return
        run, drawn = self.weighing.begin(request), 0
        yield {self.weighing.go: gr.update(interactive=False), self.weighing.stop: gr.update(interactive=True)}

        def paint(bounds: dict[int, np.ndarray]) -> dict:
            nonlocal drawn
            drawn = len(bounds[1])
            return {self.weighed: importance_figure.card(family, bounds, drawn)}

        def wait(words: str) -> dict:
            return {self.weighed: sorry(words)} if not drawn else {self.weighed: gr.skip()}

        try:
            if (yield from run.shown(self.posteriors.weighed(model, image, run.stop), wait, paint)):
                yield self.weighing.over
        except InputError as error:
            yield {self.weighed: sorry(error), **self.weighing.over}

    def apart(self, dataset: str) -> float | None:
        """Return how far two real images are apart on average, None when that was not described."""
        found = self.service.reference(dataset)
        if found is None:
            return None
        middles = (found["bins"][1:] + found["bins"][:-1]) / 2
        return float(np.sum(middles * found["density"] * np.diff(found["bins"])))

    def _elbo(
        self, image: np.ndarray | None, dataset: str, model: str, strip: dict | None, stop: Event
    ) -> Generator[Waiting, None, dict]:
        """Draw the price of the image, beside the dearest and the cheapest shown and the mean of the test images."""
        try:
            family = self._family(image, dataset, model)
            if not self.posteriors.bounds(family):
                title = self.service.families[family].title
                raise InputError(f"A {title} has no bound of the likelihood, so there is nothing to take apart.")
            prices = [(yield from self._price(model, image, "this image", stop))]
            prices += yield from self._others(model, image, strip, stop)
        except InputError as error:
            return {self.elbo: sorry(error)}
        row = elbo_figure.best(self.service.measurements(dataset).bounds, model)
        prices[1:1] = [elbo_figure.of_row(row)] if row else []
        missing = "" if row else f"No test images have been priced yet: python -m gencore bound {model}"
        return {self.elbo: elbo_figure.card(family, prices, image.size, missing)}

    def _price(self, model: str, image: np.ndarray, label: str, stop: Event) -> Generator[Waiting, None, Price]:
        return self.posteriors.price(model, image, label, model_card.data_uri(image[None]), stop)

    def _others(
        self, model: str, image: np.ndarray, strip: dict | None, stop: Event
    ) -> Generator[Waiting, None, list[Price]]:
        """Return the prices of the cheapest and the dearest of the images to choose from, but the chosen one."""
        images = (strip or {}).get("images")
        if images is None or len(images) < 2 or images.shape[1:] != image.shape:
            return []
        cheap, dear = yield from self.posteriors.extremes(model, images, stop)
        return [
            (yield from self._price(model, images[cheap], "cheapest shown", stop)),
            (yield from self._price(model, images[dear], "dearest shown", stop)),
        ]

    # ---- handlers: samples from the prior

    def _settings(self, dataset: str, model: str, values: tuple) -> tuple[str, dict[str, Any]]:
        """Return the chosen model's family, and its knobs' values as the controls have them.

        Raises:
            InputError: if the model cannot run.
        """
        family = self.posteriors.check(dataset or "", model or "")
        return family, self.knobs.given(family, values)

    def sample(
        self, request: gr.Request, dataset: str, model: str, seed: Any, variety: str, *values: Any
    ) -> Iterator[dict]:
        """Show samples of the same seeds under the knobs, and where these settings were measured."""
        try:
            order = self._order(dataset, model, seed, values)
        except InputError as error:
            yield {self.samples: {"problem": str(error)}}
            return
        run = self.runs.begin(request)
        if (yield from run.shown(
            self.service.run(order, run.stop, fresh=False),
            lambda words: {self.samples: {"words": words, "problem": ""}},
            lambda frame: self._sampled(frame, order.seed),
        )):  # fmt: skip
            yield self.draw_blur(dataset, model, variety, *values)

    def _order(self, dataset: str, model: str, seed: Any, values: tuple) -> Order:
        """Return the checked order of samples.

        Raises:
            InputError: if the model cannot run, or the seed is none.
        """
        family, knobs = self._settings(dataset, model, values)
        return self.service.order(dataset, PREVIEW["n"], seed, {family: {"checkpoint": model, "knobs": knobs}})

    def give(
        self, request: gr.Request, dataset: str, model: str, seed: Any, variety: str, *values: Any
    ) -> Iterator[dict]:
        """Send the samples of the present seed and knobs as a bundle."""
        try:
            order = self._order(dataset, model, seed, values)
        except InputError as error:
            yield {self.bundle: share_bundle.sorry(str(error))}
            return
        run, part = self.bundles.begin(request), order.parts[0]

        def hand(frame: Frame) -> dict | None:
            if frame.state != "done":
                return {self.bundle: share_bundle.sorry(frame.problem)} if frame.problem else None
            content = downloads.shared(
                {part.family: part}, {part.family: frame.images}, order.seed, self.service.machine
            )
            return {self.bundle: share_bundle.ready(content, f"{model}-seed-{order.seed}")}

        frames = self.service.run(order, run.stop, fresh=False)
        yield {self.bundle: gr.skip()}  # a generator that yields nothing would empty its outputs
        yield from run.shown(frames, lambda words: {self.bundle: share_bundle.told(words)}, hand)

    def _sampled(self, frame: Frame, seed: int) -> dict | None:
        if frame.images is None:
            return {self.samples: {"problem": frame.problem}} if frame.problem else None
        images = frame.images
        words = f"{len(images)} samples of seed {seed}: each place keeps its seed, whatever the sliders say."
        picture = {"images": model_card.data_uri(images), "images-alt": f"{len(images)} samples"}
        return {self.samples: {**picture, "words": words, "problem": ""}}

    def draw_blur(self, dataset: str, model: str, variety: str, *values: Any) -> dict:
        """Draw blur against variety of the measured settings, with the nearest to the present one marked."""
        try:
            family, knobs = self._settings(dataset, model, values)
            settled = self.service.part(dataset, family, {"checkpoint": model, "knobs": knobs}).knobs
        except InputError as error:
            return {self.blur: sorry(error)}
        measured = self.service.measurements(dataset)
        metric = sharpness_figure.VARIETY.get(variety) or next(iter(sharpness_figure.VARIETY.values()))
        missing = f"Nothing has been measured yet: python -m gencore evaluate {model}"
        kind = self.service.families[family]
        return {self.blur: sharpness_figure.card(measured, model, kind.knobs, settled, metric, missing)}


# ---- parts


def pictures(template: str, name: str) -> gr.HTML:
    """Return a component that paints the pictures and words of its value in place."""
    return scripted(name, template, "lab.inside(element, props, watch)")


def seed_controls(name: str) -> tuple[gr.Textbox, gr.Button]:
    """Return the field of a seed and the button that draws another."""
    return seed_field(f"vae-{name}", classes="seed"), gr.Button(
        "Draw again", variant="secondary", elem_id=f"vae-{name}-again", elem_classes=["again"]
    )


def sorry(error: InputError | str) -> str:
    """Return one sentence in place of a chart."""
    return f'<p class="inside-problem" role="alert">{escape(str(error))}</p>'


def idle() -> str:
    """Return what stands where the bounds will be."""
    return '<p class="inside-words">Press Draw: each z is decoded and weighed, which takes a few seconds.</p>'


def painted_likely(found: Likely, image: np.ndarray) -> dict[str, Any]:
    """Return the value of the pictures of p(x|z)."""
    low, high = float(found.std.min()), float(found.std.max())
    flat = high - low <= 1e-6
    shade = np.sqrt(np.clip(found.std / 2 / WHITE, 0, 1))  # of pixels from 0 to 1, as the noise's panel has it
    lecture = (
        f"The lecture's f_σ(z) has a σ for each pixel and z. This model has one, {high:.3f}, for all (σ-VAE, Rybkin et "
        "al. 2021), which is why its picture is flat"
        if flat else f"Its σ is from {low:.3f} to {high:.3f}"
    )  # fmt: skip
    return {
        "problem": "",
        "image": model_card.data_uri(image[None]),
        "image-alt": "The chosen image",
        "mean": model_card.data_uri(found.mean[None]),
        "mean-alt": "The mean of p(x|z)",
        "std": model_card.data_uri((255 * shade).astype(np.uint8)[None, None]),
        "std-alt": "The standard deviation of p(x|z) of each pixel",
        "peak": f"{high:.3f} everywhere" if flat else f"{low:.3f} to {high:.3f}",
        "draws": model_card.data_uri(found.images),
        "draws-alt": f"{len(found.images)} draws of x",
        "words": f"{lecture}; this image is off its mean by {found.error:.3f} (root mean square; pixels from −1 to 1).",
    }


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
