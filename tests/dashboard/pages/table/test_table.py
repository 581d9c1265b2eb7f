"""The table, its CSV and JSON, and the report, against rows that are known."""

import csv
import html
import io
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from dashboard import theme
from dashboard.figures import table
from dashboard.pages.table import report
from dashboard.results import explanations
from dashboard.results.operating_points import Measurements, join, knobs_key
from dashboard.results.question import ask
from dashboard.service import METRICS
from gencore import FAMILIES, checkpoint
from gencore.evaluation import rows
from gencore.family import resolve_knobs
from tests.support import invented, questions

TITLES = {name: kind.title for name, kind in FAMILIES.items()}
NAMES = {f"mnist/{name}": kind for name, kind in FAMILIES.items()}
MADE = invented.distinct(NAMES)


def measured(made=MADE, stale=None, problems=()):
    orders = {n: [knobs_key(resolve_knobs(k.knobs, p.knobs)) for p in k.points] for n, k in FAMILIES.items()}
    return join("mnist", made, TITLES, orders, stale or {}, problems)


def point(label, kid, n=5000, family="vae", **knobs):
    """A row whose KID in each generation is known."""
    scores = {"classifier": {"kid": invented.score(kid)}}
    return invented.quality(f"mnist/{family}", family, label, "headline", knobs, n, scores)


def best(made, stale=None):
    found = measured(made, stale)
    marked = table.best(found, METRICS, "classifier")
    return {row.label for row in found.points if (row.key, "kid") in marked}


# ---- the best of a column


def test_the_best_is_marked_with_all_that_tie_with_it():
    close = [0.010, 0.011, 0.012, 0.009, 0.010]
    rows = [
        point("a", close, t=1),
        point("b", [v + 0.0005 for v in close], t=2),
        point("c", [0.5, 0.51, 0.5, 0.52, 0.5], t=3),
    ]
    assert best(rows) == {"a", "b"}


def test_nothing_is_best_where_all_tie_or_there_is_one_alone():
    close = [0.010, 0.011, 0.012]
    assert best([point("a", close, t=1), point("b", close, t=2)]) == set()
    assert best([point("a", close)]) == set()


def test_a_row_that_is_too_rough_to_be_told_from_the_best_is_not_marked_for_that():
    fine = [0.010, 0.0101, 0.0102, 0.0101, 0.010]
    rows = [point("a", fine, t=1), point("b", [v * 3 for v in fine], t=2)]
    wild = [0.001, 0.09]
    assert best([*rows, point("wild", wild, t=3)]) == {"a"}, "neither for its noise nor for a lucky mean"
    assert best([*rows, point("lucky", [0.0001, 0.015], t=3)]) == {"a"}


def test_the_best_is_of_equal_n_alone_and_never_stale():
    low, high = [0.010, 0.011, 0.012], [0.5, 0.51, 0.52]
    rows = [point("a", low, t=1), point("b", high, t=2), point("c", low, 2000, t=1), point("d", high, 2000, t=2)]
    assert best(rows) == {"a", "c"}
    assert best([*rows, point("e", [0.3, 0.31, 0.3], t=4)], {0: "It has changed."}) == {"c", "e"}


def test_where_one_is_as_real_the_nearest_to_one_is_best():
    def row(label, values, t):
        made = point(label, [1, 1, 1], t=t)
        return {**made, "scores": {"classifier": {"sharpness": invented.score(values)}}}

    found = measured(
        [row("blur", [0.5, 0.51, 0.5], 1), row("sharp", [0.99, 1.0, 1.01], 2), row("noise", [3, 3.1, 3], 3)]
    )
    marked = table.best(found, METRICS, "classifier")
    assert {p.label for p in found.points if (p.key, "sharpness") in marked} == {"sharp"}


# ---- the page's value


