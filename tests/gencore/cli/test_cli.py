"""The command line: what it makes, what it says, and that bad input ends in one sentence and exit code 2."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from gencore.bundle import read_bundle, write_bundle
from gencore.checkpoint import STATE, load, read_tensors, save_model, write_json
from gencore.cli import app
from gencore.cli.options import parse_knobs
from gencore.cli.terminal import duration
from gencore.data import to_uint8
from gencore.errors import InputError
from gencore.evaluation.plan import prepare
from gencore.evaluation.rows import is_stale, read
from gencore.evaluation.samples import KEYS
from gencore.families import FAMILIES
from gencore.family import image_seed
from gencore.presets import PRESETS

ROOT = Path(__file__).resolve().parents[3]
SIZE = 8
TINY = "images=192", "batch=64", "widths=8,8", "timelapse=0", "dtype=float32", "threads=1"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A working folder with an untrained checkpoint of each family at digits' size."""
    folder = tmp_path_factory.mktemp("cli")
    torch.manual_seed(0)
    for name, family in FAMILIES.items():
        save_model(folder / "runs" / "tiny" / name, family(channels=1, size=SIZE, **PRESETS[f"digits/{name}"].model))
    torch.manual_seed(0)
    save_model(folder / "runs" / "colour", FAMILIES["gan"](channels=3, size=SIZE, widths=(8, 8), probe_widths=(8, 8)))
    write_json(folder / "runs/tiny/gan/run.json", {"images": 12_345, "machine": {"device": "cpu"}})
    (folder / "runs/tiny/broken").mkdir()
    (folder / "runs/tiny/broken/config.json").write_text("{")
    (folder / "runs/tiny/broken/model.safetensors").write_bytes(b"")
    return folder


@pytest.fixture(autouse=True)
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.delenv("GENCORE_CHECKPOINTS", raising=False)
    monkeypatch.setenv("GENCORE_DEVICE", "cpu")


def run(*arguments):
    """The result of a command line, run in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def done(*arguments):
    result = run(*arguments)
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result


def refused(*arguments):
    """The one sentence with which a command line is refused."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output + repr(result.exception)
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert re.fullmatch(r"(Usage: .*\nTry .*\n\n)?Error: [^\n]+\n", result.stderr)
    return result.stderr


IN_BACKGROUND = "sh", "-c", "trap '' INT; exec \"$@\"", "sh"  # as `&` in a script and nohup start a job
interruptions = pytest.mark.parametrize(
    ("number", "before"), [(signal.SIGINT, ()), (signal.SIGTERM, IN_BACKGROUND)], ids=["ctrl-c", "background"]
)  # fmt: skip


