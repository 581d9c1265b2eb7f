"""The ladder: its verdicts on known values, and on toy extractors of which it is known what they see."""

import json
import math

import pytest
import torch
from scipy.stats import kendalltau, t

from gencore.checkpoint import write_json
from gencore.data import load_images, load_splits
from gencore.errors import InputError
from gencore.evaluation import ladder
from gencore.evaluation.degradations import DEGRADATIONS, Crowd
from gencore.extractors import EXTRACTORS, Extractor, Options, default_extractor
from gencore.extractors.reference import write_features
from gencore.metrics import METRICS


class Ink(Extractor):
    """The mean of each image's pixels and of their squares: blind to place, order and shape."""

    name = "ink"
    about = "how much ink there is"

    def __init__(self, channels, size):
        super().__init__(2, channels=channels, size=size)

    def raw(self, x):
        rows = x.flatten(1).float()
        return torch.stack([rows.mean(1), rows.square().mean(1)], 1)


class Nothing(Extractor):
    """A number that has nothing to do with the image's content: the last pixel's parity, as good as none."""

    name = "nothing"
    about = "nothing"

    def __init__(self, channels, size):
        super().__init__(2, channels=channels, size=size)

    def raw(self, x):
        return torch.stack([x[:, 0, 0, 0].float(), x[:, 0, -1, 0].float()], 1)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A checkpoint root with the features of digits in pixels and in the toys."""
    folder = tmp_path_factory.mktemp("ladder")
    with pytest.MonkeyPatch.context() as patch:
        for kind in (Ink, Nothing):
            patch.setitem(EXTRACTORS, kind.name, kind)
        for name in ("pixels", "ink", "nothing"):
            list(write_features("digits", folder, name, Options(device="cpu"), lambda share, words: None))
    return folder


@pytest.fixture
def here(root, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(root))
    for kind in (Ink, Nothing):
        monkeypatch.setitem(EXTRACTORS, kind.name, kind)
    return root


@pytest.fixture(scope="module")
def measured(root):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENCORE_CHECKPOINTS", str(root))
        for kind in (Ink, Nothing):
            patch.setitem(EXTRACTORS, kind.name, kind)
        return ladder.measure_ladder("digits", device="cpu")


def without_times(record):
    return {name: {**one, "seconds": 0} for name, one in record["extractors"].items()}


class TestVerdict:
    def test_the_interval_is_where_one_more_value_lies(self):
        values = [1.0, 1.2, 0.9, 1.1, 1.3]
        low, high = ladder.interval_of_one(values)
        deviation = torch.tensor(values).double().std().item()
        assert (low + high) / 2 == pytest.approx(1.1)
        assert (high - low) / 2 == pytest.approx(t.ppf(0.975, 4) * deviation * math.sqrt(1 + 1 / 5))

    @pytest.mark.parametrize("values", [[1, 2, 3, 4], [4, 3, 2, 1], [1, 3, 2, 4], [2, 1, 4, 3, 5]])
    def test_kendall_is_scipys(self, values):
        assert ladder.kendall(values) == pytest.approx(kendalltau(range(len(values)), values).statistic)

    @pytest.mark.parametrize(
        ("steps", "better", "first"),
        [
            ([0, 2, 3], "lower", 2),
            ([2, 3, 4], "lower", 1),
            ([2, 0, 3], "lower", 3),
            ([2, 3, 0], "lower", None),
            ([-2, -3], "lower", None),
            ([-2, -3], "higher", 1),
        ],
    )
    def test_a_step_is_noticed_if_it_and_all_later_ones_are_worse(self, steps, better, first):
        assert ladder.first_noticed(steps, (-1, 1), better) == first

    def test_a_verdict(self):
        plain = [0.0, 0.1, -0.1, 0.05, -0.05]
        rising = ladder.verdict([[0.1] * 5, [0.5] * 5, [2.0] * 5], plain, "lower")
        assert (rising["means"], rising["tau"], rising["first"]) == ([0.1, 0.5, 2.0], 1, 2)
        falling = ladder.verdict([[-0.1] * 5, [-0.5] * 5, [-2.0] * 5], plain, "higher")
        assert (falling["tau"], falling["first"]) == (1, 2)
        swapped = ladder.verdict([[0.5] * 5, [0.4] * 5, [2.0] * 5], plain, "lower")
        assert swapped["tau"] == pytest.approx(4 / 6, abs=1e-4) and swapped["first"] == 1

    @pytest.mark.parametrize(
        ("sights", "name"),
        [
            ({"a": (9, 2.0), "b": (10, 1.0)}, "b"),
            ({"a": (9, 1.0), "b": (10, 2.0)}, "a"),
            ({"a": (8, 1.0), "b": (10, 2.0)}, "b"),
            ({"a": (10, 1.0), "b": (10, 1.0)}, "a"),
        ],
    )
    def test_the_default_follows_the_rule(self, sights, name):
        assert ladder.best({key: {"in_order": order, "first": first} for key, (order, first) in sights.items()}) == name


def test_the_kid_with_a_kept_share_is_the_metric():
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(60, 5, generator=generator), torch.randn(40, 5, generator=generator) + 0.3
    eye = ladder.Eye(Ink(1, 8), real)
    assert eye.kid(fake.double()) == pytest.approx(METRICS["kid"](real, fake), rel=1e-9)
    assert set(eye.scores(fake)) == set(ladder.KEYS) - {"fd"} | ({"fd"} if len(fake) >= 50 else set())


class TestMeasured:
    def test_what_each_toy_sees_is_known(self, measured):
        record, _ = measured
        ink, nothing = (record["extractors"][name]["ladders"] for name in ("ink", "nothing"))
        assert ink["occlusion"]["kid"]["first"] and ink["occlusion"]["kid"]["means"][-1] > 1
        assert ink["contrast"]["kid"]["first"], "squares lose"
        assert nothing["occlusion"]["kid"]["means"][-1] < ink["occlusion"]["kid"]["means"][-1]
        assert record["default"] in ("ink", "pixels")

    def test_ladders_and_steps(self, measured):
        record, picture = measured
        assert (record["n"], record["blocks"], record["dataset"]) == (30, 5, "digits")
        keys = [one["key"] for one in record["ladders"]]
        assert set(keys) <= set(DEGRADATIONS) and {"blur", "dropped", "modes", "copies"} <= set(keys)
        for name, sight in record["extractors"].items():
            enough = {"ink": {"fd"}, "nothing": {"fd"}, "pixels": set()}[name]  # 30 images, for 2 and 61 dimensions
            assert sight["of"] == len(keys) and 0 <= sight["in_order"] <= len(keys) and 1 <= sight["first"] <= 6
            for one in record["ladders"]:
                verdicts = sight["ladders"][one["key"]]
                assert set(verdicts) == {"kid", "recall", "coverage"} | enough
                assert all(len(each["means"]) == len(one["steps"]) for each in verdicts.values())
        assert picture.shape[0] == len(keys) * 4 * 8 and picture.dtype.name == "uint8"

    def test_the_same_again(self, measured, here):
        again, picture = ladder.measure_ladder("digits", device="cpu")
        assert without_times(again) == without_times(measured[0]) and (picture == measured[1]).all()

    def test_what_has_not_changed_is_not_measured_again(self, measured, here, monkeypatch):
        record = measured[0]
        looked = []
        monkeypatch.setattr(ladder, "load_extractor", lambda *names: looked.append(names[1]) or Ink(1, 8))
        renamed = {**record, "ladders": [{**one, "about": "In other words."} for one in record["ladders"]]}
        kept, _ = ladder.measure_ladder("digits", device="cpu", known=renamed)
        assert kept["ladders"] == record["ladders"] and looked == [] and kept["extractors"] == record["extractors"]
        for changed in ({"hashes": {**record["hashes"], "ink": "0"}}, {"seed": 1}):
            looked.clear()
            monkeypatch.setattr(ladder, "climb", lambda eyes, *rest: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                ladder.measure_ladder("digits", device="cpu", known={**record, **changed})
            assert looked == (["ink"] if "hashes" in changed else ["pixels", "ink", "nothing"])

    def test_what_is_taken_from_an_earlier_record_keeps_its_date(self, measured, here):
        """Its own, or that of a record whose extractors have none."""
        record = measured[0]
        bare = {name: {key: one[key] for key in one if key not in ladder.CIRCUMSTANCES}
                for name, one in record["extractors"].items()}  # fmt: skip
        dated = {**bare, "nothing": {**bare["nothing"], "date": "2026-01-01"}}
        known = {**record, "extractors": dated, "hashes": {**record["hashes"], "ink": "0"}, "date": "2026-02-02"}
        again = ladder.measure_ladder("digits", device="cpu", known=known)[0]
        dates = {name: one["date"] for name, one in again["extractors"].items()}
        assert dates == {"pixels": "2026-02-02", "nothing": "2026-01-01", "ink": again["date"]}
        assert again["extractors"]["pixels"]["machine"] == record["machine"]

    def test_a_step_is_measured_on_blocks_that_are_disjoint(self, here):
        images = load_images("digits", "validation")
        crowd = Crowd.of(images)
        places = ladder.places(DEGRADATIONS["copies"], 0.5, crowd, 30)
        assert [len(block.unique()) for block in places.split(30)] == [15] * 5
        assert len(places.unique()) == 75

    def test_no_test_image_takes_part(self, here, monkeypatch):
        seen = []

        def told(name, view, splits):
            seen.extend(splits)
            return load_splits(name, view, splits)

        monkeypatch.setattr(ladder, "load_splits", told)
        ladder.measure_ladder("digits", device="cpu")
        assert seen == ["validation"]


class TestFiles:
    def test_written_read_and_default(self, measured, here, tmp_path, monkeypatch):
        assert default_extractor("digits") == "pixels", "the first there is"
        paths = list(ladder.write_ladder(*measured, here))
        assert [path.name for path in paths] == ["ladder.png", "ladder.json"] and all(path.is_file() for path in paths)
        assert ladder.load_ladder("digits") == json.loads(json.dumps(measured[0]))
        assert ladder.is_stale(measured[0]) == ""
        record = {**measured[0], "default": "ink"}
        list(ladder.write_ladder(record, measured[1], here))
        assert default_extractor("digits") == "ink"
        stale = ladder.is_stale({**record, "hashes": {**record["hashes"], "ink": "0"}})
        assert "ink of digits" in stale and "python -m gencore ladder digits" in stale
        list(ladder.write_ladder({**record, "default": "gone"}, measured[1], here))
        assert default_extractor("digits") == "pixels"
        for hashes in ({"hashes": {}}, {"hashes": None}):
            write_json(paths[1], {**record, **hashes})
            with pytest.raises(InputError, match="damaged"):
                ladder.load_ladder("digits")
        write_json(paths[1], {key: record[key] for key in record if key != "hashes"})
        assert ladder.known_ladder("digits") == {}
        paths[1].write_text("{")
        assert default_extractor("digits") == "pixels"
        with pytest.raises(InputError, match="damaged"):
            ladder.load_ladder("digits")
        for path in paths:
            path.unlink()

    def test_without_anything(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
        assert default_extractor("digits") == "classifier"
        with pytest.raises(InputError, match="python -m gencore features digits"):
            ladder.measure_ladder("digits")
        with pytest.raises(InputError, match="python -m gencore ladder digits"):
            ladder.load_ladder("digits")

    @pytest.mark.parametrize("n", [5, 31, -1])
    def test_too_few_images(self, here, n):
        with pytest.raises(InputError, match="5 blocks of 10 or more validation images"):
            ladder.measure_ladder("digits", n)
