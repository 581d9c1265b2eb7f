"""Samples and their judge, on scikit-learn's digits with toy families and a toy extractor; in seconds."""

import re
import threading

import numpy as np
import pytest
import torch
from diffusers.configuration_utils import register_to_config
from scipy import stats
from torch import nn

from dashboard.service import InputError, Service, scoring
from dashboard.service.samples import BATCH, Sampled, Samples
from dashboard.service.scoring import Judges
from gencore import FAMILIES, checkpoint, metrics
from gencore.checkpoint import write_tensors
from gencore.data import load_images, to_float
from gencore.extractors import EXTRACTORS, Options, extractor_path, load_extractor
from gencore.extractors.base import Extractor
from gencore.extractors.reference import real_path, write_features
from gencore.family import Family, Knob, Point, Step, image_seed

TEST = load_images("digits", "test").x
TRAIN = load_images("digits", "train").x


class Halves(Extractor):
    """A toy: the mean of each of 8 strips of two rows and four columns; the brightest one counts as the class."""

    name = "halves"
    about = "Means of eight strips."

    def __init__(self, channels=1, size=8):
        super().__init__(8, channels=channels, size=size)

    def raw(self, x):
        return x.float().reshape(len(x), 4, 2, 2, 4).mean((2, 4)).flatten(1) / 255

    def probabilities(self, x):
        bright = nn.functional.pad(self.raw(x), (1, 1)) + 1e-6
        return bright / bright.sum(1, keepdim=True)


class Replay(Family):
    """A toy that returns real train images, picked by the seed; of the first `kinds` alone."""

    name = "replay"
    title = "Replay"
    knobs = (Knob("kinds", 1000, 1, 1000, integer=True), Knob("steps", 1, 1, 50, integer=True))
    points = (Point("all", {}, "headline"), Point("few", {"kinds": 10}, "lecture"))

    @register_to_config
    def __init__(self, channels: int = 1, size: int = 8):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    @property
    def network(self):
        return self.layer

    def sample(self, seeds, **knobs):
        values = self.resolve_knobs(knobs)
        Replay.calls.append(len(seeds))
        x = to_float(TRAIN[[seed % values["kinds"] for seed in seeds]])
        for index in range(1, values["steps"] + 1):
            yield Step(index, values["steps"], x, x)


Replay.calls = []


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("root")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(EXTRACTORS, "halves", Halves)
        list(write_features("digits", folder, "halves", Options(), lambda *_: None))
    checkpoint.save_model(folder / "digits" / "replay", Replay())
    return folder


@pytest.fixture
def maker(root, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(root))
    monkeypatch.setitem(EXTRACTORS, "halves", Halves)
    for name in list(FAMILIES):
        monkeypatch.delitem(FAMILIES, name)
    monkeypatch.setitem(FAMILIES, "replay", Replay)
    Replay.calls.clear()
    return Samples(Service())


@pytest.fixture
def judges(maker):
    return maker.service.shared(Judges)


@pytest.fixture
def judge(judges):
    return judges.find("digits", "halves")


def order(maker, n=200, seed=7, **knobs):
    return maker.order("digits", n, seed, {"replay": {"knobs": knobs}})


def make(maker, wanted, stop=None):
    return list(maker.make(wanted, stop or threading.Event()))


def sampled(images):
    return Sampled("replay", "Replay", images.numpy(), ("images", len(images), int(images.sum())))


# ---- making


@pytest.mark.parametrize("n", [0, 199, 1001, 2.5, "many", "", None, True, float("nan")])
def test_a_bad_number_of_samples_gives_a_sentence(maker, n):
    with pytest.raises(InputError, match="number of samples must be a whole number from 200 to 1,000, not"):
        order(maker, n=n)


@pytest.mark.parametrize("n", [200, "500", 1000.0])
def test_good_sizes_pass(maker, n):
    assert order(maker, n=n).n == int(n)


def test_samples_are_made_in_pieces_and_are_those_of_their_seeds(maker):
    last = make(maker, order(maker, n=250))[-1]
    assert (last.state, last.made, last.fresh) == ("done", 250, 250)
    expected = TRAIN[[image_seed(7, i) % 1000 for i in range(250)]]
    assert np.array_equal(last.sampled.images, expected.numpy())
    assert max(Replay.calls) == BATCH
    assert not maker.service.device.busy


def test_the_progress_never_goes_back_and_counts_steps(maker):
    seen = [one.made for one in make(maker, order(maker, n=300, steps=5))]
    assert seen == sorted(seen) and seen[-1] == 300


