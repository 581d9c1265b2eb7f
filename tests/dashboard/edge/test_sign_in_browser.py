"""Signing in with a token, in a real browser at a phone's width, before what the token keeps."""

import gradio as gr
import pytest
from playwright.sync_api import expect

from dashboard import edge

TOKEN = "a-long-enough-token"
pytestmark = pytest.mark.browser


@pytest.fixture
def private():
    """The address of a small page of Gradio's behind all that a request passes before the app."""
    with gr.Blocks() as demo:
        gr.Markdown("# Inside")
    options = {"middleware": edge.layers(None, "127.0.0.1", TOKEN, {})}
    demo.launch(prevent_thread_lock=True, quiet=True, app_kwargs=options, enable_monitoring=False, ssr_mode=False)
    yield demo.local_url
    demo.close()


def test_a_wrong_token_is_told_and_the_right_one_lets_in(browser, private):
    context = browser.new_context(viewport={"width": 390, "height": 700})
    page = context.new_page()
    refused = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    assert page.goto(f"{private}?data=mnist#vae").status == 401
    field, alert = page.get_by_label("Token"), page.get_by_role("alert")
    expect(alert).to_contain_text("asks for its token")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    assert page.evaluate("document.activeElement.name") == "token"
    field.fill("a-wrong-one-of-that-length")
    page.keyboard.press("Enter")
    expect(alert).to_have_text("That is not this app's token.")
    field.fill(TOKEN)
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", name="Inside")).to_be_visible()
    assert page.url == f"{private}?data=mnist#vae", "the address keeps what it says, and no token"
    assert page.reload().status == 200 and not refused
    expect(page.get_by_role("heading", name="Inside")).to_be_visible()
    assert "a-long" not in str(context.cookies()) and context.cookies()[0]["httpOnly"]
    context.close()
