"""What is refused is said in the visitor's language too, whether the app or the engine says it."""

import re

import pytest

from dashboard.ui import assets, language
from tests.support.node import node, with_node
from tests.support.refusals import refusals
from tests.support.untranslated import CODE

ENGLISH = re.compile(r"\b[a-z]{2,} [a-z]{2,}\b(?!')")  # two words in a row; names and settings stand alone
SAID = f"""(() => {{
  globalThis.lab = {{}};
  require({str(assets.ROOT / "ui/sentences.js")!r});
  const said = lab.sentences(input.catalogue);
  return input.texts.map((text) => said(text));
}})()"""


@with_node
@pytest.mark.parametrize("code", language.languages())
def test_every_refusal_has_its_translation(code):
    english = list(dict.fromkeys(refusals().values()))
    catalogue = {key: words for sentences in language.areas(code).values() for key, words in sentences.items()}
    now = node(SAID, {"catalogue": catalogue, "texts": english})
    assert len(english) > 200
    found = zip(english, now, strict=True)
    lacking = [f"{one!r} is shown as {shown!r}" for one, shown in found if ENGLISH.search(CODE.sub("", shown))]
    assert not lacking, "\n".join(["These lack a translation:", *lacking])
