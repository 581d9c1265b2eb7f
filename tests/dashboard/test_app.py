"""How the app is launched and ended."""

import os
import signal
from types import SimpleNamespace
from unittest import mock

import pytest

from dashboard import app


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
def test_sigterm_ends_it_as_ctrl_c_does(monkeypatch):
    """Gradio closes its server and ends at KeyboardInterrupt."""
    demo = SimpleNamespace(launch=lambda **options: None, block_thread=lambda: signal.raise_signal(signal.SIGTERM))
    for name, fake in (("Service", mock.Mock), ("build", lambda service: demo), ("launch_options", lambda *_: {})):
        monkeypatch.setattr(app, name, fake)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(KeyboardInterrupt):
            app.main([])
    finally:
        signal.signal(signal.SIGTERM, before)
