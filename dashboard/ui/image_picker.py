"""The image that a page's panels are about: one of a few real test images, or one that the visitor draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import gradio as gr
import numpy as np
from gradio.components import Component
from PIL import Image, ImageFilter

from dashboard.service import InputError, Service
from dashboard.service.images import examples, image_shape
from dashboard.service.parsing import NOTHING, parse_image, parse_pixels
from dashboard.ui import model_card
from dashboard.ui.address import Address, number
from dashboard.ui.events import RUN, Values, after
from dashboard.ui.html import scripted

Follow = Callable[..., Iterator[dict]]
SHOWN = 12
PAD = 112  # the sketch pad's values along a side
ASKED = "?"  # in place of a data set: which image an address asks for, before there are any
EMPTY: dict[str, Any] = {
    "dataset": ASKED,
    "seed": 0,
    "images": [],
    "names": [],
    "words": "",
    "chosen": 0,
    "drawn": None,
}
MOST = 512  # of a drawing's values along a side
DIGIT, WHOLE = 20, 28  # an MNIST digit's longer side, and its picture's: how a drawing is fitted into a picture
SOFTENED = "The drawing had hard edges, in two shades alone; they were softened, as those of the test images are."
COLOURED = "These images are in colour, which the sketch pad is not: choose one of them, or shuffle."
TEMPLATE = (
    '<div class="image-picker" data-at="picker" data-state="idle"><div class="image-picker-strip">'
    '<div class="image-picker-head"><h2 data-at="title">The image</h2>'
    '<button type="button" class="quiet" data-at="shuffle">Shuffle</button></div>'
    '<div class="image-picker-images" data-at="images" role="group" aria-label="Images to choose from"></div>'
    '<p class="image-picker-words" data-at="words" role="status"></p></div>'
    '<div class="image-picker-draw" data-at="draw"><div class="image-picker-head"><h2>or draw one</h2>'
    '<button type="button" class="quiet" data-at="clear">Clear</button></div><div class="image-picker-pads">'
    f'<canvas data-at="pad" width="{PAD}" height="{PAD}" role="img" '
    'aria-label="Sketch pad: draw with the pointer or a finger"></canvas>'
    '<button type="button" class="image-picker-drawn" data-at="drawn" aria-pressed="false" hidden>'
    '<img data-at="drawing" alt="Your drawing, as the models get it"></button></div></div></div>'
    '<div class="image-strip" data-at="strip" role="group" aria-label="The image" hidden></div>'
)


class ImagePicker:
    """The choice of an image, laid out in the current Blocks.

    Attributes:
        image: The chosen image, uint8 (C, H, W), or None; a `gr.State`.
        strip: What is offered, and which of it is chosen; a `gr.State`.
        outputs: Its components, for handlers that return `show`.
    """

    def __init__(self, service: Service, page: str):
        self.service = service
        self.image = gr.State(None)
        self.strip = gr.State(None)  # what the picker shows, see `painted`
        self.picker = scripted(
            f"{page}-image-picker",
            TEMPLATE,
            f"lab.imagePicker(element, props, watch, trigger, {page!r}, ['choose', 'shuffle', 'draw', 'clear'])",
        )

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What `show` and the events change."""
        return [self.image, self.strip, self.picker]

    def show(self, dataset: str, strip: dict[str, Any] | None = None) -> dict:
        """Return the updates that show a data set's images and choose the first.

        Args:
            dataset: The data set.
            strip: What is shown now (`strip`): what was chosen or drawn stays if it is of this data set.
        """
        if strip and strip["dataset"] == dataset:
            return {self.picker: gr.skip()}
        if strip and strip["dataset"] == ASKED:
            return self._strip(dataset, strip["seed"], chosen=strip["chosen"])
        return self._strip(dataset, 0)

    def keep(self, address: Address) -> None:
        """Declare which image is chosen as state of the page: its place, and how often the images were shuffled."""
        address.scripts("image", number("image", 1, SHOWN, whole=True))
        address.scripts("shuffles", number("shuffles", 0, 999_999, whole=True))

        def ask(values: Mapping[str, Any]) -> dict:
            strip = {**EMPTY, "seed": values.get("shuffles", 0), "chosen": values.get("image", 1) - 1}
            return {self.strip: strip}

        address.follow(ask, [self.strip])

    def connect(self, dataset: gr.Dropdown, follow: Follow, asked: Iterable[Component], answers: Iterable[Component]
                ) -> None:  # fmt: skip
        """Connect the picker's events; the page calls `show` when it opens and when the data set changes.

        Args:
            dataset: The page's data set.
            follow: Shows another image in the page's panels, in the run that shows the choice: a listener of its own
                would take a round trip more. It has the values of `asked`, by component.
            asked: What `follow` reads, besides the image and the strip.
            answers: What `follow` changes.
        """
        inputs, outputs = {*asked, dataset, self.image, self.strip}, {*answers, *self.outputs}
        events = (
            (self.picker.choose, self._choose),
            (self.picker.shuffle, self._shuffle),
            (self.picker.draw, self._draw),
            (self.picker.clear, self._clear),
        )
        for event, handler in events:
            event(self._followed(handler, dataset, follow), inputs, outputs, **RUN)

    # ---- handlers

    def _followed(self, handler: Callable[..., dict], dataset: gr.Dropdown, follow: Follow) -> Follow:
        """Return the run that shows what an event of the picker comes to, and then the image in the panels."""

        def run(request: gr.Request, event: gr.EventData, given: Values) -> Iterator[dict]:
            updates = handler(event, given[dataset], given[self.strip])
            given, shown = after(given, updates), self.strip in updates
            yield updates
            if shown:
                yield from follow(request, given)

        return run

    def _choose(self, event: gr.EventData, dataset: str | None, strip: dict[str, Any] | None) -> dict:
        index = event._data.get("index")
        images = choices(strip)
        if type(index) is not int or not 0 <= index < len(images):
            return {self.picker: painted(strip, problem="That image is not among those shown; choose another.")}
        strip = {**strip, "chosen": index}
        return {self.image: images[index], self.strip: strip, self.picker: painted(strip)}

    def _shuffle(self, event: gr.EventData, dataset: str | None, strip: dict[str, Any] | None) -> dict:
        return self._strip(dataset or "", (strip or {}).get("seed", 0) + 1, (strip or {}).get("drawn"))

    def _draw(self, event: gr.EventData, dataset: str | None, strip: dict[str, Any] | None) -> dict:
        values = event._data.get("pixels")
        try:
            image, words = sketch(values, image_shape(self.service, dataset or ""))
        except InputError as error:
            return {self.picker: painted(strip, problem=str(error))}
        strip = strip or self._examples(dataset or "", 0)
        strip = {**strip, "drawn": (image, words), "chosen": len(strip["images"])}
        return {self.image: image, self.strip: strip, self.picker: painted(strip)}

    def _clear(self, event: gr.EventData, dataset: str | None, strip: dict[str, Any] | None) -> dict:
        """Take the drawing away; where it was the chosen image, the first of the strip is."""
        if not strip or not strip["drawn"]:
            return {self.picker: gr.skip()}
        was = strip["chosen"] == len(strip["images"])
        strip = {**strip, "drawn": None, "chosen": 0 if was else strip["chosen"]}
        images = choices(strip)
        image = {self.image: images[0] if images else None} if was else {}
        return {**image, self.strip: strip, self.picker: painted(strip)}

    def _strip(self, dataset: str, seed: int, drawn: tuple[np.ndarray, str] | None = None, chosen: int = 0) -> dict:
        strip = {**self._examples(dataset, seed), "drawn": drawn}
        images = choices(strip)
        strip["chosen"] = chosen if chosen < len(images) else 0
        image = images[strip["chosen"]] if images else None
        return {self.image: image, self.strip: strip, self.picker: painted(strip)}

    def _examples(self, dataset: str, seed: int) -> dict[str, Any]:
        images, names, words = examples(self.service, dataset, SHOWN, seed)
        return {"dataset": dataset, "seed": seed, "images": images, "names": names, "words": words, "chosen": 0,
                "drawn": None}  # fmt: skip


