"""How the app is launched and ended."""

import os
import signal
from types import SimpleNamespace
from unittest import mock

import pytest

from dashboard import app


@pytest.fixture
def app_of(monkeypatch):
    """Return what makes `app.main` build and serve a stand-in for the app; the signal's handler is put back."""
    before = signal.getsignal(signal.SIGTERM)

    def put(**demo):
        whole = {"launch": lambda **options: None, "block_thread": lambda: None} | demo
        monkeypatch.setattr(app, "build", lambda service: SimpleNamespace(**whole))
        monkeypatch.setattr(app, "Service", mock.Mock)
        monkeypatch.setattr(app, "launch_options", lambda *_: {})

    yield put
    signal.signal(signal.SIGTERM, before)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
def test_sigterm_ends_it_as_ctrl_c_does(app_of):
    """Gradio closes its server and ends at KeyboardInterrupt."""
    app_of(block_thread=lambda: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(KeyboardInterrupt):
        app.main([])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
def test_sigterm_before_it_is_served_ends_it_in_one_sentence(app_of, capsys):
    """It once ended in a KeyboardInterrupt's traceback."""
    app_of(launch=lambda **options: signal.raise_signal(signal.SIGTERM), block_thread=pytest.fail)
    app.main([])
    assert capsys.readouterr().out == "Stopped before it was served.\n"
