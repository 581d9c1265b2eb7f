"""What the sources refuse with, a sample sentence each, as a visitor of the app may read it."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
RAISED = {"InputError", "Busy"}
COMMANDS = (  # what only the command line or a program that imports the engine can come to
    "gencore/cli/", "gencore/space/", "gencore/hub.py", "gencore/bundle.py", "gencore/pipelines.py",
    "gencore/distributed.py", "gencore/environment.py", "gencore/families/pipeline_config.py",
    "gencore/families/registration.py", "gencore/metrics/", "gencore/pictures.py", "gencore/evaluation/crew.py",
    "gencore/evaluation/options.py", "gencore/evaluation/ladder.py", "gencore/extractors/dinov2.py",
    "gencore/extractors/base.py", "dashboard/app.py", "dashboard/api/",
)  # fmt: skip
ALSO = (  # and these of the others, by how they begin
    "A has 12 images, fewer", "A holds no images that an evaluation has kept", "-n must be", "12 files of samples",
    "A cannot be exported", "A cannot be averaged", "Give a budget", "Several processes keep step", "The batch of",
    "A must be A, not", "A diffusers pipeline cannot", "The grey images", "A; there can be",
)  # fmt: skip
NUMBERS = {  # what values that are numbers are called
    "n", "size", "most", "least", "low", "high", "times", "place", "found", "seen", "count", "blocks", "have", "world",
    "rank", "number", "lines",
}  # fmt: skip
FILLED = {  # what stands for a value that is itself a part of the sentence; by file where that differs
    "near": "; known: A, B.", "CONFIG": "config.json", "WEIGHTS": "model.safetensors", "FILE": "latents.safetensors",
    "ADM": "arr_0", "LOG": "log.jsonl", "sources.py _listed(found.left_out)": "", "_listed(sorted(splits))": "A is",
    "_listed(strangers)": "B are", "subject": "It", "_what_it_is(path)": "the system refuses",
    "consequence": "A cannot be used", "'s' * (channels > 1)": "s", "those": "nor does any other on A",
    "ABILITIES[ability][1]": "encodes no image", "format.minutes": "12 min", "again": "make it again with 'A'",
    "wrong": "size is too small or too large, not from 1 to 12", "command": "python -m gencore A",
    "form_words(shape)": "A", "SIZE": "28", "metric.name": "A", "height": "28", "width": "28",
    "columns.py what": "is not there", "uploads.py why": "its member 'A' is a link", "archives.py why": "is a link",
    "image_picker.py wanted": "A drawing is a square of whole numbers from 0 to 255",
    "parsing.py wanted": "An image here is 28 x 28 whole numbers from 0 to 255", "parsing.py what": "seed",
    "scoring.py whose": "A was trained on", "given.py whose": "the smallest file has", "given.py channels": "3",
    "view.py what": "different sizes (8x8 and 9x9)", "budget.py one": "One visitor", "cost.py what": "seed",
    "reference.py found": "B", "state.py FILE": "comparison.json", "ddpm.py name": "prediction",
    "device.py what": "layout",
}  # fmt: skip


def filled(part, file):
    """What stands for a value in a sentence: a number, a name in quotes, or a name."""
    source = ast.unparse(part.value)
    for known in (f"{file} {source}", source, source.partition("(")[0]):
        if known in FILLED:
            return FILLED[known]
    if part.conversion == ord("r"):
        return "'A'"
    last = source.split("[")[0].rpartition(".")[2]
    counted = part.format_spec is not None or last in NUMBERS or last.isupper() or source.startswith(("max(", "len("))
    return "12" if counted else "A"


def sample(node, file):
    """A sentence as it might be said; None for what is put together elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(one.value if isinstance(one, ast.Constant) else filled(one, file) for one in node.values)
    return None


def refusals():
    """Every sentence with which the app, or what it asks of the engine, refuses something; by where it stands."""
    found = {}
    for folder in ("dashboard", "gencore"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            where = path.relative_to(ROOT).as_posix()
            if where.startswith(COMMANDS):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                raised = isinstance(node, ast.Call) and getattr(node.func, "id", "") in RAISED and node.args
                text = sample(node.args[0], path.name) if raised else None
                if text and not text.startswith(ALSO):
                    found[f"{where}:{node.lineno}"] = text
    return found
