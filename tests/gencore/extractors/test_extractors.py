"""Features of real images: the reference against scikit-learn and SciPy, the extractors, their files and their card."""

import hashlib
import json
import shutil
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from torch.nn.functional import adaptive_avg_pool2d

from gencore.checkpoint import read_tensors, write_tensors
from gencore.data import SPLITS, Images, load_images
from gencore.errors import InputError
from gencore.extractors import EXTRACTORS, Classifies, Extractor, Options, extractor_path, load_extractor
from gencore.extractors.classifier import Classifier, Trainee, augment
from gencore.extractors.convolutional import widths_for
from gencore.extractors.pace import pass_seconds
from gencore.extractors.pixels import Pixels
from gencore.extractors.reference import (
    flatten,
    load_real,
    measure_real,
    pair_distances,
    real_path,
    reference,
    rounding_effect,
    write_features,
)
from gencore.extractors.self_supervised import TEMPERATURE, SelfSupervised, contrast, retrieval
from gencore.extractors.untrained import Random
from gencore.metrics import METRICS, radial_spectrum

SHIPPED = Path(__file__).resolve().parents[3] / "checkpoints"
QUICK = Options(epochs=10, widths=(16, 32), dtype="float32", device="cpu")
NAMES = [name for name, cls in EXTRACTORS.items() if not cls.pretrained]


def silent(share, words):
    assert 0 <= share <= 1
    assert words


def make(data, root, name="all", options=QUICK):
    return list(write_features(str(data), root, name, options, silent))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A checkpoint root with the features of digits."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("features")
    make("digits", folder)
    return folder


@pytest.fixture
def here(root, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(root))
    return root / "digits" / "features"


@pytest.fixture
def copied(here, tmp_path, monkeypatch):
    """The same, to be spoilt."""
    shutil.copytree(here.parent, tmp_path / "digits")
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    return tmp_path / "digits" / "features"


def record(path):
    return json.loads(read_tensors(path)[1]["record"])


