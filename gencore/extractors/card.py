"""The card of a data set's features: what they are, how they came about, and what they are worth, from the files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gencore.checkpoint import read_tensors, write_atomic
from gencore.extractors import EXTRACTORS

CARD = "README.md"
DISTANCES = {"fd": "the Fréchet distance", "kid": "KID", "kd": "KID"}  # 'kd' in the files of earlier versions
TOLD = {  # of an extractor's record, where it is there
    "test_accuracy": "{test_accuracy:.2%} of the test split right",
    "validation_accuracy": "{validation_accuracy:.2%} of the validation split",
    "epoch": "epoch {epoch} of {epochs}",
    "parameters": "{parameters:,} parameters",
    "explained": "{explained:.1%} of the variance",
    "retrieved": "{retrieved:.1%} of validation images found again by another view",
    "weights": "weights of {weights}",
    "seconds": "{seconds:,.0f} s",
}


def record_words(record: Mapping[str, Any]) -> str:
    """Return what an extractor's record says, for people: accuracies, variance, seconds."""
    return ", ".join(words.format_map(record) for key, words in TOLD.items() if key in record)


def rounding_words(rounding: Mapping[str, Any]) -> str:
    """Return what rounding real features to float16 does to the distances, for people."""
    words = [
        f"{name} by at most {rounding[key]['moved']:.1e} (real against real: {rounding[key]['real']:.3g}, "
        f"varying by {rounding[key]['spread']:.1e})"
        for key, name in DISTANCES.items()
        if key in rounding
    ]
    what = " and ".join(words) or "no distance, as there are too few images for one"
    return f"rounding to float16 moves {what}, at {rounding['n']:,} images"


def write_card(folder: Path, key: str) -> Path:
    """Write README.md beside the extractors of data set `key` from what their files' headers say; return its path.

    Raises:
        InputError: if a file is damaged or the disk refuses.
    """
    parts = [_section(folder / f"{name}.safetensors") for name in EXTRACTORS]
    text = _HEAD.format(key=key) + "".join(part for part in parts if part) + _TAIL
    write_atomic(folder / CARD, text.encode())
    return folder / CARD


def _section(path: Path) -> str:
    """Return the part of the card on one extractor; '' when it is not there."""
    if not path.is_file():
        return ""
    record = json.loads(read_tensors(path)[1]["record"])
    real, metadata = read_tensors(path.with_name(f"{path.stem}-real.safetensors"))
    machine, versions, images = record["machine"], record["versions"], record["images"]
    settings = record.get("settings")
    computed = f", trained in {settings['dtype']}" if settings else ""
    about = EXTRACTORS[path.stem].about
    counts = ", ".join(f"{count:,} {split}" for split, count in images.items())
    lines = [
        f"## {path.stem}",
        "",
        f"{about[0].upper()}{about[1:]}; {real['test'].shape[1]} dimensions.",
        "",
        f"- command: `{record['command'] or 'made from Python'}` on {record['date']}, seed {record['seed']}",
        f"- result: {record_words(record)}",
        f"- images: {counts}; kept as features: {len(real['train']):,} train, {len(real['test']):,} test",
        f"- machine: {machine['device']}, {machine['name']}, {machine['threads']} of {machine['cores']} cores{computed}"
        f"; Python {versions['python']}, torch {versions['torch']}",
        f"- hash of `{path.name}`: `{metadata['hash']}`",
        f"- {rounding_words(json.loads(metadata['rounding']))}",
        "",
    ]
    return "\n".join(lines) + "\n"


_HEAD = """# Features of {key}

What generated images are compared with real ones in. `NAME.safetensors` is an extractor, frozen; its features are
centred and scaled by those of the train images. `NAME-real.safetensors` holds the features of the real
images in float16, so that comparing needs no data set, and the hash of the extractor that made them.
`reference.safetensors` is what the charts draw.

"""

_TAIL = """The train split trained, the validation split chose the epoch, the test split was scored once. Distances in
these features are not the FID, which is in Inception's features. What each of them notices and what fools it is in
docs/metrics.md.
"""
