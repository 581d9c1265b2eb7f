"""Evaluation: the values against ones computed in another way, resuming, and what it refuses."""

import json
import os
import shutil
import sys
import time
import weakref
from dataclasses import replace
from itertools import islice

import pytest
import torch

from gencore import checkpoint
from gencore.data import load_images, to_uint8
from gencore.device import Settings
from gencore.errors import InputError
from gencore.evaluation import assemble, cost, evaluate, making, memory, plan, rows, samples, scoring
from gencore.evaluation import task as task_module
from gencore.evaluation.failures import FAILURES, Broken
from gencore.evaluation.plan import points_of, prepare
from gencore.extractors import EXTRACTORS, Options, load_extractor
from gencore.extractors.base import Extractor
from gencore.extractors.reference import load_real, write_features
from gencore.families import FAMILIES
from gencore.family import Family, Point, image_seed, resolve_knobs
from gencore.locks import DEVICE, taken
from gencore.metrics import METRICS, interval, metrics_of
from gencore.presets import PRESETS
from tests.support.processes import HOLD, PIPES
from tests.support.small_root import small_root

MADE = [name for name, kind in EXTRACTORS.items() if not kind.pretrained]
N, GENERATIONS, BATCH = 40, 2, 16  # the last batch of 40 is smaller
QUICK = {"n": N, "generations": GENERATIONS, "batch": BATCH, "dtype": "float32", "device": "cpu", "rows": "quality"}
PASSING = ("seconds", "date", "command", "version")  # what two runs of the same evaluation may differ in


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A root with features of digits and a model of each family that was trained for five steps."""
    torch.set_num_threads(1)
    return small_root(tmp_path_factory.mktemp("evaluate") / "root", FAMILIES, images=320, epochs=2)


@pytest.fixture
def root(made, tmp_path, monkeypatch):
    """A copy of it, which a test may spoil."""
    shutil.copytree(made, tmp_path / "root")
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "root"))
    monkeypatch.setenv("GENCORE_DEVICE", "cpu")
    return tmp_path / "root"


@pytest.fixture
def path(root):
    return root / "digits" / "rows.jsonl"


@pytest.fixture
def settings(monkeypatch):
    """Settings that no micro-benchmark chooses."""
    monkeypatch.setattr(plan, "choose_settings", lambda *_: Settings("float32", "contiguous", 1))


@pytest.fixture(params=FAMILIES)
def name(request):
    return f"digits/{request.param}"


@pytest.fixture
def quick(name, monkeypatch):
    """A checkpoint whose family has one operating point, of few calls."""
    family = FAMILIES[name.rpartition("/")[2]]
    few = {knob.name: 4 for knob in family.knobs if knob.integer}
    monkeypatch.setattr(family, "points", (Point("few calls", few, "headline"),))
    return name


def measure(*names, points="headline", **options):
    """Evaluate, and return the rows that were written."""
    return [at.row for at in evaluate.evaluate(names, points, **QUICK | options) if at.row]


def lasting(row):
    """A row without what may differ from one run to another."""
    return {key: value for key, value in row.items() if key not in PASSING}


def of_kind(found, kind):
    return [row for row in found if row["kind"] == kind]


def of_quality(found):
    return [task for task in found.tasks if task.kind == "quality"]


def stop_at(words, **options):
    """Evaluate the VAE until that is being done."""
    stopped = evaluate.evaluate(["digits/vae"], **QUICK | options)
    for at in stopped:
        if words in at.words and at.task.kind == "quality":
            break
    stopped.close()


def kept_bytes(root):
    return {path.name: path.read_bytes() for path in (root / "samples").iterdir()}


def refused(*names, **options):
    with pytest.raises(InputError) as refusal:
        prepare(names, **QUICK | options)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


class TestValues:
    def test_they_are_those_of_the_images_that_the_seeds_give(self, root, quick):
        """Made here all at once and scored metric by metric, from the images to the interval."""
        model, real = checkpoint.load(quick, "cpu"), load_real("digits")
        test, extractor = load_images("digits", "test"), load_extractor("digits")
        row = of_kind(measure(quick), "quality")[0]
        values = {}
        for generation in range(GENERATIONS):
            seeds = [image_seed(generation, i) for i in range(N)]
            parts = [model.generate(seeds[i : i + BATCH], **row["knobs"]) for i in range(0, N, BATCH)]
            images = to_uint8(torch.cat(parts))
            features = extractor.features(images)
            third = {
                "probabilities": [(extractor.probabilities(test.x[:N]), extractor.probabilities(images))],
                "train": [real.train],
                "features": [],
                "images": [],
            }
            for key, metric in metrics_of("digits").items():
                pair = (test.x[:N], images) if metric.needs == "images" else (real.test[:N], features)
                pair = (real.test, features) if key == "kid" else pair
                if min(len(pair[0]), len(pair[1])) >= metric.least(pair[0].shape[1]):
                    values.setdefault(key, []).append(metric(*pair, *third[metric.needs]))
        scores = row["scores"]["classifier"]
        assert set(scores) == set(values)
        for key, wanted in values.items():
            assert scores[key]["values"] == pytest.approx(wanted, rel=1e-3, abs=1e-4), key
            assert [scores[key][end] for end in ("mean", "low", "high")] == list(interval(scores[key]["values"]))

    def test_every_row_is_one(self, root, quick, path):
        found = measure(quick)
        assert rows.read(path) == (found, [])
        assert [row["kind"] for row in found] == ["real", "quality"]
        for row in found:
            assert (row["n"], row["generations"], row["seeds"], row["split"]) == (N, GENERATIONS, [0, 1], "test")
            assert row["settings"] == {
                "dtype": "float32",
                "layout": row["settings"]["layout"],
                "threads": 1,
                "batch": BATCH,
            }
            assert set(row["scores"]) == set(MADE)
            assert rows.is_stale(row) == ""

    def test_a_row_says_what_was_trained_and_on_what(self, root):
        row = of_kind(measure("digits/vae"), "quality")[0]
        model = checkpoint.load("digits/vae")
        assert (
            row["training"]["images"] == 320 and row["training"]["device"] == "cpu" and row["training"]["seconds"] > 0
        )
        assert row["training"]["parameters"] == sum(p.numel() for p in model.parameters())
        assert row["uncertainty"] == "sampling only: one training run"
        assert row["knobs"] == model.resolve_knobs({})
        assert row["machine"]["threads"] == 1 and row["machine"]["device"] == "cpu"

    def test_what_needs_no_second_opinion_stands_under_the_first(self, root):
        scores = measure("digits/vae")[1]["scores"]
        alone = {key for key, metric in metrics_of("digits").items() if metric.needs in ("images", "probabilities")}
        assert alone <= set(scores["classifier"]) | {"missing_modes"}
        assert not alone & set(scores["pixels"])

    def test_too_few_images_for_a_metric_are_a_reason(self, root):
        row = measure("digits/vae")[1]
        for name in MADE:
            least = METRICS["fd"].least(len(load_real("digits", name).test[0]))
            assert "fd" not in row["scores"][name]
            assert f"needs {least:,} rows" in row["left_out"][name]["fd"]

    def test_images_are_never_all_in_memory(self, root, monkeypatch):
        """Not even those of one generation: those that are alive while a batch is looked at are counted."""
        made, most, extract = [], [], scoring.Reference.extract

        def counted(self, images):
            made.append(weakref.ref(images))
            most.append(sum(len(alive) for one in made if (alive := one()) is not None))
            return extract(self, images)

        monkeypatch.setattr(scoring.Reference, "extract", counted)
        measure("digits/vae")
        assert len(made) == 1 + 4 * 3, "the plan's, and three batches of each generation"
        assert max(most) == BATCH

    def test_another_extractor_is_one_entry(self, root, monkeypatch):
        class Means(Extractor):
            """Toy: the mean of each quarter."""

            name, about = "means", "the mean of each quarter"

            def __init__(self, channels, size):
                super().__init__(4 * channels, channels=channels, size=size)

            def raw(self, x):
                return torch.nn.functional.adaptive_avg_pool2d(x.float(), 2).flatten(1)

        monkeypatch.setitem(EXTRACTORS, "means", Means)
        measure("digits/vae")
        assert not prepare(["digits/vae"], **QUICK).tasks
        list(write_features("digits", root, "means", Options(), lambda share, words: None))
        assert of_quality(prepare(["digits/vae"], **QUICK)), "a row without its scores is to be measured"
        row = measure("digits/vae")[1]
        assert set(row["scores"]) == {*MADE, "means"} == set(row["hashes"]) - {"checkpoint"}
        assert {"kid", "fd", "coverage"} <= set(row["scores"]["means"])


class TestBaseline:
    def test_its_kid_is_about_nothing(self, root):
        """The reference is one draw too: its scatter, as large as a block's, moves all the blocks alike."""
        baseline = measure("digits/vae", n=120, generations=5)[0]
        assert baseline["kind"] == "real" and baseline["generations"] == 5
        for name in MADE:
            kid = baseline["scores"][name]["kid"]
            scatter = 2 * torch.tensor(kid["values"]).std().item()
            assert kid["low"] - scatter <= 0 <= kid["high"] + scatter

    def test_it_is_that_of_disjoint_blocks_of_train_images(self, root):
        baseline = measure("digits/vae")[0]
        train, extractor, real = load_images("digits").x, load_extractor("digits"), load_real("digits")
        for key in ("kid", "coverage"):
            against = real.test if key == "kid" else real.test[:N]
            wanted = [METRICS[key](against, extractor.features(train[g * N : (g + 1) * N])) for g in range(2)]
            assert baseline["scores"]["classifier"][key]["values"] == pytest.approx(wanted, abs=1e-6)
        sharp = METRICS["sharpness"](load_images("digits", "test").x[:N], train[:N])
        assert baseline["scores"]["classifier"]["sharpness"]["values"][0] == pytest.approx(sharp, rel=1e-3)

    def test_its_authenticity_is_that_of_fresh_images(self, root):
        real = load_real("digits")
        half = len(real.test) // 2
        found = measure("digits/vae")[0]["scores"]["classifier"]["authenticity"]["values"]
        wanted = [METRICS["authenticity"](real.test, part, real.train) for part in real.test.split(half)[:2]]
        assert found == pytest.approx(wanted) and min(found) > 0.2, "of train images it would be 0"

    def test_without_the_data_set_it_comes_from_the_cached_features(self, root, monkeypatch):
        with_images = measure("digits/vae")[0]
        (root / "digits" / "rows.jsonl").unlink()
        monkeypatch.setattr(evaluate, "at_hand", lambda name: False)
        without = measure("digits/vae")[0]
        for key in ("kid", "coverage", "authenticity"):
            one, other = (row["scores"]["classifier"][key]["values"] for row in (with_images, without))
            assert one == pytest.approx(other, abs=0.02), "but for the rounding to float16"
        assert "not at hand" in without["left_out"]["classifier"]["sharpness"]
        assert "rows" in without["left_out"]["classifier"]["fd"]

    def test_a_data_set_that_cannot_be_loaded_is_as_good_as_none(self, root, monkeypatch):
        def damaged(*_):
            raise InputError("The file is damaged.")

        monkeypatch.setattr(evaluate, "load_splits", damaged)
        baseline, _ = measure("digits/vae")
        assert baseline["kind"] == "real" and "not at hand" in baseline["left_out"]["classifier"]["sharpness"]

    def test_one_for_each_n(self, root):
        measure("digits/vae")
        found = measure("digits/gan", n=50) + measure("digits/vae", "digits/gan")
        assert [row["n"] for row in of_kind(found, "real")] == [50]

    def test_too_few_train_images_are_a_reason(self, root, monkeypatch):
        size = len(load_real("digits").test)
        few = prepare(["digits/vae"], **QUICK | {"n": size, "generations": 9})
        assert [task.generations for task in few.tasks if task.kind == "real"] == [1350 // size]
        assert few.left_out == ()
        monkeypatch.setattr(scoring.Reference, "train_size", 2 * N - 1)
        none = prepare(["digits/vae"], **QUICK)
        assert [task.kind for task in none.tasks] == ["quality"]
        [sentence] = none.left_out
        assert sentence.startswith(f"Real images of digits at n = {N} are left out: two blocks")
        assert f"there are {2 * N - 1} train images" in sentence


class TestResume:
    @pytest.mark.parametrize("moments", [1, 5, 9, 14, 20])
    def test_interrupted_anywhere_it_gives_the_same_rows(self, root, path, quick, settings, moments):
        whole = [lasting(row) for row in measure(quick)]
        path.unlink()
        samples.forget()
        stopped = evaluate.evaluate([quick], **QUICK)
        list(islice(stopped, moments))
        stopped.close()
        kept = [lasting(row) for row in rows.read(path)[0]]
        measure(quick)
        assert [lasting(row) for row in rows.read(path)[0]] == whole, "bit for bit, and none twice"
        assert kept == whole[: len(kept)]
        assert not list(path.parent.glob(".*"))

    def test_of_the_images_none_is_made_twice(self, root, monkeypatch):
        """Stopped in the second generation, after a micro-batch: the next run makes the one after that."""
        made, sample = [], FAMILIES["vae"].sample

        def counted(self, seeds, **knobs):
            made.append(list(seeds))
            return sample(self, made[-1], **knobs)

        stopped = evaluate.evaluate(["digits/vae"], **QUICK)
        for at in stopped:
            if "generation 2 of 2: 32 of" in at.words:
                break
        stopped.close()
        monkeypatch.setattr(FAMILIES["vae"], "sample", counted)
        [row] = [at.row for at in evaluate.evaluate(["digits/vae"], **QUICK) if at.row]
        trials = [seeds for seeds in made if seeds[0] == image_seed(0, 0)]
        assert [seeds for seeds in made if seeds not in trials] == [
            [image_seed(1, i) for i in range(start, start + BATCH)] for start in (16, 32)
        ]
        assert max(map(len, trials)) == plan.TRIAL, "the plan's, and the comparison with what is kept"
        assert row["generations"] == GENERATIONS

    @pytest.mark.parametrize("reached", ["generation 1 of 2", "generation 2 of 2", "scoring generation 1"])
    def test_two_evaluations_of_one_point(self, root, path, quick, settings, reached):
        """While one evaluates the other waits, whatever the first is at, and then finds the row: one is written."""
        ours = evaluate.evaluate([quick], **QUICK)
        for at in ours:
            if reached in at.words and at.task.kind == "quality":
                break
        theirs = evaluate.evaluate([quick], **QUICK)
        seen = next(theirs)
        assert f"waiting for another evaluation, process {os.getpid()} since" in seen.words
        mine = of_kind([at.row for at in ours if at.row], "quality")
        rest = list(theirs)
        assert len(mine) == 1 and not [at.row for at in rest if at.row]
        assert "by another evaluation meanwhile" in rest[-1].words
        assert [lasting(row) for row in rows.read(path)[0] if row["kind"] == "quality"] == [lasting(mine[0])]
        assert prepare([quick], **QUICK).tasks == () and not list(path.parent.glob(".*"))

    def test_a_baseline_that_two_evaluations_share_has_one_row(self, root, path):
        """Two commands for other points at the same n, planned before either had measured it."""
        both = [prepare([name], **QUICK) for name in ("digits/vae", "digits/gan")]
        assert [[task.kind for task in one.tasks] for one in both] == [["real", "quality"]] * 2
        running = [evaluate.run(one) for one in both]
        next(running[0])
        assert "waiting for another evaluation" in next(running[1]).words
        for one in running:
            list(one)
        assert [row["kind"] for row in rows.read(path)[0]] == ["real", "quality", "quality"]

    def test_auto_takes_a_row_of_this_machine_in_any_format(self, root, path, monkeypatch):
        """Two evaluations whose timings disagree, planned before either had measured: a row each for two points."""
        plans = []
        for dtype in ("float32", "bfloat16"):
            monkeypatch.setattr(plan, "choose_settings", lambda *_, dtype=dtype: Settings(dtype, "contiguous", 1))
            plans.append(prepare(["digits/vae"], **QUICK | {"dtype": "auto"}))
        assert [one.tasks[-1].settings.dtype for one in plans] == ["float32", "bfloat16"]
        for one in plans:
            list(evaluate.run(one))
        assert [row["kind"] for row in rows.read(path)[0]] == ["real", "quality"]
        measure("digits/vae", dtype="bfloat16")
        assert len(rows.read(path)[0]) == 3, "a format that is asked for is measured"

    def test_it_waits_for_another_process_and_not_for_a_dead_one(self, root, path, start):
        other = start([sys.executable, "-c", HOLD, path.with_name(f".{path.name}.lock")], **PIPES)
        assert other.stdout.readline() == "held\n"
        running = evaluate.evaluate(["digits/vae"], **QUICK)
        for _ in range(3):
            assert f"process {other.pid} since" in next(running).words
        assert not path.exists()
        other.kill()
        other.wait()
        assert [at.row["kind"] for at in running if at.row] == ["real", "quality"]
        assert not list(path.parent.glob(".*"))

    def test_what_is_kept_serves_another_n(self, root, monkeypatch):
        """The smaller sample is the beginning of the larger one, to the bit, whichever is made first."""
        alone = measure("digits/vae", n=20)[1]
        samples.forget()
        measure("digits/vae", n=60)
        made = prepare(["digits/vae"], **QUICK | {"n": 20, "generations": 3, "out": root / "mine.jsonl"}).tasks
        assert [task.lacking for task in made] == [0, 2 * BATCH], "the third generation"
        assert lasting(measure("digits/vae", n=20, out=root / "mine.jsonl")[1]) == lasting(alone)

    @pytest.mark.parametrize("key", ["device", "name"])
    def test_another_machine_keeps_its_own(self, root, key, monkeypatch):
        [task] = of_quality(prepare(["digits/vae"], **QUICK))
        machine = plan.describe_machine()
        monkeypatch.setattr(task_module, "describe_machine", lambda *_: machine | {key: "another"})
        assert replace(task).samples.path != task.samples.path and task.device == "cpu"

    def test_a_row_says_which_format_its_images_were_made_in(self, root, monkeypatch):
        """A row says what 'auto' chose; what is kept may have been asked for."""
        chosen = {"auto": "float32", "bfloat16": "bfloat16"}
        monkeypatch.setattr(plan, "choose_settings", lambda *most: Settings(chosen[most[-1]], "contiguous", 1))
        measure("digits/vae", dtype="auto")
        stop_at("generation 2 of 2", dtype="bfloat16")
        assert prepare(["digits/vae"], **QUICK | {"dtype": "auto"}).tasks == ()
        [task] = prepare(["digits/vae"], **QUICK | {"dtype": "bfloat16"}).tasks
        assert task.lacking == 3 * BATCH

    def test_the_plan_knows_what_is_kept(self, root):
        options = {"generations": 4}
        stop_at("generation 3 of 4", **options)
        [task] = prepare(["digits/vae"], **QUICK | options).tasks
        assert task.lacking == 2 * 3 * BATCH and 0 < task.sampling < task.seconds
        other = prepare(["digits/vae"], **QUICK | options | {"batch": 8}).tasks[0]
        assert other.lacking == 4 * N, "other bits"

    def test_auto_chooses_once_for_an_unfinished_point_too(self, root, monkeypatch):
        chosen = iter([Settings("bfloat16", "contiguous", 1)])
        monkeypatch.setattr(plan, "choose_settings", lambda *_: next(chosen))
        stop_at("generation 2 of 2", dtype="auto")
        [task] = prepare(["digits/vae"], **QUICK | {"dtype": "auto"}).tasks
        assert task.settings.dtype == "bfloat16" and task.lacking == 3 * BATCH

    def test_images_of_another_program_are_not_taken_for_these(self, root, path, monkeypatch):
        """A sampler that was mended since, with the weights as they were: a sentence, and nothing is overwritten."""
        measure("digits/vae", n=20)
        before, problems = kept_bytes(root), []
        sample = FAMILIES["vae"].sample

        def mended(self, seeds, **knobs):
            for step in sample(self, seeds, **knobs):
                yield replace(step, x0=-step.x0)

        monkeypatch.setattr(FAMILIES["vae"], "sample", mended)
        with pytest.raises(InputError, match="1 of 2 rows"):
            for at in evaluate.evaluate(["digits/vae"], **QUICK | {"n": 60}):
                problems += [at.problem] if at.problem else []
        assert kept_bytes(root) == before
        assert len(problems) == 1 and problems[0].endswith("python -m gencore evaluate --forget digits/vae")

    def test_the_row_s_seconds_are_those_of_its_images_and_its_scoring(self, root, monkeypatch):
        stop_at("generation 2 of 2")
        [task] = prepare(["digits/vae"], **QUICK).tasks
        ledger = task.samples.path
        lines = [json.loads(line) for line in ledger.read_text().splitlines()]
        ledger.write_text("".join(json.dumps(line | {"seconds": 1000.0}) + "\n" for line in lines))
        assert measure("digits/vae")[0]["seconds"] == pytest.approx(3000, rel=0.05)

    def test_what_is_finished_is_left_alone(self, root, path):
        measure("digits/vae")
        before = path.read_bytes()
        plan = prepare(["digits/vae"], **QUICK)
        assert plan.tasks == () and plan.finished == 2
        assert measure("digits/vae") == [] and path.read_bytes() == before

    @pytest.mark.parametrize(
        "options", [{"n": 41}, {"generations": 3}, {"dtype": "bfloat16"}], ids=lambda options: next(iter(options))
    )
    def test_what_was_asked_for_otherwise_is_measured(self, root, options):
        measure("digits/vae")
        assert len(of_kind(measure("digits/vae", **options), "quality")) == 1

    def test_a_changed_checkpoint_is_measured_anew(self, root, path):
        old = measure("digits/vae")
        torch.manual_seed(5)
        model = FAMILIES["vae"](channels=1, size=8, **PRESETS["digits/vae"].model)
        checkpoint.save_model(root / "digits" / "vae", model)
        assert "has changed" in rows.is_stale(old[1]) and rows.is_stale(old[0]) == ""
        [new] = measure("digits/vae")
        assert new["kind"] == "quality" and new["hashes"]["checkpoint"] != old[1]["hashes"]["checkpoint"]
        assert rows.is_stale(new) == "" and rows.read(path)[0] == [*old, new], "the old row stays"

    def test_changed_features_are_measured_anew(self, root):
        measure("digits/vae")
        options = Options(epochs=1, widths=(8, 8), seed=1, dtype="float32", device="cpu")
        list(write_features("digits", root, "classifier", options, lambda share, words: None))
        assert [row["kind"] for row in measure("digits/vae")] == ["real", "quality"]

    def test_a_baseline_of_more_blocks_than_could_be_made_now_is_kept(self, root, monkeypatch):
        measure("digits/vae", generations=4)
        monkeypatch.setattr("gencore.evaluation.scoring.Reference.train_size", 2 * N)
        plan = prepare(["digits/vae"], **QUICK | {"generations": 4})
        assert plan.tasks == () and plan.finished == 2

    def test_copies_are_not_looked_for_among_a_few_train_images(self, root, monkeypatch):
        monkeypatch.setattr("gencore.extractors.reference.FEW_ROWS", 200)
        options = Options(epochs=1, widths=(8, 8), dtype="float32", device="cpu")
        list(write_features("digits", root, "random", options, lambda share, words: None))
        for row in measure("digits/vae"):
            assert "authenticity" in row["scores"]["classifier"]
            assert "authenticity" not in row["scores"]["random"]
            assert row["left_out"]["random"]["authenticity"].startswith("Only the first 200 train images have random")
        reference = scoring.Reference("digits")
        assert reference.train_size == 1350
        reference.identity = {}
        assert reference.train_size == 1350, "features of before do not say how many there are, but others have all"
        monkeypatch.setattr("gencore.evaluation.scoring.at_hand", lambda name: False)
        assert reference.train_size == 200
        with pytest.raises(InputError, match="of only 200 all features are kept"):
            reference.cached_train(150, 250)

    def test_auto_chooses_once(self, root, monkeypatch):
        measure("digits/vae", dtype="bfloat16")
        monkeypatch.setattr(plan, "choose_settings", lambda *_: pytest.fail("it was chosen before"))
        assert prepare(["digits/vae"], **QUICK | {"dtype": "auto"}).tasks == ()

    def test_times_are_taken_in_the_layout_of_another_machines_scores(self, root, monkeypatch):
        # Pages set times beside scores of the same settings alone.
        (*_, made) = measure("digits/vae", dtype="bfloat16")
        here = plan.describe_machine("cpu")
        monkeypatch.setattr(plan, "choose_settings", lambda *_: pytest.fail("it was chosen before"))
        monkeypatch.setattr(plan, "describe_machine", lambda device: here | {"name": "another"})
        (*_, task) = prepare(["digits/vae"], **QUICK | {"dtype": "auto", "rows": "cost"}).tasks
        assert task.kind == "cost" and task.settings.dtype == "bfloat16"
        assert task.settings.layout == made["settings"]["layout"]


class TestPoints:
    def test_every_point_of_a_family_is_measured_once(self, root, name):
        family = FAMILIES[name.rpartition("/")[2]]
        tasks = prepare([name], "all", **QUICK | {"n": None, "rows": "all"}).tasks
        wanted = {json.dumps(resolve_knobs(family.knobs, point.knobs), sort_keys=True) for point in family.points}
        for kind in ("quality", "cost"):
            mine = [task for task in tasks if task.kind == kind]
            keys = [(json.dumps(task.knobs, sort_keys=True), task.n) for task in mine]
            assert {knobs for knobs, _ in keys} == wanted
            assert len(set(keys)) == len(keys)

    def test_a_sweep_is_a_whole_curve_at_one_n(self, name):
        family = FAMILIES[name.rpartition("/")[2]]
        curve = points_of(family, "sweep")
        assert [point.label for point in curve] == [point.label for point in family.points]
        assert {point.kind for point in curve} == {"sweep"}
        for kind in ("headline", "lecture"):
            assert points_of(family, kind) == [point for point in family.points if point.kind == kind]

    def test_the_size_of_a_sample_is_its_kind_s(self, root, monkeypatch):
        monkeypatch.setattr(plan, "SIZES", {"headline": (60, 4), "lecture": (60, 4), "sweep": (50, 3)})
        monkeypatch.setattr(plan, "SLOW_SIZES", (20, 5))
        monkeypatch.setattr(plan, "SLOW_CALLS", 100)
        tasks = prepare(["digits/ddpm"], "all", **QUICK | {"n": None, "generations": None}).tasks
        for task in tasks:
            usual = {"headline": (60, 4), "lecture": (60, 4), "sweep": (50, 3)}.get(task.point.kind)
            if task.kind == "quality":
                assert (task.n, task.generations) == ((20, 5) if task.calls >= 100 else usual)
        baselines = {task.n: task.generations for task in tasks if task.kind == "real"}
        assert baselines == {60: 4, 50: 3, 20: 5}

    def test_no_more_than_there_are_test_images_by_default(self, root):
        tasks = prepare(["digits/vae"], **QUICK | {"n": None}).tasks
        assert {task.n for task in tasks} == {len(load_images("digits", "test").x)}

    def test_only_and_skip(self, root):
        tasks = prepare(["digits/vae"], "sweep", **QUICK | {"only": ("TEMPERATURE",), "skip": ("0.4", "n(0")}).tasks
        labels = [task.point.label for task in tasks if task.kind == "quality"]
        assert labels and all("temperature" in label and "0.4" not in label and "N(" not in label for label in labels)
        assert "'no such' in its label" in refused("digits/vae", only=("no such",))

    def test_what_would_take_long_is_left_out_with_a_reason(self, root):
        quick = prepare(["digits/ddpm"], "all", **QUICK | {"n": None, "most_seconds": 60.0})
        labels = {task.point.label for task in quick.tasks if task.kind == "quality"}
        assert "ancestral, 1000 calls" not in labels and "DDIM, 1 call" in labels
        assert any("ancestral, 1000 calls" in sentence and "about" in sentence for sentence in quick.left_out)

    def test_the_estimate_follows_the_calls(self, root, monkeypatch):
        real = cost.estimate

        def calmest(*asked):
            return min((real(*asked) for _ in range(3)), key=lambda found: found[1])

        monkeypatch.setattr(cost, "estimate", calmest)
        # So many images that making them, not scoring them, takes the time.
        found = prepare(["digits/ddpm"], "sweep", only=("DDIM, 10 ", "DDIM, 50 "), **QUICK | {"n": 200}).tasks
        tasks = {task.point.label: task for task in found}
        assert tasks["DDIM, 50 calls"].calls == 50
        assert tasks["DDIM, 50 calls"].seconds > 2 * tasks["DDIM, 10 calls"].seconds

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [(0.2, "about 1 s"), (40, "about 40 s"), (720, "about 12 min"), (9000, "about 2.5 h")],
    )
    def test_times_in_words(self, seconds, words):
        assert task_module.about(seconds) == words

    def test_failures_are_measured_like_models(self, root):
        found = measure("digits/vae", points="failures")
        failures = {row["failure"]: row for row in of_kind(found, "failure")}
        assert len(failures) >= 4 and all(row["point"]["kind"] == "failure" for row in failures.values())
        assert failures["noise"]["checkpoint"] == "" and set(failures["noise"]["hashes"]) == set(MADE)
        assert failures["noise"]["scores"]["pixels"]["kid"]["mean"] > found[0]["scores"]["pixels"]["kid"]["mean"]
        assert measure("digits/vae", points="failures") == []

    def test_a_failure_s_model_runs_on_the_device_that_was_asked_for(self, root, monkeypatch):
        asked, load = [], checkpoint.load
        monkeypatch.setattr(checkpoint, "load", lambda name, device=None: asked.append(device) or load(name, "cpu"))
        monkeypatch.setenv("GENCORE_DEVICE", "mps")
        monkeypatch.setattr(plan, "pick_device", torch.device)
        monkeypatch.setattr(
            plan, "Reference", lambda dataset, device: asked.append(device) or scoring.Reference(dataset)
        )
        for module in (plan, task_module):
            monkeypatch.setattr(module, "describe_machine", lambda device: {"device": device, "name": "a machine"})
        tasks = {task.failure: task for task in prepare(["digits/vae"], "failures", **QUICK | {"device": "cuda"}).tasks}
        assert set(asked) == {"cuda"}
        for key, where in {"collapse": "cuda", "noise": "cpu", "memorised": "cpu"}.items():
            assert assemble.common(tasks[key], 1.0)["machine"]["device"] == where

    def test_the_estimate_of_a_failure_has_its_sampling_in_it(self, root, monkeypatch):
        quick = prepare(["digits/vae"], "failures", **QUICK).tasks
        monkeypatch.setattr(plan, "seconds_of", lambda broken: plan.TRIAL * 2.0)
        found = prepare(["digits/vae"], "failures", **QUICK)
        scoring = GENERATIONS * plan.scoring_seconds(N, found.references["digits"])
        for task, before in zip(found.tasks, quick, strict=True):
            if task.kind == "failure":
                assert task.sampling == pytest.approx(GENERATIONS * 3 * BATCH * 2.0), "whole micro-batches"
                assert task.rest == pytest.approx(scoring)
                assert scoring < before.seconds < task.seconds

    def test_the_time_of_a_broken_model_is_measured(self):
        broken = Broken(FAILURES["noise"], find=lambda: (1, 8, 8))
        vars(broken)["generate"] = lambda seeds: (time.sleep(0.05), torch.zeros(len(seeds)))[1]
        assert 0.05 <= plan.seconds_of(broken) < 5

    def test_a_failure_that_cannot_be_made_is_left_out(self, root, monkeypatch):
        def damaged(*_, **__):
            raise InputError("The file is damaged.")

        monkeypatch.setattr("gencore.data.load_images", damaged)
        found = prepare(["digits/vae"], "failures", **QUICK)
        assert "memorised" not in {task.failure for task in found.tasks}
        assert found.left_out == ("digits, Memorised 100 images is left out: The file is damaged.",)