def refused(function, *arguments):
    """The one sentence with which a call is refused."""
    with pytest.raises(InputError) as error:
        function(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


class TestReference:
    def test_principal_components_are_sklearns(self):
        rows = flatten(load_images("digits").x)
        found = reference(load_images("digits").x)
        pca = PCA(2, svd_solver="full").fit(rows.numpy())
        signs = np.sign((pca.components_ * found["basis"].numpy()).sum(1, keepdims=True))
        assert np.allclose(pca.components_ * signs, found["basis"], atol=1e-4)
        assert np.allclose(pca.explained_variance_ratio_, found["explained"], atol=1e-5)
        assert np.allclose(pca.transform(rows.numpy()) * signs.T, found["points"], atol=1e-3)

    def test_histogram_is_of_all_pairs_and_has_area_one(self):
        found = reference(load_images("digits").x)
        rows = flatten(load_images("digits").x)
        distances = pdist(rows.numpy())
        assert np.allclose(np.sort(distances), np.sort(pair_distances(rows).numpy()), atol=1e-4)
        assert torch.isclose((found["density"] * found["bins"].diff()).sum(), torch.tensor(1.0), atol=1e-5)
        assert abs(found["bins"][-1] - distances.max()) < 1e-4 and abs(found["bins"][0] - distances.min()) < 1e-4


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", NAMES)
class TestEveryExtractor:
    def test_features_are_standardised_by_the_train_split(self, name):
        rows = load_extractor("digits", name).features(load_images("digits").x)
        assert rows.dtype == torch.float32
        assert torch.allclose(rows.mean(0), torch.zeros(rows.shape[1]), atol=1e-3)
        assert rows.var(0).mean().item() == pytest.approx(1, abs=1e-3)

    def test_an_image_s_features_are_its_own(self, name):
        """Whatever the batch, the mode, or the number format around."""
        extractor, x = load_extractor("digits", name), load_images("digits", "test").x[:7]
        together = extractor.features(x)
        alone = torch.cat([extractor.features(x[i : i + 1]) for i in range(len(x))])
        assert torch.allclose(together, alone, atol=1e-4)
        extractor.train()
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(extractor.features(x), together)
        assert not together.requires_grad

    def test_many_images_and_none(self, name):
        extractor, x = load_extractor("digits", name), load_images("digits").x
        many = extractor.features(torch.cat([x, x]))
        assert torch.allclose(many[: len(x)], many[len(x) :], atol=1e-4)
        assert extractor.features(x[:0]).shape == (0, extractor.dimensions)

    def test_hash_is_of_the_file_s_bytes(self, name, here):
        whole = hashlib.sha256((here / f"{name}.safetensors").read_bytes()).hexdigest()
        assert load_extractor("digits", name).hash == whole[:16]

    def test_is_what_was_made(self, name):
        """Nothing is lost between memory, where the test split was scored, and the file."""
        splits = {split: load_images("digits", split) for split in SPLITS}
        extractor, _ = EXTRACTORS[name].learn(splits, QUICK, silent)
        extractor.standardise(splits["train"].x)
        x = splits["test"].x
        assert torch.equal(extractor.features(x), load_extractor("digits", name).features(x))

    def test_loading_leaves_random_numbers_alone(self, name):
        torch.manual_seed(0)
        expected = torch.rand(3)
        torch.manual_seed(0)
        load_extractor("digits", name)
        assert torch.equal(torch.rand(3), expected)

    @pytest.mark.parametrize(
        "x",
        [
            torch.zeros(2, 1, 8, 8),
            torch.zeros(2, 3, 8, 8, dtype=torch.uint8),
            torch.zeros(1, 8, 8, dtype=torch.uint8),
            np.zeros((2, 1, 8, 8), np.uint8),
        ],
    )
    def test_other_images_are_refused(self, name, x):
        assert "(N, 1x8x8)" in refused(load_extractor("digits", name).features, x)


class TestClassifier:
    @pytest.mark.usefixtures("here")
    def test_features_are_white_and_tell_what_the_last_layer_sees(self):
        extractor, x = load_extractor("digits"), load_images("digits").x
        rows = extractor.features(x).double()
        assert torch.allclose(torch.cov(rows.T), torch.eye(64, dtype=torch.float64), atol=2e-3)
        with torch.no_grad():
            seen = extractor.body(x / 127.5 - 1).double()
        back = rows @ torch.linalg.pinv(extractor.whitening.double()) + extractor.centre
        assert torch.allclose(back, seen, atol=1e-3), "whitening can be undone"

    def test_accuracy_on_record_is_that_of_the_file(self, here):
        found = record(here / "classifier.safetensors")
        extractor = load_extractor("digits")
        for split in ("validation", "test"):
            images = load_images("digits", split)
            right = extractor.probabilities(images.x).argmax(1) == images.labels
            assert found[f"{split}_accuracy"] == pytest.approx(right.float().mean().item(), abs=1e-6)
            assert right.float().mean() > 0.95
        assert (found["seed"], found["epochs"], found["settings"]["dtype"]) == (0, 10, "float32")
        assert 1 <= found["epoch"] <= 10
        assert found["images"] == {"train": 1350, "validation": 150, "test": 297}
        assert set(found["versions"]) == {"gencore", "python", "torch", "numpy"}
        assert found["machine"]["device"] == "cpu"

    @pytest.mark.usefixtures("here")
    def test_probabilities(self):
        extractor = load_extractor("digits")
        assert isinstance(extractor, Classifies)
        found = extractor.probabilities(load_images("digits", "test").x)
        assert (found.shape, found.dtype) == ((297, 10), torch.float32)
        assert torch.allclose(found.sum(1), torch.ones(297))
        assert found.min() >= 0

    def test_folding_changes_nothing_but_the_layers(self):
        config = {"channels": 3, "size": 12, "classes": 4, "widths": (5, 6)}
        torch.manual_seed(0)
        trainee = Trainee(**config)
        x = torch.randint(256, (9, 3, 12, 12), dtype=torch.uint8)
        for _ in range(3):  # gives the running statistics something to be
            trainee.loss(x / 127.5 - 1, torch.arange(9) % 4)
        trainee.eval()
        with torch.no_grad():
            expected = trainee.head(trainee.body(x / 127.5 - 1))
            folded = trainee.folded(config)
            assert torch.allclose(folded.head(folded.body(x / 127.5 - 1)), expected, atol=1e-5)
        assert not [layer for layer in folded.modules() if isinstance(layer, torch.nn.BatchNorm2d)]

    def test_a_seed_gives_the_same_weights_and_another_others(self):
        splits = {split: load_images("digits", split) for split in SPLITS}

        def weights(seed):
            options = Options(epochs=1, widths=(8, 8), seed=seed, dtype="float32", device="cpu")
            before = torch.get_rng_state()
            extractor, _ = Classifier.learn(splits, options, silent)
            assert torch.equal(torch.get_rng_state(), before), "the caller's random numbers are its own"
            torch.rand(1)
            return extractor.state_dict()

        first, again, other = weights(3), weights(3), weights(4)
        assert all(torch.equal(first[key], again[key]) for key in first)
        assert not torch.equal(first["head.weight"], other["head.weight"])

    def test_sizes(self):
        """About 430,000 weights for grey images of 28 pixels, and more features maps in colour."""
        grey, colour = (widths_for(c, size, Options()) for c, size in ((1, 28), (3, 32)))
        count = sum(p.numel() for p in Classifier(1, 28, 10, grey).parameters())
        assert 200_000 < count < 450_000
        assert all(b > a for a, b in zip(grey, colour, strict=True))
        assert len(widths_for(1, 8, Options())) == 2
        assert Classifier(1, 100, 2, (2, 2)).features(torch.zeros(1, 1, 100, 100, dtype=torch.uint8)).shape == (1, 64)

    @pytest.mark.parametrize(
        ("options", "word"),
        [
            ({"epochs": 0}, "epochs"),
            ({"widths": ()}, "widths"),
            ({"widths": (0,)}, "widths"),
            ({"dtype": "float16"}, "for sampling alone"),
            ({"device": "gpu"}, "no device"),
            ({"effort": 0.0}, "effort"),
            ({"effort": 1.5}, "effort"),
            ({"train_rows": 4999}, "train_rows must be a whole number from 5,000 to 55,000, not 4,999"),
            ({"train_rows": 60_000}, "train_rows"),
        ],
    )
    def test_bad_options(self, options, word):
        assert word in refused(lambda: Options(**options))


class TestEffort:
    @pytest.mark.parametrize(
        ("cls", "rows", "channels", "passes"),
        [(Classifier, 1350, 1, {1.0: 150, 0.5: 75, 0.2: 30, 0.01: 30}),  # 10 steps a pass: at least 300
         (Classifier, 55_000, 1, {1.0: 8, 0.5: 4, 0.3: 3, 0.01: 1}),  # 429 steps a pass
         (SelfSupervised, 1350, 1, {1.0: 80, 0.5: 40, 0.1: 16}),  # 5 steps a pass: at least 80
         (SelfSupervised, 100, 1, {1.0: 400, 0.001: 80}), (Pixels, 1350, 1, {1.0: 0, 0.1: 0})],
    )  # fmt: skip
    def test_less_effort_is_fewer_passes_but_never_too_few_steps(self, cls, rows, channels, passes):
        assert {effort: cls.passes(rows, channels, effort) for effort in passes} == passes

    def test_an_extractor_learns_with_the_effort_that_is_asked_for(self, monkeypatch):
        monkeypatch.setattr("gencore.extractors.classifier.STEPS", 60)
        monkeypatch.setattr("gencore.extractors.classifier.LEAST", 10)
        splits = {split: load_images("digits", split) for split in SPLITS}
        options = Options(widths=(2, 2), dtype="float32", device="cpu", effort=0.4)
        assert Classifier.learn(splits, options, silent)[1]["epochs"] == Classifier.passes(1350, 1, 0.4) == 4

    @pytest.mark.parametrize("labelled", [True, False])
    def test_a_pass_is_timed_on_a_few_images_and_leaves_the_random_numbers_alone(self, labelled):
        splits = {split: load_images("digits", split) for split in SPLITS}
        if not labelled:
            splits = {split: Images("digits", split, images.x, None) for split, images in splits.items()}
        before = torch.get_rng_state()
        cls = Classifier if labelled else SelfSupervised
        seconds = pass_seconds(cls, splits, Options(widths=(2, 2), dtype="float32", device="cpu"), 0.01)
        assert 0 < seconds < 60 and torch.equal(torch.get_rng_state(), before)


class TestAugmentation:
    def test_small_moves_of_the_whole_image(self):
        torch.manual_seed(0)
        x = torch.full((200, 1, 28, 28), -1.0)
        x[:, :, 12:16, 12:16] = 1
        moved = augment(x)
        assert moved.shape == x.shape
        assert moved.min() >= -1 and moved.max() <= 1
        mass = (moved + 1).flatten(2).sum(2) / (x + 1).flatten(2).sum(2)
        assert ((mass > 0.7) & (mass < 1.4)).all(), "turning and shifting lose nothing; resizing is 10% at most"
        rows = (moved + 1).sum(3).squeeze(1)
        centre = (rows * torch.arange(28)).sum(1) / rows.sum(1)
        assert (centre - 13.5).abs().max() < 2.6, "two pixels"
        assert centre.std() > 0.5

    def test_an_even_image_stays_as_it_is(self):
        assert torch.allclose(augment(torch.full((5, 3, 8, 8), 0.25)), torch.tensor(0.25))

    @pytest.mark.parametrize(("channels", "share"), [(1, 0.0), (3, 0.5)])
    def test_only_colour_images_are_mirrored(self, channels, share):
        torch.manual_seed(0)
        x = torch.linspace(-1, 1, 16).expand(400, channels, 16, 16).clone()
        moved = augment(x)
        mirrored = moved[..., :8].mean((1, 2, 3)) > moved[..., 8:].mean((1, 2, 3))
        assert abs(mirrored.float().mean() - share) < 0.08


def weights(cls, seed, **options):
    """An extractor's weights for digits, having checked that the caller's random numbers are its own."""
    splits = {split: load_images("digits", split) for split in SPLITS}
    before = torch.get_rng_state()
    options = Options(widths=(8, 8), seed=seed, dtype="float32", device="cpu", **options)
    extractor, record = cls.learn(splits, options, silent)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(1)
    return extractor.state_dict(), record


class TestSelfSupervised:
    def test_the_loss_is_the_paper_s(self):
        """Equation 1 written out: two views of four images in three dimensions."""
        rows = torch.randn(8, 3, generator=torch.Generator().manual_seed(0)).double()
        unit = [row / np.linalg.norm(row) for row in rows.numpy()]
        total = 0
        for i, one in enumerate(unit):
            others = sum(np.exp(one @ other / TEMPERATURE) for k, other in enumerate(unit) if k != i)
            total -= np.log(np.exp(one @ unit[(i + 4) % 8] / TEMPERATURE) / others) / 8
        assert contrast(rows).item() == pytest.approx(total)

    def test_a_seed_gives_the_same_weights_and_another_others(self):
        first, again, other = (weights(SelfSupervised, seed, epochs=1)[0] for seed in (3, 3, 4))
        assert all(torch.equal(first[key], again[key]) for key in first)
        assert not torch.equal(first["body.0.weight"], other["body.0.weight"])

    def test_training_teaches_it_to_find_an_image_again(self):
        splits = {split: load_images("digits", split) for split in SPLITS}
        options = Options(epochs=10, widths=(8, 16), dtype="float32", device="cpu")
        trained, record = SelfSupervised.learn(splits, options, silent)
        untrained, _ = Random.learn(splits, options, silent)
        torch.manual_seed(0)
        assert retrieval(trained, splits["validation"].x) > retrieval(untrained, splits["validation"].x) + 0.05
        assert 0.3 < record["retrieved"] <= 1 and record["epochs"] == 10

    def test_labels_are_not_looked_at(self):
        train = load_images("digits")
        bare = {"train": Images("digits", "train", train.x, None), "validation": load_images("digits", "validation")}
        options = Options(epochs=1, widths=(8, 8), dtype="float32", device="cpu")
        extractor, _ = SelfSupervised.learn(bare, options, silent)
        labelled, _ = weights(SelfSupervised, 0, epochs=1)
        assert torch.equal(extractor.state_dict()["body.0.weight"], labelled["body.0.weight"])
        assert not SelfSupervised.needs_labels and not Random.needs_labels


class TestRandom:
    def test_weights_are_orthogonal_and_the_seed_s(self):
        first, again, other = (weights(Random, seed)[0] for seed in (3, 3, 4))
        assert all(torch.equal(first[key], again[key]) for key in first)
        assert not torch.equal(first["body.0.weight"], other["body.0.weight"])
        rows = first["body.2.weight"].flatten(1).double()
        assert torch.allclose(rows @ rows.T, 2 * torch.eye(8, dtype=torch.float64), atol=1e-5), "gain √2, for ReLU"

    @pytest.mark.usefixtures("here")
    @pytest.mark.parametrize("name", ["random", "self-supervised"])
    def test_features_are_white(self, name):
        rows = load_extractor("digits", name).features(load_images("digits").x).double()
        eigenvalues = torch.linalg.eigvalsh(torch.cov(rows.T))
        assert eigenvalues.max() == pytest.approx(1, abs=0.02) and eigenvalues.median() == pytest.approx(1, abs=0.02)


class TestDINOv2:
    def test_without_transformers_one_sentence_and_nothing_is_written(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "transformers", None)
        assert "pip install transformers" in refused(make, "digits", tmp_path, "dinov2")
        assert not list(tmp_path.iterdir())

    def test_all_leaves_it_out(self, root):
        assert not (root / "digits/features/dinov2.safetensors").exists() and "dinov2" in EXTRACTORS

    def test_a_tiny_model_by_the_same_way(self, tmp_path, monkeypatch):
        transformers = pytest.importorskip("transformers")
        monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "root"))
        torch.manual_seed(0)
        config = transformers.Dinov2Config(
            hidden_size=12, num_hidden_layers=2, num_attention_heads=2, patch_size=2, image_size=8
        )
        model = transformers.Dinov2Model(config).eval()
        model.save_pretrained(tmp_path / "weights")
        options = Options(device="cpu", weights=str(tmp_path / "weights"))
        make("digits", tmp_path / "root", "dinov2", options)
        extractor, x = load_extractor("digits", "dinov2"), load_images("digits", "test").x[:5]
        assert (extractor.dimensions, extractor.side) == (12, 32)
        large = torch.nn.functional.interpolate(x.repeat(1, 3, 1, 1) / 255.0, size=32, mode="bicubic", antialias=True)
        mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).view(2, 1, 3, 1, 1)
        with torch.no_grad():
            expected = model((large.clamp(0, 1) - mean) / std).last_hidden_state[:, 0]
        expected = (expected - extractor.mean) / extractor.std
        assert torch.allclose(extractor.features(x), expected, atol=0.05), "its weights are rounded to float16"

    def test_no_weights_one_sentence(self, tmp_path):
        pytest.importorskip("transformers")
        (tmp_path / "empty").mkdir()
        options = Options(device="cpu", weights=str(tmp_path / "empty"))
        assert "no DINOv2 weights" in refused(make, "digits", tmp_path / "root", "dinov2", options)

    def test_a_stand_in_for_transformers_goes_the_whole_way(self, tmp_path, monkeypatch):
        """The same way without the package: a module with the two classes that are asked of it."""
        monkeypatch.setitem(sys.modules, "transformers", stand_in())
        monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "root"))
        (tmp_path / "weights").mkdir()
        make("digits", tmp_path / "root", "dinov2", Options(device="cpu", weights=str(tmp_path / "weights")))
        extractor, x = load_extractor("digits", "dinov2"), load_images("digits", "test").x[:5]
        assert extractor.features(x).shape == (5, 3) and len(load_real("digits", "dinov2").test) == 297
        made = record(tmp_path / "root/digits/features/dinov2.safetensors")
        assert made["weights"] == "weights" and str(tmp_path) not in json.dumps(extractor.config)