def test_nothing_is_made_twice_and_more_samples_go_on_where_fewer_ended(maker):
    first = make(maker, order(maker, n=250))[-1].sampled
    Replay.calls.clear()
    again = make(maker, order(maker, n=250))
    assert [one.state for one in again] == ["done"] and again[0].fresh == 0 and not Replay.calls
    assert np.array_equal(make(maker, order(maker, n=200))[-1].sampled.images, first.images[:200])
    assert not Replay.calls
    more = make(maker, order(maker, n=500))[-1].sampled
    assert sum(Replay.calls[-3:]) == 300, "from the 200th on: pieces stay aligned"
    assert np.array_equal(more.images[:250], first.images)
    other = make(maker, order(maker, n=250, seed=8))[-1].sampled
    assert not np.array_equal(other.images, first.images) and other.key != first.key


def test_new_weights_make_new_samples(maker, root):
    first = make(maker, order(maker))[-1].sampled
    checkpoint.save_model(root / "digits" / "replay", Replay())
    assert make(maker, order(maker))[-1].sampled.key != first.key


def test_a_stop_keeps_whole_pieces_for_the_next_run(maker):
    stop, seen = threading.Event(), []
    for one in maker.make(order(maker, n=400, steps=50), stop):
        seen.append(one)
        if one.made > 150:
            stop.set()
    assert seen[-1].state in ("stopped", "skipped") and seen[-1].sampled is None
    last = make(maker, order(maker, n=400, steps=50))[-1]
    assert last.state == "done" and last.fresh <= 300


def test_a_broken_family_is_told_and_the_others_go_on(maker, root):
    class Breaks(Replay):
        name = "breaks"

        def sample(self, seeds, **knobs):
            raise RuntimeError("out of luck")
            yield

    FAMILIES["breaks"] = Breaks
    checkpoint.save_model(root / "digits" / "breaks", Breaks())
    try:
        wanted = maker.order("digits", 200, 7, {"breaks": {}, "replay": {}})
        ends = {one.family: one for one in make(maker, wanted)}
    finally:
        del FAMILIES["breaks"]
    assert ends["breaks"].state == "failed" and "out of luck" in ends["breaks"].problem
    assert ends["replay"].state == "done"


# ---- judging


def test_scores_are_the_metrics_and_missed_is_what_coverage_does_not_count(judge):
    verdict = judge.verdict(sampled(TRAIN[:200]))
    real, fake = judge.real.test[:200], judge.features(TRAIN[:200].numpy())
    for key, score in verdict.scores.items():
        assert score.mean == pytest.approx(metrics.METRICS[key](real, fake))
        assert score.low <= score.mean <= score.high
    assert set(verdict.scores) == set(scoring.SCORES)
    assert len(verdict.missed) == round(200 * (1 - verdict.scores["coverage"].mean))
    expected = judge.missed_by_real(200)
    assert expected.mean == pytest.approx(200 * (1 - judge.baseline(200)["coverage"].mean))


def test_the_most_missed_come_first(judge):
    few = judge.verdict(sampled(TRAIN[:5].repeat(40, 1, 1, 1)))
    assert len(few.missed) > 100
    reach = metrics.nearest(judge.real.test[:200], torch.from_numpy(few.features))[0] / judge.radii(200)
    assert (np.diff(reach[few.missed].numpy()) <= 1e-6).all() and reach[few.missed].min() >= 1


def test_a_collapsed_family_is_found_less_varied(judge):
    good, bad = judge.verdict(sampled(TRAIN[:200])), judge.verdict(sampled(TRAIN[:5].repeat(40, 1, 1, 1)))
    for key in scoring.SCORES:
        assert bad.scores[key].high < good.scores[key].low, key


def test_the_baseline_is_made_of_disjoint_blocks_of_train_images(judge):
    blocks = [judge.real.train[i * 200 : (i + 1) * 200] for i in range(5)]
    expected = [metrics.METRICS["coverage"](judge.real.test[:200], block) for block in blocks]
    assert judge.baseline(200)["coverage"].values == pytest.approx(expected)
    assert judge.baseline(200)["coverage"].mean == pytest.approx(np.mean(expected))


def test_more_samples_than_real_images_are_refused_in_a_sentence_and_the_rest_is_there(judge):
    assert len(judge.real.test) == len(TEST) == 297
    verdict = judge.verdict(sampled(TRAIN[:400]))
    assert not verdict.scores and len(verdict.features) == 400
    assert verdict.left_out["coverage"].startswith("Only 297 real test images have features")
    assert judge.baseline(400) == {} and judge.missed_by_real(400) is None


def test_a_verdict_is_worked_out_once(judge, monkeypatch):
    one = sampled(TRAIN[:200])
    first = judge.verdict(one)
    monkeypatch.setattr(judge, "features", None)
    assert judge.verdict(one) is first and np.array_equal(judge.features_of(one), first.features)


def test_the_nearest_of_a_few_training_images_is_not_told(judge, monkeypatch):
    monkeypatch.setattr(type(judge.real), "cannot_find_copies", "Only the first 7 train images have features.")
    with pytest.raises(InputError, match="Only the first 7"):
        judge.nearest(TRAIN[123].numpy())


