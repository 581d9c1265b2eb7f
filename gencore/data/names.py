"""What a data set is called, and the local folder that a name stands for."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from gencore.errors import InputError
from gencore.paths import as_path

EMBEDDED = ("digits", "shapes")  # need neither a folder nor the network
HUB_IDS = {"mnist": "ylecun/mnist", "cifar10": "uoft-cs/cifar10"}
SHORT_NAMES = {hub_id: name for name, hub_id in HUB_IDS.items()}
FOLDER_VARIABLE = "GENCORE_DATA"
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")  # its classes


def short_name(name: str | Path) -> str:
    """Return the short name of a data set where it has one ('mnist'), else the name as it is.

    Raises:
        InputError: if it is no name.
    """
    if not isinstance(name, str | Path):
        raise InputError(f"A data set is named by a text such as 'digits' or a folder, not by {name!r}.")
    return SHORT_NAMES.get(str(name), str(name))


def dataset_key(dataset: str) -> str:
    """Return the folder's name of a data set: 'mnist' for 'mnist' and 'ylecun/mnist', the last part of a path."""
    return Path(short_name(dataset)).name


def class_names(dataset: str) -> tuple[str, ...]:
    """Return what a data set's classes are called, in the order of their numbers; () where the number is the name.

    A folder that happens to be called 'shapes' has classes of its own.
    """
    from gencore.shapes.factors import MODES

    return {"shapes": MODES, "cifar10": CIFAR10}.get(short_name(dataset), ())


def folder_of(name: str) -> Path | None:
    """Return the local folder that a data set's name stands for, if there is one."""
    base = os.environ.get(FOLDER_VARIABLE)
    hub_id = HUB_IDS.get(name, name)
    tries = [as_path(base) / key for key in (name, hub_id, hub_id.rpartition("/")[2]) if key] if base else []
    if name and name not in HUB_IDS:  # a folder that happens to be called 'mnist' must not pass for MNIST
        tries.append(as_path(name))
    with suppress(OSError):  # a name that no system would take, as one that is too long
        return next((path for path in tries if path.is_dir()), None)
    return None


def is_path(name: str) -> bool:
    """Return whether a name can only be that of a folder."""
    return name.startswith((".", "~", os.sep)) or name.count("/") > 1 or "\\" in name or not name


def at_hand(name: str) -> bool:
    """Return whether `load_images` would find the data set without the network."""
    name = short_name(name)
    if name in EMBEDDED or folder_of(name) is not None:
        return True
    from huggingface_hub.constants import HF_HOME

    cache = Path(os.environ.get("HF_DATASETS_CACHE") or Path(HF_HOME, "datasets"))
    return (cache / HUB_IDS.get(name, name).replace("/", "___")).is_dir()
