"""Images to train on and to measure with: `digits`, a Hub dataset id, or a local folder, as one uint8 tensor.

Splits. 'train' trains, 'validation' chooses (knobs, extractor, early stop), 'test' is scored. What a source
lacks is held out of its train rows by one fixed rule, `hold_out`: first a test split if there is none, then a
validation split if there is none. 'train' contains neither. Every split comes in a fixed shuffled order, so that
its first k images are a fair sample even when the source is sorted by class. Nothing here depends on a seed of
the user's: the same source always gives the same splits.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from gencore.errors import InputError, near

if TYPE_CHECKING:
    from datasets import Dataset

SPLITS = ("train", "validation", "test")
HUB_IDS = {"mnist": "ylecun/mnist", "cifar10": "uoft-cs/cifar10"}
SHORT_NAMES = {hub_id: name for name, hub_id in HUB_IDS.items()}
FOLDER_VARIABLE = "GENCORE_DATA"
MIN_IMAGES = 20
MAX_SIZE = 1024
DIGITS_TEST = 297
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")
_ALIASES = {"valid": "validation", "val": "validation", "dev": "validation"}
Parts = tuple[str, ...]  # the parts of a file's path below the data set's folder
_BATCH = 1000  # rows handed from arrow to Python at a time


@dataclass(frozen=True)
class Images:
    """One split of a data set, in memory.

    Attributes:
        name: The data set: a short name where it has one ('mnist'), else as it was asked for.
        split: 'train', 'validation' or 'test'.
        x: uint8 (N, C, H, W) with H = W; C is 1 (grey) or 3 (RGB).
        labels: int64 (N,), aligned with `x`, or None when the source has none.
    """

    name: str
    split: str
    x: Tensor
    labels: Tensor | None

    @property
    def labelled(self) -> bool:
        """Whether every image has a label; some sources mark those without by -1."""
        return self.labels is not None and int(self.labels.min()) >= 0


def dataset_key(dataset: str) -> str:
    """Return the folder's name of a data set: 'mnist' for 'mnist' and 'ylecun/mnist', the last part of a path."""
    return Path(SHORT_NAMES.get(dataset, dataset)).name


def load_images(name: str, split: str = "train", size: int | None = None) -> Images:
    """Return one split of a data set; see the module's docstring for the splits.

    Args:
        name: 'digits' (scikit-learn's 8x8 digits, embedded), 'mnist', 'cifar10', any Hub dataset id, or a local
            folder of parquet files or of images (flat, in class folders, and in split folders above those). The
            folder named by GENCORE_DATA is looked in before the Hub.
        split: 'train', 'validation' or 'test'.
        size: If given, every image is cropped to its central square and resized to `size` x `size` pixels.

    Raises:
        InputError: if the data set, its images or the split cannot be had, or if the images are not all squares
            of one size and `size` is not given.
    """
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MAX_SIZE):
        raise InputError(f"size must be a whole number of pixels from 1 to {MAX_SIZE}, not {size!r}.")
    name = SHORT_NAMES.get(name, name)
    pictures, labels = _read(name, split)
    return Images(name, split, _stack([_fit(picture, size) for picture in pictures], name), labels)


def load_labels(name: str, split: str = "train") -> Tensor | None:
    """Return the labels int64 (N,) of one split, in the order of `load_images`, without decoding an image.

    None when the source has none; the arguments and errors are those of `load_images`.
    """
    return _read(SHORT_NAMES.get(name, name), split)[1]


def at_hand(name: str) -> bool:
    """Return whether `load_images` would find the data set without the network."""
    name = SHORT_NAMES.get(name, name)
    if name == "digits" or _folder(name) is not None:
        return True
    from huggingface_hub.constants import HF_HOME

    cache = Path(os.environ.get("HF_DATASETS_CACHE") or Path(HF_HOME, "datasets"))
    return (cache / HUB_IDS.get(name, name).replace("/", "___")).is_dir()


