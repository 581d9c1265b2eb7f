"""Models of diffusers' unconditional pixel pipelines, taken in as checkpoints and given out again.

A pipeline is a folder with `model_index.json`, which names the classes of its parts, each in a folder of its own (or,
before diffusers 0.1, all beside it). Only JSON and safetensors are read: no pickle is opened and no code run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gencore import checkpoint
from gencore.data import View, at_hand, image_shape
from gencore.device import circumstances
from gencore.errors import InputError, reason
from gencore.extractors import dataset_key
from gencore.families import FAMILIES
from gencore.family import Family, Pipes
from gencore.paths import as_path, whole

INDEX, CARD = "model_index.json", "README.md"
WEIGHTS = "diffusion_pytorch_model*.safetensors"
TAKEN = ("DDPMPipeline", "DDIMPipeline", "PNDMPipeline")
NETWORK = "UNet2DModel"
PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
REASONS = {
    "ScoreSdeVePipeline": "its noise grows without end where a DDPM's x_t keeps its variance, so none of the samplers "
    "and bounds here fit it",
    "LDMPipeline": "it makes latents of another network, not pixels",
}  # what else is unconditional, and why it is refused


@dataclass(frozen=True)
class Source:
    """Where a pipeline's files lie.

    Attributes:
        name: Its name for people: a Hub id, or the folder's own name.
        folder: The folder on this disk.
        revision: The commit of a Hub id; '' for a folder.
    """

    name: str
    folder: Path
    revision: str = ""

    def part(self, name: str) -> Path:
        """Return the folder of one of its parts."""
        return self.folder / name if (self.folder / name).is_dir() else self.folder


def take_in(
    source: str, data: str, out: Path | None = None, revision: str | None = None, view: View | None = None
) -> Path:
    """Make a checkpoint of a diffusers pipeline, and return its folder.

    Args:
        source: A folder that diffusers saved, or a Hub id.
        data: The data set that it was trained on, whose real images it is compared with.
        out: The checkpoint's folder, by default `runs/DATA/NAME`.
        revision: Of a Hub id: a branch, tag or commit.
        view: In what form the data set's images are read.

    Raises:
        InputError: if it is no such pipeline, has no safetensors or other weights than its config calls for, if its
            images are not of the shape of the data set's, or if the folder is taken.
    """
    view = view or View()
    found = _source(source, revision, ["*.json", CARD])
    kind = _checked_index(found)
    family = next(cls for cls in FAMILIES.values() if issubclass(cls, Pipes))
    with torch.random.fork_rng(devices=[]):
        model = _built(family, found)
    _refuse_other_shape(model, data, view)
    out = as_path(out) if out else Path("runs", dataset_key(data), re.sub(r"[^\w.-]+", "-", Path(found.name).name))
    if (out / checkpoint.CONFIG).exists() or (out / checkpoint.RUN).exists():
        raise InputError(f"{out} already holds a run; choose another folder with --out.")
    if found.revision:
        found = _source(source, found.revision, [WEIGHTS, f"*/{WEIGHTS}"])
    _load_weights(model, found)
    checkpoint.save_model(out, model)
    origin = {"source": found.name, "revision": found.revision, "licence": licence(found.folder), "pipeline": kind}
    checkpoint.write_json(out / checkpoint.RUN, _record(family, data, view, model, origin))
    return out


def give_out(name: str | Path, out: Path) -> None:
    """Write a checkpoint as a folder that diffusers' `from_pretrained` loads, with a card if its licence is known.

    Raises:
        InputError: if its family is no pipeline of diffusers', if the folder is taken, or if the disk refuses.
    """
    entry, out = checkpoint.find(name), as_path(out)
    model = checkpoint.load(entry, device="cpu")
    if not isinstance(model, Pipes):
        raise InputError(f"diffusers has no pipeline for a {model.title}; leave out --format diffusers.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is there already; choose another folder with --out.")
    with whole(out) as folder:
        model.pipeline().save_pretrained(folder, safe_serialization=True)
        if licence_name := entry.origin.get("licence"):
            (folder / CARD).write_text(f"---\nlicense: {licence_name}\nlibrary_name: diffusers\n---\n")


def licence(folder: Path) -> str:
    """Return the licence that a model card names in its first lines; '' if there is none."""
    try:
        text = (folder / CARD).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    head = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    line = re.search(r"^license:[ \t]*([\w.+-]+)[ \t]*$", head[1], re.MULTILINE) if head else None
    return line[1] if line else ""


def _source(source: str, revision: str | None, patterns: Sequence[str]) -> Source:
    """Return where a pipeline's files lie, those of a Hub id fetched first: what the patterns name, and no code."""
    folder = as_path(source)
    if folder.is_dir():
        return Source(folder.resolve().name, folder)
    if folder.is_file():
        pickle = folder.suffix.lower() in PICKLES
        why = "a pickle, which can run code and is never opened" if pickle else "a file"
        raise InputError(f"{source} is {why}; give the folder that diffusers saved, with {INDEX} in it.")
    if not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", source):
        raise InputError(f"There is no folder {source!r}; give one that diffusers saved, or a Hub id as NAME/MODEL.")
    from huggingface_hub import snapshot_download

    try:
        fetched = Path(snapshot_download(source, revision=revision, allow_patterns=list(patterns)))
    except Exception as error:  # of huggingface_hub, httpx and others, which share no base class
        raise InputError(
            f"{source!r} is no folder here, and it could not be had from the Hugging Face Hub ({reason(error)})."
        ) from error
    return Source(source, fetched, fetched.name)


