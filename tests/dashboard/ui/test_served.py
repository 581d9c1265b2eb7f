"""The document is small on its way, and says what the app is to who shows a link to it; nothing else is touched."""

import asyncio
import gzip
from html.parser import HTMLParser

import gradio as gr
import httpx
import pytest
from PIL import Image

from dashboard.ui import served


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
def client():
    """Gradio's own document, which the tags are put into, of an app that says things in its configuration too."""
    with gr.Blocks(title="Own title") as demo:
        gr.HTML('a page that has <meta name="twitter:card"> in it ' + "and more " * 200)
    demo.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", ssr_mode=False, run_history=False,
                app_kwargs=served.app_kwargs("Lab & more"))  # fmt: skip
    try:
        with httpx.Client(base_url=demo.local_url) as client:
            yield client
    finally:
        demo.close()


def test_who_shows_a_link_reads_of_the_app_alone(client):
    document = client.get("/").text
    tags = Tags(document)
    once = ("og:title", "og:description", "og:image", "og:type", "twitter:card", "description")
    assert all(len(tags.told[key]) == 1 for key in once), tags.told
    assert tags.told["og:title"] == ["Lab & more"] and tags.title == "Lab & more"
    assert "diffusion" in tags.told["og:description"][0]
    assert "Gradio" not in str(tags.told) and "gradio" not in str(tags.told)
    assert 'name=\\"twitter:card\\"' in document or "twitter:card\\u0022" in document, "what the page says stays"


def test_the_picture_is_there_and_small(client):
    answer = client.get(Tags(client.get("/").text).told["og:image"][0])
    assert answer.headers["content-type"] == "image/png" and len(answer.content) < 100_000
    assert Image.open(served.PICTURE).size == (1200, 630)


def test_a_space_gives_the_whole_address_of_the_picture(monkeypatch):
    monkeypatch.setenv("SPACE_HOST", "someone-lab.hf.space")
    assert 'content="https://someone-lab.hf.space/share.png"' in served.card("Lab")


@pytest.mark.parametrize("path", ["/", "/config"])
def test_documents_are_compressed_for_who_can_read_them(client, path):
    with client.stream("GET", path, headers={"accept-encoding": "gzip"}) as answer:
        sent = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip" and int(answer.headers["content-length"]) == len(sent)
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers and len(plain.content) == int(plain.headers["content-length"])
    assert gzip.decompress(sent)[:20] == plain.content[:20] and len(sent) < len(plain.content) / 2


def test_what_else_is_sent_goes_by_untouched():
    """A stream of events, held back until there is enough to compress, would come late."""
    handed = []

    async def app(scope, receive, send):
        handed.append((scope.get("path"), send))

    async def send(message):
        raise AssertionError(message)

    for path in ("/gradio_api/queue/data", "/gradio_api/file=/x.png", "/lab/", "/"):
        scope = {"type": "http", "path": path, "root_path": "/lab", "method": "GET", "headers": []}
        for layer in (served.Compressed(app), served.Introduced(app, "Lab")):
            asyncio.run(layer(scope, None, send))
    asyncio.run(served.Compressed(app)({"type": "lifespan"}, None, send))
    own = [path for path, theirs in handed if theirs is not send]
    assert "/lab/" in own and not {"/gradio_api/queue/data", "/gradio_api/file=/x.png", None} & set(own)
    assert len(handed) == 9
