"""What generating costs: the figures against known answers, and the timing on this machine with real, tiny models."""

import re
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from functools import partial
from unittest import mock

import gradio as gr
import numpy as np
import pytest
import torch

from dashboard.figures import cost
from dashboard.pages.speed import engine
from dashboard.pages.speed import page as speed
from dashboard.results.operating_points import Measurements, join, knobs_key
from dashboard.service import InputError, Service
from gencore import FAMILIES, checkpoint
from gencore.comparison.state import LOCK, Member, State, write_state
from gencore.evaluation import costing, memory, rows
from gencore.family import image_seed, resolve_knobs
from gencore.locks import alone
from tests.support import invented

TITLES = {name: kind.title for name, kind in FAMILIES.items()}
NAMES = {f"mnist/{name}": kind for name, kind in FAMILIES.items()}
MADE = invented.distinct(NAMES)
SLOW = {"device": "cpu", "name": "Slow Processor", "cores": 1, "threads": 1}


REAL_PEAK = memory.peak_memory


def measured(made=MADE):
    orders = {n: [knobs_key(resolve_knobs(k.knobs, p.knobs)) for p in k.points] for n, k in FAMILIES.items()}
    return join("mnist", made, TITLES, orders, {})


def drawings(markup):
    """Every SVG in some markup, parsed."""
    found = ElementTree.fromstring(f"<all>{markup.replace('<details class', '<details data-x')}</all>")
    return list(found.iter("svg"))


# ---- the line


def test_an_exact_line_is_found_exactly():
    calls = [1, 5, 10, 20, 50, 1000]
    line = cost.fit(calls, [3.5 * c + 2 for c in calls])
    assert (line.slope, line.intercept) == (pytest.approx(3.5), pytest.approx(2))
    assert line.half == pytest.approx(0, abs=1e-9)
    assert line.furthest == pytest.approx(0, abs=1e-9)
    assert line.at(7) == pytest.approx(26.5)


def test_the_interval_of_the_slope_agrees_with_scipy():
    stats, optimize = pytest.importorskip("scipy.stats"), pytest.importorskip("scipy.optimize")
    dice = np.random.default_rng(3)
    x = np.array([1, 2, 5, 10, 20, 30, 50, 100.0])
    y = (3 * x + 1) * (1 + dice.normal(0, 0.1, len(x)))
    line = cost.fit(x, y)
    (intercept, slope), covariance = optimize.curve_fit(lambda x, a, b: a + b * x, x, y, (1, 3), sigma=y)
    assert (line.slope, line.intercept) == (pytest.approx(slope, rel=1e-5), pytest.approx(intercept, rel=1e-4))
    assert line.half == pytest.approx(stats.t.ppf(0.975, len(x) - 2) * covariance[1, 1] ** 0.5, rel=1e-3)
    assert line.furthest == pytest.approx(max(abs(y / (intercept + slope * x) - 1)), rel=1e-3)


def test_one_slow_point_does_not_bend_the_line_away_from_the_quick_ones():
    x = np.array([1, 2, 5, 10, 20, 50, 1000.0])
    y = 2.8 * x
    y[-1] *= 0.8  # measured while the machine was quicker
    assert cost.fit(x, y).furthest < 0.25


def test_there_is_no_line_through_one_number_of_calls_and_no_interval_through_two_points():
    assert cost.fit([1, 1, 1], [2, 3, 4]) is None
    line = cost.fit([1, 2], [2, 4])
    assert line.slope == pytest.approx(2) and np.isinf(line.half)
    assert "by two points alone" in cost.slope_words("DDPM", line)


def test_each_checkpoint_and_each_machine_has_its_own_line():
    made = MADE
    slow = [{**row, "machine": SLOW, "batches": [{**b, "ms_per_image": 10 * b["ms_per_image"]} for b in row["batches"]]}
            for row in made if row["kind"] == "cost"]  # fmt: skip
    points = cost.timed(measured(made + slow), TITLES)
    slopes = sorted(line.slope for _, line in cost.fits(points))
    assert slopes == pytest.approx([3.5, 3.5, 35, 35], rel=1e-3), "the DDPM and the consistency model, on either"
    assert "a network call takes" in cost.network_calls(points)


# ---- the figures


