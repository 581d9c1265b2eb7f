"""The app as programs reach it: its list of endpoints, the examples of docs/api.md, assistants, callers who go."""

import asyncio
import contextlib
import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from dashboard.api import ENDPOINTS
from dashboard.app import badge, build, launch_options
from dashboard.service import Frame, Service, public
from dashboard.service.budget import PRIVATE
from dashboard.ui.events import FETCHED, UPLOADED
from tests.support.loops import run

ROOT = Path(__file__).resolve().parents[3]
NAMES = (
    "models", "generate", "rows", "recommend", "score", "encode", "interpolate", "bound", "benchmark", "training_log",
    "judge",
)  # fmt: skip
PATIENCE = 120  # seconds; never asserted, only how long to wait before giving up
EXAMPLES = re.findall(r"^## `/(\w+)`$.*?^```python\n(.*?)^```", (ROOT / "docs/api.md").read_text(), re.M | re.S)


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The app with the shipped checkpoints, rows of its own, and assistants' tools."""
    with pytest.MonkeyPatch.context() as patch, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        patch.setenv("GENCORE_CHECKPOINTS", f"{ROOT / 'checkpoints'}:{tmp_path_factory.mktemp('runs')}")
        for name in (public.SPACE, public.PUBLIC, public.OPEN):
            patch.delenv(name, raising=False)
        service = Service()
        demo = build(service)
        demo.launch(prevent_thread_lock=True, quiet=True, **launch_options(service) | {"server_port": port})
        yield SimpleNamespace(service=service, demo=demo, url=f"http://127.0.0.1:{port}")
        demo.close()


@pytest.fixture(scope="module")
def client(app):
    return Client(app.url, verbose=False)


# ---- the list


def test_the_list_names_these_endpoints_and_none_besides(app, client):
    told = client.view_api(return_format="dict", print_info=False)
    assert tuple(name.strip("/") for name in told["named_endpoints"]) == NAMES and not told["unnamed_endpoints"]
    assert [endpoint.function.__name__ for endpoint in ENDPOINTS] == list(NAMES)
    for name, endpoint in told["named_endpoints"].items():
        assert "Returns:" in endpoint["description"], name
        for one in endpoint["parameters"]:
            assert len(one["label"].split()) > 1 and "parameter_" not in one["label"], f"{name}: {one['label']}"
            assert one["python_type"]["type"] not in ("Any", ""), f"{name}: {one['parameter_name']}"
            assert one["example_input"] != "...", f"{name}: {one['parameter_name']}"