AGAIN = {"rows": "cost", "again": True}


class TestCost:
    @pytest.fixture(autouse=True)
    def hasty(self, monkeypatch):
        """No more timing than must be, and no fresh process for the memory; test_cost.py has its figures."""
        monkeypatch.setattr(cost, "SECONDS", 0.01)
        monkeypatch.setattr(memory, "peak_memory", lambda *_: None)

    def test_a_row_of_costs(self, root, quick, monkeypatch):
        monkeypatch.setattr(cost, "SECONDS", 0.5)
        [row] = measure(quick, rows="cost")
        model, batches = checkpoint.load(quick), row["batches"]
        assert [batch["n"] for batch in batches] == list(cost.SIZES[: len(batches)]) and len(batches) >= 3
        assert row["best"] == max(batches, key=lambda batch: batch["images_per_s"])["n"]
        assert row["calls"] == cost.count_calls(model, [0], row["knobs"])
        assert row["flops"] == cost.count_flops(model, [0], row["knobs"])
        assert row["parameters_total"] == sum(p.numel() for p in model.parameters())
        for batch in batches:
            assert (batch["ms_p95"] is None) == (batch["repeats"] < cost.P95_REPEATS)
            assert batch["ms_per_image"] == pytest.approx(batch["ms"] / batch["n"])
            assert batch["images_per_s"] == pytest.approx(1000 * batch["n"] / batch["ms"])

    def test_it_waits_for_a_run_of_the_app_and_keeps_others_waiting(self, root, monkeypatch):
        path = checkpoint.roots()[-1] / DEVICE
        app = taken(path)
        steps = evaluate.evaluate(["digits/vae"], **QUICK | {"rows": "cost"})
        assert "waiting for a run of the app" in next(steps).words
        app.close()
        beside = [taken(path) is None for at in steps if "memory" in at.words]
        assert beside == [True]
        with taken(path):
            assert "waiting" in next(at.words for at in evaluate.evaluate(["digits/vae"], **QUICK | AGAIN))
            monkeypatch.setattr(evaluate, "PATIENCE", 0.0)
            assert [at.row["kind"] for at in evaluate.evaluate(["digits/vae"], **QUICK | AGAIN) if at.row] == ["cost"]

    def test_many_calls_are_timed_at_two_sizes(self, root, monkeypatch):
        monkeypatch.setattr(cost, "MANY_CALLS", 9)
        [row] = measure("digits/ddpm", points="sweep", rows="cost", only=("DDIM, 10 calls",))
        assert [(batch["n"], batch["repeats"]) for batch in row["batches"]] == [(1, 1), (16, 1)]

    def test_it_is_measured_again_when_that_is_asked_for(self, root):
        assert [row["kind"] for row in measure("digits/vae", rows="all")] == ["real", "quality", "cost"]
        assert measure("digits/vae", rows="all") == measure("digits/vae", rows="cost") == []
        for which in ("all", "cost"):
            assert [row["kind"] for row in measure("digits/vae", rows=which, again=True)] == ["cost"]
        assert measure("digits/vae", rows="quality", again=True) == []

    @pytest.fixture
    def stages(self, root, settings, monkeypatch):
        """Time every temperature until `last` of what is seen; return that, the rows written, and what is left."""
        options = QUICK | {"rows": "cost", "only": ("temperature",)}
        monkeypatch.setattr(cost, "SECONDS", 1.0)

        def until(last, path):
            seen = []
            for at in (stopped := evaluate.evaluate(["digits/vae"], "sweep", **options)):
                seen.append((at.task.point.label, at.words, at.row))
                if last(seen):
                    break
            stopped.close()
            return seen, rows.read(path)[0], prepare(["digits/vae"], "sweep", **options)

        return until

    def test_points_are_timed_in_turn_round_by_round(self, stages, path):
        seen, written, left = stages(lambda seen: False, path)
        labels = list(dict.fromkeys(label for label, _, _ in seen))
        one_at_once = [label for label, words, _ in seen if ": 1 at once" in words]
        assert len(labels) > 2 and one_at_once == labels * evaluate.ROUNDS
        assert [row["point"]["label"] for row in written] == labels and left.tasks == ()
        assert all(row["batches"][0]["repeats"] == cost.MOST_REPEATS for row in written)

    def test_interrupted_in_a_later_round_it_keeps_the_repeats_there_are(self, stages, path):
        def second_round(seen):
            return sum(label == seen[0][0] and ": 1 at once" in words for label, words, _ in seen) == 2

        seen, written, left = stages(second_round, path)
        assert left.tasks == () and len(written) == len({label for label, _, _ in seen}) > 2
        first, *others = (row["batches"][0]["repeats"] for row in written)
        share = cost.MOST_REPEATS // evaluate.ROUNDS
        assert first == 2 * share and set(others) == {share}

    def test_interrupted_before_all_sizes_are_timed_it_goes_on(self, stages, path):
        _, written, left = stages(lambda seen: ": 1 at once" in seen[-1][1], path)
        assert written == [] and left.finished == 0

    def test_stopped_while_rows_are_written_it_writes_the_rest(self, stages, path):
        seen, written, left = stages(lambda seen: seen[-1][2], path)
        assert left.tasks == () and len(written) == len({label for label, _, _ in seen}) > 2

    def test_of_a_changed_checkpoint_it_is_measured_again(self, root):
        measure("digits/vae", rows="cost")
        file = root / "digits/vae/config.json"
        file.write_text(file.read_text() + "\n")
        assert [row["kind"] for row in measure("digits/vae", rows="cost")] == ["cost"]

    def test_another_machine_s_row_stays_and_is_not_this_one_s(self, root, path):
        [row] = measure("digits/vae", rows="cost")
        other = row | {"machine": row["machine"] | {"name": "another processor"}}
        path.unlink()
        rows.append(path, other)
        assert [row["kind"] for row in measure("digits/vae", rows="all")] == ["real", "quality", "cost"]
        assert rows.read(path)[0][0] == other

    def test_it_needs_no_features(self, root):
        shutil.rmtree(root / "digits" / "features")
        assert [row["kind"] for row in measure("digits/gan", rows="cost")] == ["cost"]


