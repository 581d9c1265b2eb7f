"""What images are offered to choose from."""

import numpy as np
import pytest

from dashboard.service import Service, images


def test_every_class_is_offered_first():
    classes = np.array([0, 0, 0, 0, 1, 1, 0, 2, 2, 0])
    for seed in range(5):
        places = images.spread_out(classes, 10, 4, seed)
        assert len(set(places.tolist())) == 4 and set(classes[places]) == {0, 1, 2}
    assert images.spread_out(None, 10, 4, 0).tolist() == [0, 1, 2, 3]
    assert len(images.spread_out(classes, 10, 12, 3)) == 10


def test_without_the_data_the_shipped_images_stand_in(monkeypatch):
    service = Service()
    monkeypatch.setattr(service, "split", lambda dataset, split: None)
    dataset = next(iter(service.datasets()), "")
    offered, names, words = images.examples(service, dataset, 12, 0)
    assert len(offered) == len(names) and ("not at hand" in words if len(offered) else "draw one" in words)
    assert images.examples(service, "nowhere", 12, 0)[0].shape[0] == 0


@pytest.mark.parametrize(
    ("dataset", "number", "title"),
    [("shapes", 0, "red circle"), ("shapes", 17, "turquoise square"), ("shapes", 18, "class 18"),
     ("mnist", 3, "class 3"), ("digits", 0, "class 0"), ("uoft-cs/cifar10", 9, "truck"), ("cifar10", -1, "class -1"),
     ("runs/mine", 2, "class 2"), ("/home/me/shapes", 0, "class 0"), ("", 0, "class 0")],
)  # fmt: skip
def test_a_class_goes_by_its_name_where_it_has_one(dataset, number, title):
    assert images.class_title(dataset, number) == title
