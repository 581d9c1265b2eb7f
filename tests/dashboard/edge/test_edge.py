"""What a request must be before Gradio sees it: each layer by itself, asked as a server asks it."""

import json
import re
from types import SimpleNamespace

import pytest

from dashboard import edge
from dashboard.edge import bodies, headers, health, hosts, sign_in
from dashboard.service import counters, public
from dashboard.ui import language
from tests.support.loops import run

TOKEN = "a-long-enough-token"


@pytest.fixture(autouse=True)
def closed_to_nobody(monkeypatch):
    for name in (public.PUBLIC, public.SPACE, public.OPEN):
        monkeypatch.delenv(name, raising=False)


def ask(layer, path="/", method="GET", parts=(b"",), query="", **headers):
    """The answer of a layer: status, headers, body; what it read of the request's parts, and what it let through."""
    came, read = [], []
    told = {name.replace("_", "-"): value for name, value in {"host": "localhost:7860", **headers}.items()}

    async def receive():
        read.append(parts[len(read)])
        return {"type": "http.request", "body": read[-1], "more_body": len(read) < len(parts)}

    async def send(message):
        came.append(message)

    scope = {
        "type": "http", "path": path, "root_path": "", "method": method, "scheme": "http",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in told.items()],
    }  # fmt: skip
    run(layer(scope, receive, send))
    start = came[0]
    body = b"".join(one.get("body", b"") for one in came[1:])
    return SimpleNamespace(status=start["status"], headers=dict(start["headers"]), body=body.decode(), read=read)


async def inside(scope, receive, send):
    """An app that says what it was asked, and what body came."""
    body, more = b"", scope["method"] == "POST"
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%s %d" % (scope["path"].encode(), len(body))})


# ---- names


@pytest.mark.parametrize(
    ("listens", "environment", "lets", "refuses"),
    [
        ("127.0.0.1", {}, ["localhost", "127.0.0.1:7860", "[::1]:80", "LOCALHOST"], ["evil.com", "10.0.0.2", ""]),
        ("127.0.0.1", {"TRILEMMA_HOSTS": "lab.example.org, *.lan"}, ["lab.example.org", "a.lan"], ["lan"]),
        ("0.0.0.0", {}, ["10.0.0.2:7860", "[fe80::1]:7860", "localhost"], ["evil.com", "localhost.evil.com"]),
        ("::", {"TRILEMMA_HOSTS": "lab"}, ["lab:80", "127.0.0.1"], ["10.0.0.2", "evil.com"]),
        ("0.0.0.0", {"SPACE_HOST": "some-lab.hf.space"}, ["some-lab.hf.space", "10.2.3.4", "proxy"], []),
        ("192.168.0.7", {}, ["192.168.0.7:7860", "localhost"], ["192.168.0.8", "evil.com"]),
        ("127.0.0.1", {"TRILEMMA_HOSTS": "*"}, ["evil.com"], []),
    ],
)  # fmt: skip
def test_the_app_answers_to_its_own_names_alone(listens, environment, lets, refuses):
    """A name of somebody else's that points to this machine reads nothing of it (DNS rebinding)."""
    layer = hosts.Hosts(inside, hosts.known_hosts(listens, environment))
    assert {name: ask(layer, host=name).status for name in lets} == dict.fromkeys(lets, 200)
    answers = {name: ask(layer, host=name) for name in refuses}
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(refuses, 403)
    for answer in answers.values():
        assert re.fullmatch(r"This app is not reached by the name '.*'\. If .* TRILEMMA_HOSTS .*\.", said(answer))


def said(answer):
    assert answer.headers[b"content-type"] == b"application/json"
    return json.loads(answer.body)["error"]


@pytest.mark.parametrize(
    ("origin", "more", "passes"),
    [
        ("http://localhost:7860", {}, True),
        ("", {}, True),
        ("http://localhost:3000", {}, False),
        ("http://127.0.0.1:7860", {}, False),
        ("https://evil.com", {}, False),
        ("null", {}, False),
        ("http://[", {}, False),
        ("https://lab.example.org", {}, True),  # named by the owner
        ("https://else.where", {"x_forwarded_host": "else.where"}, True),  # what a proxy before it is asked for
        ("https://localhost", {"host": "localhost"}, True),
    ],
)
def test_only_its_own_pages_change_anything(origin, more, passes):
    layer = hosts.Hosts(inside, hosts.known_hosts("127.0.0.1", {"TRILEMMA_HOSTS": "lab.example.org"}))
    given = {**({"origin": origin} if origin else {}), **more}
    answer = ask(layer, method="POST", **given)
    assert answer.status == (200 if passes else 403)
    assert passes or said(answer).startswith("A page of ")
    assert ask(layer, method="GET", **given).status == 200, "to read, Gradio says which pages may"


