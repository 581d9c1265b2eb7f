"""What is kept of visitors is bounded, small, and that of open pages goes last."""

import gradio as gr
import pytest
from gradio.state_holder import SessionState, StateHolder

from dashboard.ui.events import Updates
from dashboard.ui.sessions import CAPACITY, FOR_PROGRAMS, FORGOTTEN, Sessions, Tabs
from tests.support.loops import run


def holder(capacity, blocks=Updates):
    with blocks() as demo:
        shown, kept = gr.Textbox("words", elem_id="shown"), gr.State(7)
        gr.Button().click(lambda text, number: f"{text} {number}", [shown, kept], [shown], api_name="say")
        gr.Button().click(lambda: "stopped", None, [shown], api_name="stop")
    demo.state_session_capacity = capacity
    holder = StateHolder()
    holder.set_blocks(demo)
    return holder


def test_open_pages_outlast_any_number_of_calls():
    """200 pages are open; 2,000 sessions come and go after them."""
    sessions = holder(CAPACITY)
    pages = [f"page {number}" for number in range(200)]
    opened = [sessions.session_data.opened(page) for page in pages]
    for page, one in zip(pages, opened, strict=True):
        one.__enter__()
        sessions[page].state_data[-1] = page
    for number in range(2000):
        assert sessions[f"past {number}"] is not None
    assert len(sessions.session_data) == len(sessions.time_last_used) == CAPACITY
    assert all(sessions[page].state_data[-1] == page for page in pages)
    for one in opened:
        one.__exit__(None, None, None)
    assert not sessions.session_data.open


def test_pages_alone_are_bounded_too():
    sessions = holder(3)
    for number in range(5):
        with sessions.session_data.opened("page 0"), sessions.session_data.opened(f"page {number}"):
            assert sessions[f"page {number}"] is not None
    assert list(sessions.session_data) == ["page 0", "page 3", "page 4"]
    full = Sessions()
    full.open.update("abc")
    full.update(dict.fromkeys("abc"))
    assert full.popitem(last=False)[0] == "a"


def test_a_page_that_was_forgotten_says_so_and_can_be_stopped():
    sessions = holder(1)
    assert sessions["early"] is not sessions["late"]
    say, stop = sessions.blocks.fns.values()

    def ask(block_fn, inputs, session):
        return run(sessions.blocks.process_api(block_fn, inputs, state=sessions[session], session_hash=session))

    assert ask(say, ["a", None], "late")["data"] == ["a 7"]
    with pytest.raises(gr.Error, match=FORGOTTEN):
        ask(say, ["a", None], "early")
    assert ask(stop, [], "early")["data"] == ["stopped"]


def test_a_session_keeps_no_copy_of_the_configuration():
    plain, small = (SessionState(holder(1, blocks).blocks) for blocks in (gr.Blocks, Updates))
    assert [one["props"]["elem_id"] for one in plain.components if one["type"] == "textbox"] == ["shown"]
    assert not list(small.components)
    assert small.blocks_config.blocks == small.blocks_config.root_block.blocks
    demo = holder(1).blocks
    assert "shown" in str(demo.get_config_file()), "the app's own stays whole"


def test_an_event_that_shows_no_progress_has_no_place_for_it():
    with Updates() as demo:
        shown = gr.Textbox()
        gr.Button().click(lambda: "a", None, [shown], show_progress="hidden")
        gr.Button().click(lambda: "a", None, [shown], show_progress="minimal")
    assert [one["show_progress_on"] for one in demo.get_config_file()["dependencies"]] == [[], None]


def test_a_page_is_not_told_how_programs_call_what_none_may():
    with Updates() as demo:
        given, own = gr.Textbox(), gr.Textbox()
        gr.Button().click(lambda text: text, [given], [given], api_name="say")
        gr.Button().click(lambda text: text, [own], [own], api_visibility="private")
    told = {one["id"]: one for one in demo.get_config_file()["components"]}
    assert told[given._id]["api_info"] == {"type": "string"} and "example_inputs" in told[given._id]
    assert set(told[own._id]) == set(told[given._id]) - {*FOR_PROGRAMS}
    assert [*demo.get_api_info()["named_endpoints"]] == ["/say"]


def test_a_page_is_open_while_its_heartbeat_lasts():
    sessions, seen = holder(1), []

    async def app(scope, receive, send):
        seen.append(dict(sessions.session_data.open))

    for path in ("/gradio_api/heartbeat/abc", "/gradio_api/queue/data"):
        gradios = type("App", (), {"state_holder": sessions})
        run(Tabs(app)({"type": "http", "path": path, "root_path": "", "app": gradios}, None, None))
    assert seen == [{"abc": 1}, {}] and not sessions.session_data.open
