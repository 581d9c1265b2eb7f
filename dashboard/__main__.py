"""Open the dashboard: `python app.py` in the project's folder, `trilemma` where it is installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

# Before gradio and huggingface_hub are imported: nothing leaves this machine unless the user asks for it.
OFFLINE = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}
PORTS = 65535
WHOLE = {  # what gradio reads as whole numbers while it is imported, and between which numbers each makes sense
    "GRADIO_SERVER_PORT": (1, PORTS), "GRADIO_NUM_PORTS": (1, PORTS), "GRADIO_NODE_NUM_PORTS": (1, PORTS),
    "GRADIO_ANALYTICS_MAX_EVENTS": (1, 1_000_000), "GRADIO_DEBUG": (0, 1),
}  # fmt: skip


def problem_of(environment: Mapping[str, str]) -> str:
    """Return what keeps the app from starting in an environment, as one sentence; '' if nothing does."""
    for name, (least, most) in WHOLE.items():
        value = environment.get(name, "")
        if value and not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
            return f"{name} must be a whole number from {least} to {most}, not {value!r}."
    return ""


def main() -> None:
    """Serve the app until it is stopped; what keeps it from starting is said in one sentence."""
    for name in WHOLE:
        if not os.environ.get(name):  # gradio takes an empty text for a number
            os.environ.pop(name, None)
    for name, value in OFFLINE.items():
        os.environ.setdefault(name, value)
    if problem := problem_of(os.environ):
        stop(problem)
    from dashboard.service import InputError
    from dashboard.service.imports import lean_gradio

    lean_gradio()
    from dashboard.app import main as serve

    try:
        serve()
    except InputError as error:
        stop(str(error))


def stop(sentence: str) -> None:
    """End with a sentence, as the command line does on bad input."""
    print(f"Error: {sentence}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
