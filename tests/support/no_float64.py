"""A device that is not here and has no float64, as Apple's has none: tensors in main memory that say they lie on 'lazy'
(which PyTorch lets pass without asking for it).

Inside `pretended()`, what is made on or moved to 'lazy' says that it is there; it does not mix with tensors of the CPU,
and refuses to be float64.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

aten = torch.ops.aten
MIXING = (aten.copy_.default, aten._to_copy.default, aten.index.Tensor, aten.index_put_.default)  # take CPU tensors too


class There(torch.Tensor):
    """A tensor that says it is elsewhere; `here` is what it holds."""

    @staticmethod
    def __new__(cls, here):
        layout = {"strides": here.stride(), "storage_offset": here.storage_offset(), "dtype": here.dtype}
        return torch.Tensor._make_wrapper_subclass(cls, here.size(), device="lazy", **layout)

    def __init__(self, here):
        if here.dtype == torch.float64:
            raise TypeError("this device has no float64")
        self.here = here

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return dispatched(func, args, kwargs or {})


class pretended(TorchDispatchMode):
    """The context in which 'lazy' is there."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return dispatched(func, args, kwargs or {})


def dispatched(func, args, kwargs):
    """Do an operation in main memory, and say that its results lie where its operands or its `device` do."""
    given = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
    there = any(isinstance(one, There) for one in given)
    if there and func not in MIXING and any(not isinstance(one, There) and one.ndim for one in given):
        raise RuntimeError(f"{func}: all tensors must be on the same device")
    if (device := kwargs.get("device")) is not None:
        there, kwargs = torch.device(device).type == "lazy", kwargs | {"device": "cpu"}
    known = {id(one.here): one for one in given if isinstance(one, There)}
    out = func(*tree_map(unwrapped, args), **tree_map(unwrapped, kwargs))
    return tree_map(lambda one: known[id(one)] if id(one) in known else wrapped(one), out) if there else out


def unwrapped(one):
    return one.here if isinstance(one, There) else one


def wrapped(one):
    return There(one) if isinstance(one, torch.Tensor) and not isinstance(one, There) else one


def moved(model):
    """Move a model's parameters and buffers there, in place, and return it."""
    for module in model.modules():
        for name, value in module._parameters.items():
            module._parameters[name] = value if value is None else torch.nn.Parameter(There(value.data), False)
        for name, value in module._buffers.items():
            module._buffers[name] = value if value is None else There(value)
    return model
