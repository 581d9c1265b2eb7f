"""Runs `python -m gencore` in several processes, as torchrun would: `python several.py NUMBER COMMAND...`.

They are forked from one that has imported everything, which is quicker; and no timing chooses their settings.
"""

import os
import socket
import sys

import torch

from gencore.cli import main
from gencore.device import Settings
from gencore.evaluation import crew, evaluate, making, plan  # noqa: F401 - imported once

torch.set_num_threads(1)
plan.choose_settings = lambda *_: Settings("float32", "contiguous", 1)
number, *words = sys.argv[1:]
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(probe.getsockname()[1]), "WORLD_SIZE": number}
sys.argv = ["gencore", *words]
children = []
for rank in range(int(number)):
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
    if not (child := os.fork()):
        main()
    children.append(child)
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
