"""Each degradation against its known answer, on scikit-learn's digits and on plain images."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, map_coordinates
from sklearn.cluster import KMeans

from gencore.data import Images, load_images
from gencore.evaluation.degradations import (
    CENTRES,
    DEGRADATIONS,
    ELASTICITY,
    Crowd,
    add_noise,
    blur,
    compress,
    double_class,
    drop_classes,
    flatten_contrast,
    keep_near,
    occlude,
    remoteness,
    repeat,
    shift,
    warp,
)
from gencore.metrics import METRICS

CHANGES = {key: one for key, one in DEGRADATIONS.items() if one.change}
CHOICES = {key: one for key, one in DEGRADATIONS.items() if one.choose}


@pytest.fixture(scope="module")
def crowd():
    return Crowd.of(load_images("digits"))


@pytest.fixture(scope="module")
def large():
    """Smooth images of three channels, 20 pixels a side."""
    x = torch.rand(6, 3, 20, 20, generator=torch.Generator().manual_seed(0)).numpy()
    x = gaussian_filter(x, (0, 0, 2, 2))
    return torch.from_numpy((255 * (x - x.min()) / np.ptp(x)).round().astype(np.uint8))


def test_each_ladder_has_five_steps_that_rise_and_one_way():
    for one in DEGRADATIONS.values():
        assert len(one.steps) == 5 and list(one.steps) == sorted(set(one.steps)) and one.steps[0] > 0
        assert (one.change is None) != (one.choose is None)
        assert len({one.words(step) for step in one.steps}) == 5


@pytest.mark.parametrize("key", CHANGES)
class TestEveryChange:
    def test_strength_nothing_changes_nothing(self, key, crowd, large):
        for x in (crowd.x[:9], large):
            assert torch.equal(CHANGES[key].change(x, 0, 3), x)

    def test_each_step_is_farther_from_the_images_than_the_one_before(self, key, large):
        one = CHANGES[key]
        far = [(one.change(large, step, 0).float() - large).square().mean() for step in one.steps]
        assert far[0] > 0 and far == sorted(far)

    def test_a_seed_gives_the_same_images_of_the_same_kind(self, key, crowd):
        one, x = CHANGES[key], crowd.x[:40]
        before = torch.get_rng_state()
        first, again = (one.change(x, one.steps[-1], 5) for _ in range(2))
        assert torch.equal(first, again) and (first.shape, first.dtype) == (x.shape, torch.uint8)
        assert torch.equal(torch.get_rng_state(), before), "the caller's random numbers are its own"
        drawn = not torch.equal(first, one.change(x, one.steps[-1], 6))
        assert drawn == (key in ("noise", "elastic", "occlusion", "shift"))


@pytest.mark.parametrize("key", CHOICES)
class TestEveryChoice:
    def test_strength_nothing_takes_the_images_as_they_come(self, key, crowd):
        assert torch.equal(CHOICES[key].choose(crowd, 0, 50, 0), torch.arange(50))
        assert torch.equal(CHOICES[key].choose(crowd, 0, 50, 2).sort().values, torch.arange(100, 150))

    def test_n_places_of_each_block(self, key, crowd):
        for step in CHOICES[key].steps:
            for turn in range(5):
                found = CHOICES[key].choose(crowd, step, 60, turn)
                assert len(found) == 60 and found.min() >= 0 and found.max() < len(crowd.x)
                assert torch.equal(found, CHOICES[key].choose(crowd, step, 60, turn))
                assert key == "copies" or len(found.unique()) == 60, "no image twice"


def test_blur_is_a_gaussian_and_lowers_sharpness(crowd):
    point = torch.zeros(1, 1, 21, 21, dtype=torch.uint8)
    point[..., 10, 10] = 255
    row = blur(point, 1.5, 0)[0, 0, 10].double()
    expected = torch.exp(-((torch.arange(21.0) - 10) ** 2) / (2 * 1.5**2)) * 255 / (2 * np.pi * 1.5**2)
    assert (row - expected).abs().max() < 1
    values = [METRICS["sharpness"](crowd.x, blur(crowd.x, sigma, 0)) for sigma in (0, 0.4, 0.8, 1.2)]
    assert values[0] == 1 and values == sorted(values, reverse=True) and values[-1] < 0.2


def test_noise_has_the_deviation_that_is_asked_for():
    grey = torch.full((200, 1, 28, 28), 128, dtype=torch.uint8)
    found = add_noise(grey, 16, 0).double() - 128
    assert found.std() == pytest.approx(16, rel=0.02) and abs(found.mean()) < 0.3


def test_warping_moves_pixels_by_a_smooth_field(large):
    """The same field by the paper's recipe, read off with SciPy's own spline of the third order."""
    x = large[:2, :1]
    field = 2 * torch.rand(2, 2, 20, 20, generator=torch.Generator().manual_seed(7)).numpy() - 1
    field = 20 * gaussian_filter(field, (0, 0, ELASTICITY, ELASTICITY), mode="constant")
    rows, columns = np.meshgrid(range(20), range(20), indexing="ij")
    found = warp(x, 20, 7)
    for image, (right, down), warped in zip(x, field, found, strict=True):
        places = [rows + down, columns + right]
        expected = map_coordinates(image[0].numpy().astype(float), places, order=3, mode="nearest")
        inside = np.s_[3:-3, 3:-3]
        assert np.abs(expected - warped[0].numpy())[inside].max() < 4
    assert 0.3 < np.abs(field).max() < 4, "pixels"


def test_jpeg_is_pils():
    import io

    from PIL import Image

    x = torch.randint(256, (2, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    memory = io.BytesIO()
    Image.fromarray(x[1].permute(1, 2, 0).numpy()).save(memory, "JPEG", quality=30)
    assert np.array_equal(np.asarray(Image.open(memory)), compress(x, 70, 0)[1].permute(1, 2, 0))


def test_contrast_goes_and_the_mean_stays(large):
    found = flatten_contrast(large, 0.4, 0).double()
    assert found.std((1, 2, 3)) == pytest.approx(0.6 * large.double().std((1, 2, 3)).numpy(), rel=0.01)
    assert found.mean((1, 2, 3)) == pytest.approx(large.double().mean((1, 2, 3)).numpy(), abs=0.3)


def test_a_hole_is_a_black_square():
    white = torch.full((200, 1, 28, 28), 255, dtype=torch.uint8)
    black = occlude(white, 6, 0) == 0
    assert black.sum((1, 2, 3)).max() == 36
    assert (black.any(2).sum(2) <= 6).all() and (black.any(3).sum(2) <= 6).all()
    assert black.float().mean(0).amin() > 0, "anywhere"


def test_a_shift_is_by_whole_pixels(large):
    assert large.shape[2] == 20
    found = shift(large, 3, 0)
    for image, moved in zip(large, found, strict=True):
        ways = [
            (down, right)
            for down in (-3, 0, 3)
            for right in (-3, 0, 3)
            if torch.equal(image.roll((down, right), (1, 2))[:, 3:-3, 3:-3], moved[:, 3:-3, 3:-3])
        ]
        assert len(ways) == 1 and ways != [(0, 0)]


class TestChoices:
    def counts(self, crowd, places):
        return torch.bincount(crowd.labels[places], minlength=10)

    def test_a_dropped_class_has_none_and_half_a_class_half(self, crowd):
        plain = self.counts(crowd, torch.arange(600))
        for turn in range(3):
            counts = self.counts(crowd, drop_classes(crowd, 2, 600, turn))
            assert (counts == 0).nonzero()[:, 0].tolist() == [turn, turn + 1]
        half = self.counts(crowd, drop_classes(crowd, 0.5, 600, 0))
        assert half[0] / half[1:].sum() == pytest.approx(0.5 * float(plain[0] / plain[1:].sum()), rel=0.1)
        assert not len(drop_classes(crowd, 10, 600, 0)), "nothing is left"

    def test_a_doubled_class_has_twice_its_share(self, crowd):
        share = float((crowd.labels == 3).double().mean())
        counts = self.counts(crowd, double_class(crowd, 1, 200, 3))
        assert counts[3] == round(2 * share * 200) and counts.sum() == 200
        assert len(double_class(crowd, 3, 1000, 3)) < 1000, "there are not so many"

    def test_modes_are_dropped_within_each_class(self, crowd):
        places = keep_near(crowd, 0.5, 600, 1)
        kept = torch.zeros(len(crowd.x), dtype=torch.bool)
        kept[places] = True
        far = crowd.remoteness[:, 1]
        assert far[kept].max() < 0.5 and len(self.counts(crowd, places)) == 10
        assert self.counts(crowd, places).min() > 40, "no class is lost"

    def test_remoteness_is_from_the_centres_of_k_means(self):
        """Two clouds of a class: the larger one's centre first."""
        generator = torch.Generator().manual_seed(0)
        sizes = ((0, 10), (200, 30))
        clouds = [torch.randint(low, low + 20, (count, 1, 2, 2), generator=generator) for low, count in sizes]
        x, labels = torch.cat(clouds).to(torch.uint8), torch.zeros(40, dtype=torch.int64)
        found = remoteness(x, labels)
        centres = KMeans(CENTRES, n_init=3, random_state=0).fit(x.flatten(1).double().numpy())
        largest = centres.cluster_centers_[np.bincount(centres.labels_).argmax()]
        distance = np.linalg.norm(x.flatten(1).double().numpy() - largest, axis=1)
        assert np.array_equal(found[:, 0].numpy().argsort(), distance.argsort())
        assert sorted((found[:, 2] * 40).round().int().tolist()) == list(range(40))

    @pytest.mark.parametrize(("loss", "distinct"), [(0, 100), (0.5, 50), (0.97, 3), (1, 1)])
    def test_copies_are_of_exactly_so_many_images(self, crowd, loss, distinct):
        places = repeat(crowd, loss, 100, 1)
        assert len(places) == 100 and len(places.unique()) == distinct
        assert torch.bincount(places).max() == -(-100 // distinct), "as often as each other"

    def test_images_without_labels_are_one_class(self):
        images = Images("dots", "validation", torch.zeros(4, 1, 3, 3, dtype=torch.uint8), None)
        assert Crowd.of(images).classes == 1
