"""Pictures that no data set has: coloured shapes on a transparent ground, of mixed sizes, without labels."""

import io
import zipfile

import numpy as np
from PIL import Image, ImageDraw


def shape(random):
    """One picture: a disc, a square or a triangle in a colour of its own, RGBA."""
    width, height = random.integers(20, 44, 2)
    picture = Image.new("RGBA", (int(width), int(height)), (0, 0, 0, 0))
    pen, side = ImageDraw.Draw(picture), min(width, height) * random.uniform(0.5, 0.9)
    left, top = (width - side) * random.uniform(), (height - side) * random.uniform()
    colour, box = tuple(int(v) for v in random.integers(40, 255, 3)), (left, top, left + side, top + side)
    kind = random.integers(3)
    if kind == 0:
        pen.ellipse(box, fill=colour)
    elif kind == 1:
        pen.rectangle(box, fill=colour)
    else:
        pen.polygon([(left, top + side), (left + side, top + side), (left + side / 2, top)], fill=colour)
    return picture


def zipped(path, count=240):
    """A ZIP of shapes, as somebody would pack them on a Mac."""
    random = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(count):
            content = io.BytesIO()
            shape(random).save(content, "PNG")
            archive.writestr(f"shapes/{index:04d}.png", content.getvalue())
        archive.writestr("__MACOSX/shapes/._0000.png", b"\0\5\x16\7")
        archive.writestr("shapes/notes.txt", b"made by a test")
    return path
