import errno
import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
import torch
from diffusers.configuration_utils import register_to_config
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from gencore import checkpoint
from gencore.checkpoint import CONFIG, RUN, WEIGHTS, entries, load, resolve, save_model, write_atomic, write_json
from gencore.errors import InputError
from gencore.evaluation import rows
from gencore.families import FAMILIES
from gencore.families.consistency import Consistency
from gencore.families.ddpm import DDPM
from gencore.families.vae import VAE
from gencore.family import Family
from gencore.locks import lock
from gencore.presets import PRESETS
from gencore.train import train


class Toy(Family):
    name, title, knobs, points = "toy", "Toy", (), ()

    @register_to_config
    def __init__(self, channels: int = 1, size: int = 4, widths: tuple[int, ...] = (3, 5), depth: int = 1):
        super().__init__()
        if size < 1:
            raise ValueError("size is too small")
        self.conv = nn.Conv2d(channels, widths[0], 3)
        self.norm = nn.BatchNorm1d(widths[1])  # has an integer buffer
        self.register_buffer("scale", torch.full((depth,), 0.5))


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setitem(FAMILIES, "toy", Toy)
    monkeypatch.setenv("GENCORE_CHECKPOINTS", os.pathsep.join([str(tmp_path / "shipped"), str(tmp_path / "runs")]))
    monkeypatch.setenv("GENCORE_DEVICE", "cpu")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    model = Toy(widths=(3, 7))
    save_model(tmp_path / "shipped/set/toy", model)
    return tmp_path / "shipped/set/toy", model


def edit_config(folder, **changes):
    config = json.loads((folder / CONFIG).read_text()) | changes
    (folder / CONFIG).write_text(json.dumps({key: value for key, value in config.items() if value is not None}))


def edit_weights(folder, change):
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS)


def same(a, b):
    assert a.keys() == b.keys()
    return all(a[key].dtype == b[key].dtype and torch.equal(a[key], b[key]) for key in a)


def visible(folder):
    return sorted(path.name for path in folder.iterdir())


# Round trips


def test_loads_bit_for_bit_what_was_saved(saved):
    folder, model = saved
    loaded = load("set/toy")
    assert same(loaded.state_dict(), model.state_dict())
    assert loaded.config.widths == (3, 7)
    assert all(loaded.config[key] == model.config[key] for key in ("channels", "size", "widths", "depth"))
    assert not loaded.training
    assert loaded.compute_dtype == torch.float32
    assert visible(folder) == [CONFIG, WEIGHTS]


def test_saving_a_loaded_model_writes_the_same_bytes_and_no_path(saved, tmp_path):
    folder, _ = saved
    save_model(tmp_path / "again", load(folder))
    for file in (CONFIG, WEIGHTS):
        assert (tmp_path / "again" / file).read_bytes() == (folder / file).read_bytes()
    assert str(tmp_path) not in (folder / CONFIG).read_text()
    assert set(json.loads((folder / CONFIG).read_text())) == {
        "_class_name", "_diffusers_version", "channels", "size", "widths", "depth",
    }  # fmt: skip


def test_loads_what_diffusers_saves(saved, tmp_path):
    _, model = saved
    model.save_pretrained(tmp_path / "theirs")
    (tmp_path / "theirs/diffusion_pytorch_model.safetensors").rename(tmp_path / "theirs" / WEIGHTS)
    assert same(load(tmp_path / "theirs").state_dict(), model.state_dict())


def test_half_stores_float16_and_loads_float32(saved, tmp_path):
    _, model = saved
    save_model(tmp_path / "half", model, half=True)
    stored = load_file(tmp_path / "half" / WEIGHTS)
    loaded = load(tmp_path / "half").state_dict()
    for key, tensor in model.state_dict().items():
        if tensor.dtype == torch.float32:
            assert stored[key].dtype == torch.float16
            assert torch.equal(loaded[key], tensor.half().float())
        else:
            assert stored[key].dtype == loaded[key].dtype == tensor.dtype


def test_half_refuses_what_float16_cannot_hold(saved, tmp_path):
    _, model = saved
    model.scale.fill_(1e5)
    with pytest.raises(InputError, match=r"float16.*scale"):
        save_model(tmp_path / "half", model, half=True)
    assert not (tmp_path / "half").exists()


def test_bfloat16_is_what_networks_compute_in_and_not_what_weights_are(saved):
    model = load("set/toy", dtype="bfloat16")
    assert model.compute_dtype == torch.bfloat16
    assert model.conv.weight.dtype == torch.float32
    assert Toy.compute_dtype == torch.float32