def stand_in():
    """A module like transformers, whose DINOv2 is the mean and the deviations of colours."""
    module = types.ModuleType("transformers")

    class Dinov2Config:
        def __init__(self, patch_size=2, hidden_size=3):
            self.patch_size, self.hidden_size = patch_size, hidden_size

        @classmethod
        def from_dict(cls, values):
            return cls(**values)

        def to_json_string(self):
            return json.dumps({"patch_size": self.patch_size, "hidden_size": 3, "_name_or_path": "/a/path"})

    class Dinov2Model(torch.nn.Module):
        def __init__(self, config):
            super().__init__()
            self.config, self.weight = config, torch.nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))

        @classmethod
        def from_pretrained(cls, folder, local_files_only, use_safetensors):
            assert Path(folder).is_dir() and local_files_only and use_safetensors
            return cls(Dinov2Config())

        def forward(self, x):
            assert x.shape[1:] == (3, 32, 32)
            return types.SimpleNamespace(pooler_output=x.mean((2, 3)) * self.weight)

    module.Dinov2Config, module.Dinov2Model = Dinov2Config, Dinov2Model
    return module


class TestPixels:
    @pytest.mark.usefixtures("here")
    def test_are_sklearns_components_on_one_scale(self):
        extractor = load_extractor("digits", "pixels")
        train, test = (flatten(load_images("digits", split).x).numpy() for split in ("train", "test"))
        pca = PCA(extractor.dimensions, svd_solver="full").fit(train.astype(np.float64))
        expected = pca.transform(test) / np.sqrt(pca.explained_variance_.mean())
        found = extractor.features(load_images("digits", "test").x).numpy()
        assert extractor.dimensions == 61, "three of the 64 pixels never change"
        assert np.allclose(expected * np.sign((expected * found).sum(0)), found, atol=1e-3)
        ratio = pdist(found) / pdist(test)
        assert np.allclose(ratio, ratio[0], rtol=1e-3), "all components are kept, so distances are those of the pixels"

    def test_large_images_are_averaged_first(self):
        torch.manual_seed(0)
        x = torch.randint(256, (40, 1, 64, 64), dtype=torch.uint8)
        splits = {"train": Images("noise", "train", x, None)}
        extractor, found = Pixels.learn(splits, Options(), silent)
        assert extractor.basis.shape == (39, 32 * 32), "forty images span 39 dimensions"
        assert found["explained"] == 1
        expected = adaptive_avg_pool2d(x.float() / 255, 32).flatten(1) @ extractor.basis.T
        assert torch.allclose(extractor.raw(x), expected, atol=1e-5)