def test_the_nearest_training_image_of_a_training_image_is_itself(judge):
    found = judge.nearest(TRAIN[123].numpy())
    assert found.place == 123 and found.distance == pytest.approx(0, abs=0.02)  # kept as float16
    assert len(found.gaps) == 297
    gap = torch.cdist(judge.real.test[:1], judge.real.train).min()
    assert found.gaps[0] == pytest.approx(float(gap), rel=1e-4)


def test_classes_are_counted_once_a_sample(judge):
    counts = judge.counts(sampled(TRAIN[:200]))
    expected = judge.extractor.probabilities(TRAIN[:200]).argmax(1).bincount(minlength=10)
    assert counts.tolist() == expected.tolist()
    assert judge.class_shares.sum() == pytest.approx(1)


def test_shares_have_wilson_s_interval_wider_by_half_the_variance():
    score = scoring.share_score(0.9, 600)
    binomial = 1.96 * np.sqrt(0.9 * 0.1 / 600)
    assert score.half == pytest.approx(np.sqrt(1.5) * binomial, rel=0.05)
    assert scoring.share_score(1.0, 600).high == 1.0


def test_the_jackknife_of_a_mean_is_its_t_interval_over_groups():
    """For a mean, leaving groups out gives the spread of the groups' means exactly."""
    rows = torch.randn(500, 3, generator=torch.Generator().manual_seed(0))
    half = scoring.jackknife(lambda part: {"mean": float(part.double().mean())}, rows)["mean"]
    groups = [rows[i::10].double().mean().item() for i in range(10)]
    assert half == pytest.approx(stats.t.ppf(0.975, 9) * np.std(groups, ddof=1) / np.sqrt(10), rel=1e-6)


# ---- quick scores


def test_quick_scores_are_the_metrics_of_the_batch_beside_real_batches(judge):
    batch = TRAIN[:24].numpy()
    found = judge.quick({"replay": batch, "faint": batch // 2})
    real = judge.real.test[:24]
    assert found.scores["replay"]["coverage"] == metrics.METRICS["coverage"](real, judge.features(batch))
    sharpness = metrics.METRICS["sharpness"](TEST[:24], TRAIN[:24])
    assert found.scores["replay"]["sharpness"] == pytest.approx(sharpness, rel=1e-4)
    assert found.blocks == 297 // 24 - 1
    for key in scoring.QUICK:
        assert found.real[key].low <= found.real[key].mean <= found.real[key].high
    assert found.scores["faint"]["sharpness"] < found.real["sharpness"].low
    assert found.classes["replay"].sum() == 24


def test_too_few_images_are_refused_by_metric(judge):
    found = judge.quick({"replay": TRAIN[:3].numpy()})
    assert set(found.scores["replay"]) == {"sharpness"}
    assert "needs 6 rows or more" in found.left_out["coverage"]


def test_batches_of_different_sizes_are_refused(judge):
    with pytest.raises(InputError, match="equal size"):
        judge.quick({"a": TRAIN[:6].numpy(), "b": TRAIN[:7].numpy()})


# ---- what may be missing or foreign


def test_no_features_are_told_with_the_command_and_without_paths(judges, tmp_path, monkeypatch):
    checkpoint.save_model(tmp_path / "digits" / "replay", Replay())
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    found, problems = judges.all("digits")
    assert not found and judges.counting("digits") is None
    with pytest.raises(InputError) as reason:
        load_extractor("digits", next(iter(problems)))
    assert list(problems.values()) == [str(reason.value)] and str(tmp_path) not in str(reason.value)


@pytest.mark.parametrize("dataset", ["dots", "../digits", "", "digits/../digits"])
def test_a_data_set_that_is_not_there_has_no_judge(judges, dataset):
    with pytest.raises(InputError, match="no data set"):
        judges.find(dataset, "halves")


def test_features_of_another_extractor_are_refused(judges, root, tmp_path, monkeypatch):
    import shutil

    shutil.copytree(root, tmp_path / "copy")
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "copy"))
    weights = extractor_path("digits", "halves")
    judges.find("digits", "halves")
    tensors, metadata = checkpoint.read_tensors(real_path(weights))
    write_tensors(real_path(weights), tensors, metadata | {"hash": "0" * 16})
    with pytest.raises(InputError, match=re.escape(weights.name)):
        judges.find("digits", "halves")
    write_tensors(real_path(weights), tensors, metadata | {"data": "mnist"})
    with pytest.raises(InputError, match="does not hold the halves features of digits"):
        judges.find("digits", "halves")


def test_images_of_another_size_are_refused_in_a_sentence(judge):
    with pytest.raises(InputError, match="halves features are of uint8 images"):
        judge.verdict(sampled(torch.zeros(200, 1, 9, 9, dtype=torch.uint8)))


def test_one_maker_serves_all_pages(maker):
    assert maker.service.shared(Samples) is maker.service.shared(Samples)


def test_a_judge_counts_for_the_features_that_it_holds(judge):
    assert judge.nbytes >= judge.real.train.nbytes + judge.real.test.nbytes > 0