def test_metadata_is_kept(saved, tmp_path):
    save_model(tmp_path / "noted", saved[1], {"images": "5"})
    with safe_open(tmp_path / "noted" / WEIGHTS, "pt") as file:
        assert file.metadata() == {"format": "pt", "images": "5"}


def test_channels_last_and_tied_weights_are_saved(tmp_path):
    weight = torch.randn(2, 3, 4, 4)
    checkpoint.write_tensors(
        tmp_path / "x.safetensors",
        {"a": weight.to(memory_format=torch.channels_last), "b": weight, "c": weight[:, :1]},
    )
    found = load_file(tmp_path / "x.safetensors")
    assert torch.equal(found["a"], weight)
    assert torch.equal(found["b"], weight)
    assert torch.equal(found["c"], weight[:, :1])


def test_loading_leaves_the_random_numbers_alone(saved):
    before = torch.get_rng_state()
    load("set/toy")
    assert torch.equal(before, torch.get_rng_state())


# Bad checkpoints


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"_class_name": "UNet2DModel"}, "UNet2DModel.*newer version"),
        ({"_class_name": None}, "has no _class_name"),
        ({"_class_name": 3}, "has no _class_name"),
        ({"heads": 8}, r"does not know \(heads\).*newer version"),
        ({"size": 0}, "can be built: size is too small"),
        ({"widths": "wide"}, "not describe a Toy that can be built"),
        ({"channels": 3}, "conv.weight of shape"),
        ({"depth": 10**15}, "scale of shape .* calls for"),
    ],
)
def test_refuses_a_config_that_does_not_fit(saved, changes, message):
    edit_config(saved[0], **changes)
    with pytest.raises(InputError, match=message):
        load("set/toy")


def test_a_setting_left_out_takes_its_default(saved):
    edit_config(saved[0], depth=None, size=None)
    assert load("set/toy").config.size == 4


def test_refuses_a_config_that_lacks_a_setting_without_default(saved, monkeypatch):
    class Strict(Toy):
        @register_to_config
        def __init__(self, channels: int, size: int = 4):
            super().__init__()

    monkeypatch.setitem(FAMILIES, "toy", Strict)
    edit_config(saved[0], _class_name="Strict", channels=None, widths=None, depth=None)
    with pytest.raises(InputError, match="lacks settings that Strict needs: channels"):
        load("set/toy")


@pytest.mark.parametrize("text", ["", "{", "[1]", "\xff", "[" * 100_000])
def test_refuses_a_config_that_is_no_json_object(saved, text):
    (saved[0] / CONFIG).write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="JSON"):
        load("set/toy")
    assert "JSON" in entries()[0].problem


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("scale"), "lacks weights .*scale"),
        (lambda t: t.update(more=torch.zeros(1)), "does not call for: more"),
        (lambda t: t.update(scale=torch.zeros(2)), r"scale of shape \(2,\).*calls for \(1,\)"),
        (lambda t: t["scale"].fill_(float("nan")), "NaN or infinity in scale"),
        (lambda t: t["scale"].fill_(float("-inf")), "NaN or infinity in scale"),
        (lambda t: t.update(scale=torch.full((1,), 1e300, dtype=torch.float64)), "NaN or infinity in scale"),
        (lambda t: t.update(scale=torch.ones(1, dtype=torch.int64)), "int64 for scale, which should be torch.float32"),
    ],
)
def test_refuses_weights_that_do_not_fit(saved, change, message):
    edit_weights(saved[0], change)
    with pytest.raises(InputError, match=message):
        load("set/toy")


