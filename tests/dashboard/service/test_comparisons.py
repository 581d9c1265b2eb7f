"""Comparisons: started, stopped, resumed, in a line, renamed, deleted and brought back, whoever closes the app."""

import os
import signal
import time
from dataclasses import replace

import pytest

from dashboard.service import comparisons, processes, public
from dashboard.service.comparisons import Job, find
from gencore.comparison.state import LOCK, Member, State, write_state
from gencore.errors import InputError
from gencore.locks import alone
from tests.support.comparing import stand_in, until

LONG, SHORT, BROKEN = 5.0, 0.005, 13.0  # minutes


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "runs"))
    for variable in (public.PUBLIC, public.SPACE, public.OPEN):
        monkeypatch.delenv(variable, raising=False)
    stand_in(tmp_path, monkeypatch)
    yield tmp_path / "runs"
    for one in comparisons.comparisons():
        for pid in {one.job.pid, one.state.pid if one.state else 0} - {0}:
            processes.interrupt(pid, signal.SIGKILL)
            assert until(lambda pid=pid: not processes.is_alive(pid))


def status(name):
    comparisons.move_on()
    return find(name).status


def reaches(name, wanted):
    assert until(lambda: status(name) == wanted), (status(name), find(name).problem)


def test_one_runs_to_its_end(root):
    name = comparisons.ask(Job("digits", SHORT))
    assert name == "compare-digits" and status(name) in ("starting", "running")
    reaches(name, "done")
    assert find(name).state.verdict == "Use the VAE."
    with pytest.raises(InputError, match="done"):
        comparisons.resume(name)


def test_the_command_is_the_one_of_the_command_line(tmp_path):
    job = Job("a/b c", 2.5, ("vae", "gan"), {"size": 32, "fit": "pad"})
    told = job.arguments(tmp_path)
    assert told == ["compare", "--minutes", "2.5", "--families", "vae,gan", "--size", "32", "--fit", "pad",
                    "--out", str(tmp_path), "--", "a/b c"]  # fmt: skip


def test_stop_and_resume(root):
    name = comparisons.ask(Job("digits", LONG))
    reaches(name, "running")
    comparisons.stop(name)
    reaches(name, "stopped")
    comparisons.resume(name)
    reaches(name, "running")
    assert find(name).job.stopped == 0


def test_others_wait_in_line_and_follow(root):
    first, second, third = (comparisons.ask(Job("digits", LONG)) for _ in range(3))
    reaches(first, "running")
    assert status(second) == status(third) == "queued"
    assert [one.name for one in comparisons.comparisons()] == [first, second, third]
    comparisons.stop(second)  # nothing of it is there yet
    assert [one.name for one in comparisons.comparisons()] == [first, third]
    comparisons.stop(first)
    reaches(third, "running")
    assert status(first) == "stopped"


def test_an_app_that_starts_again_finds_it(root, monkeypatch):
    name = comparisons.ask(Job("digits", LONG))
    reaches(name, "running")
    other = comparisons.ask(Job("digits", LONG))
    child = processes._children[find(name).job.pid]
    monkeypatch.setattr(processes, "_children", {})  # as another process knows nothing of this one's
    assert status(name) == "running" and status(other) == "queued"
    comparisons.stop(name)
    assert until(lambda: child.poll() is not None)
    reaches(name, "stopped")
    reaches(other, "running")
    processes.interrupt(find(other).job.pid, signal.SIGKILL)
    reaches(other, "interrupted")


def test_a_killed_one_is_interrupted_and_goes_on(root):
    name = comparisons.ask(Job("digits", LONG))
    reaches(name, "running")
    os.killpg(find(name).job.pid, signal.SIGKILL)
    reaches(name, "interrupted")
    comparisons.resume(name)
    reaches(name, "running")


def test_one_that_does_not_stop_is_told_again(root, monkeypatch):
    name = comparisons.ask(Job("digits", LONG))
    reaches(name, "running")
    sent = []
    monkeypatch.setattr(processes, "interrupt", lambda pid, kind=signal.SIGTERM: sent.append(kind))
    comparisons.stop(name)
    assert status(name) == "stopping" and sent == [signal.SIGTERM]
    comparisons.move_on()
    assert len(sent) == 1  # it has a minute to end its step
    for seconds, kind in ((90, signal.SIGTERM), (400, signal.SIGKILL)):
        comparisons._write_job(root / name, replace(find(name).job, stopped=time.time() - seconds))
        comparisons.move_on()
        assert sent[-1] == kind
    monkeypatch.undo()
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(root))