def _checked_index(source: Source) -> str:
    """Return the class of a pipeline whose parts are diffusers' own.

    Raises:
        InputError: if it is none, with the reason.
    """
    if not (source.folder / INDEX).is_file():
        raise InputError(f"{source.name} has no {INDEX}, so it is no pipeline that diffusers saved.")
    index = checkpoint.read_json(source.folder / INDEX)
    kind = index.get("_class_name")
    if kind not in TAKEN:
        shown = kind if isinstance(kind, str) else json.dumps(kind)
        foreign = "only unconditional pipelines of pixels can be imported" if isinstance(kind, str) else (
            "it comes with code of its own, which is never run"
        )  # fmt: skip
        raise InputError(
            f"{source.name} is a {shown}: {REASONS.get(str(kind), foreign)}. Imported are {', '.join(TAKEN)}."
        )
    for part, its in index.items():
        if part.startswith("_") or not isinstance(its, list) or its[:1] == [None]:
            continue
        if its[:1] != ["diffusers"]:
            raise InputError(f"{source.name} has a {part} of {its[0]!r}: code from elsewhere is never run.")
    network = index.get("unet")
    if network != ["diffusers", NETWORK]:
        raise InputError(f"{source.name} has the network {network!r}; it must be diffusers' {NETWORK}.")
    return kind


def _built(family: type[Family], source: Source) -> Family:
    configs = []
    for part, file in (("unet", "config.json"), ("scheduler", "scheduler_config.json")):
        path = source.part(part) / file
        if not path.is_file():
            raise InputError(f"{source.name} is not whole: it has no {part}/{file}.")
        configs.append(checkpoint.read_json(path))
    try:
        return family.from_pipeline(*configs)
    except InputError as error:
        raise InputError(f"{source.name} cannot be imported: {error}") from None
    except Exception as error:  # a constructor given values it was not made for can raise anything
        told = " ".join(str(error).split())
        raise InputError(f"{source.name} does not describe a {NETWORK} that can be built: {told}") from error


def _refuse_other_shape(model: Family, data: str, view: View) -> None:
    """Raise InputError if a model's images are of another shape than a data set's, where that is at hand."""
    if not at_hand(data):
        return
    channels, size = image_shape(data, view)
    if (channels, size) != model.image_shape[:2]:
        mine = _shape_words(model.image_shape[1], model.image_shape[0])
        raise InputError(
            f"The model makes {mine} images, and those of {data} are {_shape_words(size, channels)}; --size and "
            "--channels read them as others."
        )


def _shape_words(size: int, channels: int) -> str:
    return f"{size}x{size} {'grey' if channels == 1 else 'RGB'}"


def _load_weights(model: Family, source: Source) -> None:
    """Load a pipeline's weights into the network, all of them and no others.

    diffusers itself reads them, as it knows the names that they had in earlier versions; what it would pass over is
    refused.
    """
    folder = source.part("unet")
    if not list(folder.glob(WEIGHTS)):
        pickles = [path.name for path in folder.iterdir() if path.suffix.lower() in PICKLES]
        there = f"only {pickles[0]}, a pickle, which can run code and is never opened" if pickles else "none"
        raise InputError(f"{source.name} has no weights as safetensors: {there}; save it with safe_serialization.")
    try:
        network, told = type(model.network).from_pretrained(
            folder, use_safetensors=True, local_files_only=True, output_loading_info=True
        )
    except Exception as error:  # of safetensors, diffusers and torch
        why = " ".join(str(error).split())
        raise InputError(f"The weights of {source.name} cannot be read: {why[:200]}") from error
    wrong = sorted({str(name) for names in told.values() for name in names})
    if wrong:
        raise InputError(f"The weights of {source.name} are not those that its config calls for: {wrong[0]}.")
    model.network.load_state_dict(network.state_dict())


def _record(family: type[Family], data: str, view: View, model: Family, origin: Mapping[str, str]) -> dict[str, Any]:
    """Return the run.json of an imported model, of whose training nothing is known."""
    import diffusers

    how = circumstances("import", torch.device("cpu"), diffusers)
    del how["machine"]  # it would pass for the one that it was trained on
    arguments = {key: value for key, value in model.config.items() if not key.startswith("_")}
    shape = ("channels", "size")
    settings = {key: value for key, value in arguments.items() if key not in shape}
    what = {"family": family.name, "data": data, "view": view.record(), "model": settings}
    return {"preset": "", **what, "train": {}, "origin": origin, **how}
