"""The app in other languages: catalogues of sentences by their English, which `language.js` puts in its place.

A catalogue is a folder of JSON files, one an area, below `languages/`. It is sent to those who need it, once.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "languages"


@cache
def languages() -> tuple[str, ...]:
    """Return the languages besides English, by their code."""
    return tuple(sorted(path.name for path in FOLDER.iterdir() if path.is_dir()))


def areas(language: str) -> dict[str, dict[str, str]]:
    """Return a language's sentences by their English, by the area of the app: its file's name."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((FOLDER / language).glob("*.json"))
    }


@cache
def catalogue(language: str) -> bytes:
    """Return all sentences of a language as the browser asks for them."""
    found = {english: words for sentences in areas(language).values() for english, words in sentences.items()}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()


def spoken(asked: str, accepted: str) -> tuple[str, Callable[[str], str]]:
    """Return the language of a page that no script translates, and what says a whole sentence in it.

    Args:
        asked: What the address says, '' where it says nothing.
        accepted: The header Accept-Language, the most wanted first, as browsers send it.
    """
    codes = [asked, *(one.strip()[:2].lower() for one in accepted.split(","))]
    found = next((code for code in codes if code in ("en", *languages())), "en")
    known = {} if found == "en" else json.loads(catalogue(found))
    return found, lambda english: known.get(english, english)


@cache
def address(language: str) -> str:
    """Return where a catalogue is, below the app's own address; another catalogue has another one."""
    return f"/languages/{language}-{zlib.crc32(catalogue(language)):08x}.json"


def at(path: str) -> bytes | None:
    """Return the catalogue at an address, None where there is none."""
    return next((catalogue(language) for language in languages() if address(language) == path), None)


def script() -> str:
    """Return the script that says where the catalogues are."""
    return f"lab.languages = {json.dumps({language: address(language)[1:] for language in languages()})};"