def test_refuses_weights_cut_short(saved):
    weights = saved[0] / WEIGHTS
    whole = weights.read_bytes()
    for length in (0, 4, 60, len(whole) // 2, len(whole) - 1):
        weights.write_bytes(whole[:length])
        with pytest.raises(InputError, match="damaged, cut short"):
            load("set/toy")
        assert "cut short" in entries()[0].problem


class Bomb:
    def __reduce__(self):
        return Path.touch, (Path("marker"),)


@pytest.mark.parametrize("write", [pickle.dump, torch.save])
def test_never_opens_a_pickle(saved, write, tmp_path):
    with (saved[0] / WEIGHTS).open("wb") as file:
        write(Bomb(), file)
    with pytest.raises(InputError, match="pickle"):
        load("set/toy")
    assert "pickle" in entries()[0].problem
    assert not (tmp_path / "marker").exists()
    pickle.loads(pickle.dumps(Bomb()))
    assert (tmp_path / "marker").exists(), "the bomb is none, so the test above shows nothing"


def test_knows_a_git_lfs_pointer(saved):
    (saved[0] / WEIGHTS).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(InputError, match="git lfs pull"):
        load("set/toy")


def test_refuses_to_save_a_diverged_model_over_a_good_one(saved):
    folder, model = saved
    before = (folder / WEIGHTS).read_bytes()
    with torch.no_grad():
        model.conv.bias[0] = float("nan")
    with pytest.raises(InputError, match=r"NaN or infinity in conv\.bias"):
        save_model(folder, model)
    assert (folder / WEIGHTS).read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [({"dtype": "float61"}, "'float61'.*'float16'"), ({"device": "tpu"}, "no device 'tpu'")],
)
def test_refuses_unknown_options(saved, options, message):
    with pytest.raises(InputError, match=message):
        load("set/toy", **options)


# Names


def test_entries_and_their_names(saved, tmp_path):
    folder, model = saved
    save_model(tmp_path / "runs/set/toy", model)
    save_model(tmp_path / "runs/mine", model)
    save_model(tmp_path / "shipped/a/b/c", model)
    write_json(folder / RUN, {"seed": 1})
    (tmp_path / "runs/mine" / RUN).write_text("{")
    found = {entry.name: entry for entry in entries()}
    assert list(found) == ["a/b/c", "set/toy", "runs/mine", "runs/set/toy"]
    assert {entry.problem for entry in found.values()} == {""}
    assert {entry.family for entry in found.values()} == {"toy"}
    assert found["set/toy"].run == {"seed": 1}
    assert found["runs/mine"].run == found["a/b/c"].run == {}
    assert found["set/toy"].config["widths"] == [3, 7]
    for name, entry in found.items():
        assert resolve(name) == resolve(entry.path) == entry.path
        assert same(load(entry).state_dict(), model.state_dict())


def test_entries_leave_out_what_is_half_written_or_hidden(saved, tmp_path):
    folder, model = saved
    save_model(tmp_path / "shipped/set/.hidden", model)
    for file in (CONFIG, WEIGHTS):
        save_model(tmp_path / "runs" / file, model)
        (tmp_path / "runs" / file / file).unlink()
    save_model(tmp_path / "runs/broken", model)
    edit_config(tmp_path / "runs/broken", heads=8)
    (folder / f".{WEIGHTS}.tmp-0").touch()
    assert [(entry.name, entry.family, bool(entry.problem)) for entry in entries()] == [
        ("set/toy", "toy", False),
        ("runs/broken", "toy", True),
    ]


def test_the_first_root_wins_a_name(saved, tmp_path, monkeypatch):
    save_model(tmp_path / "other/set/toy", Toy())
    monkeypatch.setenv("GENCORE_CHECKPOINTS", os.pathsep.join([str(tmp_path / "other"), str(tmp_path / "shipped")]))
    assert [entry.path for entry in entries()] == [tmp_path / "other/set/toy"]
    assert resolve("set/toy") == tmp_path / "other/set/toy"


def test_roots_without_the_variable_are_the_project_s_and_the_user_s(monkeypatch, tmp_path):
    monkeypatch.delenv("GENCORE_CHECKPOINTS")
    assert checkpoint.roots() == [Path(checkpoint.__file__).parents[1] / "checkpoints", tmp_path / "runs"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("set/toi", "'set/toi'.*'set/toy'"),
        ("toy", "'set/toy'"),
        ("/nowhere", "no checkpoint '/nowhere'; known: set/toy"),
        ("shipped", "no config.json and model.safetensors there"),
        ("", "no config.json and model.safetensors there"),
        ("model.pt", "is a file; a checkpoint is a folder"),
        ("runs/half", r"half is not a whole checkpoint: it has no model\.safetensors"),
    ],
)
def test_resolve_says_what_there_is(saved, tmp_path, name, message):
    (tmp_path / "model.pt").touch()
    (tmp_path / "runs/half").mkdir(parents=True)
    (tmp_path / "runs/half" / CONFIG).touch()
    with pytest.raises(InputError, match=message):
        resolve(name)


def test_no_checkpoints_at_all():
    assert entries() == []
    with pytest.raises(InputError, match="There is no checkpoint 'set/toy'"):
        load("set/toy")


