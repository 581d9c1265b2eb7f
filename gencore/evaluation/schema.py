"""What a row of measurements must hold, as a JSON Schema, and the check of a value against it.

`docs/rows.schema.json` is this schema for other programs; a test compares the two, and another one compares
`violation` with the `jsonschema` package.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

VERSION = 3  # of the format: raised when a reader of the old one would misread the new one
TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1}
KEY: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_-]*$"}  # pages make classes and ids of it
NUMBER: Schema = {"type": "number"}
AMOUNT: Schema = {"type": "number", "minimum": 0}
COUNT: Schema = {"type": "integer", "minimum": 1}
TALLY: Schema = {"type": "integer", "minimum": 0}
HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
DATE: Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}


def record(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of an object with these properties; a later version may add others."""
    return {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}}


def mapping(values: Schema) -> Schema:
    """Return the schema of an object whose values are alike, under any names."""
    return {"type": "object", "additionalProperties": values}


def array(items: Schema, least: int = 1, most: int | None = None) -> Schema:
    """Return the schema of an array with `least` to `most` such items."""
    return {"type": "array", "items": items, "minItems": least, **({} if most is None else {"maxItems": most})}


def point(*kinds: str) -> Schema:
    """Return the schema of an operating point of one of these kinds."""
    return record({"label": NAME, "kind": {"enum": list(kinds)}})


INTERVAL = {"mean": NUMBER, "low": NUMBER, "high": NUMBER}
SCORE = record({**INTERVAL, "values": array(NUMBER)}, {"reference": COUNT, "reference_sd": AMOUNT})
TERM = record({"nats": record(INTERVAL), "bits_per_dim": record(INTERVAL)})
TIMING = record({
    "n": COUNT, "repeats": COUNT, "ms": AMOUNT, "ms_p95": {"type": ["number", "null"], "minimum": 0},
    "ms_per_image": AMOUNT, "images_per_s": AMOUNT,
})  # fmt: skip
KNOBS = mapping({"type": ["string", "number"]})
TRAINING = record({}, {"images": TALLY, "seconds": AMOUNT, "device": TEXT, "init": TEXT, "teacher": TEXT,
                        "parameters": TALLY})  # fmt: skip

EVERY_ROW: Schema = {
    "row": {"const": VERSION},
    "dataset": NAME,
    "checkpoint": TEXT,
    "family": KEY,
    "knobs": KNOBS,
    "settings": record({"dtype": NAME, "threads": COUNT}),
    "machine": record({"device": NAME, "name": TEXT}),
    "seconds": AMOUNT,
    "version": NAME,
    "date": DATE,
    "command": TEXT,
}
EVERY_SCORED_ROW: Schema = EVERY_ROW | {
    "n": COUNT,
    "generations": COUNT,
    "seeds": array(TALLY, 2, 2),
    "split": {"const": "test"},
    "scores": mapping(mapping(SCORE)),
    "left_out": mapping(mapping(TEXT)),
    "hashes": mapping(HASH),
    "uncertainty": NAME,
    "training": TRAINING,
}
DATA: Schema = {"data": mapping(HASH)}  # by split: the beginning of the SHA-256 of its pixels
# Changes of the family's sampling that its knobs had by then; 0 if left out.
SOMETIMES: Schema = DATA | {"revision": TALLY}
KINDS: Mapping[str, Schema] = {
    "quality": record(EVERY_SCORED_ROW | {
        "kind": {"const": "quality"}, "checkpoint": NAME, "point": point("headline", "sweep", "lecture"),
        "hashes": {**mapping(HASH), "required": ["checkpoint"]},
    }, SOMETIMES),
    "failure": record(EVERY_SCORED_ROW | {
        "kind": {"const": "failure"}, "point": point("failure"), "failure": KEY,
    }, SOMETIMES),
    "samples": record(EVERY_SCORED_ROW | {  # made elsewhere; `checkpoint` is the name that they were given
        "kind": {"const": "samples"}, "checkpoint": NAME, "point": point("headline"),
        "hashes": {**mapping(HASH), "required": ["samples"]},
    }, {"stated": record({"ms_per_image": AMOUNT}, {"calls": COUNT, "machine": TEXT})}),  # not measured here
    "real": record(EVERY_SCORED_ROW | {
        "kind": {"const": "real"}, "checkpoint": {"const": ""}, "point": point("baseline"),
    }, SOMETIMES),
    "cost": record(EVERY_ROW | {
        "kind": {"const": "cost"}, "checkpoint": NAME, "point": point("headline", "sweep", "lecture"),
        "hashes": {**mapping(HASH), "required": ["checkpoint"]},
        "batches": array(TIMING), "best": COUNT, "calls": COUNT, "flops": TALLY,
        "parameters": TALLY, "parameters_total": TALLY,
        "peak_memory_mb": {"type": ["number", "null"], "minimum": 0},
    }, DATA),
    "bound": record(EVERY_ROW | {
        "kind": {"const": "bound"}, "checkpoint": NAME, "point": point("bound"),
        "hashes": {**mapping(HASH), "required": ["checkpoint"]},
        "n": COUNT, "split": {"enum": ["train", "validation", "test"]}, "seed": TALLY, "dimensions": COUNT,
        "terms": {**mapping(TERM), "required": ["elbo"]},  # bits_per_dim is nats / (dimensions ln 2), sign and all
        "basis": {**mapping(TEXT), "required": ["prior"]},
        "uncertainty": NAME, "training": TRAINING,
    }, DATA | {"curve": array(record({"t_low": TALLY, "t_high": TALLY, **INTERVAL}))}),  # nats per image and step of t
}  # fmt: skip
SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A row of measurements",
    "description": "One line of checkpoints/<dataset>/rows.jsonl. Beyond this schema, a score has one value per "
    "generation, and its mean, like every mean, lies between `low` and `high`. Bits per dimension are nats divided by "
    "`dimensions` and ln 2, with their sign; minus those of `elbo` are the usual figure. "
    "A score's `reference` is the number of real test images that it compares with, `n` where there is none, and "
    "its `reference_sd` the standard deviation that it has over other sets of as many, which `low` and `high` leave "
    "out. A line whose `row` is 1 or 2 has no score with a `reference`; one whose `row` is 1 has 'kd' where this "
    "schema has 'kid', and the kind 'floor' where it has 'baseline'.",
    "oneOf": list(KINDS.values()),
}