@pytest.fixture
def command(start):
    """Starts a command line as a process of its own."""

    def command(*arguments, before=()):
        words = [*before, sys.executable, "-m", "gencore", *arguments]
        return start(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    return command


class TestList:
    def test_shows_families_with_every_knob(self):
        text = done("list").stdout
        for name, family in FAMILIES.items():
            assert f"{name}: {family.title}" in text
            for knob in family.knobs:
                assert knob.name in text
                assert knob.help in text

    def test_shows_presets(self):
        text = done("list").stdout
        assert all(preset in text for preset in PRESETS)

    def test_shows_checkpoints_with_images_device_and_problem(self):
        lines = {line.split()[0]: line for line in done("list").stdout.splitlines() if line.startswith("  runs/")}
        assert "12,345 images seen, trained on cpu" in lines["runs/tiny/gan"]
        assert "not recorded" in lines["runs/tiny/vae"]
        assert "not usable" in lines["runs/tiny/broken"]


class TestSample:
    def test_npy_of_grey_images_is_what_the_model_generates(self):
        done("sample", "runs/tiny/vae", "--n", 5, "--seed", 3, "--out", "a.npy")
        images = np.load("a.npy")
        expected = to_uint8(load("runs/tiny/vae").generate([image_seed(3, index) for index in range(5)]))
        assert images.dtype == np.uint8
        np.testing.assert_array_equal(images, expected[:, 0].numpy())

    def test_npy_of_colour_images_has_the_channels_last(self):
        done("sample", "runs/colour", "--n", 5, "--out", "colour.npy")
        expected = to_uint8(load("runs/colour").generate([image_seed(0, index) for index in range(5)]))
        np.testing.assert_array_equal(np.load("colour.npy"), expected.permute(0, 2, 3, 1).numpy())

    @pytest.mark.parametrize("name", ["tiny/gan", "colour"])
    def test_grid_and_folder_hold_the_same_pixels(self, name, tmp_path):
        common = ("sample", f"runs/{name}", "--n", 5, "--batch", 2)
        done(*common, "--out", tmp_path / "x.npy")
        done(*common, "--out", tmp_path / "x.png")
        done(*common, "--out", tmp_path / "x")
        images = np.load(tmp_path / "x.npy")
        grid = np.asarray(Image.open(tmp_path / "x.png"))
        assert grid.shape[:2] == (2 * SIZE, 3 * SIZE), "five images: the root is 2.2, so three columns"
        assert not grid[SIZE:, 2 * SIZE :].any(), "the place left over is black"
        for index, image in enumerate(images):
            row, column = divmod(index, 3)
            place = grid[row * SIZE : (row + 1) * SIZE, column * SIZE : (column + 1) * SIZE]
            np.testing.assert_array_equal(place, image)
            np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / f"x/{index:05d}.png")), image)
        assert len(list((tmp_path / "x").iterdir())) == 5

    def test_png_is_grey_for_one_channel(self, tmp_path):
        done("sample", "runs/tiny/gan", "--n", 1, "--out", tmp_path / "x.png")
        assert Image.open(tmp_path / "x.png").mode == "L"

    def test_columns(self, tmp_path):
        done("sample", "runs/tiny/gan", "--n", 4, "--columns", 4, "--out", tmp_path / "x.png")
        assert Image.open(tmp_path / "x.png").size == (4 * SIZE, SIZE)

    @pytest.mark.parametrize("name", list(FAMILIES))
    def test_the_same_command_gives_the_same_bytes(self, name, tmp_path):
        for file in ("a.npy", "b.npy"):
            done("sample", f"runs/tiny/{name}", "--n", 7, "--batch", 3, "--out", tmp_path / file)
        assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()

    @pytest.mark.parametrize("name", list(FAMILIES))
    def test_another_batch_gives_the_same_images(self, name, tmp_path):
        for batch in (2, 7):
            done("sample", f"runs/tiny/{name}", "--n", 7, "--batch", batch, "--out", tmp_path / f"{batch}.npy")
        one, other = (np.load(tmp_path / f"{batch}.npy").astype(int) for batch in (2, 7))
        assert abs(one - other).max() <= 1

    def test_another_seed_shares_no_image(self, tmp_path):
        for seed in (0, 1):
            done("sample", "runs/tiny/gan", "--n", 8, "--seed", seed, "--out", tmp_path / f"{seed}.npy")
        one, other = (np.load(tmp_path / f"{seed}.npy").reshape(8, -1).astype(int) for seed in (0, 1))
        assert (abs(one[:, None] - other[None]).max(-1) > 1).all()

    def test_knobs_reach_the_model(self, tmp_path):
        knobs = "--knob", "sampler=ddim", "--knob", "num_inference_steps=3"
        done("sample", "runs/tiny/ddpm", "--n", 2, *knobs, "--out", tmp_path / "x.npy")
        seeds = [image_seed(0, index) for index in range(2)]
        expected = to_uint8(load("runs/tiny/ddpm").generate(seeds, sampler="ddim", num_inference_steps=3))
        np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), expected[:, 0].numpy())

    def test_a_file_is_replaced_and_nothing_is_left_beside_it(self, tmp_path):
        (tmp_path / "x.npy").write_text("old")
        done("sample", "runs/tiny/gan", "--n", 2, "--out", tmp_path / "x.npy")
        assert np.load(tmp_path / "x.npy").shape == (2, SIZE, SIZE)
        assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]

    def test_a_folder_of_its_own_files_is_replaced(self, tmp_path):
        done("sample", "runs/tiny/gan", "--n", 2, "--out", tmp_path / "x")
        done("sample", "runs/tiny/gan", "--n", 3, "--out", tmp_path / "x")
        assert len(list((tmp_path / "x").iterdir())) == 3

    def test_a_folder_with_other_files_is_refused(self, tmp_path):
        (tmp_path / "thesis.tex").write_text("precious")
        assert "'thesis.tex'" in refused("sample", "runs/tiny/gan", "--n", 2, "--out", tmp_path)

    def test_a_folder_with_images_of_a_larger_run_is_refused(self, tmp_path):
        done("sample", "runs/tiny/gan", "--n", 3, "--out", tmp_path / "x")
        assert "'00002.png'" in refused("sample", "runs/tiny/gan", "--n", 2, "--out", tmp_path / "x")