class TestBadInput:
    def test_more_images_than_are_real(self, root):
        sentence = refused("digits/vae", n=298)
        assert "297" in sentence and "298" in sentence

    @pytest.mark.parametrize("n", [0, 1, -5, 1.5, True, "40", 10**9])
    def test_counts(self, root, n):
        assert refused("digits/vae", n=n).startswith("n ")
        assert refused("digits/vae", generations=n).startswith("generations ")

    def test_words(self, root):
        assert "'sweep'" in refused("digits/vae", points="sweeps")
        assert "'cost'" in refused("digits/vae", rows="costs")
        assert "'bfloat16'" in refused("digits/vae", dtype="bfloat")
        assert "'digits/vae'" in refused("digits/vea")
        assert "batch" in refused("digits/vae", batch=0)
        assert "limit" in refused("digits/vae", most_seconds=float("nan"))

    def test_a_data_set_without_features(self, root):
        shutil.rmtree(root / "digits" / "features")
        reason = refused("digits/vae")
        assert "python -m gencore features digits" in reason and reason in refused()

    def test_features_of_another_extractor(self, root):
        options = Options(epochs=1, widths=(8, 8), seed=1, dtype="float32", device="cpu")
        old = (root / "digits/features/classifier-real.safetensors").read_bytes()
        list(write_features("digits", root, "classifier", options, lambda share, words: None))
        (root / "digits/features/classifier-real.safetensors").write_bytes(old)
        assert "another extractor" in refused("digits/vae")

    def test_images_of_another_size(self, root):
        model = FAMILIES["gan"](channels=1, size=12, widths=(8, 8), probe_widths=(8, 8))
        checkpoint.save_model(root / "digits" / "large", model)
        assert "1x8x8" in refused("digits/large")

    def test_a_checkpoint_that_is_broken_is_passed_over_unless_it_was_named(self, root):
        (root / "digits/vae/config.json").write_text("{")
        assert "config.json" in refused("digits/vae")
        left_out = prepare((), **QUICK).left_out
        assert len(left_out) == 1 and left_out[0].startswith("digits/vae is left out: ")

    def test_weights_that_only_loading_finds_damaged(self, root):
        tensors, _ = checkpoint.read_tensors(root / "digits/vae/model.safetensors")
        checkpoint.write_tensors(root / "digits/vae/model.safetensors", dict(list(tensors.items())[1:]))
        for points in ("headline", "failures"):
            used = {task.checkpoint for task in prepare((), points, **QUICK).tasks}
            assert "digits/gan" in used and "digits/vae" not in used
        assert "lacks weights" in refused("digits/vae")
        [sentence] = prepare((), **QUICK).left_out
        assert sentence.startswith("digits/vae ") and "lacks weights" in sentence

    def test_an_image_size_that_does_not_fit(self, root):
        model = FAMILIES["gan"](channels=1, size=12, widths=(8, 8), probe_widths=(8, 8))
        checkpoint.save_model(root / "digits" / "large", model)
        found = prepare((), **QUICK)
        assert {task.checkpoint for task in found.tasks} == {"", *(f"digits/{name}" for name in FAMILIES)}
        [sentence] = found.left_out
        assert sentence.startswith("digits/large ") and "1x8x8" in sentence
        for name in FAMILIES:
            shutil.rmtree(root / "digits" / name)
        assert refused() == sentence, "nothing else is there"

    def test_one_checkpoint_under_two_names_is_one(self, root, monkeypatch):
        monkeypatch.chdir(root.parent)
        names = "digits/gan", root / "digits" / "gan", "root/digits/gan", "digits/gan"
        assert [task.checkpoint for task in prepare(names, **QUICK).tasks] == ["", "digits/gan"]
        shutil.copytree(root / "digits" / "gan", "elsewhere")
        names, out = ("elsewhere", root.parent / "elsewhere"), root / "mine.jsonl"
        assert [task.kind for task in prepare(names, out=out, **QUICK).tasks] == ["real", "quality"]

    def test_a_row_of_another_data_set_is_no_row_of_this_one(self, root, path):
        row = measure("digits/vae")[1] | {"dataset": "cifar10"}
        path.unlink()
        rows.append(path, row)
        found = prepare(["digits/vae"], **QUICK)
        assert len(found.tasks) == 2
        assert [f"Line 1 of {path}" in sentence and "'cifar10'" in sentence for sentence in found.problems] == [True]

    def test_a_folder_outside_the_roots_needs_a_place_for_its_rows(self, root, tmp_path):
        shutil.copytree(root / "digits" / "vae", tmp_path / "elsewhere")
        assert "--out" in refused(tmp_path / "elsewhere")
        out = tmp_path / "mine.jsonl"
        found = measure(tmp_path / "elsewhere", out=out)
        assert rows.read(out) == (found, []) and found[1]["checkpoint"] == str(tmp_path / "elsewhere")
        assert rows.is_stale(found[1]) == ""

    def test_a_folder_inside_them_goes_by_its_name(self, root):
        assert measure(root / "digits" / "vae")[1]["checkpoint"] == "digits/vae"

    def test_bad_lines_are_named_and_nothing_is_lost(self, root, path):
        measure("digits/vae")
        with path.open("a") as file:
            file.write('{"loss": 0.5}\n{"row": 1, "kind"')
        before = path.read_bytes()
        plan = prepare(["digits/vae", "digits/gan"], **QUICK)
        assert ["Line 3" in plan.problems[0], "Line 4" in plan.problems[1]] == [True, True]
        measure("digits/gan")
        assert path.read_bytes().startswith(before)
        assert [row["checkpoint"] for row in rows.read(path)[0]] == ["", "digits/vae", "digits/gan"]

    def test_a_place_where_no_row_can_be_written(self, root):
        closed = "/proc/self/fdinfo" if os.path.exists("/proc/self/fdinfo") else None
        if closed is None:
            pytest.skip("needs Linux's /proc")
        assert f"{closed}/rows.jsonl" in refused("digits/vae", out=f"{closed}/rows.jsonl")

    def test_a_place_where_no_sample_can_be_kept(self, root, tmp_path, monkeypatch):
        """Said beforehand; scores of what is kept, and costs, need no such place."""
        measure("digits/vae", n=20)
        (tmp_path / "file").write_text("")
        monkeypatch.setattr(samples, "folder", lambda: tmp_path / "file")
        assert str(tmp_path / "file") in refused("digits/vae")
        assert [task.kind for task in prepare(["digits/vae"], **QUICK | {"rows": "cost"}).tasks] == ["cost"]

    def test_damaged_samples_are_named_and_made_again(self, root, path):
        whole = lasting(measure("digits/vae")[1])
        path.unlink()
        for file in (root / "samples").glob("*.1.npy"):
            content = bytearray(file.read_bytes())
            content[-1] ^= 255
            file.write_bytes(content)
        found = prepare(["digits/vae"], **QUICK)
        assert len(found.problems) == 1 and "from image 32 of 48 on; the images from there" in found.problems[0]
        assert [task.lacking for task in found.tasks] == [0, BATCH]
        assert lasting(measure("digits/vae")[1]) == whole
        assert prepare(["digits/vae"], **QUICK | {"n": 20}).problems == ()

    def test_images_that_are_no_images_spoil_only_their_own_row(self, root, monkeypatch):
        generate = FAMILIES["vae"].sample

        def broken(self, seeds, **knobs):
            for step in generate(self, seeds, **knobs):
                yield replace(step, x0=step.x0 * float("nan"))

        monkeypatch.setattr(FAMILIES["vae"], "sample", broken)
        found, problems = [], []
        with pytest.raises(InputError, match="1 of 3 rows could not be measured"):
            for at in evaluate.evaluate(["digits/vae", "digits/gan"], **QUICK):
                found += [at.row] if at.row else []
                problems += [at.problem] if at.problem else []
        assert [row["checkpoint"] for row in found] == ["", "digits/gan"]
        assert len(problems) == 1 and "NaN" in problems[0] and "digits/vae" in problems[0]

    def test_bad_input_while_measuring_spoils_only_its_own_row(self, root, monkeypatch):
        def refuse(self, images):
            raise InputError("These images do not fit.")

        wanted = prepare(["digits/vae"], "failures", **QUICK)
        for task in wanted.tasks:
            if task.failure == "collapse":
                vars(task.broken)["generate"] = lambda seeds: refuse(None, seeds)
        found, problems = [], []
        with pytest.raises(InputError, match="1 of 6 rows could not be measured"):
            for at in evaluate.run(wanted):
                found += [at.row["kind"]] if at.row else []
                problems += [at.problem] if at.problem else []
        assert found == ["real", *["failure"] * 4]
        assert problems == ["digits/gan, Collapsed to a few modes cannot be measured: These images do not fit."]
        ahead = prepare(["digits/vae", "digits/gan"], **QUICK)
        monkeypatch.setattr(scoring.Reference, "extract", refuse)
        with pytest.raises(InputError, match="2 of 2 rows could not be measured"):
            list(evaluate.run(ahead))

    def test_what_the_disk_refuses_ends_it_all(self, root, monkeypatch):
        def full(*_):
            raise InputError("The disk is full.")

        ahead = prepare(["digits/vae", "digits/gan"], **QUICK)
        monkeypatch.setattr(samples, "append_line", full)
        with pytest.raises(InputError, match=r"^The disk is full\.$"):
            list(evaluate.run(ahead))

    def test_a_checkpoint_that_changes_meanwhile(self, root):
        plan = prepare(["digits/vae"], **QUICK)
        (root / "digits/vae/config.json").write_text((root / "digits/vae/config.json").read_text() + "\n")
        problems = []
        with pytest.raises(InputError, match="1 of 2"):
            for at in evaluate.run(plan):
                problems += [at.problem] if at.problem else []
        assert len(problems) == 1 and "has changed since" in problems[0]


