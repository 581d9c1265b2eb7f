"""DINOv2: features of a large network that has seen none of the data, where its weights can be had."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Self

from torch import Tensor
from torch.nn.functional import interpolate

from gencore.data import Images
from gencore.errors import InputError, reason
from gencore.extractors.base import Extractor, Options, Show
from gencore.paths import as_path

WEIGHTS = "facebook/dinov2-small"  # on the Hugging Face Hub: ViT-S/14
PATCHES = 16  # a side: 224 pixels with patches of 14
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, which it was trained with


class DINOv2(Extractor):
    """The class token of DINOv2 (Oquab et al. 2023), of images shown at 224 x 224 pixels, after its last norm."""

    name: ClassVar[str] = "dinov2"
    about: ClassVar[str] = "the class token of DINOv2, which was trained on other images without labels"
    sees: ClassVar[str] = "see what things look like to a network that has seen none of these data"
    pretrained: ClassVar[bool] = True

    def __init__(self, channels: int, size: int, model: Mapping[str, Any]):
        library = transformers()
        config = library.Dinov2Config.from_dict(dict(model))
        super().__init__(config.hidden_size, channels=channels, size=size, model=dict(model))
        self.side = PATCHES * config.patch_size
        self.network = library.Dinov2Model(config)

    def raw(self, x: Tensor) -> Tensor:
        """Map uint8 (n, C, H, W) to the class token, (n, d)."""
        x = interpolate(x.expand(-1, 3, -1, -1).float() / 255, size=self.side, mode="bicubic", antialias=True)
        x = (x.clamp(0, 1) - x.new_tensor(MEAN).view(3, 1, 1)) / x.new_tensor(STD).view(3, 1, 1)
        return self.network(x).pooler_output

    @classmethod
    def check_at_hand(cls, options: Options) -> None:
        """Check that transformers is installed, and fetch the weights if they are not here.

        Raises:
            InputError: if it is not, or they cannot be had.
        """
        transformers()
        _folder(options.weights or WEIGHTS)

    @classmethod
    def learn(cls, splits: Mapping[str, Images], options: Options, show: Show) -> tuple[Self, dict[str, Any]]:
        """Return the network with the weights of `options.weights`; nothing is learnt.

        Raises:
            InputError: if transformers is not installed, or the weights cannot be had.
        """
        _, channels, size, _ = splits["train"].x.shape
        source = options.weights or WEIGHTS
        network = _pretrained(source)
        told = json.loads(network.config.to_json_string())
        model = {key: value for key, value in told.items() if not key.startswith("_")}  # paths of this machine
        extractor = cls(channels, size, model)
        extractor.network.load_state_dict(network.state_dict())
        count = sum(p.numel() for p in extractor.parameters())
        return extractor.eval(), {"weights": Path(source).name, "parameters": count}


def transformers() -> ModuleType:
    """Return the package transformers.

    Raises:
        InputError: if it is not installed.
    """
    try:
        import transformers
    except ImportError:
        raise InputError(
            "DINOv2 features need the package transformers, which is not installed: pip install transformers"
        ) from None
    return transformers


def _pretrained(source: str) -> Any:
    """Return the `Dinov2Model` in a folder or on the Hub, from safetensors alone.

    Raises:
        InputError: if it cannot be had.
    """
    library = transformers()
    try:
        return library.Dinov2Model.from_pretrained(_folder(source), local_files_only=True, use_safetensors=True)
    except Exception as error:  # transformers raises whatever a file that is not what it should be leads to
        raise InputError(f"There are no DINOv2 weights that can be used in {source!r}: {reason(error)}.") from None


def _folder(source: str) -> Path:
    """Return the folder with a model's files, downloaded from the Hub where it is no folder.

    Raises:
        InputError: if the Hub cannot be reached or does not have it.
    """
    if as_path(source).is_dir():
        return as_path(source)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(source, allow_patterns=["config.json", "model.safetensors"], etag_timeout=10))
    except Exception as error:  # of httpx and huggingface_hub, without a common base class
        raise InputError(
            f"The weights {source!r} are in no folder of this name, and the Hugging Face Hub did not give them "
            f"({reason(error)}); name a folder that holds them with --weights."
        ) from None
