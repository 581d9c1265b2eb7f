"""Rows: the format, the file that only grows at its end, and what makes a row stale."""

import copy
import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import torch

from gencore.checkpoint import save_model
from gencore.errors import InputError
from gencore.evaluation import rows
from gencore.evaluation.schema import SCHEMA, violation
from gencore.families import FAMILIES
from gencore.family import Change, Point
from gencore.presets import PRESETS

VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
SCHEMA_FILE = Path(__file__).resolve().parents[3] / "docs" / "rows.schema.json"
HASH = "0123456789abcdef"
EVERY = {
    "row": 3,
    "dataset": "digits",
    "checkpoint": "digits/vae",
    "family": "vae",
    "knobs": {"prior": "mixture", "temperature": 1.0},
    "hashes": {"checkpoint": HASH, "classifier": HASH},
    "settings": {"dtype": "float32", "layout": "contiguous", "threads": 1, "batch": 100},
    "machine": {"device": "cpu", "name": "a processor", "cores": 2, "threads": 1},
    "seconds": 1.5,
    "version": "0.1.0",
    "date": "2026-11-22",
    "command": "python -m gencore evaluate",
}
SCORE = {"mean": 2.0, "low": 1.5, "high": 2.5, "values": [1.75, 2.25]}
OF_REFERENCE = {"reference": 297, "reference_sd": 0.125}
QUALITY = EVERY | {
    "kind": "quality",
    "point": {"label": "fitted prior", "kind": "headline"},
    "n": 200,
    "generations": 2,
    "seeds": [0, 1],
    "split": "test",
    "scores": {"classifier": {"kid": SCORE | OF_REFERENCE}, "pixels": {"kid": SCORE}},
    "left_out": {"classifier": {"fd": "It needs 640 images, not 200."}},
    "uncertainty": "sampling only: one training run",
    "training": {"images": 1000, "seconds": 20.5, "device": "cpu", "parameters": 1234},
}
COST = EVERY | {
    "kind": "cost",
    "point": {"label": "fitted prior", "kind": "headline"},
    "batches": [{"n": 1, "repeats": 3, "ms": 2.0, "ms_p95": None, "ms_per_image": 2.0, "images_per_s": 500.0}],
    "best": 1,
    "calls": 1,
    "flops": 123,
    "parameters": 4,
    "parameters_total": 5,
    "peak_memory_mb": None,
}
REAL = QUALITY | {"kind": "real", "checkpoint": "", "family": "real", "knobs": {}, "training": {}}
REAL |= {"point": {"label": "real train images", "kind": "baseline"}}
FAILURE = QUALITY | {"kind": "failure", "failure": "noise", "checkpoint": "", "hashes": {"classifier": HASH}}
FAILURE |= {"point": {"label": "Nothing but noise", "kind": "failure"}}
ENDS = {"mean": -60.0, "low": -62.5, "high": -57.5}
BITS = {"mean": -1.25, "low": -1.5, "high": -1.0}
BOUND = EVERY | {
    "kind": "bound",
    "point": {"label": "likelihood bound", "kind": "bound"},
    "knobs": {},
    "hashes": {"checkpoint": HASH},
    "n": 200,
    "split": "test",
    "seed": 0,
    "dimensions": 64,
    "terms": {"kl": {"nats": ENDS, "bits_per_dim": BITS}, "elbo": {"nats": ENDS, "bits_per_dim": BITS}},
    "basis": {"prior": "N(0, I)"},
    "curve": [{"t_low": 1, "t_high": 20, **ENDS}],
    "uncertainty": "sampling uncertainty over images only",
    "training": {"images": 1000},
}
ROWS = {"quality": QUALITY, "cost": COST, "real": REAL, "failure": FAILURE, "bound": BOUND}

