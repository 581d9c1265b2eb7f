"""The reference of the diversity plots, against scikit-learn and SciPy."""

import numpy as np
import torch
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA

from gencore.data import load_images
from gencore.features import flatten, pair_distances, reference


def test_principal_components_are_sklearns():
    rows = flatten(load_images("digits").x)
    found = reference("digits")
    pca = PCA(2, svd_solver="full").fit(rows.numpy())
    signs = np.sign((pca.components_ * found["basis"].numpy()).sum(1, keepdims=True))
    assert np.allclose(pca.components_ * signs, found["basis"], atol=1e-4)
    assert np.allclose(pca.explained_variance_ratio_, found["explained"], atol=1e-5)
    assert np.allclose(pca.transform(rows.numpy()) * signs.T, found["points"], atol=1e-3)


def test_histogram_is_of_all_pairs_and_has_area_one():
    found = reference("digits")
    rows = flatten(load_images("digits").x)
    distances = pdist(rows.numpy())
    assert np.allclose(np.sort(distances), np.sort(pair_distances(rows).numpy()), atol=1e-4)
    assert torch.isclose((found["density"] * found["bins"].diff()).sum(), torch.tensor(1.0), atol=1e-5)
    assert abs(found["bins"][-1] - distances.max()) < 1e-4 and abs(found["bins"][0] - distances.min()) < 1e-4
