"""What ZeroGPU runs: a table of versions, with its source and its date."""

from __future__ import annotations

HARDWARE = "zero-a10g"  # ZeroGPU's name among the flavours, whatever the GPU is today

# huggingface/hub-docs, docs/hub/spaces-zerogpu.md, 'Supported versions', as published when read on 2026-11-29.
PYTHONS = ("3.12.12", "3.10.13")
TORCHES = ("2.8.0", "2.9.1", "2.10.0", "2.11.0")
GRADIO = "4"  # and later
SPACES = "spaces>=0.51,<1"  # the package with the decorator; 0.51.3 was read for dashboard/service/zerogpu.py
