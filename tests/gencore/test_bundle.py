"""Share bundles: what is made again from one, what is said of a difference, and what is refused of anybody's ZIP."""

import io
import json
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from gencore import bundle, checkpoint
from gencore.device import Settings
from gencore.errors import InputError
from gencore.families import FAMILIES
from gencore.family import Noise
from tests.support.toys import Toy

SEEDS = [3, 5, 8]
PLAIN = Settings("float32", "contiguous", 1)


@pytest.fixture(autouse=True)
def toy(tmp_path, monkeypatch):
    monkeypatch.setitem(FAMILIES, "toy", Toy)
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "here"))
    monkeypatch.setenv("GENCORE_DEVICE", "cpu")
    torch.manual_seed(0)
    checkpoint.save_model(tmp_path / "here/dots/toy", Toy())
    return tmp_path / "here/dots/toy"


def settings(**changes):
    told = bundle.about(0, SEEDS, 2, {"name": "a processor", "torch": "1.0"})
    return told | {"lanes": {"toy": bundle.lane("dots/toy", {"steps": 2}, PLAIN)}} | changes


def images(**knobs):
    made = checkpoint.load("dots/toy").generate(SEEDS, **{"steps": 2} | knobs)
    return ((made + 1) * 127.5).round().to(torch.uint8).numpy()


def written(path, told=None, pictures=None, extra=()):
    path.write_bytes(bundle.write_bundle(settings() if told is None else told, {"toy": images()} | (pictures or {})))
    with zipfile.ZipFile(path, "a") as archive:
        for name, content in dict(extra).items():
            archive.writestr(name, content)
    return path


def replayed(path):
    return list(bundle.replay(bundle.read_bundle(path)))


def test_the_images_are_made_again_to_the_bit(tmp_path):
    path = written(tmp_path / "b.zip")
    told = bundle.read_bundle(path)
    assert told.seeds == tuple(SEEDS) and told.batch == 2 and told.machine == "a processor, torch 1.0"
    np.testing.assert_array_equal(told.lanes[0].images, images())
    (one,) = replayed(path)
    assert one.same and (one.checkpoint, one.n, one.identical, one.largest) == ("dots/toy", 3, 3, 0)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["settings.json", *(f"toy/{i:03d}.png" for i in range(3))]


def test_a_checkpoint_is_known_by_its_weights_whatever_it_is_called(tmp_path, toy):
    path = written(tmp_path / "b.zip")
    toy.rename(toy.with_name("other"))
    assert replayed(path)[0].checkpoint == "dots/other" and replayed(path)[0].same
    weights = load_file(toy.with_name("other") / checkpoint.WEIGHTS)
    save_file({name: value + 1 for name, value in weights.items()}, toy.with_name("other") / checkpoint.WEIGHTS)
    (one,) = replayed(path)
    assert not one.same and one.problem.startswith("There is no checkpoint here with the weights of 'dots/toy' (")


class Walking(Toy):
    """A toy whose latent is its image."""

    name = "walking"

    def latent(self, seeds):
        return Noise(seeds)(*self.image_shape).clamp(-1, 1)

    def decode(self, latent):
        return latent * self.scale if len(latent) > 1 else latent

    def invert(self, x):
        return x

    scale = 1.0


ENDS = np.random.default_rng(0).integers(0, 256, (2, 1, 4, 4), np.uint8)