class TestBadInput:
    @pytest.mark.parametrize("n", [0, -1, 10**6, "1.5", "many", ""])
    def test_number_of_images(self, n):
        assert "--n" in refused("sample", "runs/tiny/gan", f"--n={n}", "--out", "bad.npy")
        assert not Path("bad.npy").exists()

    @pytest.mark.parametrize("seed", [-1, 2**63, "1.5", "x"])
    def test_seed(self, seed):
        assert "seed" in refused("sample", "runs/tiny/gan", f"--seed={seed}", "--out", "bad.npy")

    @pytest.mark.parametrize("option", ["--batch=0", "--columns=0"])
    def test_other_counts(self, option):
        assert option.partition("=")[0] in refused("sample", "runs/tiny/gan", option, "--out", "bad.png")

    @pytest.mark.parametrize("words", [["sample", "--out", "bad.npy"], ["benchmark"]])
    def test_checkpoint(self, words):
        assert "'runs/tiny/gan'" in refused(words[0], "runs/tiny/gam", *words[1:])

    def test_knob_name(self):
        assert "'truncation'" in refused("sample", "runs/tiny/gan", "--knob", "truncate=1", "--out", "bad.npy")

    def test_knob_value(self):
        message = refused("sample", "runs/tiny/ddpm", "--knob", "sampler=dim", "--out", "bad.npy")
        assert "'ddim'" in message
        message = refused("benchmark", "runs/tiny/ddpm", "--knob", "num_inference_steps=0")
        assert "a whole number from 1 to 1000" in message

    @pytest.mark.parametrize("pair", ["truncation", "=1", "truncation="])
    def test_knob_without_name_or_value(self, pair):
        assert "name=value" in refused("sample", "runs/tiny/gan", "--knob", pair, "--out", "bad.npy")

    def test_device_and_dtype(self):
        assert "no device 'gpu'" in refused("sample", "runs/tiny/gan", "--device", "gpu", "--out", "bad.npy")
        assert "no dtype 'float61'" in refused("sample", "runs/tiny/gan", "--dtype", "float61", "--out", "bad.npy")

    def test_preset(self):
        assert "'digits/vae'" in refused("train", "digit/vae")
        assert not Path("runs/digit").exists()

    def test_setting(self):
        assert "'batch'" in refused("train", "digits/vae", "bach=3")

    def test_training_seed(self):
        assert "seed" in refused("train", "digits/vae", "--seed", "-1")

    @pytest.mark.parametrize("out", ["x.jpg", "x.npz", "runs", "runs/tiny/gan/config.json/x.npy"])
    def test_output(self, out):
        assert out in refused("sample", "runs/tiny/gan", "--out", out)

    def test_a_bundle_is_replayed(self, tmp_path):
        """Alone and beside another output; identical, with another pixel, and without its checkpoint."""
        words = "sample", "runs/tiny/vae", "--n", 5, "--seed", 3, "--batch", 2, "--knob", "prior=normal"
        done(*words, "--bundle", "b.zip", "--out", "b.npy")
        again = done("replay", "b.zip").stdout
        assert "runs/tiny/vae" in again and "5 of 5 identical" in again and "largest difference 0 of 255" in again
        told = read_bundle("b.zip")
        np.testing.assert_array_equal(told.lanes[0].images[:, 0], np.load("b.npy"))
        assert told.lanes[0].knobs["prior"] == "normal" and told.batch == 2
        changed = told.lanes[0].images.copy()
        changed[4, 0, 0, 0] ^= 8
        with zipfile.ZipFile("b.zip") as archive:
            settings = json.loads(archive.read("settings.json"))
        settings["machine"]["name"] = "another"
        Path("c.zip").write_bytes(write_bundle(settings, {"vae": changed}))
        other = run("replay", "c.zip")
        assert other.exit_code == 1 and "4 of 5 identical" in other.stdout and "largest difference 8" in other.stdout
        assert "It was made on another machine (another, torch " in other.stderr
        settings["lanes"]["vae"]["hash"] = "0" * 16
        Path("d.zip").write_bytes(write_bundle(settings, {"vae": changed}))
        gone = run("replay", "d.zip")
        assert gone.exit_code == 2 and "no checkpoint here with the weights of 'runs/tiny/vae'" in gone.stderr
        assert "None of the lanes of d.zip could be replayed." in gone.stderr

    def test_where_images_go(self):
        assert "Say where the images go" in refused("sample", "runs/tiny/vae")
        for name in ("b.npy", "b", "none/../b.tar"):
            assert "must be a file that ends in .zip" in refused("sample", "runs/tiny/vae", "--bundle", name)
        assert "no file 'none.zip'" in refused("replay", "none.zip")

    def test_columns_without_a_grid(self):
        assert "--columns" in refused("sample", "runs/tiny/gan", "--columns", 3, "--out", "bad.npy")

    def test_read_only_output(self, tmp_path):
        """A folder where nobody may write, root neither: that of the process in Linux's /proc."""
        closed = Path("/proc/self/fdinfo") if sys.platform == "linux" else tmp_path
        if closed == tmp_path:
            tmp_path.chmod(0o500)
        assert str(closed) in refused("sample", "runs/tiny/gan", "--out", closed / "x.npy")

    @pytest.mark.parametrize("words", [["nonsense"], ["sample"], ["sample", "runs/tiny/gan"], ["list", "--what"]])
    def test_usage(self, words):
        refused(*words)

    def test_repeats(self):
        assert "repeats" in refused("benchmark", "runs/tiny/gan", "--repeats", 0)


class TestPipelines:
    def test_out_to_diffusers_and_back(self, tmp_path):
        out = tmp_path / "pipeline"
        done("export", "runs/tiny/ddpm", "--format", "diffusers", "--out", out)
        done("import", out, "--data", "digits", "--out", "runs/again")
        assert f"ddpm, images seen not recorded, imported from {out.name}" in done("list").stdout
        assert torch.equal(load("runs/again").generate([1, 2]), load("runs/tiny/ddpm").generate([1, 2]))
        shutil.rmtree("runs/again")

    def test_refusals(self, tmp_path):
        assert "no format 'onnx'" in refused("export", "runs/tiny/ddpm", "--format", "onnx", "--out", tmp_path / "a")
        assert "no pipeline for a GAN" in refused("export", "runs/tiny/gan", "--format", "diffusers", "--out", tmp_path)
        mean = "--average-with", "runs/tiny/ddpm", "--out", tmp_path / "a"
        assert "for --format checkpoint" in refused("export", "runs/tiny/ddpm", "--format", "diffusers", *mean)
        assert "runs/tiny/ddpm cannot be averaged with it" in refused("export", "runs/tiny/gan", *mean)
        assert "is a Mine" in refused("import", foreign(tmp_path), "--data", "digits")


def foreign(folder):
    (folder / "model_index.json").write_text('{"_class_name": "Mine"}')
    return folder


class TestBenchmark:
    def test_table(self):
        lines = done("benchmark", "runs/tiny/ddpm", "--n", 2, "--repeats", 2).stdout.splitlines()
        names = [
            "time",
            "time per image",
            "throughput",
            "network calls",
            "FLOPs per image",
            "parameters",
            "peak memory",
        ]
        assert all(any(line.startswith(name + "  ") for line in lines) for name in [*names, "device", "number format"])

    def test_json_with_knobs(self):
        knobs = "--knob", "num_inference_steps=3"
        cost = json.loads(done("benchmark", "runs/tiny/ddpm", "--n", 2, "--repeats", 2, *knobs, "--json").stdout)
        assert (cost["n"], cost["calls"], cost["knobs"]["num_inference_steps"]) == (2, 3, 3)
        assert cost["ms"] > 0

    def test_save(self, place):
        file = place / "runs/tiny/gan/cost.json"
        cost = json.loads(done("benchmark", "runs/tiny/gan", "--n", 1, "--repeats", 1, "--save", "--json").stdout)
        assert json.loads(file.read_text()) == cost
        file.unlink()


