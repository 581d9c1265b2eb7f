"""The failure lab: each broken model gives its known answer, on digits and on models whose maths is known.

The healthy models need no training: a decoder by kernel regression on real digits, and a DDPM whose network is the
exact score of a mixture of narrow Gaussians around them.
"""

import shutil

import pytest
import torch
from diffusers.configuration_utils import register_to_config

from gencore import checkpoint
from gencore.data import load_images, to_float, to_uint8
from gencore.errors import InputError
from gencore.evaluation.failures import CALLS, COPIES, FAILURES, MODES, break_down, calls_knob, failures_for
from gencore.families import FAMILIES
from gencore.families.ddpm import DDPM
from gencore.family import Family, Noise, Step, image_seed
from gencore.metrics import METRICS
from gencore.presets import PRESETS

N = 297  # all of the test digits
SEEDS = [image_seed(0, i) for i in range(N)]
WIDTH = 0.15  # standard deviation of the Gaussians around the digits
DIMENSIONS = 12


class Regression(Family):
    """Encodes by whitened PCA, decodes by the mean of the digits encoded near by, judges by the distance to them."""

    name, title, knobs, points, interpolation = "regression", "Regression", (), (), "linear"

    @register_to_config
    def __init__(self, channels=1, size=8):
        super().__init__()
        images = to_float(load_images("digits").x)
        self.pca = Pca(images, DIMENSIONS)
        self.register_buffer("images", images)
        self.register_buffer("codes", self.pca(images))

    @property
    def network(self):
        return self.pca

    def latent(self, seeds):
        noise = Noise(seeds)
        near = (torch.special.ndtr(noise()) * len(self.codes)).long().clamp_max(len(self.codes) - 1)
        return self.codes[near] + 0.3 * noise(DIMENSIONS)

    def decode(self, latent):
        weights = torch.softmax(-torch.cdist(latent, self.codes).square() / 0.3, 1)
        return torch.einsum("ni,ichw->nchw", weights, self.images)

    def encode(self, x):
        mean = self.pca(x)
        return mean, torch.ones_like(mean)

    def judge(self, x):
        return torch.exp(-torch.cdist(self.pca(x), self.codes).min(1).values)

    @torch.no_grad()
    def sample(self, seeds, **knobs):
        z = self.latent(seeds)
        yield Step(1, 1, z, self.decode(z).clamp(-1, 1))


class Pca(torch.nn.Module):
    """Whitened principal components: images (N, C, H, W) -> (N, d), of unit variance on the images it is made with."""

    def __init__(self, images, dimensions):
        super().__init__()
        rows = images.flatten(1)
        values, vectors = torch.linalg.eigh(torch.cov(rows.T))
        self.register_buffer("mean", rows.mean(0))
        self.register_buffer("basis", vectors[:, -dimensions:] / values[-dimensions:].sqrt())

    def forward(self, x):
        return (x.flatten(1) - self.mean) @ self.basis


class Exact(DDPM):
    """A DDPM without a network: epsilon of the mixture of N(digit, WIDTH^2 I) over the digits, in closed form."""

    def __init__(self):
        super().__init__(size=8, widths=(8, 16))
        self.images = to_float(load_images("digits").x)

    def _call(self, x_t, t):
        abar = self._abar(t).view(-1, 1).double()
        rows, x = self.images.flatten(1).double(), x_t.flatten(1).double()
        variance = 1 - abar + abar * WIDTH**2  # of x_t around sqrt(abar) times a digit
        weights = torch.softmax(-torch.cdist(x / abar.sqrt(), rows).square() * abar / (2 * variance), 1)
        epsilon = (1 - abar).sqrt() * (x - abar.sqrt() * (weights @ rows)) / variance
        return epsilon.float().view_as(x_t)


@pytest.fixture(scope="module")
def train():
    return load_images("digits", "train").x


@pytest.fixture(scope="module")
def test():
    return load_images("digits", "test").x


@pytest.fixture(scope="module")
def regression():
    return Regression().eval()


@pytest.fixture(scope="module")
def exact():
    return Exact().eval()


