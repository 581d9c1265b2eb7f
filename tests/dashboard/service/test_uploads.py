"""What a visitor brings: kept where it harms nobody, or refused with the reason."""

import io
import stat
import zipfile

import pytest
from PIL import Image

from dashboard.service import public, uploads
from gencore.data import load_images
from gencore.errors import InputError


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    shipped, own = tmp_path / "shipped", tmp_path / "runs"
    (shipped / "faces").mkdir(parents=True)
    monkeypatch.setenv("GENCORE_CHECKPOINTS", f"{shipped}:{own}")
    for variable in (public.PUBLIC, public.SPACE, public.OPEN):
        monkeypatch.delenv(variable, raising=False)
    return own


def picture(value=0, size=(8, 8)):
    buffer = io.BytesIO()
    Image.new("L", size, value).save(buffer, "PNG")
    return buffer.getvalue()


def packed(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def pictures(folder="", count=24):
    return {f"{folder}{index:02d}.png": picture(index) for index in range(count)}


def files_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_zip_becomes_a_data_set(tmp_path, root):
    path = packed(tmp_path / "My Shapes!.zip", {**pictures("all/"), "__MACOSX/._a.png": b"x", "run.py": b"x = 1"})
    name = uploads.take_in([path])
    assert name == str(root / "uploads" / "my-shapes")
    assert len(load_images(name, "train", 8).x) + len(load_images(name, "test", 8).x) >= 20
    assert not [one for one in (root / "uploads").rglob("*") if one.is_file() and one.stat().st_mode & 0o111]
    assert uploads.uploads() == [name]


def test_several_images_become_a_data_set(tmp_path, root):
    paths = []
    for folder in ("a", "b"):
        for name, content in pictures(count=12).items():
            (tmp_path / folder).mkdir(exist_ok=True)
            paths.append(tmp_path / folder / name)
            paths[-1].write_bytes(content)
    uploads.take_in(paths)
    assert len(files_in(root / "uploads" / "pictures")) == 24


def test_a_name_is_never_that_of_other_data(tmp_path, root):
    (root / "mine").mkdir(parents=True)
    names = [
        uploads.take_in([packed(tmp_path / f"{one}.zip", pictures())]) for one in ("mnist", "faces", "mine", "mine")
    ]
    assert [name.rpartition("/")[2] for name in names] == ["mnist-2", "faces-2", "mine-2", "mine-3"]


@pytest.mark.parametrize("name", ["...", "-", "", "日本", "a" * 300])
def test_a_name_is_plain(name):
    found = uploads.free_name(name)
    assert found and len(found) <= uploads.LONGEST and found[0] not in ".-"


def bad_zip(path, kind):
    """A ZIP that is to be refused."""
    if kind == "no archive":
        path.write_bytes(b"no archive at all")
    elif kind == "cut":
        path.write_bytes(packed(path, pictures()).read_bytes()[:-60])
    elif kind == "link":
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(link, "/etc/passwd")
    else:
        members = {
            "absolute": {"/tmp/x.png": b"x"},
            "dots": {"a/../../x.png": b"x"},
            "backslashes": {"..\\x.png": b"x"},
            "bomb": {"x.png": bytes(3 * 2**20)},
            "empty": {},
            "twice": {"a": b"x", "a/b.png": b"x"},
            "tables": {"train.PARQUET": b"PAR1"},
        }[kind]
        packed(path, members)
    return path


REFUSED = {
    "no archive": "cannot be read as a ZIP", "cut": "cannot be read as a ZIP", "link": "is a link",
    "absolute": "leads out", "dots": "leads out", "backslashes": "leads out", "bomb": "100 times its size",
    "empty": "is empty", "twice": "twice", "tables": "parquet tables",
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_zip_is_refused_and_leaves_nothing(tmp_path, root, kind):
    before = files_in(tmp_path)
    path = bad_zip(tmp_path / "bad.zip", kind)
    with pytest.raises(InputError, match=REFUSED[kind]) as caught:
        uploads.take_in([path])
    assert str(tmp_path) not in str(caught.value)
    assert files_in(tmp_path) == sorted([*before, "bad.zip"])
    assert not uploads.uploads()


def test_too_much_is_refused(tmp_path, monkeypatch):
    from gencore import archives

    monkeypatch.setattr(archives, "MOST_MEMBERS", 10)
    with pytest.raises(InputError, match="24 members"):
        uploads.take_in([packed(tmp_path / "a.zip", pictures())])
    monkeypatch.setattr(archives, "MOST_MEMBERS", 100)
    monkeypatch.setattr(archives, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match="is the most that is read"):
        uploads.take_in([packed(tmp_path / "a.zip", pictures())])


def test_neither_a_zip_nor_images(tmp_path):
    for names in (["a.txt"], ["a.zip", "b.zip"], ["a.zip", "b.png"], []):
        with pytest.raises(InputError, match="one ZIP"):
            uploads.take_in([tmp_path / name for name in names])


def test_folders_below_the_root_alone(tmp_path):
    root = tmp_path / "data"
    (root / "cats" / "train" / "tabby" / "deep").mkdir(parents=True)
    (root / ".hidden").mkdir()
    (root / "out").symlink_to(tmp_path)
    assert {".", "cats", "cats/train"} <= {*uploads.folders(root)} and ".hidden" not in uploads.folders(root)
    assert uploads.in_folder(root, "cats") == str((root / "cats").resolve())
    for place in ("..", "out", "/etc", "cats/../..", "nowhere", "a\0b"):
        with pytest.raises(InputError, match="no folder"):
            uploads.in_folder(root, place)
    assert uploads.folders(None) == []
    with pytest.raises(InputError, match="--data-root"):
        uploads.in_folder(None, ".")


def test_ids_of_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some" / "folder").mkdir(parents=True)
    assert uploads.on_hub(" https://huggingface.co/datasets/ylecun/mnist/ ") == "ylecun/mnist"
    assert uploads.on_hub("digits") == "digits"
    for name in ("some/folder", "../x", "..", "/etc/x", "a/b/c", "http://x.org/y", "", "~"):
        with pytest.raises(InputError):
            uploads.on_hub(name)


@pytest.mark.parametrize("variable", [public.PUBLIC, public.SPACE])
def test_a_public_app_takes_nothing_unless_its_owner_says_so(tmp_path, monkeypatch, variable):
    path = packed(tmp_path / "a.zip", pictures())
    monkeypatch.setenv(variable, "1")
    for act in (
        lambda: uploads.take_in([path]),
        lambda: uploads.in_folder(tmp_path, "."),
        lambda: uploads.on_hub("a/b"),
    ):
        with pytest.raises(InputError, match="public"):
            act()
    monkeypatch.setenv(public.OPEN, "1")
    assert uploads.take_in([path])


def test_zero_is_no(monkeypatch):
    monkeypatch.setenv(public.PUBLIC, "0")
    assert public.is_open() and not public.is_public()