# Ways to spoil a row: the path to a value, and what to put there (...: take it away).
SPOILT = [
    *((kind, (key,), ...) for kind, row in ROWS.items() for key in row),
    *((kind, (key,), value) for kind, row in ROWS.items() for key in row for value in (None, [], True, "", -1)),
    ("quality", ("row",), 4),
    ("quality", ("kind",), "qualities"),
    ("quality", ("point", "kind"), "baseline"),
    ("quality", ("point", "label"), ""),
    ("quality", ("seeds",), [0]),
    ("quality", ("seeds",), [0, 1, 2]),
    ("quality", ("seeds", 1), -1),
    ("quality", ("seeds", 1), 1.5),
    ("quality", ("split",), "train"),
    ("quality", ("revision",), -1),
    ("failure", ("revision",), "1"),
    ("quality", ("n",), 0),
    ("quality", ("n",), 2.5),
    ("quality", ("hashes",), {"classifier": HASH}),
    ("quality", ("hashes", "checkpoint"), HASH[:-1]),
    ("quality", ("hashes", "checkpoint"), HASH.upper()),
    ("quality", ("date",), "22.11.2026"),
    ("quality", ("knobs", "prior"), ["mixture"]),
    ("quality", ("knobs", "prior"), True),
    ("quality", ("scores", "classifier"), []),
    ("quality", ("scores", "classifier", "kid"), 2.0),
    ("quality", ("scores", "classifier", "kid", "low"), ...),
    ("quality", ("scores", "classifier", "kid", "mean"), "2.0"),
    ("quality", ("scores", "classifier", "kid", "mean"), None),
    ("quality", ("scores", "classifier", "kid", "values"), []),
    ("quality", ("scores", "classifier", "kid", "values", 0), "1.75"),
    ("quality", ("scores", "classifier", "kid", "reference"), 0),
    ("quality", ("scores", "classifier", "kid", "reference"), 2.5),
    ("quality", ("scores", "classifier", "kid", "reference_sd"), -0.1),
    ("quality", ("scores", "classifier", "kid", "reference_sd"), None),
    ("quality", ("left_out", "classifier", "fd"), 640),
    ("quality", ("training", "images"), -5),
    ("quality", ("training", "images"), "many"),
    ("quality", ("machine",), {"device": "cpu"}),
    ("quality", ("settings", "threads"), 0),
    ("cost", ("batches", 0, "ms"), -1),
    ("cost", ("batches", 0, "ms_p95"), "none"),
    ("cost", ("batches", 0, "ms_p95"), -1.0),
    ("cost", ("batches", 0, "n"), ...),
    ("cost", ("batches",), [1]),
    ("cost", ("peak_memory_mb",), "?"),
    ("real", ("checkpoint",), "digits/vae"),
    ("failure", ("failure",), ""),
    ("failure", ("failure",), "noise here"),
    ("bound", ("split",), "all"),
    ("bound", ("seed",), 1.5),
    ("bound", ("dimensions",), 0),
    ("bound", ("point", "kind"), "headline"),
    ("bound", ("hashes", "checkpoint"), ...),
    ("bound", ("terms", "elbo"), ...),
    ("bound", ("terms", "kl", "nats"), ...),
    ("bound", ("terms", "kl", "nats", "low"), None),
    ("bound", ("terms", "kl", "bits_per_dim", "mean"), "1"),
    ("bound", ("basis", "prior"), ...),
    ("bound", ("basis", "prior"), 1),
    ("bound", ("curve", 0, "t_high"), -1),
    ("bound", ("curve", 0, "high"), ...),
    *((kind, ("family",), name) for kind in ROWS for name in ("VAE", "v ae", '"><script>', "2vae", "ж")),
]
# What another version of the program may write: all of it is a row.
ALLOWED = [
    ("quality", ("n",), 200.0),
    ("quality", ("hope",), "a later version's field"),
    ("quality", ("scores",), {}),
    ("quality", ("scores", "dino"), {}),
    ("quality", ("scores", "classifier", "kid", "reference"), ...),
    ("quality", ("scores", "classifier", "kid", "reference_sd"), 0),
    ("quality", ("training",), {}),
    ("quality", ("left_out",), {}),
    ("quality", ("settings", "batch"), ...),
    ("quality", ("knobs", "temperature"), 1),
    ("quality", ("checkpoint",), "Ж/vae"),
    ("cost", ("peak_memory_mb",), 12.5),
    ("cost", ("batches", 0, "ms_p95"), 2.5),
    ("failure", ("checkpoint",), "digits/vae"),
    ("bound", ("curve",), ...),
    ("bound", ("split",), "train"),
    ("bound", ("terms", "kl"), ...),
    ("quality", ("terms",), "a later version's field"),
]