@pytest.fixture(scope="module")
def features(train):
    """A toy extractor: whitened principal components, uint8 (N, 1, 8, 8) -> (N, 28)."""
    pca = Pca(to_float(train), 28)
    return lambda x: pca(to_float(x))


@pytest.fixture(scope="module")
def sources(regression, exact, train):
    """What each failure is made from."""
    return {
        "collapse": regression,
        "posterior-collapse": regression,
        "too-few-steps": exact,
        "memorised": train,
        "noise": (1, 8, 8),
    }


@pytest.fixture(scope="module")
def broken(sources):
    """By failure, `N` images of the broken model as uint8."""
    return {key: to_uint8(break_down(key, source)(SEEDS)) for key, source in sources.items()}


@pytest.fixture(scope="module")
def score(test, features):
    """A metric of generated images against the test digits."""
    return lambda key, images, *more: METRICS[key](features(test), features(images), *more)


# ---- known answers


def test_the_healthy_models_are_healthy(score, regression, exact):
    """Otherwise a broken one is noticed for the wrong reason."""
    for model in (regression, exact):
        images = to_uint8(model.generate(SEEDS))
        assert score("precision", images) > 0.6
        assert score("coverage", images) > 0.6
        assert score("vendi_ratio", images) > 0.8


def test_collapse_looks_real_and_has_no_variety(score, broken, regression):
    images = broken["collapse"]
    assert score("precision", images) > 0.7
    assert score("recall", images) < 0.05
    assert score("coverage", images) < MODES * 0.1
    assert score("vendi_ratio", images) < 0.6
    assert score("kid", images) > 5 * abs(score("kid", to_uint8(regression.generate(SEEDS))))


def test_posterior_collapse_is_one_blurred_image(score, broken, test):
    images = broken["posterior-collapse"]
    assert len(images.unique(dim=0)) == 1
    assert METRICS["sharpness"](test, images) < 0.5
    assert score("vendi_ratio", images) < 0.2
    assert score("recall", images) == 0
    assert score("pairwise_ratio", images) == 0


def test_the_average_image_can_fool_coverage(score, broken):
    """In whitened features the mean is nearer to many real images than their own neighbours are."""
    assert score("coverage", broken["posterior-collapse"]) > 0.1
    assert score("precision", broken["posterior-collapse"]) == 1


def test_too_few_steps_blur_and_keep_the_variety(score, broken, exact, test):
    images, healthy = broken["too-few-steps"], to_uint8(exact.generate(SEEDS))
    assert score("kid", images) > score("kid", healthy) + 0.01
    assert score("fd", images) > 1.2 * score("fd", healthy)
    assert METRICS["sharpness"](test, images) < 0.9 * METRICS["sharpness"](test, healthy)
    assert score("vendi_ratio", images) > 0.5


def test_copies_look_real_and_are_not_authentic(score, broken, features, train, test):
    known = features(train)
    assert METRICS["authenticity"](features(test), features(test), known) > 0.3
    assert score("authenticity", broken["memorised"], known) == 0
    real = load_images("digits", "validation").x
    assert score("precision", broken["memorised"]) > score("precision", real) - 0.1


def test_copies_cover_what_so_few_images_can(score, broken, features, train, test):
    """Coverage by its definition, from the copied images themselves."""
    points, known = features(test), features(train[:COPIES])
    radius = torch.cdist(points, points).kthvalue(6, dim=1).values  # itself, then its five nearest
    covered = (torch.cdist(points, known).min(1).values < radius).float().mean().item()
    assert len(broken["memorised"].unique(dim=0)) > 0.9 * COPIES
    assert score("coverage", broken["memorised"]) == pytest.approx(covered, abs=0.03)


def test_noise_covers_nothing(score, broken):
    assert score("coverage", broken["noise"]) < 0.02
    assert score("kid", broken["noise"]) > 1


def test_noise_can_fool_precision_and_not_coverage(train):
    """A few components average the noise of many pixels away, to the middle of the real images."""
    big, real = (load_images("digits", split, size=32).x for split in ("train", "test"))
    pca = Pca(to_float(big), 8)
    plain = pca.basis / pca.basis.norm(dim=0)  # not whitened
    noise = to_uint8(break_down("noise", (1, 32, 32))(SEEDS))
    features = [(to_float(x).flatten(1) - pca.mean) @ plain for x in (real, noise)]
    assert METRICS["precision"](*features) > 0.9
    assert METRICS["coverage"](*features) < 0.05


