"""Imports that leave out what nothing uses: what is left out, and that all else works as before."""

import subprocess
import sys
from importlib import import_module

import pytest

from gencore.importing import without, wrap_import

APP = """
import sys
from dashboard.service.imports import lean_gradio
lean_gradio()
import dashboard.app
assert "torch._dynamo" not in sys.modules, "torch's compiler takes a second of every start"
import gradio.component_meta
assert gradio.component_meta.create_or_modify_pyi.__name__ == "<lambda>", "gradio writes its interfaces at every start"
from diffusers.utils import torch_utils
assert torch_utils.maybe_allow_in_graph(int) is int
import torch
assert torch.compile(lambda x: x + 1, backend="eager")(torch.ones(2)).tolist() == [2, 2]
from diffusers import UNet2DModel
"""


def test_a_start_takes_neither_torchs_compiler_nor_gradios_interfaces_and_both_still_work():
    done = subprocess.run([sys.executable, "-c", APP], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_module_is_absent_meanwhile_and_there_afterwards(monkeypatch):
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with without("wave"), pytest.raises(ModuleNotFoundError):
        import wave
    import wave

    with without("wave"):
        import wave as again
    assert again is wave


def test_an_import_is_wrapped_once_and_never_afterwards(tmp_path, monkeypatch):
    (tmp_path / "wrapped_here.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    seen = []

    class Around:
        def __init__(self, module):
            self.module = module

        def __enter__(self):
            seen.append(hasattr(self.module, "value"))

        def __exit__(self, *_):
            seen.append(self.module.value)

    before = list(sys.meta_path)
    wrap_import("wrapped_here", Around)
    assert import_module("wrapped_here").value == 1 and seen == [False, 1] and sys.meta_path == before
    wrap_import("wrapped_here", Around)
    assert sys.meta_path == before
    monkeypatch.delitem(sys.modules, "wrapped_here")