@pytest.fixture(params=ROWS)
def row(request):
    return copy.deepcopy(ROWS[request.param])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "digits" / "rows.jsonl"


def changed(kind, way, value):
    row = copy.deepcopy(ROWS[kind])
    *inner, last = way
    place = row
    for key in inner:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return row


def refused(row):
    try:
        rows.check(row)
    except InputError as error:
        assert str(error).endswith(".") and "\n" not in str(error)
        return True
    return False


def invalid(row):
    return not VALIDATOR.is_valid(row)


def as_before(row, version=1):
    """Return a row as an earlier format had it."""
    text = json.dumps(row).replace(json.dumps(OF_REFERENCE)[1:-1].join((", ", "")), "")
    if version == 1:
        text = text.replace('"kid"', '"kd"').replace('"baseline"', '"floor"')
    return json.loads(text) | {"row": version}


def without_reference(row):
    """Return a row that does not say what its KID is measured against."""
    return as_before(row, 2) | {"row": 3}


class TestShipped:
    FILE = Path(__file__).resolve().parents[3] / "checkpoints" / "mnist" / "rows.jsonl"

    def test_they_are_read_as_written_now_and_the_file_stays_as_it_is(self):
        lines = [json.loads(line) for line in self.FILE.read_text().splitlines()]
        found, problems = rows.read(self.FILE, "mnist")
        assert len(found) == len(lines) and not problems
        for row, line in zip(found, lines, strict=True):
            assert line["row"] == 3 or as_before(row, line["row"]) == line
            assert not invalid(row) and all("kid" in scores for scores in row.get("scores", {}).values())
        assert {row["point"]["kind"] for row in found if row["kind"] == "real"} == {"baseline"}

    def test_none_is_there_twice(self):
        """As two evaluations side by side once wrote the baseline that both needed."""
        found = [json.dumps([what_is_measured(row), row["hashes"], row["date"]]) for row in rows.read(self.FILE)[0]]
        assert not [row for row in found if found.count(row) > 1]


def what_is_measured(row):
    """Return what tells a row from others: but for its values, and for the scores' machine."""
    keys = ("kind", "checkpoint", "knobs", "failure", "n", "generations", "split", "seed")
    where = row["machine"] if row["kind"] == "cost" else row["settings"]["dtype"]
    return [*(row.get(key) for key in keys), where]


@pytest.mark.parametrize("version", [1, 2])
class TestEarlierFormat:
    def test_a_new_row_stands_beside_old_ones(self, path, version):
        path.parent.mkdir()
        before = "".join(json.dumps(as_before(row, version)) + "\n" for row in ROWS.values())
        path.write_text(before)
        rows.append(path, QUALITY)
        assert rows.read(path) == ([*map(without_reference, ROWS.values()), QUALITY], [])
        assert path.read_text() == before + json.dumps(QUALITY, ensure_ascii=False) + "\n"

    def test_old_rows_are_not_written(self, version):
        assert refused(as_before(QUALITY, version)) and invalid(as_before(QUALITY, version))

    def test_its_kid_is_against_the_first_images(self, path, version):
        path.parent.mkdir()
        path.write_text(json.dumps(as_before(QUALITY, version)) + "\n")
        [row], _ = rows.read(path)
        assert rows.kid_reference(row) == 0 and rows.kid_reference(QUALITY) == 297

    def test_what_is_no_old_row_either_is_passed_over(self, path, version):
        path.parent.mkdir()
        odd = [as_before(changed(*spoilt), version) for spoilt in SPOILT if spoilt[1] != ("row",)]
        path.write_text("".join(json.dumps(row) + "\n" for row in odd))
        found, problems = rows.read(path)
        assert len(problems) > 0.9 * len(odd) and len(found) + len(problems) == len(odd)