# ---- what every broken model does


@pytest.mark.parametrize("key", FAILURES)
def test_an_image_depends_on_its_seed_alone(key, sources):
    generate = break_down(key, sources[key])
    images = generate(SEEDS[:6])
    assert images.shape == (6, 1, 8, 8) and images.dtype == torch.float32
    assert images.abs().max() <= 1
    assert torch.allclose(generate(SEEDS[2:4]), images[2:4], atol=1e-4)
    assert torch.equal(generate(iter(SEEDS[:6])), images), "the same seeds give the same images, from any iterable"
    with pytest.raises(InputError, match="seed"):
        generate([-1])


def test_collapse_draws_each_mode_about_as_often(broken, regression):
    images = to_float(broken["collapse"]).flatten(1)
    near = torch.cdist(images, images) < torch.cdist(images, images).median() / 3
    sizes = near.sum(1).float() / N
    assert MODES - 1 <= (1 / sizes).sum() / N * 1.0 <= MODES + 1


def test_copies_are_exact(broken, train):
    known = {tuple(image.flatten().tolist()) for image in train[:COPIES]}
    assert {tuple(image.flatten().tolist()) for image in broken["memorised"]} <= known


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_breaks_in_the_ways_its_capabilities_allow(name):
    torch.manual_seed(0)
    model = FAMILIES[name](channels=1, size=8, **PRESETS[f"digits/{name}"].model).eval()
    for key, failure in FAILURES.items():
        if failure.source != "model":
            continue
        if all(isinstance(model, kind) for kind in failure.needs):
            images = break_down(key, model)(SEEDS[:3])
            assert images.shape == (3, 1, 8, 8) and images.isfinite().all() and images.abs().max() <= 1
        else:
            with pytest.raises(InputError, match="needs a model that is"):
                break_down(key, model)


def test_every_way_to_break_a_model_fits_some_family():
    models = [kind(channels=1, size=8, **PRESETS[f"digits/{name}"].model) for name, kind in FAMILIES.items()]
    for failure in FAILURES.values():
        if failure.source == "model":
            assert any(all(isinstance(model, kind) for kind in failure.needs) for model in models), failure.key


def test_the_knob_of_calls_is_found_by_what_it_does(exact, regression):
    assert next(iter(exact.sample([0], **{calls_knob(exact): CALLS}))).total == CALLS
    with pytest.raises(InputError, match="no knob that sets its number of network calls"):
        calls_knob(regression)


def test_an_unknown_failure_is_refused_with_near_ones():
    with pytest.raises(InputError, match="'noise'"):
        break_down("noize", (1, 8, 8))


def test_the_expectations_name_metrics():
    for failure in FAILURES.values():
        assert failure.about.endswith(".") and failure.lesson.endswith(".")
        assert set(failure.notices) | set(failure.fooled) <= set(METRICS)
        assert not set(failure.notices) & set(failure.fooled)


