"""What the sources say to people, as one text: in it a sentence of a catalogue is looked up, or is dead."""

import ast
import html
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOLE = re.compile(r"\{[a-z]+(?:\*\d+)?\}")
TAG = re.compile(r"</?\w+/?>")
BREAK = "\n"
EDGES = " .,:;()"


def joined(node):
    """What a string says, with a break for each value in it; None for what is no string."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else BREAK for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = joined(node.left), joined(node.right)
        return None if None in sides else "".join(sides)
    return None


def plain(text):
    """A text without its markup, as it is read."""
    return re.sub(r"[ \t]+", " ", html.unescape(re.sub(r"<[^<>]*>", BREAK, text.replace("\n", " "))))


@cache
def spoken():
    """All that the sources of the app and the engine say."""
    found = []
    for folder in ("dashboard", "gencore"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            found += [text for node in nodes if (text := joined(node))]
        for ending in ("js", "html"):
            texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / folder).rglob(f"*.{ending}"))]
            found += [*texts, *(re.sub(r"\$\{[^{}]*\}", BREAK, text) for text in texts)]
    texts = "\n".join(found)
    return plain(texts) + re.sub(r"\s+", " ", texts)


def stands(words):
    """Whether it is said as it stands; what begins with a capital may be said with a small letter."""
    words = words.strip(EDGES)
    return words in spoken() or words[:1].lower() + words[1:] in spoken()


def said_in(words, cuts=2):
    """Whether a part of a sentence is said somewhere: as it stands, or put together of three parts that are."""
    if not re.search(r"[A-Za-z]{2}", words) or stands(words):
        return True
    places = [found.start() for found in re.finditer(r" |(?=s\b)|(?<=[(‘])|(?=[)’:,;.])", words)] if cuts else []
    return any(stands(words[:at]) and said_in(words[at:], cuts - 1) for at in places if at)


def dead(key):
    """The parts of a key that no source says any more."""
    parts = [part for piece in TAG.split(key) for part in HOLE.split(piece)]
    return [part for part in parts if not said_in(part)]
