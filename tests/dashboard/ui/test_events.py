"""What all events of the app have in common: nothing is fetched for a caller."""

import gradio as gr
import pytest
from gradio import processing_utils

from dashboard.ui.events import Updates, after, names_address
from tests.support.loops import run


@pytest.fixture
def fetched(monkeypatch):
    """The addresses that Gradio fetches, in place of fetching them."""
    found = []

    async def fetch(url, *_, **__):
        found.append(url)
        return __file__

    monkeypatch.setattr(processing_utils, "async_ssrf_protected_download", fetch)
    return found


def call(blocks, address):
    """Have an app take what a caller sends who names an address in place of a file."""
    with blocks() as demo:
        files, told, go = gr.File(file_count="multiple"), gr.Textbox(), gr.Button()
        go.click(str, [files], [told])
    sent = [[{"path": address, "meta": {"_type": "gradio.FileData"}}]]
    return run(demo.preprocess_data(next(iter(demo.fns.values())), sent, None))


@pytest.mark.parametrize("address", ["https://example.org/a.png", "http://example.org/a.png"])
def test_no_address_is_fetched(fetched, address):
    call(gr.Blocks, address)
    assert fetched == [address], "what Gradio does by itself"
    with pytest.raises(gr.Error, match="none are fetched"):
        call(Updates, address)
    assert fetched == [address]


def test_other_values_are_no_addresses():
    for value in (None, "https://example.org", {"path": "https://x"}, [{"path": 3, "meta": {}}], {"a": [1.0, "b"]}):
        assert not names_address(value)
    assert names_address({"a": [{"path": "HTTP://x", "meta": {}}]})


def test_what_follows_in_a_run_knows_what_was_shown_before():
    with gr.Blocks():
        model, text, state, other = gr.Dropdown(["a", "b"]), gr.Textbox(), gr.State(), gr.Slider()
    updates = {
        model: gr.update(value="b", visible=False),
        text: gr.update(visible=True),
        state: {"chosen": 1},
        other: 7,
    }
    given = {model: "a", text: "as it was", state: None}
    assert after(given, updates) == {model: "b", text: "as it was", state: {"chosen": 1}}
    assert after(given, {model: gr.skip(), text: gr.update(value=None)}) == {**given, text: None}
