"""What the Latent space page asks of the models: encodings, paths, a map, traversals, images encoded and decoded."""

import os
import threading
from unittest import mock

import gradio as gr
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from dashboard.pages.latent import engine, latent_view
from dashboard.pages.latent.engine import COARSE, FINE, OFFSETS, Ends, Latents
from dashboard.pages.latent.page import SEEDS, Latent, Reconstruction
from dashboard.service import InputError, Service, images
from dashboard.service.device import LATE, Waiting, finish
from dashboard.service.pixels import to_pixels
from dashboard.ui.image_picker import ImagePicker
from dashboard.ui.run import in_line
from gencore import checkpoint
from gencore.cli import app
from gencore.encodings import FILE, read_encodings, write_encodings
from gencore.families import FAMILIES
from gencore.family import image_seed
from tests.support.leases import taken

SIZE = 8  # of scikit-learn's digits, which are always at hand


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Untrained models of every family on 'digits', with the encodings of the one that encodes."""
    root = tmp_path_factory.mktemp("latents")
    torch.manual_seed(0)
    for name, kind in FAMILIES.items():
        checkpoint.save_model(root / "digits" / name, kind(size=SIZE, widths=(8, 8)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENCORE_CHECKPOINTS", str(root))
        write_encodings("digits/vae", n=90)
    return root


@pytest.fixture
def found(place, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(place))
    monkeypatch.setattr(engine, "WAIT", 60.0)
    return Latents(Service())


@pytest.fixture
def image(found):
    return found.service.split("digits", "test")[0]


def test_encodings_come_back_as_they_were_made(place, found, image):
    kept = images.encodings("digits/vae")
    mean, _ = finish(found.encode("digits/vae", image))
    assert kept.mean.shape == (90, 16) and np.abs(kept.mean[0].numpy() - mean).max() < 2e-3
    kl = 0.5 * (kept.mean**2 + kept.std**2 - 1) - kept.std.log()
    assert (kl.mean(0) - kept.kl).abs().max() < 1e-2
    assert kept.labels.tolist() == found.service.labels("digits", "test")[:90].tolist()
    assert (kept.images[0].numpy() == image).all() and read_encodings(place / "digits" / "vae").dataset == "digits"


def test_other_weights_are_told_and_how_to_make_the_encodings_again(tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    checkpoint.save_model(tmp_path / "digits" / "vae", FAMILIES["vae"](size=SIZE, widths=(8, 8)))
    with pytest.raises(InputError, match=r"python -m gencore latents digits/vae$"):
        images.encodings("digits/vae")
    write_encodings("digits/vae", n=5)
    assert len(images.encodings("digits/vae").mean) == 5
    checkpoint.save_model(tmp_path / "digits" / "vae", FAMILIES["vae"](size=SIZE, widths=(8, 8)))
    with pytest.raises(InputError, match=r"of other weights than it has now; make them: .* again$"):
        images.encodings("digits/vae")
    (tmp_path / "digits" / "vae" / FILE).write_bytes(b"nothing")
    with pytest.raises(InputError) as refused:
        images.encodings("digits/vae")
    assert str(tmp_path) not in str(refused.value)


def test_encodings_are_refused_where_there_is_no_encoder_or_not_so_many_images(found):
    with pytest.raises(InputError, match="no encoder"):
        write_encodings("digits/gan")
    with pytest.raises(InputError, match="must be a whole number from 1 to"):
        write_encodings("digits/vae", n=10**6)


def last_rows(found, ends, stop=None):
    rows = {}
    for row in found.walk("digits", ends, stop or threading.Event()):
        rows[row.family] = row
    return rows


def test_seeds_give_every_family_a_row_with_the_ends_of_its_own_samples(found):
    rows = last_rows(found, engine.parse_seeds("3", 4))
    assert set(rows) == set(FAMILIES) and {row.state for row in rows.values()} == {"done"}
    for name, row in rows.items():
        assert row.total in (FINE, COARSE) and len(row.frames) == row.total
        assert row.great_circle == (FAMILIES[name].interpolation == "slerp")
    model = found.service.model("digits/vae")
    with torch.no_grad():
        first = model.generate([image_seed(3, 0)])
    assert np.abs(to_pixels(first)[0].astype(int) - rows["vae"].frames[0]).max() <= 1
    assert engine.morph(rows["vae"].frames).startswith(b"GIF89a")


def test_images_are_ends_for_those_that_invert_and_the_others_say_why_not(found):
    images = found.service.split("digits", "test")[:2]
    rows = last_rows(found, Ends(images=images))
    for name, kind in FAMILIES.items():
        able = hasattr(kind, "invert")
        assert rows[name].state == ("done" if able else "absent") and bool(rows[name].problem) != able
    assert last_rows(found, Ends(images=images[:, :, :4]))["vae"].state == "absent"


def test_stop_keeps_what_was_decoded(found):
    stop, rows = threading.Event(), {}
    for row in found.walk("digits", engine.parse_seeds(5, 6), stop):
        rows[row.family] = row
        if row.family == "ddpm" and len(row.frames) > 3:
            stop.set()
    assert rows["ddpm"].state == "stopped" and 4 <= len(rows["ddpm"].frames) < COARSE
    assert row.family != "ddpm" and row.state == "stopped" and not row.frames, "those after it are not begun"


@pytest.mark.parametrize(("a", "b"), [("", 1), (None, 1), ("seven", 1), (-1, 1), (1.5, 1), (1, 2**63)])
def test_bad_seeds_are_refused(a, b):
    with pytest.raises(InputError, match="seed"):
        engine.parse_seeds(a, b)


@pytest.mark.parametrize("kind", engine.PLANES)
def test_a_spot_where_an_image_lies_decodes_near_to_it(found, image, kind):
    drawn = found.map("digits/vae", kind)
    assert np.allclose(drawn.plane.basis @ drawn.plane.basis.T, np.eye(2), atol=1e-6)
    place = found.place("digits/vae", image, kind)
    assert np.allclose(place, drawn.plane.points[0], atol=1e-2)
    spot = found.spot("digits/vae", place, kind)
    assert spot.image.shape == image.shape and 0 <= spot.nearest < 90
    for bad in (None, [1], [1, "x"], [1, float("nan")]):
        with pytest.raises(InputError, match="two numbers"):
            found.spot("digits/vae", bad, kind)


def test_a_traversal_moves_one_dimension_and_the_strongest_comes_first(found, image):
    every, some = finish(found.traverse("digits/vae", image)), finish(found.traverse("digits/vae", image, 3))
    assert every.images.shape[:2] == (16, len(OFFSETS)) and every.measured and (np.diff(every.kl) <= 0).all()
    assert some.dimensions.tolist() == every.dimensions[:3].tolist()
    middle = every.images[:, OFFSETS.index(0)].astype(int)
    assert np.abs(middle - middle[0]).max() <= 1, "the middle column is the image itself, encoded and decoded"


def test_an_image_comes_back_with_its_error_and_bound(found, image):
    back = {one.family: one for one in found.rebuild("digits", image, threading.Event())}
    for name, kind in FAMILIES.items():
        assert (back[name].state == "done") == hasattr(kind, "invert")
    exact = np.square((back["vae"].image.astype(float) - image) / 255).sum()
    assert back["vae"].error == pytest.approx(exact, rel=0.05) and back["vae"].elbo < 0
    assert back["ddpm"].elbo is None and back["ddpm"].long
    steps = list(found.bound("digits", image, threading.Event()))
    assert [one.share for one in steps] == sorted(one.share for one in steps) and steps[-1].elbo < 0
    again = {one.family: one for one in found.rebuild("digits", image, threading.Event())}
    assert again["ddpm"].elbo == steps[-1].elbo, "kept"


def test_the_address_names_the_data_set_until_another_is_chosen(place, tmp_path, monkeypatch):
    checkpoint.save_model(tmp_path / "zoo" / "gan", FAMILIES["gan"](size=SIZE, widths=(8, 8)))
    monkeypatch.setenv("GENCORE_CHECKPOINTS", f"{place}{os.pathsep}{tmp_path}")
    with gr.Blocks(), gr.Tabs(), gr.Tab("x"):
        page = Latent(Service())
    asks, does_not = (mock.Mock(session_hash="visitor", query_params=query) for query in ({"data": "zoo"}, {}))
    opened = page.open(asks, "digits", None)
    assert opened[page.dataset]["value"] == "zoo" == opened[page.image_picker.strip]["dataset"]
    assert opened[page.chooser]["visible"] and len(opened[page.dataset]["choices"]) == 2
    chosen = page.open(does_not, "digits", None)[page.image_picker.strip]
    assert page.open(asks, "digits", chosen)[page.dataset]["value"] == "digits", "chosen since"
    assert page.open(mock.Mock(query_params={"data": "nosuch"}), None, None)[page.dataset]["value"] == "digits"


def test_the_long_bound_says_how_far_it_is_and_stops_half_way(found, image):
    visitor = mock.Mock(session_hash="visitor")
    with gr.Blocks():
        panel = Reconstruction(found.service, gr.Dropdown(), ImagePicker(found.service, "latent"))
    back = list(panel.run(visitor, "digits", image))[-1]
    assert back[panel.bound]["visible"] and "DDPM" in back[panel.bound]["value"]

    def asked():
        return panel.run_bound(visitor, "digits", image, back[panel.found])

    halted = asked()
    begun, part = next(halted), next(halted)
    assert begun[panel.stop]["visible"] and not begun[panel.bound]["visible"]
    assert 'role="progressbar"' in part[panel.status] and "part by part" in part[panel.status]
    panel.runs.cancel(visitor)
    *_, last = halted
    assert "half-way says nothing" in last[panel.status] and not found.service.device.busy
    assert last[panel.bound]["visible"] and not last[panel.stop]["visible"], "it can be asked for again"
    *_, shown, last = asked()
    assert shown[panel.cards].count("log p(x)") == 2 and last[panel.found]["ddpm"].elbo < 0
    assert not last[panel.bound]["visible"] and not last[panel.stop]["visible"]


def test_an_image_under_noise(found, image):
    lane = found.diffusers("digits")[0]
    little, much = finish(found.noised(lane, image, 0)), finish(found.noised(lane, image, found.levels("digits") - 1))
    assert np.abs(little[0].astype(int) - image).mean() < 10 < np.abs(much[0].astype(int) - image).mean()
    assert little[2] > 0.9 > 0.1 > much[2]
    for bad in (-1, 1.5, 10**4, True, "x"):
        with pytest.raises(InputError, match="t must be a whole number"):
            finish(found.noised(lane, image, bad))


def test_noise_that_families_share_is_shown_once(found, image):
    lanes = found.diffusers("digits")
    seen = [(lane, *finish(found.noised(lane, image, 300))) for lane in lanes]
    shown = latent_view.noised(seen)
    assert len(lanes) > 1 and all(np.array_equal(one[1], seen[0][1]) for one in seen), "one schedule, one seed"
    assert shown.count("<figure") == 1 + len(lanes) and shown.count("The image under noise") == 1
    lane, x_t, *rest = seen[1]
    assert latent_view.noised([seen[0], (lane, 255 - x_t, *rest)]).count("The image under noise") == 2


def test_a_busy_device_is_said_and_nothing_hangs(found, image, monkeypatch):
    with taken(found.service.device), pytest.raises(InputError, match=LATE):
        found.spot("digits/vae", [0, 0], engine.PLANES[0], wait=0.1)


def test_who_waits_on_the_page_is_told_how_many_are_ahead(found, image, monkeypatch):
    monkeypatch.setattr(found.service.device, "line_silence", 600.0)  # whoever waits here asks only once
    visitor = mock.Mock(session_hash="visitor")
    with gr.Blocks(), gr.Tabs(), gr.Tab("x"):
        _, dimensions, back, paths = Latent(found.service).panels
    with taken(found.service.device):
        rows = dimensions.show(visitor, "digits", image, True)
        assert in_line(Waiting(1)) in next(rows)[dimensions.table]
        noise = back.renoise(visitor, "digits", image, 5)
        assert in_line(Waiting(2)) in next(noise)[back.noised]
        walk = paths.walk(visitor, "digits", SEEDS, "901", "902", None, None, None)
        told = [next(walk), next(walk), next(walk)]
        assert in_line(Waiting(3)) in told[-1][paths.status] and told[0][paths.runs.stop]["interactive"]
        paths.runs.cancel(visitor)
        *_, last = walk
        assert "Stopped" in last[paths.status] and not last[paths.runs.stop]["interactive"]
    assert "traversal" in [*rows][-1][dimensions.table] and "under noise" in [*noise][-1][back.noised]


def test_without_an_encoder_the_page_says_so(found):
    with pytest.raises(InputError, match="No VAE checkpoint"):
        found.encoder("nowhere")


def test_the_command_writes_encodings_beside_the_checkpoint(place, found):
    result = CliRunner().invoke(app, ["latents", "digits/vae", "-n", "90"])
    assert result.exit_code == 0 and result.stdout.strip().endswith(FILE)
    assert len(images.encodings("digits/vae").mean) == 90
