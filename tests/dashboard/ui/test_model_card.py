"""A lane's picture: how its images are laid out."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from dashboard.ui.model_card import data_uri


@pytest.mark.parametrize(("n", "across", "down"), [(1, 1, 1), (6, 6, 1), (24, 6, 4), (100, 10, 10)])
def test_few_images_lie_in_rows_of_six_and_many_in_a_square(n, across, down):
    content = base64.b64decode(data_uri(np.zeros((n, 1, 4, 4), np.uint8)).removeprefix("data:image/png;base64,"))
    assert Image.open(io.BytesIO(content)).size == (4 * across, 4 * down)