def choices(strip: dict[str, Any] | None) -> list[np.ndarray]:
    """Return the images that can be chosen: those of the strip, then the drawing if there is one."""
    if not strip:
        return []
    return [*strip["images"], *([strip["drawn"][0]] if strip["drawn"] else [])]


def painted(strip: dict[str, Any] | None, problem: str = "") -> dict[str, Any]:
    """Return the picker's value: what it shows, which image is chosen, and what is said of it."""
    if not strip:
        return {"images": [], "names": [], "chosen": -1, "drawn": "", "words": "", "pad": True,
                "problem": problem}  # fmt: skip
    drawn, chosen = strip["drawn"], strip["chosen"]
    words = drawn[1] if drawn and chosen == len(strip["images"]) else strip["words"]
    coloured = any(len(image) > 1 for image in strip["images"])
    return {
        "images": [model_card.data_uri(image[None]) for image in strip["images"]],
        "names": strip["names"],
        "chosen": chosen,
        "shuffles": strip["seed"],
        "drawn": model_card.data_uri(drawn[0][None]) if drawn else "",
        "words": f"{words} {COLOURED}" if coloured else words,
        "pad": not coloured,
        "problem": problem,
    }


# ---- what a visitor gives


def sketch(values: Any, shape: tuple[int, int, int]) -> tuple[np.ndarray, str]:
    """Return a drawing as an image, uint8 (C, H, W), and a sentence that says what was done to it.

    A grey one is fitted as MNIST's digits were: its bounding box to 20 of 28 pixels, its centre of mass to the middle
    (LeCun et al. 1998). One for images in colour becomes grey in all channels, where it was drawn.

    Args:
        values: White on black, square, 0 to 255.
        shape: (C, H, W), that of the models' images.

    Raises:
        InputError: in one sentence, if it is empty or no square of such numbers.
    """
    wanted = "A drawing is a square of whole numbers from 0 to 255"
    if isinstance(values, list) and len(values) > MOST:  # which would take seconds to read
        raise InputError(f"{wanted}, of at most {MOST} a side, not {len(values):,} rows.")
    drawing = parse_pixels(values, wanted)
    if drawing.ndim != 2 or drawing.shape[0] != drawing.shape[1] or drawing.shape[0] > MOST:
        raise InputError(f"{wanted}, of at most {MOST} a side, not {' x '.join(map(str, drawing.shape))}.")
    if drawing.max() == 0:
        raise InputError(NOTHING)
    hard = len(np.unique(drawing)) <= 2
    if hard:
        drawing = np.asarray(Image.fromarray(drawing).filter(ImageFilter.GaussianBlur(drawing.shape[0] / 56)))
    size = shape[1]
    if shape[0] == 1:
        image, words = centred(drawing, size), "Your drawing, centred and scaled as MNIST's digits are."
    else:
        image, words = resized(drawing, size, size), "Your drawing, as grey in all channels."
    return parse_image(image, shape), f"{words} {SOFTENED}" if hard else words


def resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a picture, uint8 (H, W), in another size, its brightest pixel white."""
    image = np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX), np.float64)
    return (image * (255 / max(image.max(), 1))).round().astype(np.uint8)


def centred(drawing: np.ndarray, size: int) -> np.ndarray:
    """Return a drawing, uint8 (H, W), in a picture of `size`, fitted as MNIST's digits were."""
    rows, columns = np.flatnonzero(drawing.max(1)), np.flatnonzero(drawing.max(0))
    part = drawing[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = size * DIGIT / WHOLE / max(part.shape)
    part = resized(part, *(max(1, round(side * scale)) for side in part.shape))
    picture = np.zeros((size, size), np.uint8)
    starts = []
    for axis, side in enumerate(part.shape):
        weights = part.sum(1 - axis, dtype=np.float64)
        mass = ((np.arange(side) + 0.5) * weights).sum() / weights.sum()
        starts.append(int(np.clip(round(size / 2 - mass), 0, size - side)))
    picture[starts[0] : starts[0] + part.shape[0], starts[1] : starts[1] + part.shape[1]] = part
    return picture
