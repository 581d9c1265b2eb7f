"""What the Hub demands of a Space, checked without the network: each problem in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from gencore.errors import near
from gencore.space import zerogpu
from gencore.space.project import Project

COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
# huggingface/hub-docs, docs/hub/spaces-config-reference.md, and what the Hub itself writes into new Spaces.
KNOWN = (
    "title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file", "app_port",
    "base_path", "fullWidth", "header", "short_description", "thumbnail", "tags", "models", "datasets",
    "suggested_hardware", "suggested_storage", "pinned", "license", "custom_headers", "disable_embedding",
    "preload_from_hub", "startup_duration_timeout", "hf_oauth", "hf_oauth_scopes", "hf_oauth_expiration_minutes",
)  # fmt: skip
WANTED = (
    "title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file", "short_description",
    "thumbnail", "tags", "models", "datasets", "suggested_hardware", "license",
)  # fmt: skip
DESCRIPTION = 60  # characters
PLAIN_BYTES = 10 * 2**20  # above which the Hub wants a file outside of git; text files go into git
SPACE_BYTES = 10**9  # what a Space's repository may hold
SAMPLE = 8000  # bytes that git looks at for a zero byte, which makes a file binary
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp")


def problems_of(project: Project) -> list[str]:
    """Return what the Hub would refuse or not run, a sentence each; [] if there is nothing.

    Raises:
        InputError: if the front matter or the requirements cannot be read at all.
    """
    return [*front_problems(project), *version_problems(project), *file_problems(project)]


def front_problems(project: Project) -> Iterator[str]:
    """Yield what is wrong with the README's front matter."""
    front = project.front
    for key in front:
        if key not in KNOWN:
            yield f"README.md's {key} is nothing that the Hub knows{near(key, list(KNOWN))}"
    for key in WANTED:
        if key not in front:
            yield f"README.md's front matter lacks {key}."
    for key in ("title", "emoji", "sdk", "sdk_version", "python_version", "app_file", "short_description", "license"):
        if key in front and not (isinstance(front[key], str) and front[key].strip()):
            yield f"README.md's {key} must be a text, not {front[key]!r}: put it between quotes."
    yield from _value_problems(front)
    yield from _list_problems(front)
    yield from _place_problems(project)


def _value_problems(front: dict[str, Any]) -> Iterator[str]:
    from huggingface_hub import SpaceHardware

    for key in ("colorFrom", "colorTo"):
        if key in front and front[key] not in COLOURS:
            yield f"README.md's {key} is {front[key]!r}{near(str(front[key]), list(COLOURS))}"
    if any(letter.isascii() for letter in str(front.get("emoji", "🔺"))):
        yield f"README.md's emoji is {front['emoji']!r}; only an emoji is allowed."
    if front.get("sdk", "gradio") != "gradio":
        yield f"README.md's sdk is {front['sdk']!r}, but this is a Gradio app: gradio."
    if len(text := str(front.get("short_description", ""))) > DESCRIPTION:
        yield f"README.md's short_description has {len(text)} characters; the Hub takes {DESCRIPTION}."
    flavours = [flavour.value for flavour in SpaceHardware]
    if (hardware := front.get("suggested_hardware", flavours[0])) not in flavours:
        yield f"README.md's suggested_hardware is {hardware!r}{near(str(hardware), flavours)}"


def _list_problems(front: dict[str, Any]) -> Iterator[str]:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    for key in ("tags", "models", "datasets"):
        found = front.get(key, [])
        if not (isinstance(found, list) and all(isinstance(one, str) for one in found)):
            yield f"README.md's {key} must be a list of texts, not {found!r}."
            continue
        for one in found if key != "tags" else ():
            try:
                validate_repo_id(one)
            except HFValidationError:
                yield f"README.md's {key} names {one!r}, which is no id of the Hub, such as 'ylecun/mnist'."


def _place_problems(project: Project) -> Iterator[str]:
    front = project.front
    if not (project.root / str(front.get("app_file", "app.py"))).is_file():
        yield f"README.md's app_file {front['app_file']!r} is not there."
    image = str(front.get("thumbnail", "https://"))
    if not image.startswith("https://") and not _is_image(project.root / image):
        yield f"README.md's thumbnail {image!r} is neither an https address nor an image of the project."
    license_known = str(project.metadata.get("license", "")).lower()
    if str(front.get("license", license_known)).lower() != license_known:
        yield f"README.md's license is {front['license']!r}, and pyproject.toml's {license_known!r}."


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGES and path.is_file()


