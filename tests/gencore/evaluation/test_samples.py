"""Kept samples: what was written comes back to the bit, what is torn or foreign is noticed, nothing else is touched."""

import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from gencore import locks
from gencore.errors import InputError
from gencore.evaluation import rows, samples
from gencore.evaluation.samples import Samples
from gencore.locks import lock

ABOUT = {
    "dataset": "digits", "checkpoint": "digits/vae", "failure": "", "hash": "0" * 16, "revision": 0,
    "knobs": {"prior": "mixture", "temperature": 1.0},
    "settings": {"dtype": "float32", "layout": "contiguous", "batch": 8}, "machine": {"device": "cpu", "name": "Toy"},
}  # fmt: skip
MADE = {"threads": 1, "date": "2026-11-28"}
WRITER = """
import json, sys, torch
from gencore.evaluation.samples import Samples
about, made = json.loads(sys.argv[1]), json.loads(sys.argv[2])
kept = Samples(about)
with kept.alone():
    for place in range(1250):
        kept.add(0, torch.full((8, 3, 32, 32), place % 251, dtype=torch.uint8), 0.5, made)
        if not place:
            print("at it", flush=True)
    sys.stdin.read()  # holds its lock until the test that started it lets it go
"""


class Filling(io.BufferedRandom):
    """A file on a disk that is full after some writes."""

    def __init__(self, path, mode, writes):
        super().__init__(io.FileIO(path, mode))
        self.left = writes

    def write(self, content):
        if not self.left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.left -= 1
        return super().write(content)


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", f"/nowhere{os.pathsep}{tmp_path}")
    return tmp_path / "samples"


def images(start, count=8):
    dice = torch.Generator().manual_seed(start)
    return torch.randint(256, (count, 1, 4, 4), generator=dice, dtype=torch.uint8)


def filled(generations=2, batches=3, about=ABOUT):
    kept = Samples(about)
    for generation in range(generations):
        for place in range(batches):
            kept.add(generation, images(100 * generation + place), 0.25, MADE)
    return kept


def joined(kept, generation, n):
    return torch.cat(list(kept.read(generation, n)))


def wanted(generation, batches=3):
    return torch.cat([images(100 * generation + place) for place in range(batches)])


class TestKept:
    def test_they_come_back_to_the_bit(self):
        filled()
        again = Samples(ABOUT)
        for generation in range(2):
            assert again.count(generation) == 24
            for n in (24, 17, 8, 1):
                assert torch.equal(joined(again, generation, n), wanted(generation)[:n])
            assert [len(part) for part in again.read(generation, 17)] == [8, 8, 1], "a micro-batch at a time"
        assert not again.torn and {key: again.made[key] for key in MADE} == MADE

    def test_numpy_reads_the_file_at_any_time(self):
        kept = Samples(ABOUT)
        for place in range(13):  # the number of images grows from one digit to three
            kept.add(0, images(place), 0.25, MADE)
            assert np.array_equal(np.load(kept.file(0)), wanted(0, place + 1).numpy())

    def test_how_many_are_lacking_and_how_long_they_took(self):
        kept = filled()
        assert [kept.lacking(2, n) for n in (1, 24, 25, 40)] == [0, 0, 16, 32], "whole micro-batches"
        assert kept.lacking(3, 17) == 24
        assert kept.seconds(2, 24) == 1.5 and kept.seconds(2, 9) == 1.0
        with pytest.raises(InputError, match="24 images, fewer than 25"):
            joined(kept, 0, 25)

    def test_what_depends_on_anything_else_has_its_own(self):
        names = {Samples(ABOUT).path}
        for key, value in [
            ("hash", "1" * 16), ("checkpoint", "digits/gan"), ("failure", "noise"), ("dataset", "mnist"),
            ("revision", 1),
            ("knobs", {"temperature": 0.9}), ("machine", {"device": "cpu", "name": "Other"}),
            ("settings", {"dtype": "bfloat16", "layout": "contiguous", "batch": 8}),
            ("settings", {"dtype": "float32", "layout": "channels_last", "batch": 8}),
            ("settings", {"dtype": "float32", "layout": "contiguous", "batch": 9}),
        ]:  # fmt: skip
            names.add(Samples(ABOUT | {key: value}).path)
        assert len(names) == 11

    def test_a_name_that_is_a_path_is_a_file_all_the_same(self, root):
        kept = filled(about=ABOUT | {"checkpoint": "/tmp/some where/" + "x" * 300 + "/../vae"})
        assert kept.path.parent == root and kept.path.exists() and samples.NAMES.fullmatch(kept.path.name)


