"""The document is small on its way, and says what the app is to whoever shows a link to it; all else is untouched."""

import gzip
import urllib.request
from html.parser import HTMLParser

import gradio as gr
import pytest
from PIL import Image

from dashboard.ui import served
from tests.support.loops import run


class Tags(HTMLParser):
    def __init__(self, document):
        super().__init__()
        self.told, self.title = {}, None
        self.feed(document)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "meta" and "content" in found:
            self.told.setdefault(found.get("property", found.get("name")), []).append(found["content"])

    def handle_data(self, data):
        if self.lasttag == "title":
            self.title = self.title or data


@pytest.fixture(scope="module")
def get():
    """Ask for an address of an app of Gradio's, whose configuration has tags in it too: headers and body."""
    with gr.Blocks(title="Own title") as demo:
        gr.HTML('a page that has <meta name="twitter:card"> in it ' + "and more " * 200)
    demo.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", ssr_mode=False, run_history=False,
                app_kwargs=served.app_kwargs("Lab & more"))  # fmt: skip

    def ask(path, coding="identity"):
        asked = urllib.request.Request(demo.local_url.rstrip("/") + path, headers={"Accept-Encoding": coding})
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.headers, answer.read()

    yield ask
    demo.close()


def test_who_shows_a_link_reads_of_the_app_alone(get):
    document = get("/")[1].decode()
    tags = Tags(document)
    once = ("og:title", "og:description", "og:image", "og:type", "twitter:card", "description")
    assert all(len(tags.told[key]) == 1 for key in once), tags.told
    assert tags.told["og:title"] == ["Lab & more"] and tags.title == "Lab & more"
    assert "diffusion" in tags.told["og:description"][0]
    assert "gradio" not in str(tags.told).lower()
    assert 'name=\\"twitter:card\\"' in document or "twitter:card\\u0022" in document, "what the page says stays"


def test_the_picture_is_there_and_small(get):
    headers, picture = get(Tags(get("/")[1].decode()).told["og:image"][0])
    assert headers["content-type"] == "image/png" and len(picture) < 100_000
    assert Image.open(served.PICTURE).size == (1200, 630)


def test_a_space_gives_the_whole_address_of_the_picture(monkeypatch):
    monkeypatch.setenv("SPACE_HOST", "someone-lab.hf.space")
    assert 'content="https://someone-lab.hf.space/share.png"' in served.card("Lab")


@pytest.mark.parametrize("path", ["/", "/config"])
def test_documents_are_compressed_for_whoever_can_read_them(get, path):
    headers, sent = get(path, "br, gzip")
    assert headers["content-encoding"] == "gzip" and int(headers["content-length"]) == len(sent)
    plain_headers, plain = get(path)
    assert "content-encoding" not in plain_headers and int(plain_headers["content-length"]) == len(plain)
    assert gzip.decompress(sent)[:20] == plain[:20] and len(sent) < len(plain) / 2


def test_what_else_is_sent_goes_by_untouched():
    """A stream of events, held back until there is enough to compress, would come late."""
    handed = {}

    async def app(scope, receive, send):
        handed[scope.get("path")] = send

    async def send(message):
        raise AssertionError(message)

    layer = served.Served(app, "Lab")
    for path in ("/gradio_api/queue/data", "/gradio_api/file=/x.png", "/lab/", "/"):
        scope = {"type": "http", "path": path, "root_path": "/lab", "method": "GET", "headers": []}
        run(layer(scope, None, send))
    run(layer({"type": "lifespan"}, None, send))
    assert [path for path, theirs in handed.items() if theirs is not send] == ["/lab/", "/"] and len(handed) == 5