def test_openapi_tells_the_same(app):
    told = httpx.get(f"{app.url}/gradio_api/openapi.json").json()
    assert {f"/gradio_api/call/v2/{name}" for name in NAMES} <= set(told["paths"])
    schema = told["paths"]["/gradio_api/call/v2/generate"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    assert schema["properties"]["n"] | {"type": "integer", "minimum": 1, "maximum": 100} == schema["properties"]["n"]


def test_nothing_private_answers_what_a_public_app_refuses(app, monkeypatch):
    """Every event that takes files, public or private, is asked over HTTP as a stranger would."""
    upload = {"url": f"{app.url}/gradio_api/upload", "files": {"files": ("a.zip", b"PK")}}
    path, asked = httpx.post(**upload).json()[0], 0
    monkeypatch.setenv(public.PUBLIC, "1")
    assert httpx.post(**upload).json() == {"error": public.CLOSED}
    for fn in app.demo.fns.values():
        if fn.fn is None or not any(isinstance(one, gr.File) for one in fn.inputs):
            continue
        asked += 1
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        several = [[file] if one.file_count == "multiple" else file for one in fn.inputs if isinstance(one, gr.File)]
        data = [several.pop() if isinstance(one, gr.File) else one.value or "mnist" for one in fn.inputs]
        words = last_words(app.url, {"data": data, "fn_index": fn._id, "session_hash": f"stranger{fn._id}"})
        assert public.CLOSED.split(",")[0] in words, fn.api_name
    assert asked >= 3


SECRET = "root:x:0:0"  # how /etc/passwd begins
HOSTILE = (
    None, "/etc/passwd", "../../../../etc/passwd", "<script>alert(1)</script>", "\x00", -(10**30), float("1e308"), [],
    {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, {"__type__": "update", "value": "x"}, True,
    json.loads("[" * 60 + "]" * 60), {"url": "file:///etc/passwd", "orig_name": "x.png"}, "A" * 10_000,
)  # fmt: skip


def test_hostile_calls_of_private_handlers_end_without_a_traceback_or_a_file(app, capfd):
    """Each private handler is called over HTTP with what no page would send; another value in each of its places."""
    asked = [fn for fn in app.demo.fns.values() if fn.fn is not None and fn.api_visibility == "private"]

    def call(place):
        fn = asked[place]
        data = [HOSTILE[(place + i) % len(HOSTILE)] for i in range(len(fn.inputs))]
        body = {
            "data": data,
            "fn_index": fn._id,
            "session_hash": f"hostile{place}",
            "event_data": HOSTILE[place % len(HOSTILE)],
        }
        return httpx.post(f"{app.url}/gradio_api/run/predict", json=body, timeout=PATIENCE).text

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(call, range(len(asked))))
    printed = "".join(capfd.readouterr())
    assert len(asked) > 100 and not [one for one in answers if SECRET in one or "Traceback" in one]
    assert "Traceback" not in printed, printed[printed.index("Traceback") :][:3000]


@pytest.mark.parametrize(
    "path",
    ["file=/etc/passwd", "file=../../../../etc/passwd", "file=%2Fetc%2Fpasswd", "file=checkpoints/../../etc/passwd",
     "file=pyproject.toml", f"file={ROOT}/pyproject.toml", "static/..%2F..%2Fetc%2Fpasswd", "file=file:///etc/passwd"],
)  # fmt: skip
def test_no_file_of_the_server_is_given_out(app, path):
    answer = httpx.get(f"{app.url}/gradio_api/{path}")
    assert answer.status_code in (403, 404) and SECRET not in answer.text and "[project]" not in answer.text


def test_a_public_app_says_so_and_measures_nothing(app, monkeypatch):
    assert badge() == "" and public.said_at_start("127.0.0.1", False) == ""
    assert "--token" in public.said_at_start("0.0.0.0", False) and "--token" not in public.said_at_start("::", True)
    monkeypatch.setenv(public.PUBLIC, "1")
    assert "run your own" in badge() and public.said_at_start("0.0.0.0", False).startswith("This app is public")
    answer = httpx.post(f"{app.url}/gradio_api/run/benchmark", json={"data": ["mnist/vae", 1, 1, None]}).json()
    assert answer["error"] == public.CLOSED
    monkeypatch.setenv(public.SPACE, "someone/lab")
    assert 'href="https://huggingface.co/spaces/someone/lab?duplicate=true"' in badge()


def last_words(url, body):
    """All that a queued event says, as a script without Gradio's client hears it."""
    httpx.post(f"{url}/gradio_api/queue/join", json=body).raise_for_status()
    with httpx.stream("GET", f"{url}/gradio_api/queue/data", params={"session_hash": body["session_hash"]}) as answer:
        return "".join(answer.iter_text())


# ---- the examples


def test_every_endpoint_has_an_example():
    assert tuple(name for name, _ in EXAMPLES) == NAMES


def lacking(name, app):
    if name == "bound" and not app.service.at_hand("mnist"):
        pytest.skip("MNIST is not at hand: set GENCORE_DATA")


SLOW = ("score", "benchmark")  # a baseline over all test images; a process of its own for the memory


@pytest.mark.parametrize(
    ("name", "code"), [pytest.param(*one, marks=[pytest.mark.slow] * (one[0] in SLOW), id=one[0]) for one in EXAMPLES]
)
def test_the_example_of_the_docs_runs(app, client, name, code, tmp_path, monkeypatch):
    lacking(name, app)
    monkeypatch.chdir(tmp_path)
    assert f'api_name="/{name}"' in code
    exec(compile(code, f"docs/api.md, {name}", "exec"), {"client": client, "handle_file": handle_file, "np": np})


def test_an_error_is_one_sentence(client):
    with pytest.raises(AppError) as error:
        client.predict("mnist/vae", api_name="/judge")
    assert str(error.value) == (
        "mnist/vae is a VAE, which judges no image; on mnist these do: mnist/gan, mnist/gan-minimax."
    )


OURS = {"path": str(ROOT / "checkpoints/mnist/vae/model.safetensors")}


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("call/v2/judge", {}, "No value provided for required argument: checkpoint."),
        ("call/v2/judge", {"checkpoint": "mnist/gan", "sed": 1}, "Parameter `sed` is not a valid key-word argument."),
        ("call/v2/nothing", {}, "There is no endpoint '/nothing'."),
        ("run/judge", {"data": []}, "/judge also needs: checkpoint."),
        ("run/judge", {"data": ["mnist/vae"]}, "mnist/vae is a VAE, which judges no image"),
        ("run/judge", {"data": ["mnist/gan", 1, 2]}, "/judge takes 2 values, not 3."),
        ("run/judge", {"data": ["mnist/gan", None]}, "A seed must be a whole number"),
        ("run/score", {"data": ["mnist", "x.npy", "Theirs"]}, UPLOADED),
        (
            "run/score",
            {"data": ["mnist", {"path": "/etc/hosts", "meta": {"_type": "gradio.FileData"}}, "It"]},
            UPLOADED,
        ),
        ("run/score", {"data": ["mnist", {"path": "/etc/hosts"}, "It"]}, UPLOADED),
    ],
)
def test_what_cannot_be_a_call_is_told_in_a_sentence_over_http(app, path, body, words):
    answer = httpx.post(f"{app.url}/gradio_api/{path}", json=body, timeout=PATIENCE)
    assert answer.status_code >= 400 and answer.json()["error"].startswith(words)