class TestTorn:
    @pytest.mark.parametrize("bytes_left", [0, 60, 128, 128 + 16, 128 + 16 * 8 + 5, 128 + 16 * 23])
    def test_a_file_that_was_cut_short(self, bytes_left):
        path = filled().file(0)
        os.truncate(path, bytes_left)
        again = Samples(ABOUT)
        whole = max(bytes_left - 128, 0) // (16 * 8) * 8
        assert (again.count(0), again.count(1)) == (whole, 24)
        [sentence] = again.torn
        assert str(path) in sentence and f"from image {whole} of 24 on" in sentence
        if bytes_left != 60:  # half a header is no file of ours
            self.made_again(again, whole)

    def made_again(self, kept, start):
        for place in range(start // 8, 3):
            kept.add(0, images(place), 0.25, MADE)
        again = Samples(ABOUT)
        assert torch.equal(joined(again, 0, 24), wanted(0)) and not again.torn
        assert np.array_equal(np.load(again.file(0)), wanted(0).numpy())

    def test_one_changed_pixel_is_noticed(self):
        path = filled().file(1)
        content = bytearray(path.read_bytes())
        content[128 + 16 * 8 + 3] ^= 1
        path.write_bytes(content)
        again = Samples(ABOUT)
        assert (again.count(0), again.count(1)) == (24, 8) and "from image 8 of 24 on" in again.torn[0]

    def test_a_file_that_is_gone(self):
        filled().file(0).unlink()
        again = Samples(ABOUT)
        assert again.count(0) == 0 and len(again.torn) == 1
        self.made_again(again, 0)

    def test_a_ledger_that_was_cut_short_knows_one_batch_less(self):
        kept = filled(1)
        os.truncate(kept.path, kept.path.stat().st_size - 20)
        again = Samples(ABOUT)
        assert again.count(0) == 16 and not again.torn
        self.made_again(again, 16)

    def test_lines_that_are_none_are_passed_over(self):
        kept = filled()
        lines = kept.path.read_bytes().splitlines(keepends=True)
        shapes = {"[1, 1, 1, 1]": -1, "[8, 1]": 0, "[8, 1, 4, 0]": 0}
        batches = [
            f'{{"generation": {generation}, "start": 0, "shape": {shape}, "crc32": 0, "seconds": 0}}\n'.encode()
            for shape, generation in shapes.items()
        ]
        odd = [b"\xff\n", b"[]\n", b"[" * 100_000 + b"\n", *batches]
        kept.path.write_bytes(b"".join([*odd, *lines, *odd]))
        again = Samples(ABOUT)
        assert torch.equal(joined(again, 1, 24), wanted(1)) and not again.torn

    @pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"\x93NUMPY", bytes(500)])
    def test_another_program_s_file_is_not_overwritten(self, content):
        kept = filled(1)
        kept.file(1).write_bytes(content)
        with pytest.raises(InputError, match="move it away"):
            kept.add(1, images(0), 0.25, MADE)
        assert kept.file(1).read_bytes() == content and Samples(ABOUT).count(0) == 24

    def test_images_of_another_size_are_not_overwritten(self):
        kept = filled(1)
        np.save(kept.file(1), np.zeros((8, 1, 5, 5), np.uint8))
        with pytest.raises(InputError, match="move it away"):
            kept.add(1, images(0), 0.25, MADE)

    def test_a_full_disk_is_one_sentence_and_nothing_is_lost(self, monkeypatch):
        kept = filled(1)

        def full(*_):
            raise InputError("the disk is full")

        monkeypatch.setattr(samples, "append_line", full)
        with pytest.raises(InputError, match="the disk is full"):
            kept.add(0, images(3), 0.25, MADE)
        again = Samples(ABOUT)
        assert torch.equal(joined(again, 0, 24), wanted(0)) and not again.torn

    @pytest.mark.parametrize(("generation", "writes"), [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)])
    def test_a_disk_that_is_full_meanwhile(self, monkeypatch, generation, writes):
        """In a file with images and in a new one, before each of the writes: once there is room, it goes on."""
        kept = filled(1)
        with monkeypatch.context() as patch:
            patch.setattr(type(kept.path), "open", lambda path, mode: Filling(path, mode, writes))
            with pytest.raises(InputError, match="the disk is full; make room"):
                kept.add(generation, images(3), 0.25, MADE)
        again = Samples(ABOUT)
        assert torch.equal(joined(again, 0, 24), wanted(0)) and again.count(1) == 0 and not again.torn
        again.add(generation, images(3), 0.25, MADE)
        assert torch.equal(joined(Samples(ABOUT), generation, again.count(generation))[-8:], images(3))
        assert len(np.load(again.file(generation))) == again.count(generation)

    def test_a_ledger_without_its_first_line_tells_nothing(self):
        kept = filled(1)
        kept.path.write_bytes(b"".join(kept.path.read_bytes().splitlines(keepends=True)[1:]))
        again = Samples(ABOUT)
        assert again.count(0) == 0 and again.made == {} and not again.torn
        self.made_again(again, 0)
        assert Samples(ABOUT).made["threads"] == 1

    def test_a_folder_that_cannot_be_written_to(self, root):
        root.write_text("a file where the folder should be")
        with pytest.raises(InputError) as refusal, Samples(ABOUT).alone():
            pass
        assert str(root) in str(refusal.value) and "\n" not in str(refusal.value)