def test_every_figure_is_drawn_escapes_and_has_units():
    made = MADE
    made = [{**row, "point": {**row["point"], "label": "<b>&</b>"}} if row["kind"] == "cost" else row for row in made]
    points = cost.timed(measured(made), TITLES)
    batches, calls, sizes = cost.cards(points)
    for card in (batches, calls, sizes):
        assert drawings(card) and "<b>&" not in card
        assert 'class="reading"' in card and "Test Processor, 2 threads, float32" in card
    assert "ms per image" in batches and "images per second" in batches and "images made at once" in batches
    assert "network calls per image" in calls
    assert "FLOP" in sizes and "MB" in sizes


def test_left_and_right_axis_say_the_same():
    points = cost.headlines(cost.timed(measured(), TITLES))
    drawing = drawings(cost.batch_sizes(points))[0]
    ticks = [
        node for node in drawing.iter("text") if node.get("class") == "tick" and node.get("text-anchor") != "middle"
    ]
    by_height = {}
    for node in ticks:
        if re.fullmatch(r"[\d.,]+k?", node.text):
            digits = node.text.replace(",", "").replace("k", "e3")
            by_height.setdefault(node.get("y"), []).append(float(digits))
    assert len(by_height) > 2
    assert all(left * right == pytest.approx(1000) for left, right in by_height.values())


def test_what_is_measured_here_is_hollow_and_dashed():
    made = MADE
    mine = [{**row, "machine": SLOW, "local": True} for row in made if row["kind"] == "cost"][:1]
    points = cost.timed(measured(made + mine), TITLES)
    assert [point.local for point in points].count(True) == 1
    card = cost.batch_sizes(cost.headlines(points))
    assert "stroke-dasharray" in card and "fill:var(--card)" in card
    assert "Hollow, dashed: measured here, Slow Processor, 2 threads, float32." in card


def test_rows_of_one_machine_stand_beside_each_other_when_one_was_measured_here():
    made = MADE
    mine = [{**row, "local": True} for row in made if row["kind"] == "cost"][:1]
    found = measured(made + mine)
    same = [row for row in found.costs if knobs_key(row["knobs"]) == knobs_key(mine[0]["knobs"])
            and row["checkpoint"] == mine[0]["checkpoint"]]  # fmt: skip
    assert [bool(row.get("local")) for row in same] == [False, True]
    assert not found.points[0].cost.get("local"), "the shipped one stands beside the scores"


def test_nothing_timed_says_so():
    for card in (cost.batch_sizes([]), cost.network_calls([]), cost.footprints([])):
        assert "yet" in card and "<svg" not in card
    assert cost.cards([]) == []


def test_stale_and_unknown_rows_are_left_out():
    made = [row for row in MADE if row["kind"] == "cost"]
    foreign = {**made[0], "family": '"><script>', "checkpoint": "mnist/x"}
    found = join("mnist", [*made, foreign], TITLES, {}, {0: "It has changed."})
    points = cost.timed(found, TITLES)
    assert len(points) == len(made) - 1
    assert "It has changed." in speed.stale_words(found)
    assert "script" not in "".join(cost.cards(points))


# ---- timing here


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A service with a tiny VAE and a tiny DDPM, and a folder of the visitor's own."""
    torch.manual_seed(0)
    shipped, mine = tmp_path / "checkpoints", tmp_path / "runs"
    checkpoint.save_model(shipped / "mnist" / "vae", FAMILIES["vae"](size=8, widths=(8, 8)))
    checkpoint.save_model(shipped / "mnist" / "ddpm", FAMILIES["ddpm"](size=8, widths=(8, 8)))
    mine.mkdir()
    monkeypatch.setenv(checkpoint.FOLDER_VARIABLE, f"{shipped}:{mine}")
    monkeypatch.delenv("SPACE_ID", raising=False)
    monkeypatch.setattr(memory, "peak_memory", lambda *_: 1.5)  # a process of its own takes seconds
    monkeypatch.setattr(engine, "SCOPES", dict.fromkeys(engine.SCOPES, 0.5))
    return Service()


