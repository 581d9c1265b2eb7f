"""What the app or the engine says only now and then, which no walk over the pages meets, has its translation too."""

import pytest

from dashboard.service import METRICS
from dashboard.ui import language
from tests.support.node import with_node
from tests.support.refusals import refusals
from tests.support.untranslated import unsaid

pytestmark = [with_node, pytest.mark.parametrize("code", language.languages())]


def test_every_refusal(code):
    english = list(dict.fromkeys(refusals().values()))
    assert len(english) > 200
    assert not (lacking := unsaid(english, code)), "\n".join(lacking)


def test_every_metric(code):
    english = [text for one in METRICS.values() for text in (one.name, one.about)]
    assert not (lacking := unsaid(english, code)), "\n".join(lacking)
