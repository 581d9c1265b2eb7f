"""No word of a link, and no name of a file, is ever run: hostile ones are opened in a real browser."""

from urllib.parse import quote

import pytest

from tests.support import invented
from tests.support.browser import serve

pytestmark = pytest.mark.browser

TAG, BREAK = "<img src=x onerror=hacked=1>", "\"'><svg onload=hacked=1>"
WORDS = (TAG, BREAK, "javascript:hacked=1", "';hacked=1;//", "${hacked=1}", "</script><script>hacked=1</script>")
LINKS = (
    ("trilemma", ("point", "machine", "features", "weights", "quality")),
    ("trilemma", ("lang", "lecture", "view", "token", "nothing")),
    ("compare", ("seed", "n", "gan.checkpoint", "ddpm.sampler", "vae.temperature")),
    ("blind", ("gan", "vae", "ddpm")),
    ("diversity", ("gan.setting", "plane", "show", "features")),
    ("table", ("find", "sort", "family", "kind", "columns")),
    ("latent", ("model", "spot", "a", "between", "image")),
    ("gan", ("run", "moment", "believed", "seed")),
    ("diffusion", ("checkpoint", "algorithm-1", "left.ddpm.eta", "t")),
    ("training", ("runs", "axis", "also", "moment")),
    ("yours", ("open", "data")),
)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """An app whose checkpoints, operating points and folders are named to be run, were they taken for markup."""
    from gencore import FAMILIES, checkpoint
    from gencore.evaluation import rows

    root = tmp_path_factory.mktemp("hostile")
    kinds = {f"mnist/{name}": kind for name, kind in FAMILIES.items()}
    for name, kind in kinds.items():
        checkpoint.save_model(root / name, kind(size=8, widths=(8, 8)))
    checkpoint.save_model(root / "mnist" / TAG, FAMILIES["gan"](size=8, widths=(8, 8)))
    checkpoint.save_model(root / TAG / "gan", FAMILIES["gan"](size=8, widths=(8, 8)))
    made = invented.rows(kinds, {name: rows.checkpoint_hash(root / name) for name in kinds})
    for row in made[::3]:
        row["point"] = row["point"] | {"label": f"{row['point']['label']} {TAG}"}
        row["command"] = BREAK
    invented.write(rows.rows_path("mnist", root), [row | {"machine": row["machine"] | {"name": TAG}} for row in made])
    with serve(str(root), tmp_path_factory.mktemp("app") / "log.txt") as url:
        yield url


def test_words_of_links_and_names_of_files_are_never_run(visit, address):
    page = visit("", "trilemma")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    for turn, (slug, names) in enumerate(LINKS):
        words = [WORDS[(turn + place) % len(WORDS)] for place in range(len(names))]
        query = "&".join(f"{quote(name)}={quote(word)}" for name, word in zip(names, words, strict=True))
        data = f"&data={quote(TAG)}" if turn % 2 else ""
        page.goto(f"{address}?{query}{data}#{slug}")
        page.wait_for_selector(f"[data-page='{slug}'][aria-current]")
        page.wait_for_function("!document.querySelector('#pages.arriving')")
        page.wait_for_timeout(400)
        assert page.evaluate("typeof hacked") == "undefined", (slug, query)
        assert page.locator("img[src=x], svg[onload]").count() == 0, (slug, query)
        if slug == "table":
            assert TAG in page.content().replace("&lt;", "<").replace("&gt;", ">"), "the names are shown, as text"
    for panel in WORDS[:3]:
        page.goto(f"{address}#{quote(panel)}")
        page.goto(f"{address}#trilemma/{quote(panel)}")
        page.wait_for_selector("[data-page][aria-current]")
        assert page.evaluate("typeof hacked") == "undefined", panel
    assert asked == []