def test_nothing_is_timed_beside_a_comparison(here, tmp_path):
    folder = tmp_path / "runs" / "mine"
    with alone(folder / LOCK, "worked on"):
        write_state(folder, State("digits", {}, 1.0, (Member("vae", "vae"),), "now", phase="training"))
        with pytest.raises(InputError, match="The comparison mine works on this device"):
            engine.plan(here, "mnist", "headline points", Measurements("mnist"))
    assert engine.plan(here, "mnist", "headline points", Measurements("mnist"))


def test_a_plan_has_each_point_once_and_says_how_long(here):
    some = engine.plan(here, "mnist", "headline points", Measurements("mnist"))
    every = engine.plan(here, "mnist", "every point", Measurements("mnist"))
    assert [job.title for job in some] == ["VAE", "DDPM"]
    assert len({(job.entry.name, knobs_key(job.knobs)) for job in every}) == len(every) > len(some)
    assert all(job.expected > 0 for job in every)
    with pytest.raises(InputError, match="must be one of"):
        engine.plan(here, "mnist", "everything", Measurements("mnist"))
    with pytest.raises(InputError, match="no data set 'nowhere'"):
        engine.plan(here, "nowhere", "every point", Measurements("nowhere"))


def test_a_plan_leaves_out_what_is_known_to_take_too_many_calls(here):
    known = measured()
    every = engine.plan(here, "mnist", "every point", known)
    assert all("1000" not in job.point.label for job in every)
    headline = engine.plan(here, "mnist", "headline points", known)
    assert headline[0].expected < headline[-1].expected, "a slower point is expected to take longer"


def test_a_row_measured_here_is_a_row_and_is_kept(here, tmp_path):
    job = engine.plan(here, "mnist", "headline points", Measurements("mnist"))[:1]
    seen = list(engine.measure(here, job, threading.Event()))
    assert seen[-1].state == "done"
    row = next(one.row for one in seen if one.row)
    rows.check(row)
    assert [batch["n"] for batch in row["batches"]][:3] == [1, 4, 16] and row["calls"] == 1
    assert min(one.share for one in seen) >= 0 and max(one.share for one in seen) == 1
    assert engine.keep("mnist", row)
    assert rows.read(tmp_path / "runs" / "mnist" / "rows.jsonl") == ([row], [])
    (found,) = here.measurements("mnist").costs
    assert found["local"] and not found["stale"]


def test_stop_ends_it_between_two_network_calls_and_frees_the_device(here):
    jobs = engine.plan(here, "mnist", "headline points", Measurements("mnist"))[1:]
    stop = threading.Event()
    states = []
    for seen in engine.measure(here, jobs, stop):
        states.append(seen.state)
        stop.set()
    assert states[-1] == "stopped" and "done" not in states
    assert not here.device.busy
    assert threading.active_count() < 20 and not [t for t in threading.enumerate() if t.name.endswith("(work)")]


def test_the_memory_measured_here_is_what_the_engine_measures(here):
    (job, *_) = engine.plan(here, "mnist", "headline points", Measurements("mnist"))
    model = checkpoint.load(job.entry)
    job.settings.apply(model)
    asked = model, [image_seed(0, i) for i in range(16)], job.knobs, costing.MEMORY_CALLS
    found = REAL_PEAK(*asked, partial(engine.wait_for, over=threading.Event().is_set))
    told = REAL_PEAK(*asked)
    weights = sum(tensor.numel() * tensor.element_size() for tensor in model.parameters()) / 1e6
    assert found >= weights and found == pytest.approx(told, rel=0.5, abs=3), "two processes differ by a few pages"


def test_stop_ends_the_process_that_measures_memory():
    halt = threading.Event()
    threading.Timer(0.3, halt.set).start()
    started = time.monotonic()
    with pytest.raises(engine.Stopped):
        memory.run(
            [sys.executable, "-c", "import time; time.sleep(60)"], "", partial(engine.wait_for, over=halt.is_set)
        )
    assert time.monotonic() - started < 30, "it did not wait for the process to end by itself"
    patient = partial(engine.wait_for, over=threading.Event().is_set)
    with pytest.raises(RuntimeError, match="ended with 3: why"):
        script = "import sys; sys.stderr.write('why'); sys.exit(3)"
        memory.run([sys.executable, "-c", script], "", patient)
    echo = "import sys; print(sys.stdin.read().upper())"
    assert memory.run([sys.executable, "-c", echo], "words", patient).strip() == "WORDS"


