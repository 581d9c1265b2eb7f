"""The arrows between the modules point one way: whoever breaks the design's rules breaks this test."""

import ast
import importlib
import inspect
import re
import sys
import tomllib
from pathlib import Path

import pytest

from gencore.families import FAMILIES as REGISTERED

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*ROOT.glob("gencore/**/*.py"), *ROOT.glob("dashboard/**/*.py"), *ROOT.glob("app.py")])
TESTS = sorted(ROOT.glob("tests/**/*.py"))
FAMILIES = sorted({Path(inspect.getfile(kind)) for kind in REGISTERED.values()})
OUTSIDE_FAMILIES = [path for path in SOURCES if path.parent.name != "families"]

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


def package(path):
    """The folder that a file is in, as a module's name."""
    return ".".join(path.relative_to(ROOT).parent.parts)


def units(folder):
    """What lies in a folder, each file and each folder of files, with the modules in it."""
    found = {}
    for path in sorted(ROOT.glob(f"{folder}/**/*.py")):
        first = path.relative_to(ROOT / folder).parts[0].removesuffix(".py")
        if first not in ("__init__", "__main__"):
            found.setdefault(f"{folder.replace('/', '.')}.{first}", []).append(path)
    return found


def circle(arrows):
    """A circle in a graph of names, as a list of them; [] where there is none."""
    done, way = set(), []

    def walk(name):
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        way.append(name)
        found = next((found for other in sorted(arrows.get(name, ())) if (found := walk(other))), [])
        way.pop()
        done.add(name)
        return found

    return next((found for name in sorted(arrows) if (found := walk(name))), [])


def test_the_walk_sees_imports_inside_functions():
    path = next(path for path in named("gencore/cli/*.py") if "gencore.train" in imports(path))
    assert not re.search(r"^from gencore.train", path.read_text(), re.MULTILINE), "the command imports it when it runs"


# ---- the app: its rules go by folder


def test_the_engine_knows_no_user_interface():
    assert not offending(named("gencore/**/*.py"), lambda _, name: under(name, "gradio", "plotly", "dashboard", "app"))


def test_the_dashboard_has_few_modules_beside_its_folders():
    assert len([path for path in named("dashboard/*.py") if not path.name.startswith("__")]) <= 3


def test_the_service_and_a_pages_engine_alone_reach_the_engine():
    rest = [
        path for path in named("dashboard/**/*.py") if package(path) != "dashboard.service" and path.stem != "engine"
    ]
    assert not offending(rest, lambda _, name: under(name, "gencore"))
    assert not [relative(path) for path in named("dashboard/**/engine.py") if path.parent.parent.name != "pages"]


IMPURE = ("torch", "gradio", "gencore")
FREE = ("page", "engine", "panels", "__init__")  # of a page's modules, those that may lay out and ask


def test_figures_and_results_are_pure():
    """They turn rows into figures: nothing of the engine, of torch, of the service or of the pages."""
    more = ("dashboard.service", "dashboard.ui", "dashboard.pages", "dashboard.app")
    pure = named("dashboard/figures/**/*.py", "dashboard/results/**/*.py")
    assert not offending(pure, lambda _, name: under(name, *IMPURE, *more))
    assert not offending(named("dashboard/results/**/*.py"), lambda _, name: under(name, "dashboard.figures"))


def test_a_pages_other_modules_are_pure():
    rest = [path for path in named("dashboard/pages/*/*.py") if path.stem not in FREE]
    assert not offending(rest, lambda _, name: under(name, *IMPURE))


def test_a_page_knows_no_other_page():
    def forbidden(module, name):
        mine = ".".join(module.split(".")[:3])
        return under(name, "app", "dashboard.app") or (
            under(name, "dashboard.pages") and name != "dashboard.pages" and not under(name, mine)
        )

    assert not offending(named("dashboard/pages/*/**/*.py"), forbidden)


def test_only_the_app_and_the_pages_know_the_pages():
    rest = [path for path in named("dashboard/**/*.py") if not under(package(path), "dashboard.pages")]
    # The list of them, not one of them; and what launches the app.
    allowed = {"dashboard.app": "dashboard.pages", "dashboard.__main__": "dashboard.app"}
    assert not offending(
        rest, lambda module, name: under(name, "dashboard.pages", "dashboard.app") and allowed.get(module) != name
    )


def test_what_programs_ask_goes_through_the_service_alone():
    """An endpoint and a page's event are two ways to the same service, and only the app knows the endpoints."""
    allowed = ("dashboard.api", "dashboard.service", "dashboard.results", "dashboard.format", "dashboard.theme")
    api = named("dashboard/api/**/*.py")
    assert api and not offending(api, lambda _, name: under(name, "dashboard") and not under(name, *allowed))
    rest = [path for path in named("dashboard/**/*.py") if not under(package(path), "dashboard.api")]
    assert not offending(
        rest, lambda module, name: under(name, "dashboard.api") and (module, name) != ("dashboard.app", "dashboard.api")
    )
    pages = named("dashboard/pages/**/*.py", "dashboard/ui/**/*.py")
    assert not [
        relative(path)
        for path in pages
        if re.search(r"gr\.api\(|api_visibility=.(public|undocumented)", path.read_text())
    ]


def test_what_the_service_and_the_widgets_stand_on_lies_below_them():
    service = named("dashboard/service/**/*.py")
    assert not offending(service, lambda _, name: under(name, "gradio", "dashboard.ui", "dashboard.figures"))


def test_every_page_has_its_folder_and_its_line():
    from dashboard.pages import PAGES

    assert sorted(PAGES) == sorted(path.parent.name for path in named("dashboard/pages/*/page.py"))