# Writing


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "read-only"), (errno.EIO, "[Ee]rror")],
)
def test_a_disk_that_refuses_leaves_the_old_files(saved, monkeypatch, number, message):
    folder, _ = saved
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    plain = Path.write_bytes

    def refuse(path, data):
        plain(path, data[: len(data) // 2])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(InputError, match=message):
        save_model(folder, Toy(widths=(4, 4)))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before, "another config, or a file left over"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_disk_that_is_really_full(saved, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True).returncode:
        pytest.skip("this machine does not let root mount")
    try:
        save_model(small / "toy", saved[1])
        with pytest.raises(InputError, match="disk is full"):
            save_model(small / "toy", Toy(widths=(100, 10_000)))
        assert visible(small / "toy") == [CONFIG, WEIGHTS]
        assert same(load(small / "toy").state_dict(), saved[1].state_dict())
        subprocess.run(["mount", "-o", "remount,ro", small], check=True)
        with pytest.raises(InputError, match="read-only"):
            save_model(small / "toy", saved[1])
        assert same(load(small / "toy").state_dict(), saved[1].state_dict())
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_file_in_place_of_the_folder(saved, tmp_path):
    (tmp_path / "taken").touch()
    for folder in (tmp_path / "taken", tmp_path / "taken/deeper"):
        with pytest.raises(InputError, match="could not be written"):
            save_model(folder, saved[1])


def test_an_interrupted_write_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    write_json(path, {"old": 1})

    def interrupted(temporary, content):
        temporary.write_text("{")
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, b"{}")
    assert json.loads(path.read_text()) == {"old": 1}
    assert visible(tmp_path) == ["x.json"]


def test_json_is_strict(tmp_path):
    write_json(tmp_path / "x.json", {"name": "é", "items": (1, 2)})
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {"name": "é", "items": [1, 2]}
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "x.json", float("nan"))