class TestFeatures:
    def test_tells_each_file_and_what_it_is_worth(self, tmp_path):
        quick = "--epochs", 1, "--widths", "8,8", "--dtype", "float32"
        lines = done("features", "digits", *quick, "--out", tmp_path).stdout.splitlines()
        folder = tmp_path / "digits" / "features"
        assert [Path(line.partition(":")[0]) for line in lines] == [
            folder / name
            for name in (
                "reference.safetensors", "classifier.safetensors", "classifier-real.safetensors",
                "pixels.safetensors", "pixels-real.safetensors", "self-supervised.safetensors",
                "self-supervised-real.safetensors", "random.safetensors", "random-real.safetensors", "README.md",
            )
        ]  # fmt: skip
        made = json.loads(read_tensors(folder / "classifier.safetensors")[1]["record"])
        assert f"{made['test_accuracy']:.2%}" in lines[1]

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["digit"], "'digits'"),
            (["digits", "--extractor", "pixel"], "'pixels'"),
            (["digits", "--widths", "8,x"], "--widths takes whole numbers"),
            (["digits", "--epochs", "0"], "epochs must be"),
            (["digits", "--seed=-1"], "seed"),
            (["digits", "--dtype", "half"], "dtype is 'half'"),
            (["digits", "--extractor", "dinov2"], "pip install transformers"),
        ],
    )
    def test_bad_input(self, words, said, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "transformers", None)
        monkeypatch.delenv("GENCORE_DATA", raising=False)
        assert said in refused("features", *words, "--out", tmp_path)


@pytest.fixture(scope="module")
def measurable(tmp_path_factory):
    """A root with pixel features of digits and an untrained model of each family."""
    root = tmp_path_factory.mktemp("measurable") / "root"
    torch.manual_seed(0)
    for name, family in FAMILIES.items():
        save_model(root / "digits" / name, family(channels=1, size=SIZE, **PRESETS[f"digits/{name}"].model))
    done("features", "digits", "--extractor", "pixels", "--out", root)
    return root


class TestLadder:
    @pytest.fixture(autouse=True)
    def shipped(self, measurable, monkeypatch):
        monkeypatch.setenv("GENCORE_CHECKPOINTS", str(measurable))

    def test_prints_the_table_and_writes_what_the_page_reads(self, measurable, tmp_path):
        from gencore.evaluation.degradations import DEGRADATIONS

        lines = done("ladder", "digits", "--n", 20, "--out", tmp_path).stdout.splitlines()
        folder = tmp_path / "digits" / "features"
        assert lines[-2:] == [str(folder / "ladder.png"), str(folder / "ladder.json")]
        assert lines[-3].startswith("Default: pixels. Measured in ")
        record = json.loads((folder / "ladder.json").read_text())
        assert (record["default"], record["n"], list(record["hashes"])) == ("pixels", 20, ["pixels"])
        assert lines[0].split() == ["KID", "of", "pixels"]
        for line, one in zip(lines[1:], record["ladders"], strict=False):
            assert line.startswith(DEGRADATIONS[one["key"]].title)
            assert "step" in line or "never" in line
        sight = record["extractors"]["pixels"]
        assert f"{sight['in_order']} of {sight['of']} in order" in lines[len(record["ladders"]) + 1]

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["digit"], "no features"),
            (["digits", "--n", "500"], "5 blocks"),
            (["digits", "--seed=-1"], "seed"),
            (["digits", "--device", "gpu"], "no device"),
        ],
    )
    def test_bad_input(self, words, said, tmp_path):
        assert said in refused("ladder", *words, "--out", tmp_path)