def test_the_tests_of_what_is_shared_know_no_page():
    """A page that is taken away takes its own tests with it, and no others."""
    rest = [path for path in TESTS if not re.match(r"tests/dashboard/pages/\w+/", relative(path))]
    allowed = ("dashboard.pages",)  # the list of them
    assert not offending(rest, lambda _, name: under(name, "dashboard.pages") and name not in allowed)

    def forbidden(module, name):
        mine = ".".join(module.split(".")[1:4])  # the page's tests lie in folders named as its own
        return under(name, "dashboard.pages") and name not in allowed and not under(name, mine)

    assert not offending([path for path in TESTS if path not in rest], forbidden)


# ---- the engine


def test_families_import_the_interface_and_the_blocks_alone():
    """Formulas and nets that families share lie beside them, so that families need not import each other."""
    registered = {module_name(path) for path in FAMILIES}
    allowed = ("gencore.family", "gencore.families", "gencore.errors", "torch", "numpy", "diffusers", "sklearn")

    def forbidden(_, name):
        return name in registered or (
            not under(name, *allowed) and name.partition(".")[0] not in sys.stdlib_module_names
        )

    assert not offending([path for path in named("gencore/families/*.py") if path.stem != "__init__"], forbidden)


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("gencore/errors.py", ()),
        ("gencore/philox.py", ()),
        ("gencore/family.py", ("gencore.errors", "gencore.philox")),
        ("gencore/environment.py", ("gencore.errors",)),
        ("gencore/device.py", ("gencore.errors", "gencore.environment")),
        ("gencore/paths.py", ("gencore.errors",)),
        ("gencore/locks.py", ("gencore.errors", "gencore.paths")),
        ("gencore/shapes/*.py", ("gencore.shapes",)),
        ("gencore/data/*.py", ("gencore.errors", "gencore.paths", "gencore.locks", "gencore.shapes", "gencore.data")),
        ("gencore/metrics/*.py", ("gencore.errors", "gencore.shapes", "gencore.metrics")),
        ("gencore/choices.py", ("gencore.checkpoint", "gencore.data", "gencore.device", "gencore.distributed",
                                "gencore.errors", "gencore.locks")),
        ("gencore/extractors/*.py", ("gencore.checkpoint", "gencore.choices", "gencore.data", "gencore.device",
                                     "gencore.errors", "gencore.extractors", "gencore.metrics", "gencore.paths")),
    ],
)  # fmt: skip
def test_the_floors_of_the_engine_stand_on_what_is_below(folder, allowed):
    def forbidden(_, name):
        return under(name, "gencore") and name != "gencore" and not under(name, *allowed)  # itself: the version

    assert not offending(named(folder), forbidden)


@pytest.mark.parametrize("folder", ["gencore", "gencore/evaluation", "gencore/metrics", "dashboard"])
def test_arrows_do_not_run_in_circles(folder):
    found = units(folder)
    homes = {module_name(path): unit for unit, paths in found.items() for path in paths}
    arrows = {
        unit: {homes[name] for path in paths for name in imports(path) if homes.get(name, unit) != unit}
        for unit, paths in found.items()
    }
    assert not circle(arrows)
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"], "the test sees circles"


def test_nothing_below_imports_the_commands():
    rest = [path for path in named("gencore/**/*.py") if package(path) != "gencore.cli" and path.stem != "__main__"]
    assert not offending(rest, lambda _, name: under(name, "gencore.cli", "gencore.__main__"))


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
    assert not long


def asked_of_modules(path):
    """The names that a file asks of the project's modules, as (line, module, name)."""
    nodes = list(ast.walk(tree(path)))
    modules = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module and under(node.module, "gencore", "dashboard")
        for alias in node.names
        if is_module(f"{node.module}.{alias.name}")
    }
    own = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    own |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in {*modules} - own:
            yield node.lineno, modules[node.value.id], node.attr


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_what_is_asked_of_a_module_is_there(path):
    """A name taken out of a module is found where it is asked for, not by the visitor who presses the button."""
    missing = [
        f"{relative(path)}:{line} asks {module} for {name}"
        for line, module, name in asked_of_modules(path)
        if not hasattr(importlib.import_module(module), name)
    ]
    assert not missing


def test_no_drawer_for_odds_and_ends():
    assert not [relative(path) for path in SOURCES if path.stem in {"utils", "util", "helpers", "misc", "common"}]


def test_every_package_imported_is_required():
    """What the code imports stands in requirements.txt; what only tests import, in requirements-dev.txt.

    What one feature needs and most users do without is an optional dependency in pyproject.toml.
    """
    names = {"sklearn": "scikit-learn", "PIL": "pillow", "vendi_score": "vendi-score"}

    def required(file):
        text = (ROOT / file).read_text()
        return {re.split(r"[<>=~\[ ]", line)[0] for line in text.splitlines() if re.match(r"\w", line)}

    def imported(paths):
        own = {
            "gencore",
            "dashboard",
            "app",
            "tests",
            *(path.stem for path in TESTS),
            *(path.parent.name for path in TESTS),
        }
        tops = {name.partition(".")[0] for path in paths for name in imports(path)}
        return {names.get(top, top) for top in tops - own - set(sys.stdlib_module_names)}

    runtime, dev = required("requirements.txt"), required("requirements-dev.txt")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    optional = {re.split(r"[<>=~\[ ]", line)[0] for lines in extras.values() for line in lines}
    assert imported(SOURCES) <= runtime | optional
    assert imported(TESTS) <= runtime | dev
