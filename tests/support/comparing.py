"""A stand-in for `python -m gencore compare`: it keeps its state as that does, trains nothing, and is there at once."""

import sys
import time

STAND_IN = """
import fcntl, json, os, signal, sys, time
from pathlib import Path
from PIL import Image

signal.signal(signal.SIGTERM, signal.default_int_handler)
folder = Path(sys.argv[sys.argv.index("--out") + 1])
minutes = float(sys.argv[sys.argv.index("--minutes") + 1])
if minutes == 13:
    print("Error: Nothing of this can be trained.", flush=True)
    sys.exit(2)
since = "2026-11-28 21:00:00"
member = {"family": "vae", "checkpoint": "vae", "budget_s": 60 * minutes}
state = {"data": sys.argv[2], "view": {}, "minutes": minutes, "members": [member], "created": since, "pid": os.getpid()}

def tell(phase, **more):
    new = folder / "new.json"
    new.write_text(json.dumps({**state, "phase": phase, **more}))
    new.rename(folder / "comparison.json")

with (folder / ".comparison.lock").open("w") as held:
    fcntl.flock(held, fcntl.LOCK_EX)
    held.write(json.dumps({"pid": os.getpid(), "since": since}))
    held.flush()
    try:
        log = folder / "vae" / "log.jsonl"
        (folder / "vae" / "timelapse").mkdir(parents=True, exist_ok=True)
        done = len(log.read_text().splitlines()) if log.exists() else 0
        while done * 0.1 < 60 * minutes:
            member.update(seconds=0.1 * done, images=32 * done, images_per_s=320.0, state="training")
            tell("training", words="Training.", eta_s=60 * minutes - 0.1 * done)
            if done & (done - 1) == 0:
                grid = folder / "vae" / "timelapse" / f"{32 * done:09d}.png"
                Image.new("L", (48, 32), 40 * done.bit_length()).save(grid)
            done += 1
            with log.open("a") as file:
                line = {"step": done, "images": 32 * done, "seconds": 0.1 * done, "loss": 1 / done}
                file.write(json.dumps(line) + "\\n")
            time.sleep(0.1)
        member.update(state="measured")
        tell("done", verdict="Use the VAE.")
    except KeyboardInterrupt:
        tell("stopped", words="Stopped.")
        sys.exit(130)
"""


def stand_in(folder, monkeypatch):
    """Have the service start the stand-in, written into a folder, instead of the engine."""
    from dashboard.service import processes

    script = folder / "stand_in.py"
    script.write_text(STAND_IN)
    monkeypatch.setattr(processes, "PROGRAM", (sys.executable, str(script)))


def launcher(folder):
    """What Python runs to start the app with the stand-in, for `browser.serve`."""
    script = folder / "stand_in.py"
    script.write_text(STAND_IN)
    program = f"from dashboard.service import processes; processes.PROGRAM = ({sys.executable!r}, {str(script)!r})"
    return "-c", f"{program}; from dashboard.app import main; main([])"


def until(true, seconds=60):
    """Wait for something; what it was in the end."""
    last = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < last:
        time.sleep(0.02)
    return found