class TestSchema:
    def test_the_file_in_docs_is_the_schema(self):
        assert json.loads(SCHEMA_FILE.read_text()) == SCHEMA

    def test_it_is_a_schema(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_good_rows_pass_both(self, row):
        rows.check(row)
        assert not invalid(row)

    def test_both_agree_on_every_spoilt_row(self):
        differ = [spoilt for spoilt in SPOILT if refused(changed(*spoilt)) != invalid(changed(*spoilt))]
        assert not differ

    def test_the_spoilt_rows_are_bad(self):
        """But for values that are fine in some places, such as '' as a command: a test of nothing would agree too."""
        assert sum(refused(changed(*spoilt)) for spoilt in SPOILT) > 0.9 * len(SPOILT)

    def test_both_let_good_ones_pass(self):
        assert not [good for good in ALLOWED if refused(changed(*good)) or invalid(changed(*good))]

    @pytest.mark.parametrize("row", [None, [], "row", 3, {}])
    def test_what_is_no_row(self, row):
        assert refused(row) and invalid(row)

    def test_the_sentence_names_the_place_and_the_value(self):
        with pytest.raises(InputError, match=r"scores\.classifier\.kid\.mean must be a number, not 'x'\.$"):
            rows.check(changed("quality", ("scores", "classifier", "kid", "mean"), "x"))
        with pytest.raises(InputError, match=r"'quality'"):
            rows.check(changed("quality", ("kind",), "qualty"))
        with pytest.raises(InputError, match=r"version 4, and this program knows version 3"):
            rows.check(changed("quality", ("row",), 4))

    def test_beyond_the_schema_scores_fit_their_row(self):
        with pytest.raises(InputError, match="has 2 values for 3 generations"):
            rows.check(changed("quality", ("generations",), 3))
        with pytest.raises(InputError, match="a mean outside its interval"):
            rows.check(changed("quality", ("scores", "pixels", "kid", "mean"), 3.0))

    @pytest.mark.parametrize("where", [("terms", "kl", "nats"), ("terms", "elbo", "bits_per_dim"), ("curve", 0)])
    def test_beyond_the_schema_a_bound_s_means_lie_in_their_intervals(self, where):
        with pytest.raises(InputError, match=r"(terms\.|curve\[0\]).*mean"):
            rows.check(changed("bound", (*where, "mean"), 3.0))

    def test_infinity_is_no_number(self):
        assert refused(changed("quality", ("seconds",), float("inf")))
        assert refused(changed("quality", ("seconds",), float("nan")))

    def test_a_long_value_is_cut(self):
        assert len(violation("x" * 500, {"type": "number"})) < 100


class TestFile:
    def test_what_is_appended_is_read(self, path, row):
        rows.append(path, row)
        rows.append(path, row | {"seconds": 2.5})
        assert rows.read(path) == ([row, row | {"seconds": 2.5}], [])
        assert path.read_bytes().count(b"\n") == 2

    def test_a_missing_file_has_no_rows(self, path):
        assert rows.read(path) == ([], [])

    def test_a_bad_row_is_not_written(self, path):
        with pytest.raises(InputError):
            rows.append(path, QUALITY | {"n": 0})
        assert not path.exists()

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b"{", "not JSON"),
            (b"\xff\xfe", "not JSON"),
            (b"[" * 100_000, "not JSON"),
            (b"nonsense", "not JSON"),
            (b"3", "must be an object"),
            (b'{"loss": 0.5}', "no whole number as 'row'"),
            (json.dumps(QUALITY | {"row": 7}).encode(), "version 7"),
            (json.dumps(QUALITY).replace("1.5", "NaN").encode(), "NaN is no number"),
            (json.dumps(QUALITY).replace("1.5", "1e999").encode(), "must be a number, not inf"),
            (json.dumps(COST | {"best": "all"}).encode(), "best must be a whole number"),
            (b"<<<<<<< HEAD", "not JSON"),
        ],
    )
    def test_a_line_that_is_no_row_is_named_and_stays(self, path, line, reason):
        rows.append(path, QUALITY)
        with path.open("ab") as file:
            file.write(line + b"\n")
        rows.append(path, COST)
        before = path.read_bytes()
        good, bad = rows.read(path)
        assert good == [QUALITY, COST]
        assert len(bad) == 1 and f"Line 2 of {path}" in bad[0] and reason in bad[0] and "\n" not in bad[0]
        assert path.read_bytes() == before

    @pytest.mark.parametrize("cut", [1, 200, -1])
    def test_a_half_line_at_the_end_costs_no_other_row(self, path, cut):
        rows.append(path, QUALITY)
        with path.open("ab") as file:
            file.write(json.dumps(COST).encode()[:cut])
        good, bad = rows.read(path)
        assert good == [QUALITY] and len(bad) == 1 and "cut short" in bad[0]
        rows.append(path, REAL)
        good, bad = rows.read(path)
        assert good == [QUALITY, REAL] and len(bad) == 1 and "Line 2" in bad[0]

    def test_a_whole_last_line_without_newline_is_a_row(self, path):
        path.parent.mkdir()
        path.write_text(json.dumps(QUALITY))
        assert rows.read(path) == ([QUALITY], [])
        rows.append(path, COST)
        assert rows.read(path) == ([QUALITY, COST], [])

    def test_empty_lines_and_carriage_returns_are_harmless(self, path):
        path.parent.mkdir()
        path.write_bytes(b"\n\r\n" + json.dumps(QUALITY).encode() + b"\r\n\n")
        assert rows.read(path) == ([QUALITY], [])

    def test_a_line_separator_inside_text_ends_no_line(self, path):
        odd = QUALITY | {"command": "a\u2028b\x85c"}
        rows.append(path, odd)
        assert rows.read(path) == ([odd], [])

    def test_another_data_set_s_row_is_named_and_passed_over(self, path):
        foreign = QUALITY | {"dataset": "cifar10"}
        for row in (QUALITY, foreign, COST):
            rows.append(path, row)
        good, bad = rows.read(path, "digits")
        assert good == [QUALITY, COST] and len(bad) == 1
        assert f"Line 2 of {path}" in bad[0] and "'cifar10', not of 'digits'." in bad[0]
        assert rows.read(path) == ([QUALITY, foreign, COST], [])

    def test_a_data_set_has_more_than_one_name(self, path):
        rows.append(path, QUALITY | {"dataset": "ylecun/mnist"})
        assert rows.read(path, "mnist") == ([QUALITY | {"dataset": "ylecun/mnist"}], [])

    def test_a_folder_in_its_place(self, path):
        path.mkdir(parents=True)
        good, bad = rows.read(path)
        assert not good and len(bad) == 1 and "cannot be read" in bad[0]
        with pytest.raises(InputError):
            rows.append(path, QUALITY)

    def test_a_full_disk_loses_no_row(self, path, monkeypatch):
        rows.append(path, QUALITY)
        monkeypatch.setattr(rows.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        with pytest.raises(InputError, match="disk is full"):
            rows.append(path, COST)
        assert rows.read(path)[0][0] == QUALITY

    @pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
    def test_a_disk_that_takes_nothing(self):
        with pytest.raises(InputError, match="disk is full"):
            rows.append("/dev/full", QUALITY)

    def test_a_read_only_folder_is_said_beforehand(self, tmp_path):
        """A folder where nobody may write, root neither: that of the process in Linux's /proc."""
        closed = Path("/proc/self/fdinfo") if sys.platform == "linux" else tmp_path
        if closed == tmp_path:
            tmp_path.chmod(0o500)
        for write in (rows.check_writable, lambda path: rows.append(path, QUALITY)):
            with pytest.raises(InputError, match=re.escape(str(closed / "rows.jsonl"))):
                write(closed / "rows.jsonl")

    def test_asking_leaves_nothing_behind(self, path):
        rows.check_writable(path)
        assert not path.exists()
        rows.append(path, QUALITY)
        rows.check_writable(path)
        assert rows.read(path) == ([QUALITY], [])


class TestOnce:
    def test_a_row_that_is_known_is_not_added(self, path):
        asked = []
        assert rows.append_unless(path, QUALITY, lambda row: asked.append(row) or True)
        assert not asked and not rows.append_unless(path, QUALITY | {"seconds": 2.5}, lambda row: row == QUALITY)
        assert rows.append_unless(path, COST, lambda row: row == COST)
        assert rows.read(path) == ([QUALITY, COST], [])

    def test_processes_side_by_side_add_one(self, path, start):
        """Each looks and writes in one go: none looks before another has written, and writes after it."""
        path.parent.mkdir()
        script = f"""
import json, sys
from gencore.evaluation import rows
row = json.loads(sys.argv[1])
print([rows.append_unless({str(path)!r}, row | {{"n": n}}, lambda known: known["n"] == n) for n in range(1, 40)])
"""
        words = [sys.executable, "-c", script, json.dumps(QUALITY)]
        both = [start(words, stdout=subprocess.PIPE) for _ in range(2)]
        added = [json.loads(process.communicate(timeout=120)[0].lower()) for process in both]
        assert [one + other for one, other in zip(*added, strict=True)] == [1] * 39
        assert sorted(row["n"] for row in rows.read(path)[0]) == list(range(1, 40))

    def test_a_folder_in_its_place(self, path):
        path.mkdir(parents=True)
        with pytest.raises(InputError, match=re.escape(str(path))):
            rows.append_unless(path, QUALITY, lambda row: False)


class TestStale:
    @pytest.fixture
    def measured(self, tmp_path, monkeypatch):
        """A row of a checkpoint and an extractor that are as they were."""
        monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
        torch.manual_seed(0)
        folder = tmp_path / "digits" / "vae"
        save_model(folder, FAMILIES["vae"](channels=1, size=8, **PRESETS["digits/vae"].model))
        features = tmp_path / "digits" / "features" / "classifier.safetensors"
        features.parent.mkdir()
        features.write_bytes(b"weights")
        hashes = {
            "checkpoint": rows.checkpoint_hash(folder),
            "classifier": rows.extractor_hash("digits", "classifier"),
        }
        return QUALITY | {"hashes": hashes}, folder, features

    def test_fresh(self, measured):
        assert rows.is_stale(measured[0]) == ""

    def test_hashes_have_their_form(self, measured):
        rows.check(measured[0])

    @pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
    def test_another_checkpoint(self, measured, file):
        row, folder, _ = measured
        content = bytearray((folder / file).read_bytes())
        content[-5] ^= 1
        (folder / file).write_bytes(content)
        os.utime(folder / file, (1, 1))
        assert "digits/vae has changed since it was measured on 2026-11-22" in rows.is_stale(row)

    def test_a_checkpoint_that_is_gone(self, measured):
        row, folder, _ = measured
        (folder / "model.safetensors").unlink()
        assert "not here any more" in rows.is_stale(row)

    def test_another_extractor(self, measured):
        row, _, features = measured
        features.write_bytes(b"other weights")
        assert "'classifier' of digits have changed" in rows.is_stale(row)

    def test_another_sampling(self, measured, monkeypatch):
        """A row tells how many changes its knobs had seen; those of a failure are the defaults; costs do not care."""
        row, _, _ = measured
        fresh = {"hashes": {}}
        changes = (Change("The mixture", {"prior": ("mixture",)}), Change("The prior", {"temperature": (1.0,)}))
        monkeypatch.setattr(FAMILIES["vae"], "changes", changes)
        assert rows.is_stale(row).startswith("The mixture has changed since this was measured on 2026-11-22; measure")
        assert rows.is_stale(row | {"revision": 1}).startswith("The prior has changed")
        assert rows.is_stale(row | {"revision": 2}) == ""
        assert rows.is_stale(row | {"knobs": {"prior": "normal", "temperature": 0.9}}) == ""
        assert rows.is_stale(FAILURE | fresh | {"knobs": {}}).startswith("The mixture has changed")
        assert [rows.is_stale(one | fresh) for one in (REAL, COST, BOUND, row | {"family": "gone"})] == [""] * 4

    def test_of_a_point_that_is_gone_it_is_said_that_it_is(self, measured, monkeypatch):
        """Nothing measures it again, so no command is advised; a row that nothing has changed for stays fresh."""
        row, folder, _ = measured
        monkeypatch.setattr(FAMILIES["vae"], "points", (Point("another", {"temperature": 0.5}, "headline"),))
        assert rows.is_stale(row) == ""
        changed, said = {"hashes": {"classifier": HASH}}, "fitted prior is no operating point of the VAE any more"
        assert all(rows.is_stale(one | changed).startswith(said) for one in (row, COST))
        monkeypatch.setattr(FAMILIES["vae"], "changes", (Change("The mixture", {"prior": ("mixture",)}),))
        assert rows.is_stale(row).startswith(said)
        (folder / "model.safetensors").unlink()
        assert "not here any more" in rows.is_stale(row), "which is the first thing to know"

    def test_an_extractor_that_is_not_here_cannot_be_told(self, measured):
        row, _, features = measured
        features.unlink()
        assert rows.is_stale(row) == ""
        assert rows.is_stale(row | {"hashes": row["hashes"] | {"unheard": HASH}}) == ""

    @pytest.mark.parametrize("name", ["a" * 300, "runs/" + "a" * 300, "a" * 5000])
    def test_a_name_that_no_system_takes(self, measured, name):
        row = measured[0] | {"checkpoint": name}
        assert rows.is_stale(row) == f"The checkpoint {name} that this was measured on is not here any more."
        assert rows.is_stale(REAL | {"dataset": name, "hashes": {"classifier": HASH}}) == ""

    def test_the_advice_measures_this_row(self, measured):
        """test_cli.py runs it."""
        row, other = measured[0], {"classifier": HASH, "checkpoint": HASH}
        begin, only = "python -m gencore evaluate digits/vae", "--only 'fitted prior'"
        for kind, points in {"headline": "", "sweep": " --points sweep", "lecture": " --points lecture"}.items():
            point = {"point": row["point"] | {"kind": kind}, "hashes": other}
            quality, cost = rows.is_stale(row | point), rows.is_stale(COST | point)
            assert quality.endswith(f": {begin}{points} {only} --n 200 --generations 2 --rows quality")
            assert cost.endswith(f": {begin}{points} {only} --rows cost")
        baseline = rows.is_stale(REAL | {"hashes": {"classifier": HASH}})
        assert baseline.endswith(f": {begin} --n 200 --generations 2 --rows quality")
        bound = rows.is_stale(BOUND | {"settings": row["settings"] | {"dtype": "bfloat16"}})
        assert bound.endswith(": python -m gencore bound digits/vae --n 200 --split test --seed 0 --dtype bfloat16")
        failure = rows.is_stale(FAILURE)
        assert f": {begin} --points failures --only 'Nothing but noise' --n 200" in failure

    def test_a_baseline_needs_no_checkpoint(self, measured):
        row = REAL | {"hashes": {"classifier": measured[0]["hashes"]["classifier"]}}
        assert rows.is_stale(row) == ""