def test_every_shipped_checkpoint_by_default(root):
    shutil.copytree(root / "digits" / "vae", root / "runs" / "digits" / "mine")
    assert {task.checkpoint for task in prepare(**QUICK).tasks} == {"", *(f"digits/{name}" for name in FAMILIES)}


def test_progress_runs_from_nothing_to_all(root):
    steps = list(evaluate.evaluate(["digits/vae", "digits/gan"], **QUICK))
    shares = [at.share for at in steps]
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1) and min(shares) >= 0
    assert steps[-1].eta_s == pytest.approx(0, abs=1e-6) and all(at.eta_s >= 0 for at in steps)
    assert [at.place for at in steps if at.row] == [1, 2, 3] and {at.total for at in steps} == {3}


def test_sampling_leaves_gradients_as_they_were(root):
    model = checkpoint.load("digits/ddpm")
    for step in making.steps_of(model, [1], {"num_inference_steps": 2}):
        assert torch.is_grad_enabled() and not step.x0.requires_grad


def test_a_family_is_a_family(root, monkeypatch):
    """Nothing here knows the families: one more in the registry is measured like the others."""

    class Copy(FAMILIES["gan"]):
        name, title = "copy", "Copy"

    monkeypatch.setitem(FAMILIES, "copy", Copy)
    torch.manual_seed(0)
    checkpoint.save_model(root / "digits" / "copy", Copy(channels=1, size=8, **PRESETS["digits/gan"].model))
    row = measure("digits/copy")[1]
    assert row["family"] == "copy" and issubclass(Copy, Family)