class TestProcesses:
    @pytest.fixture
    def writer(self, start):
        words = [sys.executable, "-c", WRITER, json.dumps(ABOUT), json.dumps(MADE)]
        return lambda: start(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL to send")
    def test_killed_while_it_writes_it_loses_one_batch_at_the_most(self, writer):
        process = writer()
        process.stdout.readline()
        path = Samples(ABOUT).path
        while len(path.read_bytes().splitlines()) < 20:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        told = sum(b"crc32" in line for line in path.read_bytes().splitlines() if line.endswith(b"}"))
        again = Samples(ABOUT)
        assert not again.torn and again.count(0) == 8 * told >= 8 * 19
        for place, part in enumerate(again.read(0, again.count(0))):
            assert part.unique().tolist() == [place % 251]
        with again.alone() as free:
            assert free, "the killed one's lock is gone"

    def test_one_at_a_time(self, writer):
        process = writer()
        process.stdout.readline()
        with Samples(ABOUT).alone() as free:
            assert not free
        with Samples(ABOUT | {"hash": "1" * 16}).alone() as free:
            assert free, "another point"
        assert samples.forget()[2] == [f"{Samples(ABOUT).path} is left: another evaluation is making its images."]
        process.kill()
        process.wait()

    def test_who_comes_second_sees_what_the_first_has_made(self):
        second = Samples(ABOUT)
        filled(1)
        assert second.count(0) == 0
        with second.alone() as free:
            assert free and second.count(0) == 24

    def test_a_lock_is_for_one(self, tmp_path):
        path = tmp_path / "file"
        with lock(path) as free:
            assert free
            with lock(path) as other:
                assert not other
        with lock(path) as free:
            assert free

    @pytest.mark.skipif(os.name == "nt", reason="Windows does not remove an open file")
    def test_a_lock_on_a_file_that_was_removed_is_none(self, tmp_path, monkeypatch):
        path, acquire = tmp_path / "file", locks._acquire

        def late(file):
            path.unlink()
            acquire(file)

        monkeypatch.setattr(locks, "_acquire", late)
        with lock(path) as free:
            assert not free and not path.exists()

    @pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
    def test_a_disk_without_locks_is_said_and_not_waited_for(self, tmp_path, monkeypatch, number):
        kept = filled(1)

        def none(_):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(locks, "_acquire", none)
        with pytest.raises(InputError, match=os.strerror(number)), kept.alone():
            pass
        with pytest.raises(InputError, match=os.strerror(number)):
            rows.append_unless(tmp_path / "rows.jsonl", {}, lambda row: False)
        assert samples.forget()[2] == [f"{kept.path} is left: {os.strerror(number)}."] and kept.path.exists()


class TestForget:
    def test_all_or_one_checkpoint_s_and_nothing_else(self, root):
        kept, other, noise = (filled(about=ABOUT | more) for more in (
            {}, {"checkpoint": "digits/gan"}, {"checkpoint": "", "failure": "noise"}
        ))  # fmt: skip
        (root / "notes.txt").write_text("mine")
        (root / "my-0123456789abcdef.jsonl").write_text('{"mine": 1}\n')
        (root / "my-0123456789abcdef.0.npy").write_bytes(b"mine")
        size = samples.bytes_kept()
        assert size == sum(
            path.stat().st_size for path in root.iterdir() if "my" not in path.name and path.suffix != ".txt"
        )
        assert sorted(samples.owner(one) for one in samples.ledgers().values()) == [
            "digits",
            "digits/gan",
            "digits/vae",
        ]
        points, cleared, problems = samples.forget(["digits/gan"])
        assert points == 1 and 0 < cleared < size and not problems
        assert kept.path.exists() and noise.path.exists() and not other.path.exists() and not other.file(0).exists()
        assert samples.forget(["digits"])[0] == 1 and samples.forget()[0] == 1 and samples.forget() == (0, 0, [])
        assert {path.name for path in root.iterdir()} == {
            "notes.txt", "my-0123456789abcdef.jsonl", "my-0123456789abcdef.0.npy",
        }  # fmt: skip

    def test_there_may_be_no_folder(self, root):
        assert samples.bytes_kept() == 0 and samples.forget() == (0, 0, []) and not root.exists()

    def test_who_waits_for_a_cleared_ledger_s_lock_finds_nothing_in_it(self, monkeypatch):
        kept, left = filled(1), []

        @contextmanager
        def watched(path):
            with lock(path) as free:
                yield free
                left.append(path.read_bytes() if path.exists() else b"")

        monkeypatch.setattr(samples, "lock", watched)
        assert samples.forget()[0] == 1 and left == [b""] and not kept.path.exists()
