"""Sharpness: how much power the images have at high spatial frequencies, against real images.

Feature extractors forgive blur; the power spectrum does not.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

HIGH = 0.25  # cycles per pixel: waves of 4 pixels and shorter count as fine detail
CHUNK = 2**22  # pixels transformed at once


def radial_spectrum(images: Tensor) -> Tensor:
    """Return the power of each of uint8 images (N, C, H, W) by radius in the frequency plane, float32 (N, R).

    Pixels are scaled to [0, 1], each channel's mean is taken off, a Hann window (H + 2 points without the two zeros at
    its ends, likewise W) keeps the border from ringing, and |FFT|² / (H W) is averaged over the channels and summed
    over the rings round(S f), f = √(f_x² + f_y²) in cycles per pixel, S = min(H, W): ring r holds waves of about S / r
    pixels, and the last, of R = round(S / √2) + 1, the corners of the plane, up to f = 0.707, where checkerboards show.
    """
    n, _, height, width = images.shape
    rings = ring_of_frequency(height, width).to(images.device)
    window = torch.outer(hann(height), hann(width)).to(images.device)
    spectra = torch.zeros(n, int(rings.max()) + 1, device=images.device)
    size = max(1, CHUNK // images[0].numel())
    for part, into in zip(images.split(size), spectra.split(size), strict=True):
        x = part.float() / 255
        x = (x - x.mean((2, 3), keepdim=True)) * window
        power = torch.fft.fft2(x).abs().square().mean(1) / (height * width)
        into.index_add_(1, rings.flatten(), power.flatten(1))
    return spectra


def hann(length: int) -> Tensor:
    """Return the Hann window of `length` points, all above 0."""
    return torch.hann_window(length + 2, periodic=False)[1:-1]


@lru_cache(maxsize=8)
def ring_of_frequency(height: int, width: int) -> Tensor:
    """Return each frequency's ring, integers (H, W)."""
    fy, fx = torch.fft.fftfreq(height), torch.fft.fftfreq(width)
    return (torch.hypot(fy[:, None], fx[None]) * min(height, width)).round().long()


def sharpness_of_spectra(real: Tensor, fake: Tensor) -> float:
    """Return the fake images' mean power at high frequencies over the real images', by their radial spectra (N, R).

    1 for images as sharp as real ones, below 1 for blur (or too little contrast), above 1 for noise; NaN where the real
    images have no fine detail at all.
    """
    corner = real.shape[1] - 1  # the last ring, at 0.707 cycles per pixel
    first = round(HIGH * math.sqrt(2) * corner)
    high_real, high_fake = (rows[:, first:].double().sum(1).mean().item() for rows in (real, fake))
    return high_fake / high_real if high_real else math.nan
