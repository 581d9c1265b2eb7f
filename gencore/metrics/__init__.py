"""What is measured of generated images: functions of features beside those of real images.

`METRICS` is the registry; `scores` computes all that can be had and shares the work between metrics.
"""

from gencore.metrics.distances import KernelReference
from gencore.metrics.neighbours import nearest, prdc
from gencore.metrics.registry import METRICS, Metric, interval, metrics_of, scores, vendi_score
from gencore.metrics.spectrum import radial_spectrum, sharpness_of_spectra
from gencore.metrics.truth import known_readings

__all__ = [
    "METRICS", "KernelReference", "Metric", "interval", "known_readings", "metrics_of", "nearest", "prdc",
    "radial_spectrum", "scores", "sharpness_of_spectra", "vendi_score",
]  # fmt: skip
