"""The fold in which samples made elsewhere are brought to the home page and scored."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from dashboard.pages.trilemma.engine import SUFFIXES, Scoring, score_samples
from dashboard.service import InputError, Service
from dashboard.ui import dataset_choice
from dashboard.ui.events import CALM, QUICK, RUNS
from dashboard.ui.run import Runs, status

ABOUT = (
    "Samples of any model at all stand beside the families: <b>.npy</b> or <b>.npz</b> arrays of bytes (as ADM's "
    "evaluation batches are), or a <b>ZIP</b> of pictures, of the real images' size and channels. Several files are "
    "one generation each. A time is shown as stated, never as measured; without one their speed is unknown."
)
# The home page asks again as it stands, or for the data set that the samples are of.
AGAIN = """(data) => {
  const select = (name) => document.querySelector(`#trilemma-home [data-ask="${name}"]`);
  const other = select('data').value !== data;
  select('data').value = data;
  select(other ? 'data' : 'quality').dispatchEvent(new Event('change'));
}"""


def stated_field(label: str, elem_id: str) -> gr.Textbox:
    """Return a field beside others, which Gradio would put one below the other in a column of one."""
    with gr.Column(min_width=160):
        return gr.Textbox(label=label, max_length=80, elem_id=elem_id)


class GivenSamples:
    """The fold's components and what they do."""

    def __init__(self, service: Service):
        self.service = service
        with gr.Accordion("Add samples made elsewhere", open=False, elem_id="trilemma-given", elem_classes=["card"]):
            gr.HTML(f'<p class="reading">{ABOUT}</p>', js_on_load=None)
            with gr.Row():
                self.files = gr.File(label="files", file_count="multiple", file_types=list(SUFFIXES), type="filepath",
                                     height=140, elem_id="trilemma-given-files")  # fmt: skip
                with gr.Column():
                    self.dataset = dataset_choice.dropdown("trilemma-given", service.datasets(), visible=True)
                    self.name = gr.Textbox(label="name", max_length=60, elem_id="trilemma-given-name")
            with gr.Row():
                told = ("ms per image, if known", "network calls per image", "machine of that time")
                ids = (f"trilemma-given-{word}" for word in ("ms", "calls", "machine"))
                # Not gr.Number, which shows nothing as 0.
                self.stated = [stated_field(label, one) for label, one in zip(told, ids, strict=True)]
            with gr.Row(elem_classes=["buttons"]):
                self.go = gr.Button("Score them", variant="primary", size="sm", elem_id="trilemma-given-go")
                self.stop = gr.Button("Stop", size="sm", interactive=False, elem_id="trilemma-given-stop")
            self.status = gr.HTML(status(""), js_on_load=None, elem_id="trilemma-given-status")
        self.runs = Runs(self.go, self.stop)

    def connect(self) -> None:
        """Connect the components."""
        given = [self.dataset, self.files, self.name, *self.stated]
        run = self.go.click(self.run, given, [self.status, self.go, self.stop], **CALM, **RUNS)
        run.success(None, [self.dataset], None, js=AGAIN, **QUICK)
        self.runs.connect(run)

    def run(
        self, request: gr.Request, dataset: str, files: list[str] | None, name: str, *stated: str
    ) -> Iterator[dict]:
        """Score the samples, telling how far it is."""
        run = self.runs.begin(request)
        yield {self.status: status("Waiting for the device."), **self.runs.begun}
        frames = score_samples(self.service, dataset, files or [], name or "", stated, run.stop)
        told: list[Scoring] = []

        def paint(frame: Scoring) -> dict:
            told.append(frame)
            return {self.status: status(frame.words if frame.done else f"{frame.words} {frame.share:.0%}")}

        try:
            current = yield from run.shown(frames, lambda words: {self.status: status(words)}, paint)
        except InputError as error:
            yield {self.status: status(str(error), problem=True), **self.runs.over}
            return
        if current:
            ended = told[-1].words if told and told[-1].done else "Stopped; no row was written."
            yield {self.status: status(ended), **self.runs.over}
