"""The pages together: what they may not share, and that one can be added or taken away."""

import json
import os
import re
import shutil
import subprocess
import sys

import gradio as gr
import pytest

from dashboard.app import build
from dashboard.pages import PAGES
from dashboard.service import Service
from tests.support.browser import ROOT


@pytest.fixture(scope="module")
def app():
    return build(Service())


def page_of(block):
    """The slug of the page that a component lies on; '' for what lies on none."""
    while block is not None and not isinstance(block, gr.Tab):
        block = block.parent
    return block.id if block is not None else ""


def ids(app):
    """Every element's id with the slug of its page: those of components, and those within their markup."""
    for block in app.blocks.values():
        if block.elem_id:
            yield block.elem_id, page_of(block)
        for markup in (getattr(block, "html_template", None), getattr(block, "value", None)):
            found = re.findall(r'\sid="([^"]+)"', markup) if isinstance(markup, str) else []
            yield from ((name, page_of(block)) for name in found)


def test_every_page_has_its_tab(app):
    assert {page_of(block) for block in app.blocks.values()} == {"", *PAGES}


def test_an_elements_id_begins_with_its_pages_slug(app):
    """A link's #name that equals an id scrolls there, and one id on two pages finds the wrong element."""
    found = list(ids(app))
    assert len(found) > 100
    assert not [(name, page) for name, page in found if page and not re.match(f"(panel-)?{page}-.", name)]


def test_no_elements_id_is_a_pages_slug_or_anothers(app):
    names = [name for name, _ in ids(app)]
    assert not {*names} & {*PAGES}
    assert len(names) == len({*names}), sorted(name for name in {*names} if names.count(name) > 1)


# ---- adding and taking away, on copies of the app

BUILD = """
import json, os, sys
import gradio

def look():
    sys.path.insert(0, os.getcwd())
    from dashboard.app import build, header, launch_options
    from dashboard.service import Service
    service = Service()
    demo = build(service)
    tabs = [block.id for block in demo.blocks.values() if isinstance(block, gradio.Tab)]
    return {"tabs": tabs, "header": header(service), "head": launch_options(service)["head"]}

from dashboard.pages import modules  # what all of them import is imported once
modules()
for name in [name for name in sys.modules if name.split(".")[0] == "dashboard"]:
    del sys.modules[name]
for folder in sys.argv[1:]:
    os.chdir(folder)
    child = os.fork()
    if not child:
        try:
            with open("found.json", "w") as file:
                json.dump(look(), file)
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
    os.waitpid(child, 0)
"""
PAGE = '''"""A page."""

import gradio as gr

TITLE = "One more"


def build(service):
    """Lay out the page."""
    gr.HTML("<h1>Hello</h1>", elem_id="extra-hello")
'''


def copied(folder, *names):
    """Copies of what the app, or its tests, consist of."""
    skipped = shutil.ignore_patterns("__pycache__", "*.pyc")
    folder.mkdir(parents=True)
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=skipped)
        else:
            shutil.copy(ROOT / name, folder / name)
    for name in ("checkpoints", "docs"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def edit(folder, old, new):
    """Change the list of the pages."""
    file = folder / "dashboard" / "pages" / "__init__.py"
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def take_out(folder, slug):
    """Take a page away: its folder, its line, its tests."""
    shutil.rmtree(folder / "dashboard" / "pages" / slug)
    shutil.rmtree(folder / "tests" / "dashboard" / "pages" / slug, ignore_errors=True)
    edit(folder, f'    "{slug}",\n', "")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """By page, what the app is without it; and under 'extra', what it is with one more."""
    root = tmp_path_factory.mktemp("apps")
    for slug in PAGES:
        take_out(copied(root / slug, "dashboard"), slug)
    extra = copied(root / "extra", "dashboard")
    (extra / "dashboard" / "pages" / "extra").mkdir()
    (extra / "dashboard" / "pages" / "extra" / "__init__.py").touch()
    (extra / "dashboard" / "pages" / "extra" / "page.py").write_text(PAGE)
    edit(extra, f'    "{PAGES[0]}",\n', f'    "{PAGES[0]}",\n    "extra",\n')
    folders = [str(root / name) for name in (*PAGES, "extra")]
    # Without checkpoints, of which each page's own tests have some: here they would be read fourteen times.
    variables = {"PYTHONPATH": str(ROOT), "GENCORE_CHECKPOINTS": str(root / "none")}
    done = subprocess.run(
        [sys.executable, "-c", BUILD, *folders], env={**os.environ, **variables}, capture_output=True, text=True
    )
    missing = [name for name in (*PAGES, "extra") if not (root / name / "found.json").stat().st_size]
    assert not missing, done.stderr
    return {name: json.loads((root / name / "found.json").read_text()) for name in (*PAGES, "extra")}


@pytest.mark.slow
@pytest.mark.parametrize("slug", PAGES)
def test_the_app_builds_without_any_one_of_its_pages(built, slug):
    found = built[slug]
    assert found["tabs"] == [other for other in PAGES if other != slug]
    assert f'data-page="{slug}"' not in found["header"] and f"#{slug}/" not in found["header"]
    assert "<style" in found["head"] and "<script" in found["head"]


@pytest.mark.slow
def test_a_page_is_added_by_its_folder_and_its_line(built):
    assert built["extra"]["tabs"] == [PAGES[0], "extra", *PAGES[1:]]
    assert '<a href="#extra" data-page="extra">One more</a>' in built["extra"]["header"]


@pytest.mark.slow
def test_the_other_tests_do_not_miss_pages_that_were_taken_out(tmp_path):
    """They can all be collected, and those of what is shared pass."""
    parts = ("app.py", "dashboard", "gencore", "tests", "pyproject.toml", "requirements.txt", "requirements-dev.txt")
    folder = copied(tmp_path / "copy", *parts)
    for slug in ("vae", "lecture"):
        take_out(folder, slug)
    few = ("-k", "test_architecture or test_pages or test_course", "-m", "not slow and not browser")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", *few, "tests/dashboard",
         "tests/test_architecture.py"], cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
    assert " passed" in done.stdout
