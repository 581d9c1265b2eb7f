"""Images to train on and to measure with: `digits`, `shapes`, a Hub dataset id, or a local folder, as one uint8 tensor.

`docs/data.md` says in words which files are read, how, and what becomes of the rest.
"""

from gencore.data.identity import difference, fingerprint, identity, short_hashes
from gencore.data.images import Images, image_shape, load_images, load_labels, load_splits
from gencore.data.names import EMBEDDED, FOLDER_VARIABLE, HUB_IDS, SHORT_NAMES, at_hand, class_names, dataset_key
from gencore.data.report import report
from gencore.data.sources import files_stamp
from gencore.data.splits import SPLITS, hold_out
from gencore.data.stored import Stored
from gencore.data.values import to_float, to_uint8
from gencore.data.view import View

__all__ = [
    "EMBEDDED", "FOLDER_VARIABLE", "HUB_IDS", "SHORT_NAMES", "SPLITS", "Images", "Stored", "View", "at_hand",
    "class_names", "dataset_key", "difference", "files_stamp", "fingerprint", "hold_out", "identity", "image_shape",
    "load_images", "load_labels", "load_splits", "report", "short_hashes", "to_float", "to_uint8",
]  # fmt: skip