# ---- what does not reach Gradio


def test_a_foreign_name_or_page_is_refused_before_anything_is_read(app):
    asked = httpx.get(f"{app.url}/config", headers={"Host": "evil.example"})
    assert asked.status_code == 403 and asked.json()["error"].startswith("This app is not reached by the name")
    with httpx.Client(base_url=f"{app.url}/gradio_api", headers={"Origin": "http://evil.example"}) as foreign:
        uploaded = foreign.post("upload", files={"files": ("a.txt", b"x")})
        called = foreign.post("run/models", json={"data": []})
    assert uploaded.status_code == called.status_code == 403
    assert uploaded.json() == called.json() and called.json()["error"].startswith("A page of 'http://evil.example'")
    with socket.create_connection(("127.0.0.1", int(app.url.rpartition(":")[2])), PATIENCE) as plain:
        plain.sendall(b"POST /gradio_api/run/models HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000000\r\n\r\n")
        assert plain.recv(100).startswith(b"HTTP/1.1 413"), "none of the body was sent"


def test_answers_are_small_and_say_what_a_browser_may_do(app):
    for path, kind in (("/", "text/html"), ("/gradio_api/info", "application/json"), ("/theme.css", "text/css")):
        answer = httpx.get(f"{app.url}{path}", headers={"Accept-Encoding": "gzip"})
        assert answer.headers["content-type"].startswith(kind) and answer.headers["content-encoding"] == "gzip", path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert httpx.get(f"{app.url}/healthz").json().keys() == {"ready", "device", "queue"}
    assert "trilemma_requests_total" in httpx.get(f"{app.url}/metrics").text


def test_a_refusal_writes_one_line_at_most(app, capfd, caplog):
    """Whoever asks for nonsense in a loop fills no disk."""
    private = [fn for fn in app.demo.fns.values() if fn.api_visibility == "private" and len(fn.inputs) > 1]
    nonsense = [{"fn_index": fn._id, "data": ["nonsense"] * len(fn.inputs), "session_hash": "s"} for fn in private[:12]]
    nonsense += [{"fn_index": fn._id, "data": [], "session_hash": "s"} for fn in private[:3]]
    nonsense += [{"fn_index": next(fn._id for fn in app.demo.fns.values() if fn.fn is None), "data": []}]
    nonsense += [{"fn_index": 10**6, "data": []}, {"fn_index": "x", "data": {}}, {"data": [{"path": "/etc/hosts"}]}]
    capfd.readouterr(), caplog.clear()
    for body in nonsense:
        answer = httpx.post(f"{app.url}/gradio_api/run/predict", json=body, timeout=PATIENCE)
        written = capfd.readouterr()
        lines = (written.out + written.err + caplog.text).splitlines()
        caplog.clear()
        assert len(lines) <= 1, (body, answer.text, lines[:30])


# ---- assistants