@pytest.mark.usefixtures("here")
class TestReal:
    @pytest.mark.parametrize("name", NAMES)
    def test_is_the_extractor_s_view_of_the_splits(self, name):
        real, extractor = load_real("digits", name), load_extractor("digits", name)
        assert (real.dataset, real.extractor, real.hash) == ("digits", name, extractor.hash)
        for split, rows in (("train", real.train), ("test", real.test)):
            exact = extractor.features(load_images("digits", split).x)
            assert rows.dtype == torch.float32
            assert torch.allclose(rows, exact, rtol=2**-11, atol=1e-6), "float16 has eleven bits"
            assert torch.equal(rows, exact.half().float())
        distances, _ = NearestNeighbors(n_neighbors=2).fit(real.train.double()).kneighbors(real.train.double())
        assert np.allclose(real.train_gaps, distances[:, 1], rtol=1e-3, atol=1e-3)
        assert len(real.spectra) == len(real.test)
        assert (real.spectra.dtype, real.train_gaps.dtype) == (torch.float32, torch.float32)

    @pytest.mark.parametrize(("name", "kept"), [("pixels", 100), ("self-supervised", 300)])
    def test_train_rows_are_kept_to_find_copies_by(self, name, kept, tmp_path, monkeypatch):
        """Few of features that copies are not looked for in, as many as are asked for of others."""
        monkeypatch.setattr("gencore.extractors.reference.FEW_ROWS", 100)
        monkeypatch.setattr("gencore.extractors.base.FEW_ROWS", 100)
        monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
        options = Options(epochs=1, widths=(8, 8), dtype="float32", device="cpu", train_rows=300)
        list(write_features("digits", tmp_path, name, options, silent))
        real, train = load_real("digits", name), load_images("digits").x
        assert torch.equal(real.train, load_extractor("digits", name).features(train[:kept]).half().float())
        assert bool(real.cannot_find_copies) == (name == "pixels")
        assert f"kept as features: {kept} train" in (tmp_path / "digits/features/README.md").read_text()

    def test_the_spectra_stand_in_the_reference(self, copied):
        """Once for all extractors; a file of before has its own, and without either nothing is made up."""
        expected = load_real("digits", "pixels").spectra
        assert torch.equal(expected, radial_spectrum(load_images("digits", "test").x))
        path, shared = real_path(extractor_path("digits", "pixels")), copied / "reference.safetensors"
        tensors, metadata = read_tensors(path)
        assert "spectra" not in tensors
        shared.unlink()
        assert "does not hold the tensors" in refused(load_real, "digits", "pixels")
        write_tensors(path, tensors | {"spectra": expected}, metadata)
        assert torch.equal(load_real("digits", "pixels").spectra, expected)

    def test_where_all_train_rows_are_kept_copies_are_found_in_any_features(self):
        assert all(load_real("digits", name).cannot_find_copies == "" for name in NAMES)

    def test_labels_and_probabilities(self):
        real, labels = load_real("digits"), load_images("digits", "test").labels
        assert np.allclose(real.labels_histogram, np.bincount(labels, minlength=10) / 297)
        assert torch.equal(real.probabilities, load_extractor("digits").probabilities(load_images("digits", "test").x))
        assert load_real("digits", "pixels").probabilities is None

    @pytest.mark.parametrize("name", NAMES)
    def test_rounding_moves_distances_by_far_less_than_real_images_vary(self, name):
        splits = {split: load_images("digits", split) for split in SPLITS}
        effect = rounding_effect(*measure_real(load_extractor("digits", name), splits, 2000))
        assert (effect["n"], effect["blocks"]) == (297, 4)
        assert "fd" not in effect, "297 images are too few for 64 dimensions"
        assert 0 < effect["kid"]["moved"] < effect["kid"]["spread"] / 30