def test_a_new_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "plain").touch()
    write_json(tmp_path / "x.json", 1)
    assert (tmp_path / "x.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_next_save_removes_what_a_killed_one_left(saved):
    folder, model = saved
    (folder / f".{WEIGHTS}.tmp-0123-4").write_bytes(b"half")
    (folder / f".{CONFIG}.tmp-0123-4").write_bytes(b"half")
    assert [entry.name for entry in entries()] == ["set/toy"]
    save_model(folder, model)
    assert visible(folder) == [CONFIG, WEIGHTS]


def test_a_process_killed_while_it_saves_leaves_a_checkpoint_that_loads(tmp_path, start):
    folder = tmp_path / "runs/toy"
    script = """
        import sys, itertools, torch
        sys.path.insert(0, sys.argv[2])
        from tests.gencore.test_checkpoint import Toy
        from gencore.checkpoint import save_model
        model = Toy(widths=(400, 300_000))
        for i in itertools.count():
            model.load_state_dict({k: torch.full_like(v, i) for k, v in model.state_dict().items()})
            save_model(sys.argv[1], model)
            print(i, flush=True)
    """
    root = Path(__file__).parents[2]
    process = start([sys.executable, "-c", textwrap.dedent(script), folder, root], stdout=subprocess.PIPE)
    for line in process.stdout:
        if int(line) == 2:
            break
    deadline = time.monotonic() + 20
    while not list(folder.glob(".*.tmp-*")) and time.monotonic() < deadline:
        pass  # strike while a write is under way
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert [entry.name for entry in entries()] == ["runs/toy"]
    model = load("runs/toy")
    values = {float(x.float().flatten()[0]) for x in model.state_dict().values()}
    assert len(values) == 1
    assert values.pop() >= 2
    save_model(folder, model)
    assert visible(folder) == [CONFIG, WEIGHTS]


def test_export_ships_half_the_bytes_and_no_training_state(tmp_path):
    run = PRESETS["digits/vae"]
    settings = {"images": 192, "timelapse": 4, "layout": "contiguous", "dtype": "float32"}
    for _ in train(type(run)(run.family, run.data, run.model, settings), tmp_path / "run"):
        pass
    checkpoint.export(tmp_path / "run", tmp_path / "shipped")
    names = {path.name for path in (tmp_path / "shipped").iterdir()}
    assert names == {checkpoint.CONFIG, checkpoint.WEIGHTS, checkpoint.RUN, "log.jsonl", "timelapse"}
    sizes = [(tmp_path / name / checkpoint.WEIGHTS).stat().st_size for name in ("run", "shipped")]
    assert sizes[1] < 0.6 * sizes[0]
    images = [checkpoint.load(tmp_path / name).generate(range(4)) for name in ("run", "shipped")]
    assert (images[0] - images[1]).abs().max() < 0.02
    with pytest.raises(InputError, match="itself"):
        checkpoint.export(tmp_path / "run", tmp_path / "run")
    (tmp_path / "run/timelapse/9.png").mkdir()  # what cannot be read
    with pytest.raises(InputError, match=r"9\.png cannot be read"):
        checkpoint.export(tmp_path / "run", tmp_path / "again")


def of_one_value(folder, value: float, **config) -> None:
    """Save a consistency model whose weights are all `value`, with a record of its training."""
    model = Consistency(size=8, widths=(8, 16), **config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(value)
    save_model(folder, model)
    checkpoint.write_json(folder / RUN, {"images": int(100 * value), "seconds": 1.5, "init": None})


def test_an_export_of_several_has_the_mean_of_their_weights_and_names_them(tmp_path):
    for value in (1.0, 2.0, 6.0):
        of_one_value(tmp_path / f"{value:g}", value, skew=value)
    checkpoint.export(tmp_path / "1", tmp_path / "mean", [tmp_path / "2", tmp_path / "6"])
    mean = checkpoint.load(tmp_path / "mean")
    assert mean.config.skew == 1.0
    assert all((weight == 3.0).all() for weight in mean.parameters())
    assert json.loads((tmp_path / "mean" / RUN).read_text()) == {
        "images": 100, "seconds": 1.5, "init": None,
        "averaged_with": [{"checkpoint": str(tmp_path / "2"), "images": 200, "seconds": 1.5},
                          {"checkpoint": str(tmp_path / "6"), "images": 600, "seconds": 1.5}],
    }  # fmt: skip
    checkpoint.export(tmp_path / "1", tmp_path / "2", [tmp_path / "2"])  # in the place of one of them
    assert all((weight == 1.5).all() for weight in checkpoint.load(tmp_path / "2").parameters())


def test_what_has_no_mean_is_refused_and_nothing_is_written(tmp_path):
    of_one_value(tmp_path / "one", 1.0)
    of_one_value(tmp_path / "deeper", 1.0, layers=2)
    save_model(tmp_path / "ddpm", DDPM(size=8, widths=(8, 16)))
    for other in ("deeper", "ddpm"):
        with pytest.raises(InputError, match=f"{other} cannot be averaged with it: both have to be of one family"):
            checkpoint.export(tmp_path / "one", tmp_path / "mean", [tmp_path / other])
    for name in ("vae", "other"):  # sigma and its prior are fitted to its own encoder
        model = VAE(size=8, widths=(8, 16))
        for buffer in model.buffers():
            buffer.add_(len(name))
        save_model(tmp_path / name, model)
    with pytest.raises(InputError, match="other cannot be averaged: its sigma was fitted to its own weights"):
        checkpoint.export(tmp_path / "vae", tmp_path / "mean", [tmp_path / "other"])
    with pytest.raises(InputError, match="There is no checkpoint 'mnist/nosuch'"):
        checkpoint.export(tmp_path / "one", tmp_path / "mean", ["mnist/nosuch"])
    assert not (tmp_path / "mean").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
@pytest.mark.parametrize("name", [CONFIG, RUN, WEIGHTS])
def test_a_pipe_is_no_file_and_nobody_waits_for_it(saved, name):
    path = saved[0] / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    (entry,) = (entry for entry in entries() if entry.name == "set/toy")
    assert entry.problem == ("" if name == RUN else f"{path} is no file.")


@pytest.mark.parametrize("size", [-28, 0, 10**6])
def test_a_size_that_no_image_has_is_no_model(saved, size):
    edit_config(saved[0], size=size)
    with pytest.raises(InputError, match="size is too small or too large, not from 1 to 1024"):
        load("set/toy")


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"size": True}, "size must be a whole number, not True"), ({"size": 28.5}, "size must be a whole number"),
     ({"size": "8"}, "size must be a whole number, not '8'"), ({"size": float("nan")}, "size must be"),
     ({"size": 10**30}, "size is too small or too large"), ({"size": [8]}, "size must be"),
     ({"channels": 2}, r"channels must be 1 \(grey\) or 3 \(RGB\), not 2"), ({"channels": True}, "channels must be"),
     ({"channels": 10**12}, "channels must be"), ({"channels": -1}, "channels must be"),
     ({"widths": []}, "widths must be a list of whole numbers of 1 or more"), ({"widths": [8, 0]}, "widths must be"),
     ({"widths": [8, True]}, "widths must be"), ({"widths": [40_000, 40_000, "x"]}, "widths must be"),
     ({"widths": [8, 8.0]}, "widths must be"), ({"widths": [8] * 5000}, "can be built"),
     ({"latent": -1}, "can be built"), ({"latent": 2.5}, "latent must be"), ({"latent": 10**30}, "can be built"),
     ({"blocks": 10**9}, "it calls for many more weights than there are"), ({"blocks": "2"}, "blocks must be"),
     ({"sigma_floor": float("nan")}, "sigma_floor must be a finite number"), ({"sigma_floor": 10**400}, "sigma_floor"),
     ({"sigma_floor": "x"}, "sigma_floor must"),
     ({"components": 10**12}, "calls for")],
)  # fmt: skip
def test_no_value_of_a_config_takes_memory_or_time(tmp_path, monkeypatch, changes, words):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    save_model(tmp_path / "set/vae", FAMILIES["vae"](channels=1, size=8, widths=(8, 8)))
    edit_config(tmp_path / "set/vae", **changes)
    monkeypatch.setattr(checkpoint, "_build", lambda folder: pytest.fail("it was built"))
    with pytest.raises(InputError, match=words):
        load("set/vae")


