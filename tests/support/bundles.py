"""What a page gives away as a bundle, made again by what it says alone."""

import base64

import gradio as gr
import torch

from gencore import checkpoint
from gencore.bundle import read_bundle, replay
from gencore.families import FAMILIES


def untrained(root, *families):
    """Small untrained models of some families on 'digits'."""
    torch.manual_seed(0)
    for name in families:
        checkpoint.save_model(root / "digits" / name, FAMILIES[name](size=8, widths=(8, 8)))


def laid_out(build):
    """A page, or a part of one."""
    with gr.Blocks(), gr.Tabs(), gr.Tab():
        return build()


def given(updates, folder):
    """What is made again of the bundle that the last of some updates hands over, and the value that does."""
    (value,) = list(updates)[-1].values()
    path = folder / value["name"]
    path.write_bytes(base64.b64decode(value["uri"].removeprefix("data:application/zip;base64,")))
    return list(replay(read_bundle(path))), value