class TestForeignFiles:
    def test_absent(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
        for load in (load_extractor, load_real):
            assert "python -m gencore features digits" in refused(load, "digits")
            assert "'pixels'" in refused(load, "digits", "pixel")

    @pytest.mark.parametrize("name", ["", ".", "..", "../digits"])
    def test_no_data_set(self, name, here):
        if Path(name).name == "digits":
            assert load_extractor(name).hash
        else:
            refused(load_extractor, name)

    @pytest.mark.parametrize("file", ["classifier.safetensors", "classifier-real.safetensors"])
    @pytest.mark.parametrize(
        ("content", "word"),
        [(b"", "damaged"), (b"version https://git-lfs", "Git LFS"), (b"PK\x03\x04....", "pickle"), (None, "cut short")],
    )
    def test_damaged(self, copied, file, content, word):
        path = copied / file
        path.write_bytes(path.read_bytes()[:-1] if content is None else content)
        message = refused(load_real if "real" in file else load_extractor, "digits")
        assert word in message
        assert str(path) in message

    def test_another_data_set_s(self, copied):
        copied.parent.rename(copied.parents[1] / "mnist")
        assert "'digits', not of 'mnist'" in refused(load_extractor, "mnist")
        assert "classifier of digits" in refused(load_real, "mnist")

    def test_another_extractor_s(self, copied):
        shutil.copy(copied / "pixels.safetensors", copied / "classifier.safetensors")
        assert "but pixels" in refused(load_extractor, "digits")
        assert "another extractor" in refused(load_real, "digits")
        shutil.copy(copied / "pixels-real.safetensors", copied / "classifier-real.safetensors")
        assert "but pixels of digits" in refused(load_real, "digits")
        shutil.copy(copied / "reference.safetensors", copied / "pixels.safetensors")
        assert "something else" in refused(load_extractor, "digits", "pixels")

    def test_changed_since(self, copied):
        path = copied / "classifier.safetensors"
        tensors, metadata = read_tensors(path)
        write_tensors(path, tensors | {"head.bias": tensors["head.bias"] + 1}, metadata)
        load_extractor("digits")
        assert "made with another extractor" in refused(load_real, "digits")
        real_path(path).unlink()
        assert "missing" in refused(load_real, "digits")

    @pytest.mark.parametrize("config", ["{", "[]", "{}", '{"channels": 1, "size": 8, "classes": 3, "widths": [4]}'])
    def test_another_build(self, copied, config):
        path = copied / "classifier.safetensors"
        tensors, metadata = read_tensors(path)
        write_tensors(path, tensors, metadata | {"config": config})
        assert "can be built" in refused(load_extractor, "digits")

    def test_not_finite(self, copied):
        path = copied / "classifier.safetensors"
        tensors, metadata = read_tensors(path)
        write_tensors(path, tensors | {"std": tensors["std"] * torch.nan}, metadata)
        assert "NaN" in refused(load_extractor, "digits")

    @pytest.mark.parametrize(
        "change",
        [
            {"test": torch.zeros(297, 3)},
            {"train_gaps": torch.zeros(5)},
            {"more": torch.zeros(1)},
            {"spectra": torch.zeros(5, 7)},
        ],
    )
    def test_real_features_of_another_shape(self, copied, change):
        path = copied / "classifier-real.safetensors"
        tensors, metadata = read_tensors(path)
        changed = {key: x for key, x in (tensors | change).items() if x is not None}
        write_tensors(path, changed, metadata)
        assert "damaged" in refused(load_real, "digits")


class TestWriting:
    def test_lines_and_card(self, root, tmp_path):
        lines = make("digits", tmp_path, "pixels")
        folder = tmp_path / "digits" / "features"
        files = ["reference.safetensors", "pixels.safetensors", "pixels-real.safetensors", "README.md"]
        assert [Path(line.partition(":")[0]) for line in lines] == [folder / file for file in files]
        assert {path.name for path in folder.iterdir()} == set(files)
        card = (root / "digits/features/README.md").read_text()
        for name in NAMES:
            assert f"## {name}" in card
            assert hashlib.sha256((root / f"digits/features/{name}.safetensors").read_bytes()).hexdigest()[:16] in card
        accuracy = record(root / "digits/features/classifier.safetensors")["test_accuracy"]
        assert f"{accuracy:.2%} of the test split right" in card
        assert "## classifier" not in (folder / "README.md").read_text()

    def test_without_labels_no_classifier(self, tmp_path):
        folder = tmp_path / "dots"
        folder.mkdir()
        generator = np.random.default_rng(0)
        for i in range(60):
            Image.fromarray(generator.integers(0, 256, (8, 8), np.uint8)).save(folder / f"{i}.png")
        lines = make(folder, tmp_path / "out")
        assert "has no labels" in lines[0]
        assert not (tmp_path / "out/dots/features/classifier.safetensors").exists()
        assert (tmp_path / "out/dots/features/pixels-real.safetensors").exists()
        assert "pixels, self-supervised, random" in refused(make, folder, tmp_path / "out", "classifier")

    def test_unknown_extractor(self, tmp_path):
        assert "'classifier'" in refused(make, "digits", tmp_path, "clasifier")


class Toy(Extractor):
    """Mean and deviation of each image's pixels: an extractor as docs/metrics.md shows it, without `learn`."""

    name = "toy"
    about = "mean and deviation of an image's pixels"

    def __init__(self, channels, size):
        super().__init__(2, channels=channels, size=size)

    def raw(self, x):
        rows = x.flatten(1).float()
        return torch.stack([rows.mean(1), rows.std(1)], 1)


def test_one_line_adds_an_extractor(tmp_path, monkeypatch):
    monkeypatch.setitem(EXTRACTORS, Toy.name, Toy)
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    make("digits", tmp_path, "toy")
    extractor, real = load_extractor("digits", "toy"), load_real("digits", "toy")
    assert extractor_path("digits", "toy") == tmp_path / "digits/features/toy.safetensors"
    assert (extractor.dimensions, real.hash) == (2, extractor.hash)
    rows = load_images("digits", "test").x.flatten(1).double()
    train = load_images("digits").x.flatten(1).double()
    expected = (rows.mean(1) - train.mean(1).mean()) / train.mean(1).std()
    assert torch.allclose(real.test[:, 0].double(), expected, atol=2e-3)
    assert "## toy" in (tmp_path / "digits/features/README.md").read_text()


@pytest.mark.parametrize("name", NAMES)
class TestShipped:
    def test_files_fit_and_belong_together(self, name, monkeypatch):
        monkeypatch.setenv("GENCORE_CHECKPOINTS", str(SHIPPED))
        real, path = load_real("mnist", name), extractor_path("mnist", name)
        assert all(file.stat().st_size < 10e6 for file in (path, real_path(path)))
        kept = 55_000 if name in ("classifier", "self-supervised") else 5_000
        assert (len(real.train), len(real.test), real.test.shape[1]) == (kept, 10_000, 64)
        assert torch.allclose(real.train.mean(0), torch.zeros(64), atol=4 / kept**0.5 * (kept < 55_000) + 1e-3)
        assert real.train.var(0).mean().item() == pytest.approx(1, abs=1e-3 if kept == 55_000 else 0.02)
        assert real.cannot_find_copies.startswith("Only the first 5,000 train images have") == (kept == 5_000)
        assert real.hash in (path.parent / "README.md").read_text()
        rounding = json.loads(read_tensors(real_path(path))[1]["rounding"])
        assert all(
            rounding[key]["moved"] < rounding[key]["spread"] / 30 for key in rounding if key in ("fd", "kid", "kd")
        )

    def test_noise_covers_nothing(self, name, monkeypatch):
        """The known answer of docs/metrics.md, with what fools precision: 64 components average noise away."""
        monkeypatch.setenv("GENCORE_CHECKPOINTS", str(SHIPPED))
        noise = torch.randint(256, (2000, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
        pair = load_real("mnist", name).test[:2000], load_extractor("mnist", name).features(noise)
        assert METRICS["coverage"](*pair) < 0.02
        precision = METRICS["precision"](*pair)
        assert precision > 0.5 if name == "pixels" else precision < 0.02

    def test_mnist_is_told_apart(self, name, monkeypatch):
        monkeypatch.setenv("GENCORE_CHECKPOINTS", str(SHIPPED))
        real, found = load_real("mnist", name), record(extractor_path("mnist", name))
        assert found["images"]["test"] == 10_000
        if real.probabilities is not None:
            assert found["test_accuracy"] >= 0.993
            assert (real.probabilities.mean(0) - real.labels_histogram).abs().max() < 0.005
