import pytest
from scipy import stats

from gencore.comparison.equivalence import APART, EQUAL, UNKNOWN, Matters, compare, welch
from gencore.comparison.verdict import verdict


def quality(family, kid, recall, label="a point"):
    scores = {key: {"mean": sum(values) / len(values), "values": values} for key, values in
              (("kid", kid), ("recall", recall))}  # fmt: skip
    point = {"label": label, "kind": "headline"}
    return {"kind": "quality", "checkpoint": f"runs/x/{family}", "family": family, "point": point, "n": 300,
            "scores": {"pixels": scores}}  # fmt: skip


def cost(family, ms):
    point = {"label": "a point", "kind": "headline"}
    return {"kind": "cost", "checkpoint": f"runs/x/{family}", "family": family, "point": point,
            "batches": [{"n": n, "ms_per_image": ms * more} for n, more in ((1, 10), (16, 1), (64, 0.1))]}  # fmt: skip


ROWS = [
    quality("vae", [0.5, 0.51, 0.49], [0.30, 0.31, 0.32]),
    quality("gan", [0.21, 0.20, 0.22], [0.10, 0.12, 0.11]),
    quality("ddpm", [0.20, 0.22, 0.21], [0.50, 0.52, 0.51]),
    cost("vae", 0.1), cost("gan", 0.102), cost("ddpm", 20.0),
]  # fmt: skip
NAMES = ["runs/x/vae", "runs/x/gan", "runs/x/ddpm"]


def test_it_says_what_to_use_for_what_and_how_sure_that_is():
    said = verdict(ROWS, NAMES, "pixels")
    closest, varied, fastest = said.split("; ")
    assert closest.startswith("closest to the real images: GAN (KID 0.21 in pixels features") or "DDPM" in closest
    assert "told apart from VAE (KID 0.5)" in closest and "not told apart from" in closest
    assert varied.startswith("most varied: DDPM (Recall 0.51")
    assert "told apart from VAE (Recall 0.31) and GAN (Recall 0.11)" in varied, "higher is better there"
    assert fastest.startswith("fastest: VAE (0.1 ms an image, 16 at once, as fast as GAN)")
    assert "\n" not in said and "another seed" in said


def test_of_several_rows_of_a_point_the_last_counts_and_others_checkpoints_do_not():
    better = quality("vae", [0.01, 0.011, 0.012], [0.9, 0.9, 0.91])
    assert verdict([*ROWS, better], NAMES, "pixels").startswith("closest to the real images: VAE (KID 0.011")
    other = better | {"checkpoint": "runs/y/vae"}
    assert verdict([*ROWS, other], NAMES, "pixels") == verdict(ROWS, NAMES, "pixels")


def test_nothing_measured_is_said():
    assert verdict([], NAMES, "pixels").startswith("Nothing could be measured")
    assert verdict(ROWS, NAMES, "classifier").startswith("fastest: ")


def test_what_is_as_good_is_called_so_and_real_data_are_the_measure():
    """Recall of 0.510 and 0.512: within a hundredth. Of 0.50 and 0.53: no more than what real data differ by."""
    rows = [
        quality("vae", [0.2, 0.2, 0.2], [0.510, 0.5101, 0.5099]),
        quality("gan", [0.3] * 3, [0.512, 0.5121, 0.5119]),
    ]
    assert "most varied: GAN (Recall 0.512 in pixels features, as good as VAE (Recall 0.51))" in verdict(
        rows, NAMES, "pixels"
    )
    assert "VAE (KID 0.2 in pixels features, told apart from GAN (KID 0.3))" in verdict(rows, NAMES, "pixels")
    wide = {"mean": 0.8, "low": 0.77, "high": 0.83, "values": [0.8, 0.79, 0.81]}
    point = {"label": "real", "kind": "baseline"}
    real = {"kind": "real", "checkpoint": "", "family": "real", "point": point, "n": 300}
    real["scores"] = {"pixels": {"recall": wide}}
    rows[1] = quality("gan", [0.3] * 3, [0.53, 0.5301, 0.5299])
    assert "told apart from VAE (Recall 0.51)" in verdict(rows, NAMES, "pixels")
    assert "as good as VAE (Recall 0.51)" in verdict([*rows, real], NAMES, "pixels")
    assert "told apart from VAE (Recall 0.51)" in verdict([*rows, real | {"n": 100}], NAMES, "pixels")


@pytest.mark.parametrize("shift", [0.0, 1.5, 3.0])
def test_apart_is_a_95_percent_interval_without_zero(shift):
    one, other = [1.0, 1.4, 0.8, 1.1, 0.9], [shift + value for value in (1.2, 0.6, 1.3, 1.0)]
    interval = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    assert welch(one, other) == pytest.approx((interval.low, interval.high))
    assert (compare(one, other, 0.0) == APART) == (interval.low > 0 or interval.high < 0)
    assert compare(one, other, 10.0) == EQUAL
    assert compare([1.0], [2.0], 5.0) == UNKNOWN
    assert (compare([1.0, 1.0], [2.0, 2.0], 0.5), compare([1.0, 1.0], [1.0, 1.0], 0.0)) == (APART, EQUAL)


def test_a_margin_is_the_largest_of_its_reasons():
    assert Matters(0.01, 0.1).margin(0.0, 0.05, 0.5) == 0.01
    assert Matters(0.01, 0.1).margin(0.0, -0.2, 0.5) == pytest.approx(0.02)
    assert Matters(0.01, 0.1).margin(0.3, 0.2, 0.5) == 0.3