def test_what_was_refused_says_why(root):
    name = comparisons.ask(Job("digits", BROKEN))
    reaches(name, "failed")
    assert find(name).problem == "Nothing of this can be trained."


def test_one_of_the_command_line_is_found(root):
    (root / "mine").mkdir(parents=True)
    write_state(root / "mine", State("digits", {"size": 8}, 3.0, (Member("vae", "vae"),), "now", phase="training"))
    one = find("mine")
    assert (one.status, one.title) == ("interrupted", "mine")
    assert one.job.arguments(root / "mine")[:5] == ["compare", "--minutes", "3", "--families", "vae"]
    comparisons.rename("mine", "  My\n<b>run</b> ")
    assert find("mine").title == "My <b>run</b>"
    with pytest.raises(InputError, match="letter"):
        comparisons.rename("mine", "  ")


def test_damaged_files_are_passed_over(root):
    for name, content in {
        "a": "{",
        "b": "[]",
        "c": '{"data": 3}',
        "d": '{"families": 1, "data": "x", "minutes": 1}',
    }.items():
        (root / name).mkdir(parents=True)
        (root / name / "job.json").write_text(content)
        (root / name / "comparison.json").write_text(content)
    assert comparisons.comparisons() == []


def test_one_whose_state_cannot_be_read_says_so(root):
    name = comparisons.ask(Job("digits", SHORT))
    reaches(name, "done")
    (root / name / "comparison.json").write_text('{"members": [], "of": "tomorrow"}')
    assert find(name).status == "failed" and "newer version" in find(name).problem
    assert str(root.parent) not in find(name).problem


def test_what_failed_names_no_folder_of_this_machine(root):
    (root / "mine").mkdir(parents=True)
    words = f"There is no checkpoint {str(root / 'mine' / 'vae')!r}."
    members = (Member("vae", "vae", words=words),)
    write_state(root / "mine", State("digits", {}, 3.0, members, "now", phase="failed", words=words))
    state = find("mine").state
    assert state.words == state.members[0].words == "There is no checkpoint 'mine/vae'."


def test_one_that_plans_for_long_is_not_given_up(root):
    (root / "mine").mkdir(parents=True)
    comparisons._write_job(root / "mine", Job("digits", 1.0, pid=2**22 + 1, started=1.0))
    assert status("mine") == "failed"
    with alone(root / "mine" / LOCK, "compared"):
        assert status("mine") == "starting"


def test_what_is_deleted_can_be_brought_back(root):
    (root / "mine").mkdir(parents=True)
    write_state(root / "mine", State("digits", {}, 3.0, (Member("vae", "vae"),), "now", phase="done"))
    kept = comparisons.delete("mine")
    assert comparisons.comparisons() == [] and not (root / "mine").exists()
    assert comparisons.undo(kept) == "mine" and status("mine") == "done"
    kept = comparisons.delete("mine")
    (root / "mine").mkdir()
    with pytest.raises(InputError, match="another folder"):
        comparisons.undo(kept)
    for other in ("../x", "", "nothing"):
        with pytest.raises(InputError, match="not kept"):
            comparisons.undo(other)
        with pytest.raises(InputError, match="no comparison"):
            comparisons.delete(other)


def test_what_was_deleted_long_ago_is_removed(root):
    for name in ("1-old", f"{time.time():.0f}-new", "x-odd"):
        (root / ".deleted" / name).mkdir(parents=True)
    comparisons.move_on()
    assert sorted(path.name.rpartition("-")[2] for path in (root / ".deleted").iterdir()) == ["new", "odd"]


def test_one_that_runs_is_not_deleted(root):
    name = comparisons.ask(Job("digits", LONG))
    reaches(name, "running")
    with pytest.raises(InputError, match="stop it first"):
        comparisons.delete(name)


def test_nothing_can_be_done_in_a_public_app(root, monkeypatch):
    monkeypatch.setenv(public.PUBLIC, "1")
    acts = [lambda: comparisons.ask(Job("digits", SHORT)), lambda: comparisons.rename("x", "y")]
    acts += [
        lambda act=act: act("x") for act in (comparisons.stop, comparisons.resume, comparisons.delete, comparisons.undo)
    ]
    for act in acts:
        with pytest.raises(InputError, match="public"):
            act()
    assert not root.exists()