_TYPES: Mapping[str, tuple[str, type | tuple[type, ...]]] = {
    "object": ("an object", dict),
    "array": ("a list", list),
    "string": ("text", str),
    "number": ("a number", (int, float)),
    "integer": ("a whole number", (int, float)),
    "null": ("null", type(None)),
}


def upgraded(found: Any) -> Any:
    """Return a row of an earlier format as one of this; anything else as it is.

    Format 1 called the metric 'kid' 'kd', and the real-data baseline's kind of point 'floor'. In formats 1 and 2 the
    KID of n images was against the first n test images; in format 3 a `reference` says against how many.
    """
    if not isinstance(found, dict) or type(found.get("row")) is not int or found["row"] not in (1, 2):
        return found
    new = found | {"row": VERSION}
    if found["row"] == 2:
        return new
    for part in ("scores", "left_out"):
        if isinstance(found.get(part), dict):
            new[part] = {extractor: _renamed(metrics) for extractor, metrics in found[part].items()}
    if isinstance(point := found.get("point"), dict) and point.get("kind") == "floor":
        new["point"] = point | {"kind": "baseline"}
    return new


def _renamed(metrics: Any) -> Any:
    return (
        {"kid" if key == "kd" else key: one for key, one in metrics.items()} if isinstance(metrics, dict) else metrics
    )


def violation(value: Any, schema: Schema, where: str = "") -> str:
    """Return in what `value` differs from `schema`, as the end of a sentence, or '' if it does not.

    Knows the keywords that this module uses, as JSON Schema 2020-12 defines them; `oneOf` is not among them.

    Args:
        value: What `json.loads` returned.
        schema: The schema.
        where: The way to the value, to begin the words with: 'scores.classifier'.
    """
    return next(_violations(value, schema, where), "")


def _violations(value: Any, schema: Schema, where: str) -> Iterator[str]:
    shown = where or "it"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        yield f"{shown} must be {' or '.join(_TYPES[kind][0] for kind in kinds)}, not {_brief(value)}"
        return
    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    if allowed is not None and not any(type(value) is type(one) and value == one for one in allowed):
        yield f"{shown} must be {' or '.join(repr(one) for one in allowed)}, not {_brief(value)}"
    if isinstance(value, dict):
        yield from _in_object(value, schema, where)
    elif isinstance(value, list):
        yield from _in_array(value, schema, where)
    elif isinstance(value, str):
        yield from _in_text(value, schema, shown)
    elif "minimum" in schema and value is not None and value < schema["minimum"]:
        yield f"{shown} must be at least {schema['minimum']}, not {_brief(value)}"


def _is(value: Any, kind: str) -> bool:
    """Return whether a value is of a JSON type; a bool is no number, and 3.0 is an integer."""
    if not isinstance(value, _TYPES[kind][1]) or (isinstance(value, bool) and kind in ("number", "integer")):
        return False
    if isinstance(value, float):
        return math.isfinite(value) and (kind == "number" or value.is_integer())
    return True


def _in_object(value: dict, schema: Schema, where: str) -> Iterator[str]:
    prefix = f"{where}." if where else ""
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{prefix}{name} is missing"
    properties = schema.get("properties", {})
    for name, inner in value.items():
        known = properties.get(name, schema.get("additionalProperties"))
        if known is not None:
            yield from _violations(inner, known, f"{prefix}{name}")


def _in_array(value: list, schema: Schema, where: str) -> Iterator[str]:
    low, high = schema.get("minItems", 0), schema.get("maxItems", math.inf)
    if not low <= len(value) <= high:
        wanted = f"{low}" if low == high else f"{low} or more"
        yield f"{where or 'it'} must have {wanted} items, not {len(value)}"
    for place, inner in enumerate(value):
        yield from _violations(inner, schema.get("items", {}), f"{where}[{place}]")


def _in_text(value: str, schema: Schema, shown: str) -> Iterator[str]:
    if len(value) < schema.get("minLength", 0):
        yield f"{shown} must not be empty"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{shown} must match {schema['pattern']}, not {_brief(value)}"


def _brief(value: Any) -> str:
    """Return a value for people, cut when it is long."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