# ---- those of a data set


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A root with an untrained digits checkpoint of every family, under one name that is not the family's own."""
    torch.manual_seed(0)
    for name, family in FAMILIES.items():
        model = family(channels=1, size=8, **PRESETS[f"digits/{name}"].model)
        for folder in (name, f"a-{name}"):
            checkpoint.save_model(tmp_path / "digits" / folder, model)
    monkeypatch.setenv(checkpoint.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


def everything(root):
    return {path: path.stat().st_mtime_ns for path in root.rglob("*")}


def test_every_failure_of_a_data_set_can_be_made(shipped):
    before = everything(shipped)
    found = failures_for("digits")
    assert [one.key for one in found] == [*FAILURES]
    for one in found:
        assert not one.problem and one.label == FAILURES[one.key].title
        assert one.generate(SEEDS[:2]).shape == (2, 1, 8, 8)
        assert bool(one.checkpoint) == (one.family in FAMILIES) == (one.failure.source == "model")
        if one.checkpoint:
            assert one.checkpoint == f"digits/{one.family}", "the checkpoint named like its family comes first"
    assert everything(shipped) == before, "nothing is written"


def test_the_model_that_suits_a_failure_is_chosen(shipped):
    for one in failures_for("digits"):
        if one.checkpoint:
            model = checkpoint.load(one.checkpoint)
            assert all(isinstance(model, kind) for kind in (*one.failure.needs, *one.failure.suits))


def test_another_checkpoint_can_be_chosen(shipped):
    one = failures_for("digits", {"collapse": "digits/a-vae"})[0]
    assert (one.checkpoint, one.family, one.problem) == ("digits/a-vae", "vae", "")
    assert one.generate(SEEDS[:2]).shape == (2, 1, 8, 8)


def test_a_checkpoint_that_cannot_break_so_says_why(shipped):
    one = failures_for("digits", {"too-few-steps": "digits/vae"})[2]
    assert one.problem == (
        "digits/vae has no model to break in this way: that needs one that takes noise away step by step."
    )
    with pytest.raises(InputError, match="noise away step by step"):
        one.generate(SEEDS[:2])


def spoil(folder):
    """Make weights that only loading finds out."""
    tensors, _ = checkpoint.read_tensors(folder / checkpoint.WEIGHTS)
    tensors.popitem()
    checkpoint.write_tensors(folder / checkpoint.WEIGHTS, tensors)


def test_a_damaged_checkpoint_is_passed_over(shipped):
    spoil(shipped / "digits" / "gan")
    spoil(shipped / "digits" / "ddpm")
    for one in failures_for("digits"):
        assert not one.problem and one.checkpoint not in ("digits/gan", "digits/ddpm")
        assert one.generate(SEEDS[:2]).shape == (2, 1, 8, 8)
    assert "digits/gan" in failures_for("digits", {"collapse": "digits/gan"})[0].problem
    for name in FAMILIES:
        shutil.rmtree(shipped / "digits" / f"a-{name}")
    for name in set(FAMILIES) - {"gan", "ddpm"}:
        spoil(shipped / "digits" / name)
    assert all(one.problem for one in failures_for("digits"))


def test_the_user_s_own_runs_are_not_even_loaded(shipped):
    own = shipped / "runs" / "digits" / "gan"
    shutil.copytree(shipped / "digits" / "gan", own)
    checkpoint.write_json(own / "run.json", {"data": "digits"})
    loaded = []
    failures_for("digits", load=lambda name: loaded.append(name) or checkpoint.load(name))
    assert loaded and not any(name.startswith("runs/") for name in loaded)
    [one] = [one for one in failures_for("digits", {"collapse": "runs/digits/gan"}) if one.key == "collapse"]
    assert one.checkpoint == "runs/digits/gan", "unless one is chosen"


def test_where_none_is_shipped_the_user_s_own_are_what_there_is(shipped, monkeypatch):
    monkeypatch.setenv(checkpoint.FOLDER_VARIABLE, str(shipped / "runs"))
    shutil.copytree(shipped / "digits" / "gan", shipped / "runs" / "digits" / "gan")
    checkpoint.write_json(shipped / "runs" / "digits" / "gan" / "run.json", {"data": "digits"})
    by_key = {one.key: one for one in failures_for("digits")}
    assert by_key["collapse"].checkpoint == "runs/digits/gan" and not by_key["noise"].problem


@pytest.mark.parametrize("chosen", [{"colapse": "digits/gan"}, {"collapse": "digits/gam"}])
def test_bad_choices_are_refused(shipped, chosen):
    with pytest.raises(InputError, match=r"'collapse'|'digits/gan'"):
        failures_for("digits", chosen)


def test_without_the_images_nothing_can_be_copied(shipped, monkeypatch):
    monkeypatch.setattr("gencore.data.at_hand", lambda name: False)
    by_key = {one.key: one for one in failures_for("digits")}
    assert "not on this machine" in by_key["memorised"].problem
    assert not by_key["noise"].problem


def test_a_data_set_without_checkpoints_has_no_failure_that_can_be_made(shipped):
    assert all(one.problem for one in failures_for("mnist"))
