"""Registering: what a family must have stands in `Family`'s docstring; what it lacks is told in one sentence."""

import inspect
import re
import textwrap
from functools import partial

import pytest
import torch
from diffusers.configuration_utils import register_to_config
from torch import nn

from gencore.errors import InputError
from gencore.families import FAMILIES
from gencore.families.registration import register
from gencore.family import Change, Family, Knob, Loss, Noise, Point, Step


class Least(Family):
    """As little as makes a family."""

    name = "least"

    @register_to_config
    def __init__(self, channels: int = 1, size: int = 4):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    @property
    def networks(self):
        return {"layer": self.layer}

    def losses(self, x, progress=0.0):
        yield Loss("layer", self.layer(x.flatten()[:1]).sum())

    @torch.no_grad()
    def sample(self, seeds, **knobs):
        self.resolve_knobs(knobs)
        x = Noise(seeds, self.device)(*self.image_shape)
        yield Step(1, 1, x, self.layer(x[..., None])[..., 0].clamp(-1, 1))


def test_the_least_family_is_registered_with_what_holds_by_default():
    assert register(Least, *FAMILIES.values()) == {"least": Least, **FAMILIES}
    assert (Least.title, Least.about, Least.knobs, Least.interpolation) == ("LEAST", "", (), "linear")
    assert [(point.kind, point.knobs) for point in Least.points] == [("headline", {})]
    model = Least()
    assert model.network is model.layer and model.generate([1, 2]).shape == (2, 1, 4, 4)


def test_the_example_of_the_docstring_is_a_family():
    text = inspect.getdoc(Family).partition("can choose its number of calls:\n")[2]
    there = {kind.__name__: kind for kind in (Family, Knob, Loss, Noise, Point, Step)} | {"torch": torch}
    there |= {"register_to_config": register_to_config, "build_net": lambda shape, widths: nn.Conv2d(shape[0], 1, 1)}
    exec(textwrap.dedent(text), there)
    register(there["Yours"])
    model = there["Yours"](size=8).eval()
    (loss,) = model.losses(torch.zeros(2, 1, 8, 8))
    assert loss.value.requires_grad and list(loss.logs) == ["largest_error"]
    assert model.generate([1, 2], calls=3).shape == (2, 1, 8, 8) and model.network is model.net


def changed(**parts):
    """A family that has these parts, and all else as the least one."""
    return type("Odd", (Least,), {"name": "odd"} | parts)


def built_by(constructor):
    return changed(__init__=register_to_config(constructor))


def without(*names):
    """A family that lacks parts which the least one has."""
    kept = {key: value for key, value in vars(Least).items() if key not in ("__module__", "__dict__", *names)}
    return type("Odd", (Family,), kept)


def of_no_config(self, channels=1, size=4):
    pass


def of_no_size(self, channels=1):
    pass


def of_no_default(self, channels, size, latent):
    pass


def of_a_dictionary(self, channels=1, size=4, widths=None):
    pass


def of_anything(self, channels=1, size=4, **more):
    pass


def method(*names):
    """Methods that take one argument."""
    return {name: lambda self, x: None for name in names}


KNOB = Knob("steps", 4, 1, 9, integer=True)
CHOICE = Knob("solver", "euler", choices=("euler", "heun"))