# ---- the token


def test_a_private_app_asks_for_its_token_everywhere():
    layer = sign_in.SignIn(inside, TOKEN)
    paths = ("/", "/config", "/gradio_api/mcp/", "/gradio_api/queue/join", "/gradio_api/file=/x.png", "/metrics")
    assert {ask(layer, path, "POST").status for path in paths} == {401}
    assert said(ask(layer, "/config")) == sign_in.NEEDED
    assert said(ask(layer, "/config", authorization="Bearer nothing")) == sign_in.WRONG
    assert sign_in.NEEDED.replace("'", "&#x27;") in ask(layer, accept="text/html,*/*").body
    assert ask(layer, health.HEALTH).status == 200
    assert ask(layer, "/gradio_api/mcp/", "POST", authorization=f"Bearer {TOKEN}").status == 200
    assert ask(sign_in.SignIn(inside, ""), "/config").status == 200


def test_a_link_with_the_token_signs_a_browser_in():
    layer = sign_in.SignIn(inside, TOKEN)
    answer = ask(layer, query=f"token={TOKEN}&data=mnist", accept="text/html")
    assert answer.status == 303 and answer.headers[b"location"] == b"./?data=mnist"
    cookie, *flags = answer.headers[b"set-cookie"].decode().split("; ")
    assert TOKEN not in cookie and {"HttpOnly", "SameSite=Lax"} <= set(flags) and "Secure" not in flags
    assert ask(layer, "/config", cookie=f"a=b; {cookie}").status == 200
    assert ask(layer, "/config", cookie=cookie[:-1]).status == ask(layer, "/config", cookie='x="').status == 401
    assert "Secure" in ask(layer, query=f"token={TOKEN}", x_forwarded_proto="https").headers[b"set-cookie"].decode()
    wrong = ask(layer, query="token=wrong&data=<b>", accept="text/html")
    assert wrong.status == 401 and "That is not this app&#x27;s token." in wrong.body and "<b>" not in wrong.body
    assert 'name="data" value="&lt;b&gt;"' in wrong.body and 'name="token" value' not in wrong.body


@pytest.mark.parametrize(
    ("query", "accepted", "lang"),
    [("", "ko-KR,ko;q=0.9,en;q=0.8", "ko"), ("", "en-GB,ko", "en"), ("lang=ko", "en", "ko"), ("lang=en", "ko", "en"),
     ("lang=xx", "fr", "en"), ("", "", "en")],
)  # fmt: skip
def test_the_token_is_asked_for_in_the_visitors_language(query, accepted, lang):
    page = ask(
        sign_in.SignIn(inside, TOKEN, language.spoken), query=query, accept="text/html", accept_language=accepted
    )
    assert f'<html lang="{lang}">' in page.body and ("토큰" in page.body) == (lang == "ko")
    assert ("This app asks for its token" in page.body) == (lang == "en")


@pytest.mark.parametrize(
    ("token", "good"), [(TOKEN, True), ("short", False), ("with a blank in it", False), ("ü" * 20, False)]
)
def test_a_token_is_long_and_plain(token, good):
    assert sign_in.good_token(token) == good


# ---- bodies


def test_a_large_body_is_refused_before_it_is_read():
    layer = bodies.Bodies(inside)
    answer = ask(layer, "/gradio_api/queue/join", "POST", [b"x"], content_length="60000000")
    assert answer.status == 413 and not answer.read and said(answer) == bodies.LARGE
    parts = [b"x" * 1_000_000] * 60  # of which nothing says how many there are
    answer = ask(layer, "/gradio_api/queue/join", "POST", parts)
    assert answer.status == 413 and len(answer.read) == 3


def test_what_is_small_enough_arrives_as_it_was_sent():
    answer = ask(bodies.Bodies(inside), "/a", "POST", [b"x" * 999_999, b"", b"y" * 1_000_001])
    assert answer.status == 200 and answer.body == "/a 2000000"


