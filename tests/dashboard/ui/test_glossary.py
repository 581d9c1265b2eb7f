"""One list of terms: every measure that pages name is in it, and a sentence's first mention of a term leads to it."""

import json
import re
from html.parser import HTMLParser

from dashboard.results.axes import DIVERSITIES, QUALITIES
from dashboard.ui import glossary
from gencore import FAMILIES


def test_what_the_pages_name_is_explained():
    assert {*QUALITIES, *DIVERSITIES, *FAMILIES} <= {*glossary.TERMS}
    for axis in (*QUALITIES.values(), *DIVERSITIES.values()):
        assert axis.name in glossary.TERMS[axis.key].forms
        assert not axis.spelled or axis.spelled == glossary.TERMS[axis.key].spelled
    forms = [form.lower() for term in glossary.LIST for form in term.forms]
    assert len(forms) == len(set(forms)) and len(glossary.TERMS) == len(glossary.LIST)
    assert all(term.words.endswith(".") and len(term.words) < 260 for term in glossary.LIST)


def test_the_first_mention_alone_is_a_link_and_no_part_of_a_word():
    markup = glossary.mark("Recall 91% < KID; its recall, precisions & real data")
    assert markup == (
        '<a class="term" href="#term-recall" data-term="recall">Recall</a> 91% &lt; '
        '<a class="term" href="#term-kid" data-term="kid">KID</a>; its recall, precisions &amp; '
        '<a class="term" href="#term-real-data" data-term="real-data">real data</a>'
    )
    assert glossary.mark("<b>no terms</b>") == "&lt;b&gt;no terms&lt;/b&gt;"


class Ids(HTMLParser):
    def __init__(self, markup):
        super().__init__()
        self.ids = []
        self.feed(markup)

    def handle_starttag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]


def test_the_section_and_the_tooltips_have_the_whole_list():
    assert Ids(glossary.section("home")).ids == [f"panel-home-term-{key}" for key in glossary.TERMS]
    told = json.loads(re.fullmatch(r"lab\.terms = (.*);", glossary.script())[1])
    assert list(told) == list(glossary.TERMS) and told["kid"][0] == "kernel inception distance"
