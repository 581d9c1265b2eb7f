"""Archives from anyone: what could do harm is refused with a reason, by members that say so themselves."""

import stat
import zipfile

import pytest

from gencore import archives
from gencore.errors import InputError


def packed(path, **members):
    """A ZIP with members by name, deflated."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def refused(path, reason):
    with archives.opened(path) as archive, pytest.raises(InputError, match=reason):
        archives.members(archive, "it")


def test_what_is_harmless_is_read_in_order_of_its_names(tmp_path):
    path = packed(tmp_path / "a.zip", **{"b/2.png": b"two", "a.png": b"one", "b/": b""})
    with archives.opened(path) as archive:
        found = archives.members(archive, "it")
        assert [(one.filename, archives.read(archive, one)) for one in found] == [
            ("a.png", b"one"),
            ("b/2.png", b"two"),
        ]


@pytest.mark.parametrize("name", ["/etc/passwd", "../x.png", "a/../../x.png", "..\\x.png", "C:\\x.png", "c:/x.png"])
def test_paths_that_lead_out(tmp_path, name):
    refused(packed(tmp_path / "a.zip", **{name: b"x"}), "leads out")


def test_links(tmp_path):
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    refused(path, "is a link")


def test_bombs(tmp_path, monkeypatch):
    refused(packed(tmp_path / "ratio.zip", a=bytes(3 * 2**20)), "over 100 times its size")
    monkeypatch.setattr(archives, "MOST_BYTES", 2**20)
    refused(packed(tmp_path / "size.zip", a=bytes(2**19), b=bytes(2**19 + 1)), "unpacks to 1.0 GiB")
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    refused(packed(tmp_path / "many.zip", a=b"", b=b"", c=b""), "has 3 members")


def test_damage(tmp_path):
    (tmp_path / "no.zip").write_bytes(b"PK\3\4 no")
    with pytest.raises(InputError, match="cannot be read as a ZIP"):
        archives.opened(tmp_path / "no.zip")
    path = packed(tmp_path / "torn.zip", a=b"123456789" * 9)
    content = bytearray(path.read_bytes())
    content[33] ^= 255
    path.write_bytes(content)
    with archives.opened(path) as archive, pytest.raises(InputError, match="cannot be read at 'a'"):
        archives.read(archive, archives.members(archive, "it")[0])


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_whose_bytes_are_damaged(tmp_path, method):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.png", bytes(range(256)) * 8)
    content = bytearray(path.read_bytes())
    content[45:100] = b"\xff" * 55  # behind the header of the member
    path.write_bytes(content)
    with archives.opened(path) as archive, pytest.raises(InputError, match="cannot be read at 'a\\.png'"):
        archives.read(archive, archive.infolist()[0])