@pytest.mark.parametrize("how", [{"path": bodies.UPLOADS}, {"content_type": "multipart/form-data; boundary=x"}])
def test_nothing_is_uploaded_to_a_public_app(monkeypatch, how):
    layer, parts = bodies.Bodies(inside), [b"x" * 3_000_000]
    assert ask(layer, method="POST", parts=parts, **how).status == 200, "Gradio measures files"
    monkeypatch.setenv(public.PUBLIC, "1")
    answer = ask(layer, method="POST", parts=parts, **how)
    assert answer.status == 403 and not answer.read and said(answer) == public.CLOSED


def test_no_session_is_written_to_the_disk():
    assert ask(bodies.Bodies(inside), "/gradio_api/deep_link", query="session_hash=x").status == 404


# ---- headers


def test_a_browser_is_told_what_it_may_do():
    answer = ask(headers.Headers(hosts.Hosts(inside, hosts.known_hosts("127.0.0.1", {})), ""), host="evil.com")
    assert answer.status == 403 and answer.headers[b"x-content-type-options"] == b"nosniff"
    told = dict(part.split(" ", 1) for part in answer.headers[b"content-security-policy"].decode().split("; "))
    outside = [words for words in told.values() if re.search(r"https?:|\*", words)]
    assert not outside and told["frame-ancestors"] == "'self'" and told["object-src"] == "'none'"
    assert "frame-ancestors 'self' https://huggingface.co" in headers.policy("some-lab.hf.space")


# ---- health


def invented(**more):
    return SimpleNamespace(ready=True, machine={"device": "cpu"}, device=SimpleNamespace(waiting=3, busy=True), **more)


def test_health_says_whether_the_models_are_there():
    layer, service = health.Health(inside, service := invented()), service
    assert json.loads(ask(layer, "/healthz").body) == {"ready": True, "device": "cpu", "queue": 4}
    service.ready = False
    assert ask(layer, "/healthz").status == 503
    assert ask(layer, "/healthz/x").body == "/healthz/x 0"


def test_metrics_are_in_prometheus_text_format(monkeypatch):
    layer = health.Counted(health.Health(inside, invented()))
    before = counters.counted()
    ask(layer, "/a")
    counters.count(counters.DONE)
    answer = ask(layer, "/metrics")
    assert answer.headers[b"content-type"].startswith(b"text/plain; version=0.0.4")
    samples = parsed(answer.body)
    assert samples["trilemma_queue_length"] == 3
    assert samples['trilemma_requests_total{status="2xx"}'] == before.get("2xx", 0) + 1
    assert samples['trilemma_runs_total{outcome="done"}'] == before["done"] + 1
    assert samples.get("process_resident_memory_bytes", 2e7) > 1e7
    monkeypatch.setenv(public.PUBLIC, "1")
    assert "process" not in ask(layer, "/metrics").body


def parsed(text):
    """The samples of a text in Prometheus' format, read by the rules of its description."""
    assert text.endswith("\n")
    samples, kind = {}, ""
    for line in text.splitlines():
        if found := re.fullmatch(r"# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)", line):
            word, kind_of, rest = found.groups()
            assert word == "HELP" or rest in ("counter", "gauge")
            kind = kind_of
            continue
        name, labels, value = re.fullmatch(r'([a-zA-Z_:][\w:]*)(\{\w+="[^"\\]*"\})? (\S+)', line).groups()
        assert name == kind, "samples follow their own type"
        samples[name + (labels or "")] = float(value)
    return samples


def test_runs_are_counted_by_what_became_of_them():
    import threading

    from dashboard.service.device import Device

    device, stop, before = Device(), threading.Event(), counters.counted()
    with device.lease() as lease:
        list(lease.line())
    with pytest.raises(ValueError), device.lease() as lease:
        list(lease.line())
        raise ValueError
    with device.lease(stop) as lease:
        list(lease.line())
        stop.set()
    now = counters.counted()
    grown = {name: now[name] - before[name] for name in counters.OUTCOMES}
    assert grown == {"begun": 3, "done": 1, "failed": 1, "stopped": 1, "refused": 0}
    assert now[counters.SECONDS] > before[counters.SECONDS]


def test_the_layers_stand_in_the_order_that_refuses_first():
    kinds = [kind for kind, _, _ in edge.layers(invented(), "127.0.0.1", TOKEN, {})]
    assert kinds == [health.Counted, headers.Headers, hosts.Hosts, sign_in.SignIn, health.Health, bodies.Bodies]
