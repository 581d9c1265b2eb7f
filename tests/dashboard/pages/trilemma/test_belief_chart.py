"""The chart 'which metric can be believed': drawn from invented rows whose right answer is known."""

import re
from xml.etree import ElementTree

from dashboard.pages.trilemma import belief_chart
from dashboard.service import METRICS
from tests.support.believing import measured, rows
from tests.support.node import with_node
from tests.support.untranslated import unsaid


def test_every_estimate_has_a_row_in_both_drawings():
    card = belief_chart.card(measured(rows(16)), METRICS)
    root = ElementTree.fromstring(f"<div>{card}</div>")
    wide, narrow = root.findall("svg")
    for drawing in (wide, narrow):
        titles = [one.text for one in drawing.iter("title")]
        assert len(titles) == 2 * len([one for one in titles if "with true quality" in one])
        words = [one.text for one in drawing.iter("text")]
        assert "with true diversity" in words and "Estimates of quality" in words
        _, _, width, height = map(float, drawing.get("viewBox").split())
        for spot in drawing.iter("circle"):
            assert 0 < float(spot.get("cx")) < width and 0 < float(spot.get("cy")) < height
    assert "Density, classifier with true quality: 1.00, 1.00 to 1.00 (16 points)" in card
    assert "16 operating points" in card and "n = 5,000" in card


def test_better_stands_further_right():
    card = belief_chart.card(measured(rows(16)), METRICS)
    found = dict(re.findall(r"<title>([^<]*?) with true quality[^<]*</title>.*?cx=\"([\d.]+)\"", card))
    assert float(found["Density, classifier"]) > float(found["Sharpness"]) > float(found["Precision, classifier"])


def test_without_a_known_truth_there_is_no_chart():
    assert belief_chart.card(measured(rows(16, truth=False)), METRICS) == ""
    few = belief_chart.card(measured(rows(3)), METRICS)
    assert "there are 3" in few and "<svg" not in few


@with_node
def test_all_of_it_is_said_in_korean_too():
    cards = [belief_chart.card(measured(rows(count)), METRICS) for count in (16, 3)]
    texts = [text for card in cards for text in ElementTree.fromstring(f"<div>{card}</div>").itertext()]
    assert not (lacking := unsaid([" ".join(text.split()) for text in texts], "ko")), "\n".join(lacking)
