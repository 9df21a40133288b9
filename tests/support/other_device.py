"""A device without hardware: its tensors compute on the CPU, do not mix with those of the CPU, and tell of each wait.

As on a GPU, an operation refuses tensors of another device unless they are single numbers, random numbers need a
generator of the same device, and the program waits where it asks for a value, or for a shape that depends on values.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils import backend_registration
from torch.utils._pytree import tree_leaves, tree_map

if not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"):
    pytest.skip("a device written in Python needs a newer torch", allow_module_level=True)

NAME = "fake"
CPU = torch.device("cpu")
aten = torch.ops.aten

COPIES = (aten.copy_.default, aten._to_copy.default)  # which may go from one device to another
INDEXING = (aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default)
GATHERING = (aten.cat.default, aten.stack.default)  # do not even take single numbers of another device
PLAIN: dict[Any, Any] = {  # in place of operations whose results a later one is to read in another way
    aten._conj.default: aten.conj_physical.default,
    aten._neg_view.default: aten.neg.default,
    aten._efficientzerotensor.default: aten.zeros.default,
}
WAITING = {
    aten._local_scalar_dense.default,
    aten._linalg_check_errors.default,
    aten.equal.default,
    aten.linalg_eig.default,
    aten.linalg_lstsq.default,
    aten.masked_select.default,
    aten.nonzero.default,
    aten.repeat_interleave.Tensor,
    aten._unique2.default,
    aten.unique_consecutive.default,
    aten.unique_dim.default,
}

_waits: list[list[str]] = []  # of the contexts that are open


class OtherTensor(Tensor):
    """A tensor of the device; its numbers are in a tensor of the CPU."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # pyright: ignore[reportAssignmentType]
    host: Tensor

    @staticmethod
    def __new__(cls, host: Tensor) -> "OtherTensor":
        return Tensor._make_wrapper_subclass(
            cls,
            host.size(),
            strides=host.stride(),
            storage_offset=host.storage_offset(),
            dtype=host.dtype,
            device=torch.device(NAME, 0),
        )

    def __init__(self, host: Tensor) -> None:
        self.host = host

    def __repr__(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return f"{self.host!r} on {NAME}"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})

    @property
    def data(self) -> Tensor:
        return Tensor.data.__get__(self)  # pyright: ignore[reportAttributeAccessIssue]

    @data.setter
    def data(self, value: "OtherTensor") -> None:
        Tensor.data.__set__(self, value)  # pyright: ignore[reportAttributeAccessIssue]
        self.host = value.host

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        copy: Tensor = OtherTensor(self.host.clone())
        memo[id(self)] = copy = nn.Parameter(copy, self.requires_grad) if isinstance(self, nn.Parameter) else copy
        return copy

    def untyped_storage(self) -> torch.UntypedStorage:
        return self.host.untyped_storage()

    def tolist(self) -> list[Any]:
        _wait("tolist")
        return self.host.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        if not force:
            raise TypeError(f"can't convert {NAME} device type tensor to numpy: use force=True")
        _wait("numpy")
        return self.host.numpy(force=True)


@contextmanager
def waits() -> Iterator[list[str]]:
    """While the context is open, names of what the program waits for are added to the list."""
    found: list[str] = []
    _waits.append(found)
    try:
        yield found
    finally:
        _waits.remove(found)


def _wait(name: str) -> None:
    for found in _waits:
        found.append(name)


def _run(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    leaves = tree_leaves((args, kwargs))
    ours = [each for each in leaves if isinstance(each, OtherTensor)]
    _refuse(func, [each for each in leaves if isinstance(each, Tensor) and not isinstance(each, OtherTensor)], ours)
    _refuse_generators(func, kwargs)
    _notice_wait(func, args, kwargs)
    result = PLAIN.get(func, func)(*tree_map(_host, args), **tree_map(_host, kwargs))
    if kwargs.get("device") == CPU:
        return result
    if not func._schema.is_mutable:
        return tree_map(_tagged, result)
    for each in ours:
        if each.shape != each.host.shape:  # it has been resized
            each.data = OtherTensor(each.host)
    changed = {id(each.host): each for each in ours}
    return tree_map(lambda each: changed.get(id(each), each), result)


def _tagged(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    with torch.inference_mode(value.is_inference()):
        return OtherTensor(value)


def _host(value: Any) -> Any:
    """What the CPU computes with in place of a value."""
    if isinstance(value, OtherTensor):
        return value.host
    return CPU if isinstance(value, torch.device) and value.type == NAME else value


def _refuse(func: Any, strangers: list[Tensor], ours: list[OtherTensor]) -> None:
    """Raise RuntimeError where tensors of the CPU are among the operands that a GPU would not take."""
    if func in COPIES or not ours:
        return
    beyond = [each for each in strangers if each.dim() or func in GATHERING]
    if func in INDEXING:  # a tensor of the device takes places that the CPU tells
        beyond = [each for each in beyond if each.dtype not in (torch.int64, torch.bool)]
    if beyond:
        raise RuntimeError(f"{func} is given tensors on {NAME} and, of the shape {tuple(beyond[0].shape)}, on the CPU")
    if func is aten.linalg_lstsq.default:
        raise RuntimeError("torch.linalg.lstsq: only the driver gels is there on GPUs")


def _refuse_generators(func: Any, kwargs: dict[str, Any]) -> None:
    if kwargs.get("generator") is not None:
        raise RuntimeError(f"{func} is given a generator of the CPU for a tensor on {NAME}")


def _notice_wait(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Tell of a wait, where an operation is one on GPUs."""
    between = func is aten.copy_.default and isinstance(args[0], OtherTensor) != isinstance(args[1], OtherTensor)
    blocking = between and not (kwargs.get("non_blocking") or args[2:3] == (True,))
    fetching = func is aten._to_copy.default and kwargs.get("device") == CPU
    counting = func in INDEXING and any(each is not None and _is_slow_index(each) for each in args[1])
    if func in WAITING or blocking or fetching or counting:
        _wait(str(func))


def _is_slow_index(index: Tensor) -> bool:
    return index.dtype == torch.bool or not isinstance(index, OtherTensor)


def _register(func: Any) -> None:
    _library.impl(func, lambda *args, **kwargs: _run(func, args, kwargs), "PrivateUse1")


class _Module(backend_registration._DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]

    def is_available(self) -> bool:  # to those who look for hardware
        return False


backend_registration._setup_privateuseone_for_python_backend(NAME, backend_module=_Module())
_library = torch.library.Library("aten", "IMPL")
for _each in (  # that make tensors of nothing, or of those of the CPU
    aten.empty.memory_format,
    aten.empty_strided.default,
    aten.copy_.default,
    aten._efficientzerotensor.default,
):
    _register(_each)