def version_problems(project: Project) -> Iterator[str]:
    """Yield which versions do not fit: the front matter's, requirements.txt's, the Space's Python and ZeroGPU's."""
    front, needs = project.front, project.requirements
    python = _version(front.get("python_version"))
    if not re.fullmatch(r"3\.\d+(\.\d+)?", str(front.get("python_version", "3.10"))):
        yield f"README.md's python_version is {front['python_version']!r}; the Hub takes 3.x and 3.x.y."
    elif python and python not in SpecifierSet(project.metadata["requires-python"]):
        yield f"README.md's python_version is {python}; pyproject.toml asks for {project.metadata['requires-python']}."
    for name, need in needs.items():
        if not {">=", "==", "~="} & {one.operator for one in need.specifier}:
            yield f"requirements.txt has no lower bound for {name}, so nobody knows what the Space would install."
        if python and python in SpecifierSet(project.metadata["requires-python"]):
            yield from _python_problems(name, python)
    sdk = _version(front.get("sdk_version"))
    if "gradio" not in needs:
        yield "requirements.txt does not name gradio."
    elif sdk is None or sdk not in needs["gradio"].specifier:
        range_ = needs["gradio"].specifier
        yield f"README.md's sdk_version {front.get('sdk_version')!r} is not in requirements.txt's gradio{range_}."
    if front.get("suggested_hardware") == zerogpu.HARDWARE:
        yield from zerogpu_problems(project)


def _python_problems(name: str, python: Version) -> Iterator[str]:
    """Yield whether the version of a package that is installed here does not run on the Space's Python."""
    try:
        asked = metadata.metadata(name).get("Requires-Python") or ""
        if not SpecifierSet(asked).contains(python, prereleases=True):
            here = metadata.version(name)
            yield f"{name} {here}, which is installed here, asks for Python {asked}; the Space has {python}."
    except (metadata.PackageNotFoundError, InvalidSpecifier):
        return


def zerogpu_problems(project: Project) -> Iterator[str]:
    """Yield what ZeroGPU, which `suggested_hardware` names, does not run."""
    front, needs = project.front, project.requirements
    if front.get("python_version") not in zerogpu.PYTHONS:
        runs = " and ".join(zerogpu.PYTHONS)
        yield f"ZeroGPU runs Python {runs}; README.md's python_version is {front.get('python_version')!r}."
    if "torch" in needs and not list(needs["torch"].specifier.filter(zerogpu.TORCHES)):
        runs = ", ".join(zerogpu.TORCHES)
        yield f"ZeroGPU runs torch {runs}; requirements.txt asks for torch{needs['torch'].specifier}."
    sdk = _version(front.get("sdk_version"))
    if sdk and sdk < Version(zerogpu.GRADIO):
        yield f"ZeroGPU runs gradio {zerogpu.GRADIO} and later; README.md's sdk_version is {sdk}."


def _version(text: Any) -> Version | None:
    try:
        return Version(str(text))
    except InvalidVersion:
        return None


def file_problems(project: Project) -> Iterator[str]:
    """Yield what is wrong with the files: too large, too much in all, binaries that .gitattributes does not name."""
    marked, total = binary_patterns(project.root), 0
    for path in project.files():
        name, size = path.relative_to(project.root).as_posix(), path.stat().st_size
        total += size
        binary = is_binary(path)
        if binary and not any(fnmatch(path.name, pattern) for pattern in marked):
            yield f"{name} is binary, which .gitattributes does not say: add `*{path.suffix} binary`."
        if not binary and size > PLAIN_BYTES:
            yield f"{name} is text of {size / 2**20:.0f} MiB; the Hub takes {PLAIN_BYTES / 2**20:.0f} MiB in git."
    if total > SPACE_BYTES:
        yield f"The files are {total / 1e9:.1f} GB; a Space's repository may hold {SPACE_BYTES / 1e9:.0f} GB."


def is_binary(path: Path) -> bool:
    """Return whether git takes a file for binary: a zero byte near its beginning."""
    with path.open("rb") as file:
        return b"\0" in file.read(SAMPLE)


def binary_patterns(root: Path) -> list[str]:
    """Return the patterns of file names that .gitattributes marks as binary, by git itself or by LFS."""
    path = root / ".gitattributes"
    lines = [line.split() for line in path.read_text().splitlines()] if path.is_file() else []
    return [words[0] for words in lines if words and {"binary", "-text", "filter=lfs"} & {*words[1:]}]


def summary(project: Project) -> str:
    """Return what would go to the Hub, in one line."""
    sizes = [path.stat().st_size for path in project.files()]
    front = project.front
    return (
        f"Ready for the Hub: {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB, gradio {front['sdk_version']}, "
        f"Python {front['python_version']}, suggested hardware {front['suggested_hardware']}."
    )
