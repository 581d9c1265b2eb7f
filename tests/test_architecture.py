"""The arrows between the modules point one way: whoever breaks the design's rules breaks this test."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*ROOT.glob("gencore/**/*.py"), *ROOT.glob("dashboard/**/*.py"), *ROOT.glob("app.py")])
TESTS = sorted(ROOT.glob("tests/**/*.py"))
FAMILIES = sorted(path for path in ROOT.glob("gencore/families/*.py") if path.stem != "__init__")
OUTSIDE_FAMILIES = [path for path in SOURCES if path.parent.name != "families"]

# Functions whose length has a reason. Whoever adds one says which.
LONG_FUNCTIONS = {
    "dashboard/theme.py:theme": "one flat list of theme variables",
}
MOST_LINES = 60


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def relative(path):
    return path.relative_to(ROOT).as_posix()


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path):
    """Every module that a file imports, in functions too; 'from a import b' counts as 'a.b' where that is a module."""
    found = set()
    package = path.parent.relative_to(ROOT).parts
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            base = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{base}.{alias.name}" if is_module(f"{base}.{alias.name}") else base for alias in node.names}
    return found


def is_module(name):
    place = ROOT.joinpath(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


def under(name, *packages):
    return any(name == package or name.startswith(package + ".") for package in packages)


def offending(paths, forbidden):
    """'file imports module' for each import that `forbidden(file's module, imported module)` says no to."""
    return [
        f"{relative(path)} imports {name}"
        for path in paths
        for name in sorted(imports(path))
        if forbidden(module_name(path), name)
    ]


def named(*patterns):
    return [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def test_the_walk_sees_imports_inside_functions():
    path = ROOT / "gencore" / "cli.py"
    assert "gencore.checkpoint" in imports(path), "cli.py imports it inside its commands"
    assert "gencore.errors" in imports(path)


def test_the_engine_knows_no_user_interface():
    assert not offending(named("gencore/**/*.py"), lambda _, name: under(name, "gradio", "plotly", "dashboard", "app"))


def test_pages_reach_the_engine_through_the_service_alone():
    doors = {
        "dashboard.service",
        "dashboard.game",
        "dashboard.films",
        "dashboard.latents",
        "dashboard.local_costs",
        "dashboard.posteriors",
        "dashboard.replay",
        "dashboard.samples",
    }
    assert not offending(
        named("dashboard/**/*.py"), lambda module, name: module not in doors and under(name, "gencore")
    )


def test_pages_do_not_import_each_other_or_the_app():
    def forbidden(module, name):
        return under(name, "app", "dashboard.app") or (under(name, "dashboard.pages") and name != "dashboard.pages")

    assert not offending(named("dashboard/pages/*.py"), forbidden)


def test_only_pages_and_the_app_import_pages():
    def forbidden(module, name):
        return under(name, "dashboard.pages", "dashboard.app") and module != "dashboard.app"

    others = [path for path in named("dashboard/*.py") if path.stem != "app"]
    assert not offending(others, forbidden)


PURE = (
    "plots", "charts", "costs", "tabular", "report", "verdicts", "bars",
    "advice", "reasons", "triangle", "front", "detail", "curves", "descent",
    "beliefs", "contest", "tradeoff",
    "bells", "blur", "price", "schedules",
)  # fmt: skip


@pytest.mark.parametrize("name", PURE)
def test_figures_are_pure(name):
    """They turn rows into figures: nothing of the engine, of torch or of the pages."""
    forbidden = ("torch", "gradio", "gencore", "dashboard.service", "dashboard.pages", "dashboard.app")
    assert not offending(named(f"dashboard/{name}.py"), lambda _, imported: under(imported, *forbidden))


def test_families_import_the_interface_and_the_blocks_alone():
    # likelihood: pure functions of tensors, so that families that share a formula need not import each other for it.
    mine = ("gencore.family", "gencore.nets", "gencore.augment", "gencore.likelihood", "gencore.errors")
    allowed = (*mine, "torch", "numpy", "diffusers", "sklearn")

    def forbidden(_, name):
        return not under(name, *allowed) and name.partition(".")[0] not in sys.stdlib_module_names

    assert not offending(FAMILIES, forbidden)


BELOW_BOUND = (
    "checkpoint", "cost", "data", "device", "errors", "evaluate", "families", "family", "metrics", "plan", "rows",
)  # fmt: skip


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("errors", ()),
        ("family", ("errors",)),
        ("nets", ("errors",)),
        ("likelihood", ()),
        ("augment", ()),
        ("device", ("errors",)),
        ("data", ("errors",)),
        ("checkpoint", ("errors", "family", "families", "device")),
        ("pictures", ("errors", "checkpoint")),
        ("memory", ("checkpoint", "device", "errors", "family")),
        ("cost", ("device", "errors", "family", "memory")),
        ("checks", ("errors",)),
        ("neighbours", ()),
        ("distances", ()),
        ("spectrum", ()),
        ("metrics", ("checks", "distances", "errors", "neighbours", "spectrum")),
        ("presets", ("device", "errors", "families")),
        ("train", ("checkpoint", "data", "device", "errors", "families", "family", "pictures", "presets")),
        ("extractors/*", ("checkpoint", "data", "device", "errors", "extractors")),
        ("features", ("checkpoint", "data", "device", "errors", "extractors", "metrics")),
        ("schema", ()),
        ("rows", ("checkpoint", "errors", "extractors", "schema")),
        ("unfinished", ("rows",)),
        ("scoring", ("errors", "features", "metrics", "rows")),
        ("bound", BELOW_BOUND),
    ],
)
def test_inside_the_engine_arrows_point_down(module, allowed):
    permitted = [f"gencore.{name}" for name in allowed]

    def forbidden(_, name):
        return under(name, "gencore") and name != "gencore" and not under(name, *permitted)  # itself: the version

    assert not offending(named(f"gencore/{module}.py"), forbidden)


def test_nothing_below_imports_the_commands():
    tops = {"gencore.cli", "gencore.terminal", "gencore.__main__"}
    rest = [path for path in named("gencore/**/*.py") if module_name(path) not in tops]
    assert not offending(rest, lambda _, name: name in tops)


def comparisons(path):
    """The strings that a file compares something with, `==`, `in`, `match` and so on, with their lines."""
    for node in ast.walk(tree(path)):
        parts = []
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            parts = [node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
            parts = node.args
        for part in parts:
            for leaf in ast.walk(part):
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str):
                    yield leaf.lineno, leaf.value


def test_nothing_branches_on_a_family_name():
    names = re.compile(r"vae|gan|ddpm", re.IGNORECASE)
    free = {"gencore/presets.py", "dashboard/theme.py"}  # what runs there are; the colours
    found = [
        f"{relative(path)}:{line} compares with {text!r}"
        for path in OUTSIDE_FAMILIES
        if relative(path) not in free
        for line, text in comparisons(path)
        if names.fullmatch(text)
    ]
    assert not found


def test_nothing_branches_on_a_family_class():
    """`isinstance(model, DDPM)` is the same mistake: capabilities are protocols."""
    classes = {node.name for path in FAMILIES for node in tree(path).body if isinstance(node, ast.ClassDef)}
    found = [
        f"{relative(path)}:{node.lineno}"
        for path in OUTSIDE_FAMILIES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Name | ast.Attribute)
        and (node.id if isinstance(node, ast.Name) else node.attr) in classes
    ]
    assert not found


def test_functions_are_short():
    long = {
        f"{relative(path)}:{node.name}": node.end_lineno - node.lineno + 1
        for path in [*SOURCES, *TESTS]
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= MOST_LINES
    }
    assert set(long) == set(LONG_FUNCTIONS), long


def test_no_drawer_for_odds_and_ends():
    assert not [relative(path) for path in SOURCES if path.stem in {"utils", "util", "helpers", "misc", "common"}]


def test_every_package_imported_is_required():
    """What the code imports stands in requirements.txt; what only tests import, in requirements-dev.txt."""
    names = {"sklearn": "scikit-learn", "PIL": "pillow", "vendi_score": "vendi-score"}

    def required(file):
        text = (ROOT / file).read_text()
        return {re.split(r"[<>=~\[ ]", line)[0] for line in text.splitlines() if re.match(r"\w", line)}

    def imported(paths):
        own = {"gencore", "dashboard", "app", *(path.stem for path in TESTS), *(path.parent.name for path in TESTS)}
        tops = {name.partition(".")[0] for path in paths for name in imports(path)}
        return {names.get(top, top) for top in tops - own - set(sys.stdlib_module_names)}

    runtime, dev = required("requirements.txt"), required("requirements-dev.txt")
    assert imported(SOURCES) <= runtime
    assert imported(TESTS) <= runtime | dev