def to_uint8(x: Tensor) -> Tensor:
    """Return images in [-1, 1], any shape, as uint8 in 0..255: (x + 1) * 127.5 rounded and clamped."""
    return ((x.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def to_float(x: Tensor) -> Tensor:
    """Return uint8 images in 0..255, any shape, as float32 in [-1, 1]."""
    return x.float() / 127.5 - 1


def hold_out(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that stay and the rows of a hold-out split, of `n` rows.

    Held out are the last 10%, at least 1 and at most 5,000, of a fixed permutation (numpy's `default_rng(0)`).
    """
    order = np.random.default_rng(0).permutation(n)
    kept = n - max(1, min(5000, n // 10))
    return order[:kept], order[kept:]


def _divide(sizes: dict[str, int], split: str) -> tuple[str, np.ndarray]:
    """Return the source split and its rows that make up `split`, given the number of rows of the source's splits."""
    if split in sizes and split != "train":
        return split, np.random.default_rng(0).permutation(sizes[split])
    rows = np.arange(sizes["train"])
    for other in ("test", "validation"):
        if other not in sizes:
            kept, held_out = hold_out(len(rows))
            if other == split:
                return "train", rows[held_out]
            rows = rows[kept]
    # Source order may be by class, and a source with both splits has not been permuted by `hold_out`.
    return "train", rows if len(rows) < sizes["train"] else np.random.default_rng(0).permutation(rows)


def _read(name: str, split: str) -> tuple[Iterator[Image.Image], Tensor | None]:
    """Return the images of a split, still to be decoded, and the labels."""
    if split not in SPLITS:
        raise InputError(f"There is no split {split!r}{near(str(split), list(SPLITS))}")
    return _digits(split) if name == "digits" else _rows(name, split)


def _digits(split: str) -> tuple[Iterator[Image.Image], Tensor]:
    from sklearn.datasets import load_digits

    source = load_digits()
    values = np.round(source.images * (255 / 16)).astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(values))
    parts = {"train": order[:-DIGITS_TEST], "test": order[-DIGITS_TEST:]}
    part, rows = _divide({key: len(value) for key, value in parts.items()}, split)
    rows = parts[part][rows]
    return (Image.fromarray(value) for value in values[rows]), torch.from_numpy(source.target[rows]).long()


def _rows(name: str, split: str) -> tuple[Iterator[Image.Image], Tensor | None]:
    """Return those of anything that `datasets` reads."""
    source = _open(name)
    parts = {_ALIASES.get(key, key): part for key, part in source.items()}
    if "train" not in parts and len(parts) == 1:
        parts = {"train": next(iter(parts.values()))}
    if "train" not in parts:
        raise InputError(f"{name} has no train split, only {', '.join(parts) or 'nothing'}.")
    sizes = {key: len(part) for key, part in parts.items() if len(part)}
    if sizes.get("train", 0) < MIN_IMAGES:
        raise InputError(f"{name} has {sizes.get('train', 0)} images to train on; at least {MIN_IMAGES} are needed.")
    part, rows = _divide(sizes, split)
    image, label = _columns(parts[part], name)
    picked = parts[part].select_columns([image, *([label] if label else [])]).select(rows)
    return _decoded(picked, image, rows, name), _labels(picked, label)


def _labels(picked: Dataset, label: str | None) -> Tensor | None:
    if label is None:
        return None
    column = picked.select_columns([label]).with_format("arrow")[:][label]
    return None if column.null_count else torch.from_numpy(column.to_numpy().astype(np.int64))


def _decoded(picked: Dataset, image: str, rows: np.ndarray, name: str) -> Iterator[Image.Image]:
    done = 0
    for table in picked.select_columns([image]).with_format("arrow").iter(_BATCH):
        for cell in table[image].to_pylist():
            yield _decode(cell or {}, f"Row {rows[done]} of {name}")
            done += 1


def _decode(cell: dict[str, Any], where: str) -> Image.Image:
    """Return the image in a cell of an arrow image column, {'bytes': ..., 'path': ...}; the file if no bytes."""
    raw, path = cell.get("bytes"), cell.get("path")
    if raw is None and path is None:
        raise InputError(f"{where} holds no image.")
    try:
        picture = Image.open(path if raw is None else io.BytesIO(raw))
        picture.load()
        return ImageOps.exif_transpose(picture) if "exif" in picture.info else picture
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        where = f"{path} ({where[0].lower()}{where[1:]})" if path else where
        reason = "no known image format" if isinstance(error, UnidentifiedImageError) else error
        raise InputError(f"{where} cannot be read as an image; remove or replace it ({reason}).") from None


def _fit(picture: Image.Image, size: int | None) -> np.ndarray:
    """Return an image as uint8 (H, W) when grey or (H, W, 3), cropped and resized if `size` is given."""
    if picture.mode.startswith("I"):  # 16-bit grey, which PIL's own conversion would clip at 255
        picture = Image.fromarray((np.asarray(picture).clip(0, 65535) / 257).round().astype(np.uint8))
    wanted = "L" if picture.mode in ("1", "L", "LA", "La", "F") else "RGB"
    if picture.mode != wanted:
        picture = picture.convert(wanted)
    if size is not None and picture.size != (size, size):
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        # Cropped first: given a box, as ImageOps.fit does, PIL's resize blends in pixels from beyond it.
        picture = picture.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _stack(arrays: list[np.ndarray], name: str) -> Tensor:
    """Return (N, C, H, W) of arrays (H, W) or (H, W, 3); grey ones among RGB become RGB."""
    sizes = sorted({array.shape[:2] for array in arrays})
    if len(sizes) > 1 or sizes[0][0] != sizes[0][1]:
        shown = " and ".join(f"{width}x{height}" for height, width in sizes[:2])
        what = f"different sizes ({shown}{', ...' if len(sizes) > 2 else ''})" if len(sizes) > 1 else f"{shown} pixels"
        raise InputError(
            f"The images of {name} have {what}, but must be squares of one size; "
            "pass a `size` to crop and resize them, such as size=32."
        )
    if any(array.ndim == 3 for array in arrays):
        x = np.stack([array if array.ndim == 3 else np.repeat(array[..., None], 3, 2) for array in arrays])
        return torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
    return torch.from_numpy(np.stack(arrays))[:, None]


def _columns(part: Dataset, name: str) -> tuple[str, str | None]:
    """Return the names of the image column and of the label column (None if there is none)."""
    from datasets import ClassLabel, Value
    from datasets import Image as ImageFeature

    features = part.features
    # As written without the Hub's metadata, an image is a struct with the file's bytes.
    images = [
        key
        for key, kind in features.items()
        if isinstance(kind, ImageFeature) or (isinstance(kind, dict) and "bytes" in kind)
    ]
    if not images:
        raise InputError(f"{name} has no image column, only {', '.join(features) or 'no columns'}.")
    usual = [key for key in ("label", "labels") if key in features]
    whole = [key for key in usual if isinstance(features[key], Value) and "int" in features[key].dtype]
    classes = [key for key in [*usual, *features] if isinstance(features[key], ClassLabel)]
    return images[0], next(iter(classes + whole), None)


def _folder(name: str) -> Path | None:
    """Return the local folder that `name` stands for, if there is one."""
    base = os.environ.get(FOLDER_VARIABLE)
    hub_id = HUB_IDS.get(name, name)
    tries = [Path(base, key) for key in (name, hub_id, hub_id.rpartition("/")[2]) if key] if base else []
    if name and name not in HUB_IDS:  # a folder that happens to be called 'mnist' must not pass for MNIST
        tries.append(Path(name).expanduser())
    return next((path for path in tries if path.is_dir()), None)


def _open(name: str) -> dict[str, Dataset]:
    """Return the source's splits by name, not decoded."""
    folder = _folder(name)
    if folder is not None:
        return _open_folder(folder)
    if _is_path(name):
        raise InputError(f"There is no folder {name!r}; give a folder of parquet files or images.")
    import datasets
    from huggingface_hub import constants, get_session

    datasets.disable_progress_bars()
    try:
        if not at_hand(name):  # says at once that there is no network, where load_dataset tries for 23 seconds
            get_session().head(constants.ENDPOINT, timeout=10)
        return datasets.load_dataset(HUB_IDS.get(name, name))
    except Exception as error:  # of `datasets`, `huggingface_hub`, `httpx`, ...: they share no base class
        raise InputError(_unreachable(name, _reason(error))) from error


def _open_folder(folder: Path) -> dict[str, Dataset]:
    inside = [path.relative_to(folder).parts for path in sorted(folder.rglob("*")) if path.is_file()]
    inside = [parts for parts in inside if not any(part.startswith((".", "__")) for part in parts)]
    tables = [parts for parts in inside if parts[-1].lower().endswith(".parquet")]
    images = [parts for parts in inside if parts[-1].lower().endswith(SUFFIXES)]
    if not tables and not images:
        raise InputError(f"The folder {folder} has no images and no parquet files in it.")
    import datasets

    if not tables:
        return _image_folder(folder, images)
    splits = _by_split(tables, lambda parts: (*parts[:-1], *re.split(r"[-._]", parts[-1])))
    files = {split: [str(folder.joinpath(*parts)) for parts in paths] for split, paths in splits.items()}
    datasets.disable_progress_bars()
    try:
        return datasets.load_dataset("parquet", data_files=files)
    except Exception as error:  # as above
        raise InputError(f"The parquet files in {folder} cannot be read as a data set: {_reason(error)}.") from error


def _by_split(files: list[Parts], words: Callable[[Parts], Parts]) -> dict[str, list[Parts]]:
    """Return files by the split that their `words` name; all as 'train' if some name none and none names 'train'.

    Not left to `load_dataset`, which takes an image 'street_test_01.png' for a test split and leaves out the rest.
    """
    found: dict[str, list[Parts]] = {}
    for parts in files:
        split = next((split for word in words(parts) if (split := _split_named(word))), "")
        found.setdefault(split, []).append(parts)
    rest = found.pop("", [])
    return {"train": files} if rest and "train" not in found else found


def _split_named(word: str) -> str:
    """Return the split that a folder's name, or a word of a file's, stands for; '' if none."""
    split = _ALIASES.get(word.lower(), word.lower())
    return split if split in SPLITS else ""


def _image_folder(folder: Path, images: list[Parts]) -> dict[str, Dataset]:
    """Return the images of a folder by split folder, labelled by the class folders that they are in, if in any."""
    from datasets import ClassLabel, Dataset, Features
    from datasets import Image as ImageFeature

    splits = _by_split(images, lambda parts: parts[:1] if len(parts) > 1 else ())
    pooled = any(_split_named(parts[0]) != split for split, paths in splits.items() for parts in paths)
    depth = 0 if pooled else 1  # of the class folders
    classes = sorted({"" if len(parts) < depth + 2 else parts[depth] for paths in splits.values() for parts in paths})
    features = Features(image=ImageFeature(), label=ClassLabel(names=classes))
    tables = {}
    for split, paths in splits.items():
        files = [str(folder.joinpath(*parts)) for parts in paths]
        if len(classes) > 1 and "" not in classes:
            labels = [classes.index(parts[depth]) for parts in paths]
            tables[split] = Dataset.from_dict({"image": files, "label": labels}, features)
        else:
            tables[split] = Dataset.from_dict({"image": files}, Features(image=ImageFeature()))
    return tables


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _is_path(name: str) -> bool:
    return name.startswith((".", "~", os.sep)) or name.count("/") > 1 or "\\" in name or not name


def _unreachable(name: str, reason: str) -> str:
    base = os.environ.get(FOLDER_VARIABLE)
    local = f"not in {FOLDER_VARIABLE}={base}" if base else f"{FOLDER_VARIABLE} is not set"
    hint = near(name, ["digits", *HUB_IDS]) if "/" not in name and name not in HUB_IDS else "."
    return (
        f"The data set {name!r} was not found: {local}, no local folder has this name, and loading "
        f"{HUB_IDS.get(name, name)!r} from the Hugging Face Hub failed ({reason}){hint}"
    )