def test_a_visitor_who_leaves_ends_it(here):
    jobs = engine.plan(here, "mnist", "headline points", Measurements("mnist"))[1:]
    running = engine.measure(here, jobs, threading.Event())
    next(running)
    running.close()
    assert not here.device.busy
    assert not [t for t in threading.enumerate() if t.name.endswith("(work)")]


def test_a_broken_point_says_so_and_the_next_goes_on(here, monkeypatch):
    real = engine.cost_row

    def broken(job, halt, tell):
        if job.title == "VAE":
            raise RuntimeError("out of luck")
        return {**real(job, halt, tell)}

    monkeypatch.setattr(engine, "cost_row", broken)
    jobs = engine.plan(here, "mnist", "headline points", Measurements("mnist"))[:2]
    seen = list(engine.measure(here, jobs, threading.Event()))
    assert [one.problem for one in seen if one.problem] == ["VAE, fitted prior failed with RuntimeError: out of luck"]
    assert sum(one.row is not None for one in seen) == 1 and seen[-1].state == "done"


def test_too_many_calls_are_the_command_lines_business(here):
    jobs = engine.plan(here, "mnist", "every point", Measurements("mnist"))
    long = [job for job in jobs if "1000" in job.point.label]
    seen = list(engine.measure(here, long, threading.Event()))
    assert "takes 1,000 network calls" in next(one.problem for one in seen if one.problem)


def test_strangers_measure_nothing(here, monkeypatch):
    monkeypatch.setenv("TRILEMMA_PUBLIC", "1")
    for scope in engine.SCOPES:
        with pytest.raises(InputError, match="This app is public, so nobody can train, measure"):
            engine.plan(here, "mnist", scope, Measurements("mnist"))


def test_on_a_space_or_a_read_only_folder_no_file_is_written(here, tmp_path, monkeypatch):
    row = next(row for row in MADE if row["kind"] == "cost")
    monkeypatch.setenv("SPACE_ID", "someone/something")
    assert not engine.keeps("mnist") and not engine.keep("mnist", row)
    monkeypatch.delenv("SPACE_ID")
    (tmp_path / "runs").rmdir()
    (tmp_path / "runs").write_text("a file, not a folder")
    assert not engine.keep("mnist", row)
    assert "this browser tab alone" in speed.place_words("mnist", False)


def test_a_visitors_rows_stand_beside_the_shipped_ones_and_the_last_one_counts():
    row = next(row for row in MADE if row["kind"] == "cost")
    again = {**row, "date": "2026-11-23"}
    assert speed.merged([row], again) == [again]
    found = speed.with_rows(measured(), [again, {**again, "dataset": "digits"}])
    assert [bool(one.get("local")) for one in found.costs].count(True) == 1


def test_stopping_is_said_and_another_data_set_is_not_painted_over(here, monkeypatch):
    progress = [engine.Progress("running", words="memory"), engine.Progress("running", words="memory"),
                engine.Progress("stopped")]  # fmt: skip
    monkeypatch.setattr(engine, "measure", lambda *_: iter(progress))
    request, asked = mock.Mock(session_hash="visitor"), ("mnist", "headline points", "", [])
    with gr.Blocks():
        page = speed.Speed(here)
    running = page.run(request, *asked)
    assert "Starting. It takes" in next(running)[page.status]
    assert "memory" in next(running)[page.status]
    page.runs.cancel(request)
    assert "Stopping." in next(running)[page.status] and "Stopped: 0 of 2" in next(running)[page.status]
    running = page.run(request, *asked)
    next(running), next(running)
    updates = page.switch(request, "mnist", "headline points", [])
    assert updates[page.measure]["interactive"] and [*running] == [gr.skip()]


def test_the_status_line_escapes_and_says_how_far_it_is():
    line = speed.status("<a>", "<b>", 0.256)
    assert "&lt;a&gt;" in line and "&lt;b&gt;" in line
    assert 'aria-valuenow="26"' in line and 'role="progressbar"' in line
    assert "Stopped: 1 of 4 operating points timed. Where. What" in speed.ending("stopped", 1, 4, "Where.")
    assert speed.about(42.4) == "about 42 s" and speed.about(600) == "about 10 min"
