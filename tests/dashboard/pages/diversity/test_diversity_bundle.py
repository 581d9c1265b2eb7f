"""The samples of the Diversity page, given away."""

import threading

from dashboard.pages.diversity.page import Diversity
from dashboard.service import Service
from dashboard.service.samples import Progress, Samples
from tests.support.bundles import given, laid_out, untrained


def test_samples_of_the_lanes_that_agree_are_made_again_to_the_bit(tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    untrained(tmp_path, "vae", "gan")
    service = Service()
    page, samples = laid_out(lambda: Diversity(service)), service.shared(Samples)

    def made(seed, *families):
        order = samples.order("digits", 230, seed, {family: {} for family in families})
        frames = samples.make(order, threading.Event())
        return {one.family: one.sampled for one in frames if isinstance(one, Progress) and one.sampled is not None}

    both = made(3, "vae", "gan")
    found, value = given([page.give("digits", both)], tmp_path)
    assert [(one.lane, one.same, one.n) for one in found] == [("vae", True, 230), ("gan", True, 230)]
    assert value["name"] == "digits-seed-3-n-230.zip" and value["words"] == ""
    found, value = given([page.give("digits", both | made(4, "gan"))], tmp_path)
    assert [one.lane for one in found] == ["vae"]
    assert value["words"] == "Without the samples of GAN, which are of another run."
    (nothing,) = page.give("digits", {}).values()
    assert nothing["problem"] and "Generate" in nothing["words"]