def test_every_row_is_there_with_baselines_apart_and_no_markup():
    hostile = {**MADE[3], "point": {"label": "<img src=x>", "kind": "headline"}, "checkpoint": "mnist/other"}
    value = table.table(measured([*MADE, hostile], problems=["Line 3 is no row."]), METRICS, TITLES)
    json.dumps(value, allow_nan=False)
    assert len(value["rows"]) == sum(row["kind"] in ("quality", "failure") for row in MADE) + 1
    assert [row["n"] for row in value["baselines"]] == [5000, 2000, 400]
    assert value["problems"] == ["Line 3 is no row."]
    assert "<img src=x> (other)" in {row["label"] for row in value["rows"]}, "the browser shows it as text"
    keys = [column["key"] for column in value["columns"]]
    assert set(METRICS) <= set(keys) and {"n", "checkpoint", "extractor", "ms"} - {"n"} <= set(keys)


def test_cells_have_the_mean_to_sort_by_and_the_interval_to_read():
    row = point("a", [0.02, 0.021, 0.025])
    left = {**row, "left_out": {"classifier": {"fd": "Too few images."}}}
    (shown,) = table.table(measured([left]), METRICS, TITLES)["rows"]
    mean, words = shown["cells"]["classifier"]["kid"]
    assert mean == pytest.approx(0.022) and re.fullmatch(r"0\.022 ± 0\.007", words)
    assert shown["cells"]["classifier"]["fd"] == [None, "–", "Too few images."]


def test_a_score_that_needs_no_second_opinion_stands_among_pixels_too():
    (shown, *_) = table.table(measured(), METRICS, TITLES)["rows"]
    assert shown["cells"]["pixels"]["sharpness"] == shown["cells"]["classifier"]["sharpness"]


def test_a_score_in_features_stands_among_its_own_alone():
    """And one that needs none among all, whichever extractor's scores hold it."""
    found = {
        name: invented.scores(5, kid=0.01, coverage=0.9, precision=0.9)["classifier"] for name in ("own", "pixels")
    }
    found["own"]["sharpness"] = invented.score([1.0, 1.1, 1.2])
    del found["pixels"]["kid"]
    row = {**point("a", [0.1, 0.2, 0.3]), "scores": found}
    (shown,) = table.table(measured([row]), METRICS, TITLES)["rows"]
    assert shown["cells"]["pixels"]["sharpness"] == shown["cells"]["own"]["sharpness"]
    assert "kid" in shown["cells"]["own"] and "kid" not in shown["cells"]["pixels"]
    old = point("b", [0.1, 0.2, 0.3], family="gan")
    (one, other) = table.table(measured([row, old]), METRICS, TITLES)["rows"]
    assert other["cells"]["pixels"]["kid"] == [None, "–", "Its row has no scores in pixels features."]
    assert one["cells"]["classifier"]["kid"][2] == "Its row has no scores in classifier features."


def test_another_machines_times_have_rows_of_their_own():
    slow = [{**row, "machine": {**row["machine"], "name": "Slow"}} for row in MADE if row["kind"] == "cost"]
    value = table.table(measured([*MADE, *slow]), METRICS, TITLES)
    alone = [row for row in value["rows"] if row["kind"] == "timing"]
    assert len(alone) == len(slow) and all("Slow" in row["cells"][""]["machine"][1] for row in alone)


# ---- to take away


def test_csv_gives_every_value_back():
    found = measured()
    lines = list(csv.DictReader(io.StringIO(table.as_csv(found))))
    points = [*found.baselines.values(), *found.points, *found.failures]
    assert len(lines) == len(points)
    for line, row in zip(lines, points, strict=True):
        for extractor, scores in row.quality["scores"].items():
            for key, score in scores.items():
                for end in ("mean", "low", "high"):
                    assert float(line[f"scores.{extractor}.{key}.{end}"]) == score[end]
                values = [float(value) for value in line[f"scores.{extractor}.{key}.values"].split(";")]
                assert values == score["values"]
        if row.cost:
            assert float(line["cost.batches.16.ms_per_image"]) == row.ms_per_image
            assert line["cost.machine.name"] == "Test Processor"
        assert int(line["n"]) == row.n and line["point.label"] == row.label
        assert "row" not in line and int(line["schema_version"]) == row.quality["row"]


