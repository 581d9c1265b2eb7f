"""The device: one run at a time, in line, given back whatever happens."""

import threading
import time

import pytest

from dashboard.service import Service, device
from dashboard.service.device import MOST, OWED, QUICK, SHARE, TURN, Busy, Device, Waiting, finish, without_waiting
from dashboard.service.visits import Visit
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


# ---- who goes first


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


class Table:
    """A device with a clock of its own, and visitors who wait for it."""

    def __init__(self):
        self.clock, self.leases = Clock(), {}
        self.device = Device(clock=self.clock)

    def ask(self, name, seconds, visitor=None):
        """Somebody asks for the device for so long; whether it was had at once."""
        lease = self.device.lease(Visit(visitor or name), seconds=seconds, shares=True)
        self.leases[name] = lease
        return self.try_(name)

    def try_(self, name):
        with self.device._lock:
            return self.leases[name]._take()

    def line(self):
        names = {lease: name for name, lease in self.leases.items()}
        return [names[lease] for lease in self.device._order()]

    def work(self, name, seconds):
        """Whether who has the device gives it back after so many more seconds of work."""
        self.clock.seconds += seconds
        for lease in self.device._line:
            lease.seen = self.clock.seconds
        if not (gives := self.leases[name]._gives_way()):
            return False
        assert not self.leases[name].keep() and not self.try_(name)
        return gives

    def end(self, name, seconds=0.0):
        self.clock.seconds += seconds
        for lease in self.device._line:
            lease.seen = self.clock.seconds
        self.leases[name].end()


@pytest.fixture
def table():
    return Table()


def test_quick_work_goes_ahead_of_long_work_and_in_the_order_in_which_it_was_asked_for(table):
    assert table.ask("long", 300)
    assert not any([table.ask("longer", 900), table.ask("one", 0.1), table.ask("two", QUICK)])
    assert table.line() == ["one", "two", "longer"]
    assert table.work("long", 1.2), "at the first network call that ends"
    assert not table.try_("two") and table.try_("one")
    assert not table.work("one", 0.2), "quick work is not divided"
    table.end("one")
    assert table.try_("two")
    table.end("two", 0.1)
    assert table.line() == ["long", "longer"]


def test_long_work_of_several_visitors_goes_by_turns(table):
    assert table.ask("ann", 300) and not table.ask("ben", 20) and not table.ask("cec", 900)
    assert not table.work("ann", TURN / 2) and table.work("ann", TURN / 2)
    assert table.try_("ben") and table.work("ben", TURN)
    assert table.try_("cec") and table.work("cec", TURN)
    assert table.try_("ann") and table.leases["ann"].had == TURN


def test_of_one_visitors_work_one_piece_is_in_line(table):
    assert table.ask("ann", 300) and not table.ask("second", 300, "ann")
    assert not table.work("ann", 5 * TURN), "there is nobody else"
    assert not table.ask("third", 300, "ann") and not table.ask("ben", 300)
    assert table.work("ann", 0.1) and table.line() == ["ben", "ann", "second", "third"]
    assert table.try_("ben") and table.work("ben", TURN) and table.try_("ann")
    table.end("ann")
    assert table.line() == ["second", "ben", "third"], "the next one of the visitor's is in line now"


def test_what_takes_longer_than_was_expected_is_quick_no_more(table):
    assert table.ask("ann", 0.0) and not table.ask("ben", 300)
    assert not table.work("ann", QUICK) and table.work("ann", TURN)
    assert not table.leases["ann"].quick
    again = table.device.lease(table.leases["ann"].visit)
    assert not again.quick, "in pieces it is no quicker"


def test_long_work_has_its_turn_however_much_quick_work_there_is(table):
    assert table.ask("long", 300) and not table.ask("q0", 0.5) and table.work("long", 0.1)
    for place in range(int(SHARE / 0.5)):
        assert table.try_(f"q{place}") and not table.ask(f"q{place + 1}", 0.5)
        table.end(f"q{place}", 0.5)
    assert table.line()[0] == "long" and table.try_("long")
    assert not table.work("long", OWED / 2) and table.work("long", OWED / 2), "and gives way when it has had it"


def test_a_turn_that_quick_work_interrupts_goes_on_after_it(table):
    """Else all long runs would go on a step at a time, and none would end before the others."""
    assert table.ask("ann", 300) and not table.ask("ben", 300) and not table.ask("quick", 0.1)
    assert table.work("ann", 2.0) and table.try_("quick")
    table.end("quick", 0.1)
    assert table.line() == ["ann", "ben"] and table.try_("ann")
    assert not table.work("ann", TURN - 3.0) and table.work("ann", 1.0) and table.line() == ["ben", "ann"]


def test_who_is_not_there_is_passed_over_and_keeps_the_place(table):
    assert table.ask("long", 300) and not table.ask("away", 0.1) and not table.ask("here", 0.1)
    table.clock.seconds += 2.0
    table.leases["here"].seen = table.clock.seconds
    assert table.line() == ["here", "away"]
    table.leases["away"].seen = table.clock.seconds
    assert table.line() == ["away", "here"]
    table.clock.seconds += 2.0
    assert not table.leases["long"]._gives_way(), "for nobody"


def test_who_waits_is_told_for_about_how_long(table):
    assert table.ask("long", 300)
    assert not any(table.ask(f"v{place}", 300) for place in range(4))
    with table.device._lock:
        waits = [table.leases[f"v{place}"]._ahead() for place in range(4)]
    assert [(one.ahead, one.seconds) for one in waits] == [(place + 1, TURN * (place + 1)) for place in range(4)]
    assert not table.ask("quick", 0.1)
    with table.device._lock:
        assert table.leases["quick"]._ahead().seconds == OWED


def test_a_full_line_of_long_work_is_told_in_a_sentence_and_takes_quick_work(table):
    assert table.ask("first", 300) and not any(table.ask(f"v{place}", 300) for place in range(MOST))
    with pytest.raises(Busy, match=f"^The device is busy, {MOST} ahead, about 8 minutes: no more can wait"):
        table.ask("late", 300)
    assert not table.ask("quick", 0.1) and table.line()[0] == "quick"


def test_a_long_run_lets_a_quick_one_go_ahead_between_two_of_its_steps():
    """Threads, as in the app: the long one's own time is without the others'."""
    device, steps, begun, over = Device(), [], threading.Event(), threading.Event()

    def walk():
        with device.lease(Visit("ann"), seconds=300, shares=True) as lease:
            assert had(lease)
            while not over.is_set():
                steps.append(lease)
                begun.set()
                time.sleep(0.001)
                assert not list(lease.share()) and lease.keep()

    line = threading.Thread(target=walk)
    line.start()
    begun.wait()
    assert [finish(device.alone("x", lambda: len(steps), Visit("ben"))) for _ in range(3)]
    over.set()
    line.join()
    assert not device.busy and steps[0].visit.had == pytest.approx(steps[0].had) and not device._line


def test_one_who_is_stopped_while_others_go_ahead_does_not_come_back(monkeypatch):
    monkeypatch.setattr(device, "QUIET", 0.0)
    one, stop = Device(), Visit("ann")
    with one.lease(stop, seconds=300, shares=True) as lease, one.lease(Visit("ben")) as other:
        assert had(lease)
        with one._lock:
            assert not other._take()
        waits = lease.share()
        stop.set()
        with one._lock:
            other.seen = one._clock()
        assert list(waits) == [] and not lease.keep() and had(other)


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