@pytest.mark.parametrize("seeds", [[3, 5], None])
def test_a_path_is_decoded_again_between_its_ends_in_the_same_groups(tmp_path, monkeypatch, seeds):
    monkeypatch.setitem(FAMILIES, "walking", Walking)
    checkpoint.save_model(tmp_path / "here/dots/walking", Walking())
    a, b = Noise([3, 5])(1, 4, 4).clamp(-1, 1).numpy() if seeds else ENDS / 127.5 - 1
    between = [((1 - share) * a + share * b + 1) * 127.5 for share in (0, 0.25, 0.5, 0.75, 1)]
    lane = bundle.lane("dots/walking", {}, PLAIN) | {"path": bundle.path_of(seeds, [[0], [4, 2], [1, 3]])}
    told = bundle.origin({}) | {"lanes": {"walking": lane}}
    pictures = {"walking": np.round(between).clip(0, 255).astype(np.uint8)}
    path = tmp_path / "b.zip"
    path.write_bytes(bundle.write_bundle(told, pictures | ({} if seeds else {"walking/ends": ENDS})))
    (one,) = replayed(path)
    assert one.problem == "" and one.n == 5 and one.largest <= 1, "rounding alone"
    monkeypatch.setattr(Walking, "scale", 0.0)
    assert replayed(path)[0].identical <= 1, "all but the one that was decoded alone"


def test_a_path_that_no_latents_have_is_said_in_a_sentence(tmp_path):
    lane = bundle.lane("dots/toy", {}, PLAIN) | {"path": bundle.path_of([3, 5], [[0, 1, 2]])}
    path = tmp_path / "b.zip"
    path.write_bytes(bundle.write_bundle(bundle.origin({}) | {"lanes": {"toy": lane}}, {"toy": images()}))
    assert "no latents" in replayed(path)[0].problem


def test_a_difference_is_told_in_images_and_levels(tmp_path):
    changed = images()
    changed[1, 0, 2, 3] ^= 4
    changed[2, 0, 0, 0] ^= 1
    (one,) = replayed(written(tmp_path / "b.zip", pictures={"toy": changed}))
    assert (one.same, one.n, one.identical, one.largest) == (False, 3, 1, 4)


def test_what_cannot_be_made_again_leaves_the_other_lanes(tmp_path):
    lane = bundle.lane("dots/toy", {"steps": 2}, PLAIN)
    lanes = {"toy": lane, "wide": lane, "odd": lane | {"knobs": {"stpes": 2}}}
    pictures = {"wide": np.zeros((3, 3, 4, 4), np.uint8), "odd": images()}
    found = {one.lane: one for one in replayed(written(tmp_path / "b.zip", settings(lanes=lanes), pictures))}
    assert found["toy"].same and "another shape" in found["wide"].problem and "'stpes'" in found["odd"].problem


def png(size, mode="L"):
    content = io.BytesIO()
    Image.new(mode, size).save(content, "PNG")
    return content.getvalue()


LANE = {"checkpoint": "x", "hash": "0" * 16, "knobs": {}, "settings": PLAIN.record()}
ONE = {"toy/000.png": png((4, 4)), "toy/001.png": png((4, 4)), "toy/002.png": png((4, 4))}


