"""The device: one run at a time, in line, given back whatever happens."""

import threading
import time

import pytest

from dashboard.service import Service
from dashboard.service.device import Busy, Device, Waiting, finish, without_waiting
from gencore import locks
from gencore.checkpoint import roots
from gencore.errors import InputError
from tests.support.leases import had, taken


def held(device, stop=None):
    """A lease that has the device, or would have it if nobody else had."""
    lease = device.lease(stop)
    assert had(lease)
    return lease


def stopped():
    stop = threading.Event()
    stop.set()
    return stop


def test_a_silent_holder_loses_the_device():
    device = Device(silence=0.05)
    silent, following = held(device), held(device)
    device.silence = 60.0
    assert not silent.keep() and following.keep()
    silent.end()
    assert device.busy, "what was lost cannot be given back"
    following.end()
    assert not device.busy


def test_a_generator_dropped_half_way_and_never_closed_loses_it_too():
    device = Device(silence=0.05)

    def run():
        with device.lease() as lease:
            yield from lease.line()
            yield "half-way"

    dropped = run()
    assert next(dropped) == "half-way" and device.busy
    assert held(device).keep()
    dropped.close()
    assert device.busy, "it is the next one's"


def test_the_device_is_had_in_the_order_in_which_it_was_asked_for():
    device, taken, lines = Device(), [], []
    first = held(device)

    def wait(name):
        with device.lease() as lease:
            assert had(lease)
            taken.append(name)

    for place, name in enumerate("abcdef"):
        lines.append(threading.Thread(target=wait, args=(name,)))
        lines[-1].start()
        while len(device._line) <= place:
            time.sleep(0.001)
    first.end()
    for line in lines:
        line.join()
    assert taken == [*"abcdef"] and not device.busy


def test_who_waits_is_told_how_many_are_ahead_when_that_changes():
    device = Device()
    holder = held(device)
    second, third = device.lease(), device.lease()
    before, after = second.line(), third.line()
    assert next(before) == Waiting(1) and next(after) == Waiting(2)
    holder.end()
    assert list(before) == [] and second.keep(), "its turn has come"
    assert next(after) == Waiting(1)
    second.end()
    assert list(after) == [] and third.keep()


def test_a_free_device_is_had_without_a_word():
    device = Device()
    with device.lease() as lease:
        assert list(lease.line()) == [] and lease.keep()
    assert not device.busy


def test_who_waits_silently_loses_his_place_and_can_come_back():
    device = Device(line_silence=0.05)
    holder = held(device)
    silent, patient = device.lease(), device.lease()
    dropped = silent.line()
    next(dropped)
    holder.end()
    assert had(patient), "a generator dropped in line holds nobody up"
    patient.end()
    assert list(dropped) == [] and silent.keep()


def test_a_stop_or_the_end_of_patience_ends_the_wait():
    device = Device()
    with taken(device):
        assert not had(device.lease(stopped())) and not had(device.lease(patience=0))
        assert not device._line, "nobody is left in line"
        with pytest.raises(Busy, match="Stopped before its turn"):
            finish(device.alone("x", lambda: 1, stopped()))
        with pytest.raises(Busy, match="Another run has the device; try again"):
            finish(device.alone("x", lambda: 1, patience=0.01))
    assert finish(device.alone("x", lambda: 1, stopped())) == 1, "a free device needs no wait"


@pytest.mark.parametrize(
    ("error", "words"), [(InputError("Bad."), "^Bad.$"), (KeyError("k"), "^dots/toy failed with KeyError: 'k'$")]
)
def test_work_that_fails_is_told_in_a_sentence_and_gives_the_device_back(error, words):
    device = Device()

    def fail():
        raise error

    with pytest.raises(InputError, match=words):
        finish(device.alone("dots/toy", fail))
    assert not device.busy


def test_frames_without_those_that_wait():
    assert list(without_waiting([Waiting(2), "a", Waiting(1), "b"])) == ["a", "b"]


# ---- other processes, whose locks are as another open file's


def test_while_another_process_times_something_the_device_is_not_had(tmp_path):
    """The line says that one is ahead, and goes on when that has ended."""
    device = Device(shared=lambda: tmp_path / locks.DEVICE)
    other = locks.taken(tmp_path / locks.DEVICE)
    assert not device.busy
    with device.lease() as lease:
        line = lease.line()
        assert next(line) == Waiting(1)
        other.close()
        assert not list(line) and lease.keep()


def test_while_somebody_has_the_device_no_other_process_times_anything(tmp_path):
    path = tmp_path / locks.DEVICE
    device = Device(shared=lambda: path)
    with device.lease() as lease:
        assert had(lease) and locks.taken(path) is None
    with locks.taken(path):
        pass


def test_one_who_is_stopped_while_another_process_has_it_leaves_no_lock(tmp_path):
    path = tmp_path / locks.DEVICE
    device = Device(shared=lambda: path)
    with locks.taken(path):
        assert not had(device.lease(stopped())) and not device.busy
    with locks.taken(path):
        pass


def test_what_a_silent_holder_locked_is_the_next_ones(tmp_path):
    path = tmp_path / locks.DEVICE
    device = Device(silence=0.05, shared=lambda: path)
    silent, following = held(device), held(device)
    silent.end()
    assert locks.taken(path) is None
    following.end()
    with locks.taken(path):
        pass


def test_without_a_folder_there_is_nothing_to_lock_and_none_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "none"))
    with Service().device.lease() as lease:
        assert had(lease)
    assert not roots()[-1].exists()