def test_every_shipped_checkpoint_is_loaded(monkeypatch):
    """Also those whose settings were of other kinds when they were saved: `augment` was true or false."""
    monkeypatch.delenv("GENCORE_CHECKPOINTS")
    shipped = [entry for entry in entries() if not entry.name.startswith("runs/")]
    assert shipped and not [entry.problem for entry in shipped if entry.problem]
    for entry in shipped:
        load(entry)


def test_counting_weights_concerns_the_thread_that_loads_alone(saved):
    with checkpoint._few_weights(1), pytest.raises(InputError, match="many more weights"):
        nn.Linear(1, 1)
    nn.Linear(1, 1)
    with checkpoint._few_weights(0):
        other = threading.Thread(target=lambda: made.append(nn.Linear(1, 1)))
        made = []
        other.start()
        other.join()
    assert made


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_pipes_folders_and_devices_beside_a_checkpoint_hang_nothing(saved, tmp_path):
    """Its log, a picture, rows, and kept samples: whoever lists, exports, resumes or evaluates reads them."""
    folder, _ = saved
    for name in ("log.jsonl", "timelapse/1.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        os.mkfifo(folder / name)
        with pytest.raises(InputError, match=f"{Path(name).name} cannot be read"):
            checkpoint.export(folder, tmp_path / "again")
        (folder / name).unlink()
    os.mkfifo(tmp_path / "rows.jsonl")
    assert "it is no file" in rows.read(tmp_path / "rows.jsonl")[1][0]
    with pytest.raises(OSError, match="it is no file"), lock(tmp_path / "rows.jsonl"):
        pass
    assert rows.read(Path("/dev/zero"))[0] == rows.read(tmp_path)[0] == []
    (folder / CONFIG).unlink()
    (folder / CONFIG).symlink_to("/dev/zero")
    assert entries()[0].problem == f"{folder / CONFIG} is no file."
    os.mkfifo(tmp_path / "state.safetensors")
    with pytest.raises(InputError, match="damaged or not a training state"):
        list(train(PRESETS["digits/vae"], tmp_path, resume=True))


def test_json_that_would_fill_the_memory_is_not_read(saved, monkeypatch):
    monkeypatch.setattr(checkpoint, "MOST_JSON", 50)
    with pytest.raises(InputError, match=r"has \d+ bytes; 50 are the most that is read of a file of JSON"):
        load("set/toy")
    assert "most that is read" in entries()[0].problem


def test_a_config_that_asks_for_more_weights_than_there_are_takes_no_memory(tmp_path, monkeypatch):
    """Convolutions of 30,000 channels, 32 GB, beside a file of a few kB."""
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    save_model(tmp_path / "set/vae", FAMILIES["vae"](channels=1, size=8, widths=(8, 8)))
    edit_config(tmp_path / "set/vae", widths=[30_000, 30_000])
    monkeypatch.setattr(checkpoint, "_build", lambda folder: pytest.fail("it was built"))
    with pytest.raises(InputError, match=r"of shape .* but its config\.json calls for"):
        load("set/vae")