class TestEvaluate:
    QUICK = "--n", 40, "--generations", 2, "--batch", 20, "--dtype", "float32", "--rows", "quality"

    @pytest.fixture(autouse=True)
    def shipped(self, measurable, tmp_path, monkeypatch):
        shutil.copytree(measurable, tmp_path / "root")
        monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "root"))
        self.file = tmp_path / "root" / "digits" / "rows.jsonl"

    def test_says_what_it_will_do_does_it_and_does_it_once(self):
        result = done("evaluate", "digits/vae", "digits/gan", *self.QUICK)
        lines = result.stdout.splitlines()
        assert [line.split("  ")[0] for line in lines[:3]] == [
            "digits, real train images", "digits/vae, fitted prior", "digits/gan, no truncation",
        ]  # fmt: skip
        assert all("2 x 40 images" in line and "about" in line for line in lines[:3])
        assert lines[3].startswith("3 rows, about ") and lines[4] == str(self.file)
        assert [row["checkpoint"] for row in read(self.file)[0]] == ["", "digits/vae", "digits/gan"]
        before = self.file.read_bytes()
        assert "0 rows" in done("evaluate", "digits/vae", *self.QUICK).stdout
        assert self.file.read_bytes() == before

    def test_dry_measures_nothing(self):
        assert "about" in done("evaluate", "digits/vae", *self.QUICK, "--dry").stdout
        assert not self.file.exists()

    def test_what_takes_long_is_said_with_how_to_leave_it_out(self):
        long = "evaluate", "digits/ddpm", "--points", "lecture", *self.QUICK[4:], "--n", 290, "--generations", 100
        said = done(*long, "--dry").stdout
        hint = re.search(r"digits/ddpm, (.*): about .* on this cpu; leave it out with (--skip '.*')", said)
        assert hint, said
        assert "nothing to measure" in refused(*long, "--dry", *shlex.split(hint.group(2)))

    def test_points_by_label_and_a_file_of_one_s_own(self, tmp_path):
        out = tmp_path / "mine" / "rows.jsonl"
        words = "--points", "sweep", "--only", "0.9", "--only", "1.1", "--out", out
        assert f"\n{out}\n" in done("evaluate", "digits/vae", *self.QUICK, *words).stdout
        assert [row["point"]["label"] for row in read(out)[0]] == [
            "real train images", "fitted prior, temperature 0.9", "fitted prior, temperature 1.1",
        ]  # fmt: skip
        assert not self.file.exists()

    def test_bad_lines_are_named_on_stderr(self):
        self.file.write_text("nonsense\n")
        result = done("evaluate", "digits/vae", *self.QUICK)
        assert f"Line 1 of {self.file} is passed over: it is not JSON" in result.stderr
        assert self.file.read_text().startswith("nonsense\n") and len(read(self.file)[0]) == 2

    def test_refusals(self):
        assert "297" in refused("evaluate", "digits/vae", "--n", 298)
        assert "'sweep'" in refused("evaluate", "digits/vae", "--points", "swep")
        assert "generations" in refused("evaluate", "digits/vae", "--generations", 1)
        assert "'digits/vae'" in refused("evaluate", "digits/vea")
        shutil.rmtree(self.file.parent / "features")
        with pytest.raises(InputError) as reason:
            prepare(())
        assert str(reason.value) in refused("evaluate")

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
    @interruptions
    def test_interrupted_it_leaves_what_it_measured_and_goes_on(self, command, number, before):
        # Many generations: the 1000 calls of each must not be over before a busy machine gets to the signal.
        words = "evaluate", "digits/vae", "digits/ddpm", "--points", "lecture", *self.QUICK, "--generations", 12
        process = command(*words, before=before)
        wait_for(lambda: (self.file.exists() and len(read(self.file)[0]) >= 2) or process.poll() is not None)
        process.send_signal(number)  # while the 1000 calls are made
        _, err = process.communicate(timeout=120)
        assert process.returncode == 130, err
        assert re.search(r"Stopped after [12] of 3 rows; the same command goes on", err) and "Traceback" not in err
        kept, problems = read(self.file)
        assert [row["kind"] for row in kept] == ["real", "quality"] and not problems
        said = done(*words, "--dry").stdout
        assert said.startswith("digits/ddpm, ") and "1 rows" in said and "2 more are measured already" in said

    def ledger(self):
        """The lines of the one ledger of kept samples; none before there is one."""
        found = list((self.file.parents[1] / "samples").glob("*.jsonl"))
        return found[0].read_bytes().splitlines() if found else []

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL to send")
    def test_killed_it_goes_on(self, command):
        """In the middle of a row: of what the first process kept nothing is made again, and the row is the same."""
        words = "evaluate", "digits/ddpm", "--only", "DDIM, 20", "--points", "sweep", *self.QUICK, "--generations", 3
        process = command(*words)
        wait_for(lambda: len(self.ledger()) > 2 or process.poll() is not None)
        process.kill()
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL and [row["kind"] for row in read(self.file)[0]] == ["real"]
        before = self.ledger()
        kept = 20 * (len(before) - 1)
        said = done(*words, "--dry").stdout
        assert f"3 x 40 images, {kept} kept" in said and "of it to make images" in said
        done(*words)
        assert self.ledger()[: len(before)] == before and len(self.ledger()) == 1 + 3 * 40 / 20
        found, problems = read(self.file)
        assert [row["kind"] for row in found] == ["real", "quality"] and not problems
        ledger = next((self.file.parents[1] / "samples").glob("*.jsonl"))
        ledger.write_bytes(ledger.read_bytes().splitlines(keepends=True)[0])  # from the start, in the same settings
        for path in ledger.parent.glob("*.npy"):
            path.unlink()
        self.file.unlink()
        done(*words)
        assert read(self.file)[0][1]["scores"] == found[1]["scores"], "bit for bit, as if it had not been killed"

    def test_two_at_once(self, command):
        words = "evaluate", "digits/vae", "digits/gan", *self.QUICK
        both = [command(*words) for _ in range(2)]
        for process in both:
            _, err = process.communicate(timeout=240)
            assert process.returncode == 0, err
        found, problems = read(self.file)
        assert sorted(row["checkpoint"] for row in found) == ["", "digits/gan", "digits/vae"] and not problems
        said = done(*words, "--dry")
        assert "0 rows" in said.stdout and not said.stderr
        assert not [path.name for path in self.file.parent.iterdir() if path.name.startswith(".")]

    def test_what_is_kept_is_said_and_can_be_cleared(self):
        first = done("evaluate", "digits/vae", *self.QUICK).stdout.splitlines()[-1]
        done("evaluate", "digits/gan", *self.QUICK)
        said = done("evaluate", "digits/vae", "digits/gan", *self.QUICK, "--n", 30, "--dry").stdout
        assert said.count("2 x 30 images, all kept") == 2 and "to make images" not in said
        folder = self.file.parents[1] / "samples"
        assert first == f"kept samples: 6 kB in {folder}; python -m gencore evaluate --forget clears them"
        assert "'digits/gan'" in refused("evaluate", "--forget", "digits/gam")
        assert done("evaluate", "--forget", "digits/gan").stdout == "Cleared 6 kB, the samples of 1 points.\n"
        assert {path.name.partition("-")[2][:3] for path in folder.iterdir()} == {"vae"}
        assert "samples of 1 points" in done("evaluate", "--forget").stdout and not list(folder.iterdir())
        assert "samples of 0 points" in done("evaluate", "--forget").stdout

    def test_rows_are_scored_again_from_what_is_kept(self, monkeypatch):
        """No model is loaded and nothing sampled; the scores come out as they were."""
        words = "evaluate", "digits/vae", "digits/ddpm", *self.QUICK
        done(*words), done("evaluate", "digits/vae", *self.QUICK, "--points", "failures", "--only", "noise")
        before = read(self.file)[0]
        for spoil in ("gencore.checkpoint.load", "gencore.evaluation.evaluate.Evaluation.batch"):
            monkeypatch.setattr(spoil, lambda *_, **__: pytest.fail("a model is loaded, or samples"))
        out = self.file.with_name("mine.jsonl")
        said = done("evaluate", "--rescore", "--out", out).stdout
        assert f"{len(before)} of {len(before)} rows have the very scores that they had" in said
        again = read(out)[0]
        passing = ("seconds", "date", "command")
        assert [{key: row[key] for key in row if key not in passing} for row in again] == [
            {key: row[key] for key in row if key not in passing} for row in before
        ]
        said = done("evaluate", "digits/ddpm", "--rescore", "--dry").stdout
        assert "2 rows" in said and "digits/vae" not in said and "noise" not in said, "its own and the baseline"

    @pytest.mark.parametrize(
        ("words", "ignored"),
        [
            (("--forget", "--dry"), "--forget does not go with --dry"),
            (("--forget", "--rescore"), "--forget does not go with --rescore"),
            (("--forget", "--samples", "a.npy"), "--forget does not go with --samples"),
            (("--rescore", "--n", 20), "--rescore does not go with --n"),
            (("--rescore", "--points", "all"), "--rescore does not go with --points"),
            (("--rescore", "--skip-slower-than", 5), "--rescore does not go with --skip-slower-than"),
            (("--rescore", "--batch", 100), "--rescore does not go with --batch"),  # though it is the default
            (("--samples", "a.npy", "--again"), "--samples does not go with --again"),
            (("--samples", "a.npy", "--only", "x"), "--samples does not go with --only"),
            (("--samples", "a.npy", "--rescore"), "--samples does not go with --rescore"),
            (("digits/vae", "--samples", "a.npy"), "--samples does not go with the checkpoints"),
            (("--samples", "a.npy", "b.npy"), "write --samples before each"),
            (("--machine", "Mine"), "--machine is of --samples"),
        ],
    )
    def test_what_would_be_ignored_is_refused_and_nothing_is_cleared(self, words, ignored):
        kept = self.file.parents[1] / "samples" / "digits-vae-0123456789abcdef.jsonl"
        kept.parent.mkdir()
        kept.write_text(json.dumps({"samples": 1, **dict.fromkeys(KEYS, "")}) + "\n")
        assert ignored in refused("evaluate", *words)
        assert kept.exists()

    def test_kept_samples_are_scored_on_the_device_that_was_named(self):
        done("evaluate", "digits/vae", *self.QUICK)
        assert "'abacus'" in refused("evaluate", "--rescore", "--device", "abacus")

    def test_a_row_that_comes_out_as_it_stands_there_is_not_written_again(self):
        done("evaluate", "digits/vae", *self.QUICK)
        before = self.file.read_bytes()
        assert "2 of 2 rows have the very scores that they had" in done("evaluate", "--rescore").stdout
        assert self.file.read_bytes() == before
        self.file.write_bytes(before.replace(b'"version": "', b'"version": "0.0.0-'))
        assert "2 of 2 rows have the very scores that they had" in done("evaluate", "--rescore").stdout
        assert len(read(self.file)[0]) == 4, "another version's are"

    def test_what_cannot_be_scored_again_is_named(self):
        done("evaluate", "digits/vae", "digits/gan", *self.QUICK)
        done("evaluate", "--forget", "digits/gan")
        result = done("evaluate", "--rescore")
        assert "digits/gan: 1 row has no kept samples of all images (no truncation, n = 40)" in result.stderr
        config = self.file.parent / "vae" / "config.json"
        config.write_text(config.read_text() + "\n")
        result = done("evaluate", "--rescore")
        assert "digits/vae, fitted prior, n = 40 stays as it is: the checkpoint has changed since" in result.stderr
        assert [row["kind"] for row in read(self.file)[0]] == ["real", "quality", "quality"], "as they were"
        self.file.unlink()
        assert "no rows to score again" in refused("evaluate", "--rescore")

    def test_images_that_a_row_lacks_are_made_again_and_the_row_is_not_doubled(self):
        done("evaluate", "digits/gan", *self.QUICK)
        before = self.file.read_bytes()
        done("evaluate", "--forget")
        assert "0 rows" in done("evaluate", "digits/gan", *self.QUICK).stdout, "its row is there"
        assert "1 rows" in done("evaluate", "digits/gan", *self.QUICK, "--again").stdout
        assert self.file.read_bytes() == before
        assert "0 rows" in done("evaluate", "digits/gan", *self.QUICK, "--again").stdout, "now they are kept"
        assert "2 of 2 rows have the very scores" in done("evaluate", "--rescore").stdout

    def test_new_features_are_had_from_what_is_kept(self):
        """One command, and every row has the new extractor's scores."""
        done("evaluate", "digits/vae", *self.QUICK)
        root = self.file.parents[1]
        done("features", "digits", "--extractor", "classifier", "--epochs", 1, "--widths", "8,8", "--out", root)
        assert "0 of 2 rows have the very scores" in done("evaluate", "--rescore").stdout
        old, new = read(self.file)[0][:2], read(self.file)[0][2:]
        assert [row["kind"] for row in new] == ["real", "quality"]
        for before, after in zip(old, new, strict=True):
            assert set(after["scores"]) == {"classifier", "pixels"} == set(after["hashes"]) - {"checkpoint"}
            same = before["scores"]["pixels"].keys() - {"sharpness"}  # which stands under the first extractor
            assert all(after["scores"]["pixels"][key] == before["scores"]["pixels"][key] for key in same)

    def test_the_advice_on_a_stale_row_measures_it_again(self):
        """A sweep's, a lecture's, a baseline's and a failure's."""
        for words in (("sweep", "--only", "0.9"), ("lecture", "--only", "N(0"), ("failures", "--only", "noise")):
            done("evaluate", "digits/vae", *self.QUICK, "--points", *words)
        lines = [json.loads(line) for line in self.file.read_text().splitlines()]
        for row in lines:
            row["hashes"] = dict.fromkeys(row["hashes"], "0" * 16)
        assert [row["kind"] for row in lines] == ["real", "quality", "quality", "failure"]
        for row in lines:
            self.file.write_text(json.dumps(row) + "\n")
            advice = is_stale(row).partition("measure it again: python -m gencore ")[2]
            done(*shlex.split(advice))
            assert any(same(new, row) and is_stale(new) == "" for new in read(self.file)[0]), advice

    def test_again(self, monkeypatch):
        monkeypatch.setattr("gencore.evaluation.cost.SECONDS", 0.01)
        monkeypatch.setattr("gencore.evaluation.memory.peak_memory", lambda *_: None)
        words = "evaluate", "digits/vae", "--rows", "cost", "--dtype", "float32"
        done(*words)
        assert "0 rows" in done(*words).stdout and "1 rows" in done(*words, "--again").stdout
        assert [row["kind"] for row in read(self.file)[0]] == ["cost", "cost"]

    def test_stopped_while_it_measures_again_it_says_what_goes_on(self, monkeypatch):
        def stop(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr("gencore.evaluation.costing.cost.count_calls", stop)
        result = run("evaluate", "digits/vae", "--rows", "cost", "--dtype", "float32", "--again")
        assert result.exit_code == 130
        assert "Stopped after 0 of 1 rows; the same command without --again goes on from here." in result.stderr


class TestBound:
    @pytest.fixture(autouse=True)
    def shipped(self, measurable, tmp_path, monkeypatch):
        shutil.copytree(measurable, tmp_path / "root")
        monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "root"))
        self.file = tmp_path / "root" / "digits" / "rows.jsonl"

    @pytest.mark.parametrize("name", ["vae", "ddpm"])
    def test_prints_the_bound_and_adds_its_row(self, name):
        lines = done("bound", f"digits/{name}", "--n", 6, "--batch", 4).stdout.splitlines()
        ((row,), problems) = read(self.file)
        assert row["kind"] == "bound" and not problems and is_stale(row) == ""
        assert lines[0].startswith(f"digits/{name}, likelihood bound: about ") and lines[0].endswith(" for 6 images.")
        said = {line.split("  ")[0]: line for line in lines}
        assert "the first 6 of the test split of digits" in said["images"] and "N(0, I)" in said["prior"]
        nats = row["terms"]["elbo"]["nats"]
        ends = f"[{nats['low']:,.5g}, {nats['high']:,.5g}]"
        assert f"{nats['mean']:,.5g} {ends} nats per image" in said["log P(x) at least"]
        bits = -nats["mean"] / (SIZE**2 * np.log(2))
        assert f" {bits:,.5g} [" in said["which costs at most"], "of bits, fewer is better: the sign is turned"
        assert all(term in said for term in row["terms"] if term != "elbo") and row["uncertainty"] in said["intervals"]
        assert sum(line.startswith("  t = ") for line in lines) == len(row.get("curve", ()))
        assert lines[-1] == str(self.file)

    def test_the_other_file_and_split(self, tmp_path):
        out = tmp_path / "mine.jsonl"
        assert "train split" in done("bound", "digits/vae", "--n", 6, "--split", "train", "--out", out).stdout
        assert read(out)[0][0]["split"] == "train" and not self.file.exists()

    def test_refusals(self, tmp_path):
        assert "A GAN has no bound of the likelihood" in refused("bound", "digits/gan")
        assert "297 images" in refused("bound", "digits/vae", "--n", 298)
        assert "n must be" in refused("bound", "digits/vae", "--n", 1)
        assert "batch must be" in refused("bound", "digits/vae", "--batch", 0)
        assert "'test'" in refused("bound", "digits/vae", "--n", 6, "--split", "tets")
        assert "'digits/vae'" in refused("bound", "digits/vea")
        assert "no dtype 'half'" in refused("bound", "digits/vae", "--dtype", "half")
        (tmp_path / "folder").mkdir()
        assert "folder" in refused("bound", "digits/vae", "--n", 6, "--out", tmp_path / "folder")
        assert not self.file.exists()

    def test_an_evaluation_goes_by_its_row(self):
        done("bound", "digits/vae", "--n", 40)
        done("evaluate", "digits/vae", *TestEvaluate.QUICK)
        assert [row["kind"] for row in read(self.file)[0]] == ["bound", "real", "quality"]
        assert "0 rows" in done("evaluate", "digits/vae", *TestEvaluate.QUICK).stdout

    def test_stopped_it_leaves_no_row(self, monkeypatch):
        def stop(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr("gencore.evaluation.bound.Clock.read", stop)
        result = run("bound", "digits/ddpm", "--n", 6)
        assert result.exit_code == 130 and "Stopped; no row was written." in result.stderr
        assert not self.file.exists()

    def test_the_advice_on_a_stale_row_measures_it_again(self):
        done("bound", "digits/vae", "--n", 6, "--seed", 3, "--split", "train")
        row = json.loads(self.file.read_text())
        self.file.write_text(json.dumps(row | {"hashes": {"checkpoint": "0" * 16}}) + "\n")
        advice = is_stale(read(self.file)[0][0]).partition("measure it again: python -m gencore ")[2]
        done(*shlex.split(advice))
        new = read(self.file)[0][-1]
        assert (new["terms"], new["hashes"], is_stale(new)) == (row["terms"], row["hashes"], "")


def same(one, other):
    """Whether two rows measure the same."""
    return all(one[key] == other[key] for key in ("kind", "dataset", "point", "knobs", "n", "generations"))


class TestTrain:
    def test_trains_into_the_preset_s_folder_and_refuses_to_do_it_again(self, place):
        result = done("train", "digits/vae", *TINY, "--seed", 5)
        assert re.fullmatch(r"Done after 192 images in \d:\d\d: runs/digits/vae\n", result.stdout)
        record = json.loads((place / "runs/digits/vae/run.json").read_text())
        assert (record["preset"], record["seed"], record["images"]) == ("digits/vae", 5, 192)
        before = (place / "runs/digits/vae/model.safetensors").read_bytes()
        assert "--resume" in refused("train", "digits/vae", *TINY)
        assert (place / "runs/digits/vae/model.safetensors").read_bytes() == before
        done("sample", "runs/digits/vae", "--n", 1, "--out", "trained.npy")

    def test_resume_goes_on(self, tmp_path):
        done("train", "digits/gan", *TINY, "probe_widths=8,8", "--out", tmp_path / "x", "--images", 64)
        done("train", "digits/gan", *TINY, "probe_widths=8,8", "--out", tmp_path / "x", "--resume")
        assert json.loads((tmp_path / "x/run.json").read_text())["images"] == 192

    def test_resume_of_nothing_is_refused(self, tmp_path):
        assert STATE in refused("train", "digits/vae", *TINY, "--out", tmp_path / "x", "--resume")


class TestProcess:
    def test_errors_leave_no_traceback(self, command):
        process = command("sample", "runs/tiny/nothing", "--out", "x.npy")
        out, err = process.communicate()
        assert (process.returncode, out) == (2, "")
        assert err.startswith("Error: ")
        assert "Traceback" not in err

    def test_help_does_not_import_torch(self):
        check = "import sys; from gencore.cli import app; sys.exit('torch' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", check], env=os.environ | {"PYTHONPATH": str(ROOT)}).returncode == 0

    def test_another_process_makes_the_same_bytes(self, command, tmp_path):
        words = "sample", "runs/tiny/gan", "--n", 3, "--out"
        process = command(*words, tmp_path / "a.npy")
        done(*words, tmp_path / "b.npy")
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
    @interruptions
    def test_an_interrupted_training_leaves_a_usable_checkpoint(self, tmp_path, command, number, before):
        long = "images=100000000", "timelapse=1", *TINY[1:3], *TINY[4:]
        process = command("train", "digits/vae", *long, "--out", tmp_path / "x", before=before)
        wait_for(lambda: len(list(tmp_path.glob("x/timelapse/*.png"))) > 1 or process.poll() is not None)
        process.send_signal(number)
        _, err = process.communicate(timeout=120)
        assert process.returncode == 130, err
        assert "usable checkpoint" in err
        assert "Traceback" not in err
        done("sample", tmp_path / "x", "--n", 1, "--out", tmp_path / "y.npy")
        assert json.loads((tmp_path / "x/run.json").read_text())["images"] > 0

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
    @interruptions
    def test_an_interrupted_sampling_leaves_nothing(self, tmp_path, command, number, before):
        slow = "--n", 5000, "--knob", "sampler=ddpm", "--knob", "num_inference_steps=1000", "--batch", 1
        process = command("sample", "runs/tiny/ddpm", *slow, "--out", tmp_path / "x", before=before)
        wait_for(lambda: (tmp_path / "x").is_dir() or process.poll() is not None)
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
        assert (process.returncode, out) == (130, ""), err
        assert "Traceback" not in err
        assert all(Image.open(path).size == (SIZE, SIZE) for path in (tmp_path / "x").iterdir())


def wait_for(condition, seconds=120):
    """Wait until `condition()` holds; the limit only keeps a broken program from hanging the tests."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("seconds", "text"), [(7.4, "0:07"), (59.6, "1:00"), (750, "12:30"), (3723, "1:02:03"), (float("inf"), "?")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_the_last_of_two_values_of_a_knob_counts():
    assert parse_knobs(["a=1", "a=2=3"]) == {"a": "2=3"}
    with pytest.raises(InputError):
        parse_knobs(["a"])
