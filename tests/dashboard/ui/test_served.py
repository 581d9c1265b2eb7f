"""The document is small on its way, and says what the app is to whoever shows a link to it; all else is untouched."""

import gzip
import urllib.request
from html.parser import HTMLParser

import gradio as gr
import pytest
from PIL import Image

from dashboard.ui import language, served
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
                app_kwargs={"middleware": [served.layer("Lab & more")]})  # fmt: skip

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


def sent(path, kind, parts, coding=b"gzip", status=200):
    """What a layer sends of an answer of a kind, in parts: after each part, how many messages there are."""
    came, counts = [], []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
        for place, part in enumerate(parts):
            await send({"type": "http.response.body", "body": part, "more_body": place + 1 < len(parts)})
            counts.append(len(came))

    async def send(message):
        came.append(message)

    scope = {"type": "http", "path": path, "root_path": "", "headers": [(b"accept-encoding", coding)]}
    run(served.Served(app, "Lab")(scope, None, send))
    return counts, came


def test_a_stream_of_events_is_not_held_back():
    """Held back until there is enough to compress, it would come late."""
    counts, came = sent("/gradio_api/queue/data", b"text/event-stream", [b"data: 1\n\n", b"data: 2\n\n", b""])
    assert counts == [2, 3, 4] and b"".join(one.get("body", b"") for one in came) == b"data: 1\n\ndata: 2\n\n"
    assert (b"content-encoding", b"gzip") not in came[0]["headers"]


def test_json_is_compressed_and_a_part_of_a_file_is_not():
    words = [b'{"a": ', b'"%s"}' % (b"x" * 5000)]
    _, (start, body) = sent("/gradio_api/run/models", b"application/json", words)
    assert gzip.decompress(body["body"]) == b"".join(words)
    assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode() and len(body["body"]) < 500
    for left in ({"status": 206}, {"coding": b"br"}):
        assert b"".join(one.get("body", b"") for one in sent("/x", b"application/json", words, **left)[1]) == b"".join(
            words
        )


def test_a_file_that_is_a_page_is_sent_as_it_is():
    page = b'<html><head><meta name="twitter:card" content="x"></head></html>'
    assert sent("/gradio_api/file=/report.html", b"text/html", [page])[1][1]["body"] == page
    assert sent("/", b"text/html", [page])[1][1]["body"] != page


def test_the_catalogue_of_a_language_is_sent_compressed_and_kept(get):
    headers, body = get(language.address("ko"), "gzip")
    assert headers["Content-Type"] == "application/json" and headers["Content-Encoding"] == "gzip"
    assert "immutable" in headers["Cache-Control"]
    assert gzip.decompress(body) == language.catalogue("ko") and len(body) < 100_000
