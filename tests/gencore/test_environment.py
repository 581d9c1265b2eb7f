"""What torchrun and shells say of processes and threads, and what they say wrongly: a sentence in every command."""

import pytest
from typer.testing import CliRunner

from gencore.cli import app
from gencore.environment import MEETING, RANK, THREADS, WORLD, check_environment, is_first, processes
from gencore.errors import InputError


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    for name in (WORLD, RANK, *MEETING, *THREADS):
        monkeypatch.delenv(name, raising=False)


def say(monkeypatch, **told):
    for name, value in told.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("told", "words"),
    [({WORLD: "abc"}, "WORLD_SIZE must be a whole number from 1 to 100000, not 'abc'"),
     ({WORLD: "0"}, "WORLD_SIZE must"), ({WORLD: "-2"}, "WORLD_SIZE must"),
     ({WORLD: "9" * 30}, "WORLD_SIZE must"), ({WORLD: "٣"}, "WORLD_SIZE must"),
     ({RANK: "x"}, "RANK must be a whole number from 0"), ({RANK: "1.0"}, "RANK must"),
     ({WORLD: "2"}, "WORLD_SIZE is 2, but RANK and MASTER_ADDR and MASTER_PORT say nothing: start"),
     ({WORLD: "2", RANK: "2", "MASTER_ADDR": "x", "MASTER_PORT": "1"}, "RANK must be less than WORLD_SIZE"),
     ({"OMP_NUM_THREADS": "100000"}, "OMP_NUM_THREADS must be a whole number from 1 to 1024"),
     ({"OMP_NUM_THREADS": "0"}, "OMP_NUM_THREADS must"), ({"MKL_NUM_THREADS": "many"}, "MKL_NUM_THREADS must")],
)  # fmt: skip
@pytest.mark.parametrize("command", ["train", "evaluate", "benchmark", "compare"])
def test_what_is_no_number_of_processes_or_threads_is_a_sentence(monkeypatch, told, words, command):
    say(monkeypatch, **told)
    with pytest.raises(InputError, match=words):
        check_environment()
    done = CliRunner().invoke(app, [command, "digits/vae"])
    assert done.exit_code == 2 and words in done.stderr and "\n" not in done.stderr.strip()


@pytest.mark.parametrize("threads", ["100000", "1025", "-1", "x", "1.5"])
def test_threads_of_a_training_are_so_too(threads):
    done = CliRunner().invoke(app, ["train", "digits/vae", f"threads={threads}"])
    assert done.exit_code == 2 and done.stderr.startswith("Error: threads must be ")


def test_what_torchrun_and_shells_say_is_taken(monkeypatch):
    check_environment()
    assert processes() == 1 and is_first()
    say(monkeypatch, RANK="3")  # as some clusters do for jobs of one process
    assert is_first()
    say(monkeypatch, WORLD_SIZE="4", MASTER_ADDR="127.0.0.1", MASTER_PORT="29500", OMP_NUM_THREADS="4,2")
    check_environment()
    assert processes() == 4 and not is_first()
    say(monkeypatch, RANK="0", WORLD_SIZE="")
    assert processes() == 1 and is_first()


def test_a_comparison_works_in_one_process(monkeypatch):
    say(monkeypatch, WORLD_SIZE="2", RANK="0", MASTER_ADDR="127.0.0.1", MASTER_PORT="29500")
    done = CliRunner().invoke(app, ["compare", "digits", "--minutes", "1"])
    assert done.exit_code == 2 and "compare works in one process" in done.stderr