@pytest.mark.parametrize(
    ("told", "files", "words"),
    [
        ({}, ONE, "b.zip is no bundle of format 1"),
        ({"bundle": 2}, ONE, "may be of another version"),
        ({"image_seeds": []}, ONE, "image_seeds"),
        ({"image_seeds": [-1, 0, 1]}, ONE, "A seed must be"),
        ({"image_seeds": [True, 0, 1]}, ONE, "A seed must be"),
        ({"image_seeds": [0] * 100_001}, ONE, "image_seeds"),
        ({"batch": 0}, ONE, "batch must be"),
        ({"batch": "2"}, ONE, "batch must be"),
        ({"lanes": {}}, ONE, "from 1 to 32 lanes"),
        ({"lanes": {"../toy": LANE}}, ONE, "is no lane"),
        ({"lanes": {"toy": [LANE]}}, ONE, "is no lane"),
        ({"lanes": {"toy": LANE | {"hash": "x"}}}, ONE, "checkpoint's hash"),
        ({"lanes": {"toy": LANE | {"knobs": 3}}}, ONE, "knobs and settings"),
        ({"lanes": {"toy": LANE | {"settings": {"threads": 1}}}}, ONE, "other settings"),
        ({"lanes": {"toy": LANE | {"settings": PLAIN.record() | {"threads": 10**5}}}}, ONE, "threads must be"),
        ({"lanes": {"toy": LANE}}, {"toy/000.png": png((4, 4))}, "has 1 images, not one for each of 3 seeds"),
        ({"lanes": {"toy": LANE}}, ONE | {"toy/001.png": b"no picture"}, "toy/001.png cannot be read as a picture"),
        ({"lanes": {"toy": LANE}}, ONE | {"toy/001.png": png((5, 4))}, "different shapes"),
        ({"lanes": {"toy": LANE}}, ONE | {"toy/001.png": png((2000, 2000))}, "at most 1024 pixels"),
        ({"lanes": {"toy": LANE}}, ONE | {"toy/001.png": png((4, 4), "RGBA")}, "grey or RGB"),
        ({"lanes": {"toy": LANE}}, ONE | {"../../x.png": b""}, "leads out of the archive"),
        ({"lanes": {"toy": LANE | {"path": 3}}}, ONE, "each of 2 to 1000 places"),
        ({"lanes": {"toy": LANE | {"path": {"decoded": [[0, 1], []]}}}}, ONE, "each of 2 to 1000 places"),
        ({"lanes": {"toy": LANE | {"path": {"decoded": [[0, 1, 1]]}}}}, ONE, "each of 2 to 1000 places"),
        ({"lanes": {"toy": LANE | {"path": {"decoded": [[0, True, 2]]}}}}, ONE, "each of 2 to 1000 places"),
        ({"lanes": {"toy": LANE | {"path": {"decoded": [[0, "x"]]}}}}, ONE, "each of 2 to 1000 places"),
        ({"lanes": {"toy": LANE | {"path": {"decoded": [[0, 1, 2]], "seeds": [1]}}}}, ONE, "two seeds, or null"),
        ({"lanes": {"toy": LANE | {"path": {"decoded": [[0, 1, 2]], "seeds": [1, -1]}}}}, ONE, "A seed must be"),
        ({"lanes": {"toy": LANE | {"path": {"decoded": [[0, 1, 2]]}}}}, ONE, "has 0 images, not one for each end"),
        (
            {"lanes": {"toy": LANE | {"path": {"decoded": [[0, 1]]}}}},
            ONE | {f"toy/ends/00{i}.png": png((4, 4)) for i in (0, 1)},
            "has 3 images, not one for each place",
        ),
        (
            {"lanes": {"toy": LANE | {"path": {"decoded": [[0, 1, 2]]}}}},
            ONE | {f"toy/ends/00{i}.png": png((4, 5)) for i in (0, 1)},
            "of another shape than its images",
        ),
    ],
)
def test_what_anybody_may_have_made_is_refused_in_a_sentence(tmp_path, told, files, words):
    whole = {"bundle": 1, "image_seeds": [0, 1, 2], "batch": 2, "lanes": {"toy": LANE}}
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("settings.json", json.dumps(whole | told if told else {}))
        for name, content in files.items():
            archive.writestr(name, content)
    with pytest.raises(InputError, match=words) as refusal:
        bundle.read_bundle(tmp_path / "b.zip")
    assert "\n" not in str(refusal.value)


def test_a_lane_of_no_seeds_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("settings.json", json.dumps({"bundle": 1, "lanes": {"toy": LANE}}))
    with pytest.raises(InputError, match="no path, and there are no image_seeds"):
        bundle.read_bundle(tmp_path / "b.zip")


def test_what_is_no_bundle_at_all(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"no archive")
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("settings.json", "[" * 100_000)
    for name, words in (
        ("none.zip", "no file"),
        ("x.zip", "ZIP archive"),
        ("y.zip", "no settings"),
        ("z.zip", "no JSON"),
    ):
        with pytest.raises(InputError, match=words):
            bundle.read_bundle(tmp_path / name)
