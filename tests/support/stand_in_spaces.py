"""A stand-in for the package `spaces` on ZeroGPU: a decorator that runs a generator in a process forked for it.

As the real one (0.51.3) does, it pickles what goes in and comes out, asks how long it takes with the function's own
arguments, ends the process's generator at its next value once the caller has closed its own, waits until it has, and
brings back of an exception the name of its class alone. It has one process for one call, and no GPU.
"""

import functools
import inspect
import multiprocessing
import os
import pickle
import threading

import gradio as gr

FORK = multiprocessing.get_context("fork")


class StandIn:
    """The module; `asked` has the seconds of each call, `processes` their numbers, `closed` how many were ended early.

    Args:
        refusal: An error to be raised instead of lending a GPU.
        dies: Whether the process is killed at its first value.
    """

    def __init__(self, refusal=None, dies=False):
        self.refusal, self.dies = refusal, dies
        self.asked, self.processes, self.closed = [], [], 0

    def GPU(self, task=None, *, duration=None, size=None):
        if task is None:
            return functools.partial(self._wrapped, duration=duration)
        return self._wrapped(task, duration=duration)

    def _wrapped(self, task, duration):
        assert inspect.isgeneratorfunction(task)

        @functools.wraps(task)
        def handler(*args, **kwargs):
            self.asked.append(duration(*args, **kwargs) if callable(duration) else duration)
            if self.refusal:
                raise self.refusal
            yield from self._lent(task, pickle.dumps((args, kwargs)))

        return handler

    def _lent(self, task, given):
        here, there = FORK.Pipe(duplex=False)
        stop = FORK.Event()
        process = FORK.Process(target=work, args=(task, given, there, stop, self.dies), daemon=True)
        process.start()
        self.processes.append(process.pid)
        there.close()
        try:
            while True:
                try:
                    kind, value = pickle.loads(here.recv_bytes())
                except EOFError:
                    raise gr.Error("GPU task aborted", title="ZeroGPU worker error", print_exception=False) from None
                if kind == "end":
                    return
                if kind == "error":
                    raise gr.Error(value, title="ZeroGPU worker error", print_exception=False)
                yield value
        except GeneratorExit:
            self.closed += 1
            stop.set()
            threading.Thread(target=drain, args=(here,)).start()
            raise
        finally:
            process.join(60)


def drain(connection):
    """Read what is still sent, so that the sender does not wait."""
    try:
        while True:
            connection.recv_bytes()
    except (EOFError, OSError):
        pass


def work(task, given, connection, stop, dies):
    """What the forked process does: everything as the package does it, in a thread of its own."""

    def iterate():
        args, kwargs = pickle.loads(given)
        steps = task(*args, **kwargs)
        try:
            for value in steps:
                if dies:
                    os._exit(9)
                if stop.is_set():
                    steps.close()
                    break
                connection.send_bytes(pickle.dumps(("value", value)))
        except Exception as error:
            connection.send_bytes(pickle.dumps(("error", type(error).__name__)))
        else:
            connection.send_bytes(pickle.dumps(("end", None)))

    thread = threading.Thread(target=iterate)
    thread.start()
    thread.join()
