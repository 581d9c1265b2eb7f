"""The rule of each mode in docs/data.md, value by value."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from gencore.data import SPLITS, load_images, load_splits
from gencore.errors import InputError
from tests.support.image_files import encoded, grey, write_parquet

RAMP = np.arange(256).reshape(16, 16)


def loaded(tmp_path, image, suffix="png", n=20, **options):
    """One image of a folder of n alike, as it is loaded."""
    (tmp_path / "own").mkdir()
    image.save(tmp_path / f"own/0.{suffix}", **options)
    for i in range(1, n):
        shutil.copy(tmp_path / f"own/0.{suffix}", tmp_path / f"own/{i}.{suffix}")
    x = load_images(str(tmp_path / "own")).x
    assert (x == x[:1]).all()
    return x[0]


def grey_of(tmp_path, array, suffix="png"):
    x = loaded(tmp_path, Image.fromarray(array), suffix)
    assert len(x) == 1
    return x[0].numpy()


@pytest.mark.parametrize(
    ("array", "suffix"),
    [
        (RAMP.astype(np.uint8), "png"),
        ((RAMP * 257).astype(np.uint16), "png"),
        ((RAMP * 257).astype(np.uint16), "tif"),
        ((RAMP * 257).astype(np.int32), "tif"),
        (RAMP.astype(np.int32), "tif"),
        ((RAMP / 255).astype(np.float32), "tif"),
        ((RAMP / 127.5 - 1).astype(np.float32), "tif"),
        (RAMP.astype(np.float32), "tif"),
        ((RAMP / 255).astype(np.float32), "pfm"),
    ],
)
def test_the_full_range_of_every_depth_becomes_0_to_255(tmp_path, array, suffix):
    assert np.array_equal(grey_of(tmp_path, array, suffix), RAMP)


@pytest.mark.parametrize(("bits", "dtype"), [(10, np.uint16), (12, np.uint16), (14, np.uint16), (12, np.int32)])
def test_whole_numbers_have_the_smallest_depth_that_holds_the_set(tmp_path, bits, dtype):
    values = np.linspace(0, 2**bits - 1, 256).round().reshape(16, 16)
    expected = (values * 255 / (2**bits - 1)).round()
    assert np.array_equal(grey_of(tmp_path, values.astype(dtype), "tif"), expected)


def test_one_range_holds_for_all_splits(tmp_path):
    """One image alone has the whole range; the others keep their place in it wherever it lands."""
    (tmp_path / "own").mkdir()
    for bright in range(0, 30, 7):
        for i in range(30):
            Image.fromarray(np.full((8, 8), 4000 if i == bright else 400, np.uint16)).save(tmp_path / f"own/{i}.png")
        parts = load_splits(str(tmp_path / "own"))
        found = sorted(int(x[0, 0, 0]) for images in parts.values() for x in images.x)
        assert found == [round(400 * 255 / 4095)] * 29 + [round(4000 * 255 / 4095)]


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.full((4, 4), 70_000, np.int32), "whole numbers from 70000 to 70000"),
        (np.full((4, 4), -1, np.int32), "whole numbers from -1 to -1"),
        (np.full((4, 4), 300, np.float32), "floats from 300 to 300"),
        (np.full((4, 4), np.nan, np.float32), "floats from nan"),
    ],
)
def test_an_unknown_range_is_refused(tmp_path, array, told):
    with pytest.raises(InputError, match=told):
        grey_of(tmp_path, array, "tif")


def on_white(value, alpha):
    return int(value * alpha / 255 + 255 * (255 - alpha) / 255 + 0.5)


@pytest.mark.parametrize("alpha", [0, 1, 128, 254, 255])
def test_transparent_parts_show_white(tmp_path, alpha):
    colour = np.zeros((4, 4, 4), np.uint8)
    colour[:] = (200, 30, 7, alpha)
    x = loaded(tmp_path, Image.fromarray(colour))
    assert x[:, 0, 0].tolist() == [on_white(value, alpha) for value in (200, 30, 7)]
    (tmp_path / "grey").mkdir()
    grey = np.full((4, 4, 2), alpha, np.uint8)
    grey[..., 0] = 77
    x = loaded(tmp_path / "grey", Image.fromarray(grey))
    assert x[:, 0, 0].tolist() == [on_white(77, alpha)]


@pytest.mark.parametrize(("mode", "value", "shows"), [("L", 77, [255]), ("RGB", (9, 8, 7), [255] * 3)])
def test_a_colour_that_is_declared_transparent_shows_white(tmp_path, mode, value, shows):
    image = Image.new(mode, (4, 4), value)
    assert loaded(tmp_path, image, transparency=value)[:, 0, 0].tolist() == shows


@pytest.mark.parametrize(("colour", "shows"), [((10, 10, 10), [10]), ((10, 20, 30), [10, 20, 30])])
@pytest.mark.parametrize("suffix", ["png", "gif", "bmp", "tif"])
def test_a_grey_palette_stays_grey(tmp_path, colour, shows, suffix):
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, *colour])
    assert loaded(tmp_path, image, suffix)[:, 0, 0].tolist() == shows


def test_one_bit_is_black_and_white(tmp_path):
    image = Image.fromarray(RAMP > 100)
    assert np.array_equal(loaded(tmp_path, image)[0].numpy(), np.where(RAMP > 100, 255, 0))


def test_cmyk_becomes_rgb(tmp_path):
    x = loaded(tmp_path, Image.new("CMYK", (4, 4), (255, 0, 0, 0)), "tif")
    assert x[:, 0, 0].tolist() == [0, 255, 255]


def test_of_an_animation_the_first_frame(tmp_path):
    frames = [Image.new("L", (4, 4), value) for value in (50, 100, 150)]
    assert set(loaded(tmp_path, frames[0], "gif", save_all=True, append_images=frames[1:]).flatten().tolist()) == {50}


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'  # noqa: E501


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif", "xmp.jpg"])
def test_pictures_are_turned_as_their_file_says(tmp_path, suffix):
    """Orientation 6: turned by 90 degrees clockwise, the last row becomes the first column."""
    values = np.zeros((16, 16), np.uint8)
    values[8:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"xmp": XMP} if suffix.startswith("xmp") else {"exif": exif}
    x = loaded(tmp_path, Image.fromarray(values), suffix, **options)[0].float()
    assert x[:, :7].mean() > 250
    assert x[:, 9:].mean() < 5


def test_turned_pictures_count_with_the_size_that_they_show(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "own").mkdir()
    for i in range(20):
        upright = Image.new("L", (8, 6) if i % 2 else (6, 8))
        upright.save(tmp_path / f"own/{i}.jpg", exif=b"" if i % 2 else exif)
    with pytest.raises(InputError, match="have 8x6 pixels"):
        load_images(str(tmp_path / "own"))


@pytest.mark.parametrize("place", [0, 13, 29])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK"])
def test_channels_are_decided_once_for_the_source(tmp_path, place, mode):
    (tmp_path / "own").mkdir()
    for i in range(30):
        suffix = "tif" if i == place and mode == "CMYK" else "png"
        image = Image.new("RGB", (4, 4), (9, 80, 200)).convert(mode) if i == place else Image.new("L", (4, 4), 50)
        image.save(tmp_path / f"own/{i}.{suffix}")
    assert [load_images(str(tmp_path / "own"), split).x.shape[1] for split in SPLITS] == [3, 3, 3]


def test_large_pictures_are_read_up_to_what_is_safe(tmp_path, monkeypatch, recwarn):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow's own is 89,478,485; it refuses twice as many
    assert loaded(tmp_path, Image.new("L", (14, 14))).shape == (1, 14, 14)
    assert not [one for one in recwarn if "Decompression" in str(one.category)]
    for i in range(20):
        Image.new("L", (15, 15)).save(tmp_path / f"own/{i}.png")
    with pytest.raises(
        InputError, match=r"cannot be read as an image; remove or replace it \(Image size \(225 pixels\)"
    ):
        load_images(str(tmp_path / "own"))


def sixteen_bits(path, value):
    """Write an RGB PNG of 16 bits a channel, which Pillow cannot."""
    import struct
    import zlib

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + struct.pack(">H", value) * 12) * 4
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def test_16_bits_a_colour_are_read_by_their_upper_8_and_refused_where_those_say_nothing(tmp_path):
    (tmp_path / "own").mkdir()
    for i in range(20):
        sixteen_bits(tmp_path / f"own/{i}.png", 0xABCD)
    assert set(load_images(str(tmp_path / "own")).x.flatten().tolist()) == {0xAB}
    for i in range(20):
        sixteen_bits(tmp_path / f"own/{i}.png", 0x3FFF)
    assert set(load_images(str(tmp_path / "own")).x.flatten().tolist()) == {0x3F}
    for i in range(20):
        sixteen_bits(tmp_path / f"own/{i}.png", 0x1FFF)
    with pytest.raises(InputError, match="16 bits a channel use less than 14 of them"):
        load_images(str(tmp_path / "own"))


@pytest.mark.parametrize("kept", [16, 20, 25, 26])
def test_a_table_with_a_png_cut_in_its_header_is_refused_with_the_row(tmp_path, kept):
    cells = [encoded(grey(9)) for _ in range(20)]
    cells[3]["bytes"] = cells[3]["bytes"][:kept]
    write_parquet(tmp_path / "own/train.parquet", {"image": cells})
    with pytest.raises(InputError, match=r"Row 3 of .* cannot be read as an image"):
        load_images(str(tmp_path / "own"))


def view(tmp_path, **options):
    values = np.zeros((4, 8, 3), np.uint8)
    values[:, 2:6] = (100, 50, 200)
    (tmp_path / "own").mkdir(exist_ok=True)
    for i in range(20):
        Image.fromarray(values).save(tmp_path / f"own/{i}.png")
    return load_images(str(tmp_path / "own"), **options).x[0]


def test_other_shapes_become_squares_as_asked(tmp_path):
    assert (view(tmp_path, size=4) == torch.tensor([100, 50, 200])[:, None, None]).all()
    padded = view(tmp_path, size=8, fit="pad")
    assert (padded[:, [0, 1, 6, 7]] == 255).all()
    assert padded[0, 3].tolist() == [0, 0, 100, 100, 100, 100, 0, 0]
    stretched = view(tmp_path, size=8, fit="stretch")
    assert stretched[0, :, 4].unique().tolist() == [100]
    assert stretched[0, :, 0].unique().tolist() == [0]


def test_channels_can_be_asked_for(tmp_path):
    luma = round(0.299 * 100 + 0.587 * 50 + 0.114 * 200)
    assert view(tmp_path, size=4, channels=1).unique().tolist() == [luma]
    grey = load_images("digits", channels=3).x
    assert grey.shape[1] == 3
    assert torch.equal(grey[:, 2:], load_images("digits").x)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"fit": "cut"}, "There is no fit 'cut'"),
        ({"channels": 2}, "channels must be 1"),
        ({"channels": True}, "channels"),
    ],
)
def test_what_is_no_view_is_refused(options, told):
    with pytest.raises(InputError, match=told):
        load_images("digits", **options)