@contextlib.asynccontextmanager
async def assistant(url):
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async with (
        streamable_http_client(f"{url}/gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as found,
    ):
        await found.initialize()
        yield found


def test_an_assistant_has_the_same_tools(app):
    pytest.importorskip("mcp")

    async def talk():
        async with assistant(app.url) as tools:
            listed = (await tools.list_tools()).tools
            asked = {
                "models": {}, "recommend": {"dataset": "mnist"}, "judge": {"checkpoint": "mnist/vae"},
                "generate": {"dataset": "mnist", "n": 2, "settings": {"vae": {}}},
            }  # fmt: skip
            return listed, {name: await tools.call_tool(name, given) for name, given in asked.items()}

    listed, told = run(talk())
    assert tuple(tool.name for tool in listed) == NAMES
    for tool in listed:
        assert len(tool.description.split()) > 10, tool.name
        assert all(one.get("description") for one in tool.inputSchema["properties"].values()), tool.name
    assert "num_inference_steps" in json.loads(told["models"].content[0].text)["families"]["ddpm"]["knobs"]
    assert json.loads(told["recommend"].content[0].text)["recommended"]["checkpoint"].startswith("mnist/")
    assert told["judge"].isError and told["judge"].content[0].text.startswith("mnist/vae is a VAE, which judges no")
    picture = next(part for part in told["generate"].content if part.type == "image")
    assert picture.mimeType == "image/png" and len(picture.data) > 1000
    url = re.search(r"http\S+\.png", " ".join(part.text for part in told["generate"].content if part.type == "text"))[0]
    assert httpx.get(url).content[:4] == b"\x89PNG"


def test_an_assistant_is_refused_what_a_visitor_is(app, monkeypatch):
    pytest.importorskip("mcp")

    async def bring(file):
        async with assistant(app.url) as tools:
            return await tools.call_tool("score", {"dataset": "mnist", "file": file, "name": "Theirs"})

    fetched = run(bring("http://127.0.0.1:9/samples.npy"))
    assert fetched.isError and FETCHED in fetched.content[0].text
    monkeypatch.setenv(public.PUBLIC, "1")
    refused = run(bring("data:application/zip;base64,UEs="))
    assert refused.isError and refused.content[0].text == public.CLOSED


# ---- callers who go


@pytest.fixture
def endless(app, monkeypatch):
    """Runs that end when they are stopped, and by themselves after minutes only."""
    told = SimpleNamespace(begun=threading.Event(), stopped=threading.Event())

    def run(order, stop, fresh=True):
        last = time.monotonic() + 2 * PATIENCE
        with app.service.device.lease(stop) as lease:
            yield from lease.line()
            while not stop.is_set() and lease.keep() and time.monotonic() < last:
                time.sleep(0.05)
                told.begun.set()
                yield Frame("vae", "running")
        if stop.is_set():
            told.stopped.set()

    monkeypatch.setattr(app.service, "run", run)
    return told


def cancel(url, told):
    job = Client(url, verbose=False).submit("mnist", 1, 1, {"vae": {}}, api_name="/generate")
    assert told.begun.wait(PATIENCE)
    job.cancel()


def close_the_stream(url, told):
    body = {"data": ["mnist", 1, 1, {"vae": {}}]}
    event = httpx.post(f"{url}/gradio_api/call/generate", json=body).json()["event_id"]
    with httpx.stream("GET", f"{url}/gradio_api/call/generate/{event}", timeout=None):
        assert told.begun.wait(PATIENCE)


def drop_the_request(url, told):
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{url}/gradio_api/run/generate", json={"data": ["mnist", 1, 1, {"vae": {}}]}, timeout=3)
    assert told.begun.wait(PATIENCE)


def end_the_session(url, told):
    pytest.importorskip("mcp")

    async def talk():
        async with assistant(url) as tools:
            asked = asyncio.ensure_future(tools.call_tool("generate", {"dataset": "mnist", "settings": {"vae": {}}}))
            assert await asyncio.to_thread(told.begun.wait, PATIENCE)
            asked.cancel()

    run(talk())


@pytest.mark.parametrize("leave", [cancel, close_the_stream, drop_the_request, end_the_session])
def test_a_run_ends_when_its_caller_goes(app, endless, leave):
    leave(app.url, endless)
    assert endless.stopped.wait(PATIENCE)
    last = time.monotonic() + PATIENCE
    while app.service.device.busy and time.monotonic() < last:
        time.sleep(0.02)
    assert not app.service.device.busy


def test_more_calls_than_one_visitor_may_have_are_refused_in_a_sentence(app, endless):
    many = Client(app.url, verbose=False)
    jobs = [many.submit("mnist", 1, 1, {"vae": {}}, api_name="/generate") for _ in range(PRIVATE.calls)]
    assert endless.begun.wait(PATIENCE)
    last = time.monotonic() + PATIENCE
    while app.service.device.waiting < PRIVATE.calls - 1 and time.monotonic() < last:
        time.sleep(0.05)
    answer = httpx.post(f"{app.url}/gradio_api/run/judge", json={"data": ["mnist/gan", 1]}, timeout=PATIENCE)
    assert (
        answer.json()["error"]
        == "You have 12 calls at work, the most that one visitor may have here: wait for its end."
    )
    light = httpx.post(f"{app.url}/gradio_api/run/rows", json={"data": ["mnist", "points", "", ""]}, timeout=PATIENCE)
    assert light.status_code == 200 and json.loads(light.text)["data"][0]["rows"], "what runs no model is answered"
    for job in jobs:
        job.cancel()
