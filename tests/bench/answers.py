"""Who is recommended, by each diversity in each extractor's features: python -m tests.bench.answers [DATASET]

A table in Markdown for docs/metrics.md: of the 66 weightings in tenths that sum to 1, how many recommend each family.
"""

import sys
from collections import Counter

import numpy as np

from dashboard.results.axes import DIVERSITIES
from dashboard.results.question import ask
from dashboard.results.recommendation import weigh
from dashboard.service import Service

WEIGHTS = np.array([(q, d, 10 - q - d) for q in range(11) for d in range(11 - q)])


def winners(question):
    """Return by family how many weightings recommend it; '' where none of its points is ranked."""
    answers, index = weigh(question, WEIGHTS)
    best = [answers[place].best for place in index]
    return Counter("not known" if place is None else question.points[place].title for place in best)


def main(dataset="mnist"):
    measured = Service().measurements(dataset)
    print(f"| features | {' | '.join(axis.title for axis in DIVERSITIES.values())} |\n|---|{'---|' * len(DIVERSITIES)}")
    for extractor in measured.extractors:
        cells = []
        for key in DIVERSITIES:
            found = winners(ask(measured, diversity=key, extractor=extractor))
            cells.append(", ".join(f"{title} {number}" for title, number in found.most_common()))
        print(f"| {extractor} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