@pytest.mark.parametrize(
    ("cls", "sentence"),
    [
        (3, "it is no class derived from gencore.family.Family"),
        (nn.Linear, "it is no class derived from gencore.family.Family"),
        (without("name"), "its name is None; it needs one of lower-case letters"),
        (changed(name="My model"), "its name is 'My model'; it needs one of lower-case letters"),
        (changed(title=""), "title and about must be text, and the title not empty, not '' and ''"),
        (changed(about=None), "title and about must be text, and the title not empty, not 'ODD' and None"),
        (changed(interpolation="cubic"), "interpolation is 'cubic'; it must be one of linear, slerp"),
        (changed(knobs=[KNOB]), "knobs must be a tuple of gencore.family.Knob"),
        (changed(knobs=("steps",)), "knobs must be a tuple of gencore.family.Knob"),
        (changed(knobs=(KNOB, KNOB)), "two of its knobs are called 'steps'"),
        (changed(knobs=(Knob("mode", "fast"),)), "the knob 'mode' must have either choices and one of them"),
        (changed(knobs=(Knob("mode", 1, choices=("a",)),)), "the knob 'mode' must have either choices and one of them"),
        (changed(knobs=(Knob("mode", "b", choices=("a",)),)), "the default of a knob is not among its own values"),
        (changed(knobs=(Knob("steps", 0, 1, 9),)), "not among its own values: steps must be a number from 1 to 9"),
        (changed(knobs=(Knob("eta", 0, when={"sampler": ("ddim",)}),)), "an effect only beside 'sampler', which is"),
        (changed(points=[]), "points must be a tuple of gencore.family.Point"),
        (changed(changes=[]), "changes must be a tuple of gencore.family.Change"),
        (changed(changes=(Change(""),)), "a change must say what has changed"),
        (changed(changes=(Change("Eta", {"eta": (1,)}),)), "the change of 'Eta' concerns 'eta', which is none of its"),
        (changed(points=()), "none of its points is a headline"),
        (changed(points=(Point("a", {}, "sweep"),)), "none of its points is a headline"),
        (changed(points=(Point("a", {}, "main"),)), "kind 'main'; it must be one of headline, lecture, sweep"),
        (changed(points=(Point("a", {}, "headline"),) * 2), "two of its points are labelled 'a'"),
        (changed(points=(Point("a", {"eta": 1}, "headline"),)), "sets what its knobs do not allow: There is no knob"),
        (changed(__init__=of_no_config), "its constructor must be decorated with"),
        (built_by(of_no_size), "its constructor must take size, which the data give"),
        (built_by(of_no_default), "the argument 'latent' of its constructor needs a default that is a number"),
        (built_by(of_a_dictionary), "the argument 'widths' of its constructor needs a default that is a number"),
        (built_by(of_anything), "its constructor takes **more; all its arguments must have names"),
        (without("networks"), "it has no networks; gencore.family.Family says what that must give"),
        (without("losses"), "it has no losses; gencore.family.Family says what that must give"),
        (without("sample"), "it has no sample; gencore.family.Family says what that must give"),
        (changed(networks=lambda self: {}), "networks must be a property"),
        (changed(network=lambda self: None), "network must be a property"),
        (changed(losses=lambda self, x: None), "losses must take (self, x: 'Tensor', progress: 'float' = 0.0)"),
        (changed(sample=lambda self: None), "sample must take (self, seeds: 'Iterable[int]', **knobs: 'Any')"),
        (changed(knobs=(KNOB,), sample=lambda self, seeds, eta=0: None), "each of its knobs by name"),
        (changed(**method("latent")), "it has latent but not decode(self, latent: 'Tensor')"),
        (changed(**method("invert")), "but not latent(self, seeds: 'Iterable[int]')"),
        (changed(**method("bound")), "it has bound but not bound_basis(self)"),
        (changed(**method("diffuse", "latent")), "it has latent but not decode"),
        (changed(**method("diffuse", "latent", "decode")), "it has diffuse and latent but not predict"),
        (changed(**method("prior_density")), "it has prior_density but not encode(self, x: 'Tensor')"),
        (changed(**method("bound", "bound_basis")), "bound must take (self, x: 'Tensor', generator:"),
        (changed(encode=lambda self, x, y: None), "encode must take (self, x: 'Tensor')"),
    ],
)  # fmt: skip
def test_what_a_family_lacks_is_told_in_one_sentence(cls, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)) as told:
        register(cls)
    words = str(told.value)
    assert "cannot be registered: " in words and words.endswith(".") and "\n" not in words


@pytest.mark.parametrize(
    "parts",
    [
        method("encode"),
        method("judge"),
        method("latent", "decode"),
        method("latent", "decode", "invert"),
        method("encode", "prior_density"),
        method("fit_after_training", "validation_figures"),
        {"encode": lambda self, x, samples=1: None},
        {"knobs": (KNOB, CHOICE), "sample": lambda self, seeds, steps=4, solver="euler": None},
        {"knobs": (KNOB, CHOICE), "points": (Point("all", {"solver": "heun", "steps": 2}, "headline"),)},
    ],
)
def test_whole_capabilities_and_knobs_are_registered(parts):
    assert list(register(changed(**parts))) == ["odd"]


def test_two_families_that_checkpoints_could_not_tell_apart_are_refused():
    same_name = type("Other", (Least,), {"name": "least"})
    same_class = type("Least", (Least,), {"name": "other"})
    for other, what in ((same_name, "name 'least'"), (same_class, "class 'Least'")):
        with pytest.raises(InputError, match=f"Two families have the {what}"):
            register(Least, other)


def test_widths_that_cannot_be_halved_are_refused_before_anything_is_built():
    built = []

    class Halving(Least):
        name = "halving"

        @register_to_config
        def __init__(self, channels: int = 1, size: int = 4, widths: tuple[int, ...] = (8, 8)):
            Family.__init__(self)
            built.append(size)

    register(Halving)
    Halving(size=6)
    for build in (partial(Halving, size=1), partial(Halving, size=6, widths=(8, 8, 8, 8))):
        with pytest.raises(InputError, match="cannot be halved"):
            build()
    assert built == [6]
