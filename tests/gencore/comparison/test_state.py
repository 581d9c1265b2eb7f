import json
import os
import signal
import subprocess
import sys

import pytest

from gencore.comparison.state import FILE, LOCK, Member, State, read_state, write_state
from gencore.errors import InputError
from gencore.locks import alone, owner
from tests.support.processes import HOLD


def a_state(**changes):
    members = (Member("vae", "vae", {"widths": [16, 32]}, {"lr": 1e-3}, ("Small images.",), 60.0),)
    return State("photos", {"size": 16}, 1.0, members, "2026-11-28 20:00:00", **changes)


def test_a_state_is_read_as_it_was_written(tmp_path):
    state = a_state(phase="training", share=0.5, eta_s=12.5, sentences=("One.", "Two."), n=200)
    write_state(tmp_path, state.with_member("vae", state="training", images=640, words="Learning."))
    read = read_state(tmp_path)
    assert read.member("vae").images == 640 and read.member("vae").reasons == ("Small images.",)
    assert (read.share, read.eta_s, read.sentences) == (0.5, 12.5, ("One.", "Two."))
    assert read.interrupted and not read.running
    assert "running" not in json.loads((tmp_path / FILE).read_text())


@pytest.mark.parametrize("text", ["", "[]", "{", '{"data": "x"}', '{"members": 3}', '{"members": [{"colour": 1}]}'])
def test_what_is_no_state_is_refused_in_a_sentence(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InputError, match=FILE):
        read_state(tmp_path)


def test_a_folder_without_a_comparison_is_refused(tmp_path):
    with pytest.raises(InputError, match="no comparison"):
        read_state(tmp_path)


@pytest.fixture
def holder(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path / LOCK)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_and_told_of_the_first(tmp_path, holder):
    write_state(tmp_path, a_state(phase="training"))
    assert owner(tmp_path / LOCK).pid == holder.pid
    assert read_state(tmp_path).running
    with (
        pytest.raises(InputError, match=f"compared by process {holder.pid} since 2"),
        alone(tmp_path / LOCK, "compared"),
    ):
        pass
    holder.communicate("")
    assert not (tmp_path / LOCK).exists(), "it leaves nothing behind"


def test_a_killed_process_holds_nothing(tmp_path, holder):
    write_state(tmp_path, a_state(phase="training"))
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / LOCK).exists() and owner(tmp_path / LOCK) is None
    assert read_state(tmp_path).interrupted
    with alone(tmp_path / LOCK, "compared") as mine:
        assert mine.pid == os.getpid()


@pytest.mark.parametrize(
    "odd",
    [{"words": 5}, {"minutes": "20"}, {"phase": "dreaming"}, {"sentences": [1]}, {"members": [{"family": "vae"}]},
     {"members": [{"family": "vae", "checkpoint": 5}]},
     {"members": [{"family": "vae", "checkpoint": "vae", "seconds": "1"}]},
     {"view": "big"}, {"eta_s": True}],
)  # fmt: skip
def test_a_state_of_other_types_is_refused(tmp_path, odd):
    """It may come in anybody's ZIP."""
    write_state(tmp_path, State("digits", {}, 1.0, (Member("vae", "vae"),), "2026-01-01 00:00:00"))
    told = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps(told | odd))
    with pytest.raises(InputError, match="not what a comparison writes"):
        read_state(tmp_path)