def shipped_bounds():
    """The shipped rows of likelihood bounds."""
    path = rows.rows_path("mnist", checkpoint.roots()[0])
    return [row for row in map(json.loads, path.read_text().splitlines()) if row["kind"] == "bound"]


def test_bounds_stand_in_the_table_the_files_and_the_report():
    bounds = shipped_bounds()
    found = measured([*MADE, *bounds])
    value = table.table(found, METRICS, TITLES)
    assert ["likelihood", "Likelihood", True] in value["groups"]
    assert "likelihood" not in [key for key, *_ in table.table(measured(), METRICS, TITLES)["groups"]]
    shown = [row for row in value["rows"] if row["kind"] == "bound"]
    assert len(shown) == len(found.bounds) == len(bounds)
    for row, bound in zip(shown, found.bounds, strict=True):
        mean, words = row["cells"][""]["bits"]
        nats = -bound["terms"]["elbo"]["nats"]["mean"]
        assert row["n"] == bound["n"] and row["cells"][""]["nats"][0] == nats
        assert mean == pytest.approx(nats / math.log(2) / bound["dimensions"])
        assert float(words.partition(" ±")[0]) == pytest.approx(mean, abs=0.005)
    given = json.loads(table.as_json(found, "1.2.3", "2026-11-24"))
    assert [row["terms"] for row in given["rows"] if row["kind"] == "bound"] == [one["terms"] for one in found.bounds]
    lines = [line for line in csv.DictReader(io.StringIO(table.as_csv(found))) if line["kind"] == "bound"]
    for line, bound in zip(lines, found.bounds, strict=True):
        assert float(line["terms.elbo.nats.mean"]) == bound["terms"]["elbo"]["nats"]["mean"]
        for place in bound.get("curve", ()):
            assert float(line[f"curve.{place['t_low']}.mean"]) == place["mean"]
    text = report.page(found, METRICS, FAMILIES, "1.2.3", "2026-11-24")
    assert "Likelihood bounds" in text and all(bound["command"] in text for bound in bounds)


def test_json_has_every_row_as_it_was_measured():
    given = json.loads(table.as_json(measured(problems=["x"]), "1.2.3", "2026-11-22"))
    assert sorted(row["kind"] for row in given["rows"]) == sorted(row["kind"] for row in MADE)
    for row in given["rows"]:
        rows.check(row)
    by_label = {row["point"]["label"]: row["scores"] for row in given["rows"] if row["kind"] == "quality"}
    assert by_label["fitted prior"] == next(r["scores"] for r in MADE if r["point"]["label"] == "fitted prior")
    assert given["program"] == "gencore 1.2.3" and given["problems"] == ["x"]
    stale = json.loads(table.as_json(measured(stale={0: "Features have changed.", 3: "It has changed."}), "1", "x"))
    assert [one["why"] for one in stale["stale"]] == ["Features have changed.", "It has changed."], "baselines, too"


def test_a_failure_made_from_no_model_says_so():
    noise = {**MADE[3], "kind": "failure", "failure": "noise", "checkpoint": "", "family": "none", "hashes": {}}
    made = {**noise, "point": {"label": "Nothing but noise", "kind": "failure"}}
    assert [row.title for row in measured([made]).failures] == ["No model"]


def test_the_table_says_how_a_model_was_trained():
    value = table.table(measured(), METRICS, TITLES)
    assert [c["name"] for c in value["columns"]][-6:-3] == ["Images in training", "Training time", "Trained on"]
    cells = value["rows"][0]["cells"][""]
    assert [cells[key] for key in ("trained", "minutes", "device")] == [
        [500_000, "500,000"], [6000.0, "100 minutes"], ["cpu", "CPU"]]  # fmt: skip


# ---- the report


def test_the_report_says_where_an_imported_model_comes_from():
    found = measured()
    first = found.points[0].checkpoint
    points = [replace(one, origin="Imported from <x>" if one.checkpoint == first else "") for one in found.points]
    page = report.origins(replace(found, points=tuple(points)), {})
    assert page.count("Imported from &lt;x&gt;") == 1
    assert page.count("trained here") == len({one.checkpoint for one in [*found.points, *found.failures]} - {first, ""})


