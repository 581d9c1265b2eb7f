"""Catalogues of other languages: each sentence has the same places to fill, is there once, and is still said."""

import re
from collections import Counter

from dashboard.ui import language
from tests.support.sentences import HOLE, TAG, dead

SENTENCES = [
    (one, area, english, words)
    for one in language.languages()
    for area, sentences in language.areas(one).items()
    for english, words in sentences.items()
]
FOREIGN = "gradio"  # the area of what Gradio says itself


def test_there_is_korean_and_every_sentence_stands_once():
    assert "ko" in language.languages()
    keys = Counter((one, english) for one, _, english, _ in SENTENCES)
    assert not [key for key, times in keys.items() if times > 1]


def test_a_sentence_and_its_translation_have_the_same_places_to_fill():
    def places(text):
        return {re.sub(r"\*\d+", "", place) for place in HOLE.findall(text)}

    wrong = [english for _, _, english, words in SENTENCES if places(english) != places(words)]
    assert not wrong, "a placeholder is in one of the two only"


def test_a_sentence_and_its_translation_have_the_same_elements_in_the_same_order():
    wrong = [english for _, _, english, words in SENTENCES if TAG.findall(english) != TAG.findall(words)]
    assert not wrong, "texts are changed in their nodes: what stands inside an element stays in its order"


def test_a_sentence_that_no_source_says_any_more_is_taken_out():
    gone = {english: dead(english) for _, area, english, _ in SENTENCES if area != FOREIGN}
    assert not {english: parts for english, parts in gone.items() if parts}
