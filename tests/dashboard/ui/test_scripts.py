"""Scripts and style sheets: each has a tag of its own in the page's head, in a fixed order, and can be read alone."""

import json
import random
import re
import subprocess

import pytest

from dashboard import format
from dashboard.pages import PAGES
from dashboard.ui import assets, glossary, language
from tests.support.node import NODE, node, with_node

SCRIPTS = assets.files("js", PAGES)
SHEETS = assets.files("css", PAGES)


def name(path):
    return path.relative_to(assets.ROOT).as_posix()


@pytest.mark.parametrize("ending", ["js", "css"])
def test_every_file_has_its_place_and_a_page_taken_away_takes_its_own(ending):
    found = assets.files(ending, PAGES)
    assert sorted(found) == sorted(assets.ROOT.rglob(f"*.{ending}"))
    gone = set(found) - set(assets.files(ending, [slug for slug in PAGES if slug != "gan"]))
    assert {name(path) for path in gone} == {f"pages/gan/view.{ending}"}


def test_shared_files_come_first_and_the_pages_in_their_order():
    names = [name(path) for path in SHEETS]
    assert names[:2] == ["ui/style.css", "ui/glossary.css"]
    folders = list(dict.fromkeys(path.parent.name for path in SHEETS))
    assert folders == ["ui", "figures", *(slug for slug in PAGES if slug in folders)]
    assert next(each for each in names if each.startswith("figures/")) == "figures/plot.css"


def test_a_page_rules_no_drawing_of_another_page():
    """What shared charts draw is ruled in `figures`: else a page that is taken away would change how another looks."""
    ruled = {}
    for path in (path for path in SHEETS if path.parent.parent.name == "pages"):
        for kind in set(re.findall(r"^svg\.fig \w*\.([\w-]+)", path.read_text(), re.MULTILINE)):
            ruled.setdefault(kind, []).append(path.parent.name)
    assert "range" in ruled and not {kind: pages for kind, pages in ruled.items() if len(pages) > 1}
    shared = "".join(path.read_text() for path in SHEETS if path.parent.name == "figures")
    for kind in ("whisker", "reach", "here", "trace"):  # drawn on several pages
        assert f"svg.fig .{kind} {{" in shared and kind not in ruled


def test_each_file_has_a_tag_of_its_own():
    head = assets.head(["vae", "gan"], PAGES)
    scripts = re.findall(r"<script>(.*?)</script>", head, re.DOTALL)
    assert scripts == [
        "window.lab = {};",
        glossary.script(),
        language.script(),
        *(path.read_text() for path in SCRIPTS),
    ]
    sheets = re.findall(r"<style>(.*?)</style>", head, re.DOTALL)
    assert "--mark-vae:" in sheets[0] and sheets[1:] == [path.read_text() for path in SHEETS]


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_a_script_stays_in_its_tag_and_names_nothing_for_all(path):
    text = path.read_text()
    assert not re.search(r"<(/script|!--)", text), "what ends a tag early"
    assert not re.search(r"^(const|let|var|class|(async )?function)\b", text, re.MULTILINE), (
        "the tags share their names"
    )


def test_what_python_calls_is_there():
    sources = "".join(path.read_text() for path in assets.ROOT.rglob("*.py"))
    called = set(re.findall(r"\blab\.(\w+)\(", sources))
    scripts = "".join(path.read_text() for path in SCRIPTS)
    assert {"pages", "lane", "figure"} <= called
    assert {call for call in called if not re.search(rf"^\s*lab\.{call} = ", scripts, re.MULTILINE)} == set()


@with_node
@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_a_script_can_be_read(path):
    run = subprocess.run([NODE, "--check", path], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@with_node
def test_scripts_write_the_numbers_that_python_writes():
    numbers = random.Random(0)
    given = [numbers.uniform(0, 10 ** numbers.randint(-3, 7)) for _ in range(2000)]
    given += [k / 8 for k in range(4000)] + [1000 * k / 64 for k in range(4000)]  # many lie between two roundings
    script = (
        f"(globalThis.lab = {{}}, require({json.dumps(str(assets.ROOT / 'ui/format.js'))}), input.map(lab.format.%s))"
    )
    assert node(script % "duration", given) == [format.duration(x) for x in given]
    counts = [round(numbers.uniform(0, 10 ** numbers.randint(1, 9))) for _ in range(2000)]
    assert node(script % "count", counts) == [format.count(x) for x in counts]