VOID = {"meta", "br", "hr", "img", "input", "link"}


class Checker(HTMLParser):
    """Collects what a document would fetch, and whether its tags nest."""

    def __init__(self):
        super().__init__()
        self.open, self.fetched, self.tags, self.text = [], [], set(), []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.fetched += [value for name, value in attributes if name in ("src", "href", "srcset", "action", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        self.text.append(data)


def checked(document):
    checker = Checker()
    checker.feed(document)
    assert not checker.open
    return checker


def test_the_report_is_one_file_that_fetches_nothing():
    document = report.page(measured(), METRICS, FAMILIES, "1.2.3", "2026-11-22")
    checker = checked(document)
    assert not checker.fetched and not checker.tags & {"script", "link", "img", "iframe"}
    assert "url(" not in document and "@import" not in document and not re.search(r"https?://", document)
    assert "@media(prefers-color-scheme:dark)" in document
    assert {"svg", "table", "pre"} <= checker.tags


def test_the_report_has_figures_baselines_hashes_settings_and_commands():
    document = report.page(measured(problems=["Line 3 is no row."]), METRICS, FAMILIES, "1.2.3", "2026-11-22")
    text = " ".join(checked(document).text)
    for words in ("2026-11-22", "1.2.3", "Real images", "n = 5,000", "n = 2,000", "n = 400", "0" * 16, "Test Processor",
                  "python -m gencore evaluate mnist/ddpm", "python -m gencore features mnist", "Line 3 is no row.",
                  "float32", "a network call takes", "KID"):  # fmt: skip
        assert words in text, words
    assert 'class="fig triangle"' in document and 'class="fig front broad"' in document
    assert re.search(r'class="shape[^"]* best', document), "each family's best is filled without a script"
    for name in ("--mark-vae", "--text-real", "svg.fig", ":is(.front, .heap) .pareto", ".triangle .shape"):
        assert name in document, name


def test_the_report_escapes_and_marks_what_is_stale():
    hostile = {**MADE[3], "point": {"label": "<script>alert(1)</script>", "kind": "headline"}}
    foreign = {**MADE[3], "family": '"><script>', "checkpoint": "mnist/<i>", "knobs": {"x": 1}}
    made = [hostile, foreign, invented.cost(foreign, 3.0)]
    document = report.page(measured(made, {0: "It has <changed>."}), METRICS, FAMILIES, "1", "2026-11-22")
    assert document.count('f----script-"') >= 2, "it is drawn, in the triangle and among all points"
    checker = checked(document)
    assert "script" not in checker.tags and "i" not in checker.tags
    assert "Stale. It has <changed>." in " ".join(checker.text)


def test_the_report_says_where_an_axis_ends_before_a_hopeless_point():
    good = [("vae", "a", 1.0, {"kid": 0.004, "coverage": 0.9}), ("gan", "b", 2.0, {"kid": 0.05, "coverage": 0.8})]
    found = questions.measure(
        *(questions.point(*one, **means) for *one, means in good),
        questions.point("ddpm", "1 call", 4.0, kid=5864.0, coverage=0.0, calls=1),
    )
    question = ask(found)
    words = f"Below KID {explanations.number(question.quality, question.scales[0].centre)}"
    assert words in html.unescape("".join(report.summary(found)))


def test_an_empty_report_still_says_what_it_is():
    text = " ".join(checked(report.page(Measurements("mnist"), METRICS, FAMILIES, "1", "2026-11-22")).text)
    assert "No scores were measured yet." in text


def test_samples_from_elsewhere_have_their_diamond_in_the_report():
    head = report.row_head("samples", "Samples", "as given", {"vae": "VAE"})
    assert theme.badge("samples", 12) in head and "var(--text-samples)" in head
    assert "<svg" not in report.row_head("unknown", "Unknown", "x", {"vae": "VAE"})
