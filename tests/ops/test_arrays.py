from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch
from gpu import GPU
from torch import Tensor

from mrirecon import ops
from mrirecon.ops.arrays import _tensor_of

KSPACE = torch.randn(2, 3, 12, 14, dtype=torch.complex64)
OTHER = torch.randn_like(KSPACE)
IMAGE, MAPS = KSPACE[:, :1].clone(), OTHER[:1].clone()
MASK = torch.arange(14) % 3 == 0
REAL = KSPACE.real.contiguous()

CALLS: dict[str, tuple[Callable[..., Any], list[Tensor], dict[str, Any]]] = {
    "apply_mask": (ops.apply_mask, [KSPACE, MASK], {"noise_std": 0.5, "seed": 3}),
    "enforce_consistency": (ops.enforce_consistency, [KSPACE, OTHER, MASK], {}),
    "soft": (
        ops.enforce_consistency,
        [KSPACE, OTHER, MASK],
        {"noise_weight": torch.tensor(0.5)},
    ),
    "expand_coils": (ops.expand_coils, [IMAGE, MAPS], {}),
    "combine_coils": (ops.combine_coils, [KSPACE, MAPS], {}),
    "ssim": (ops.ssim, [REAL, REAL + 0.1], {"data_range": 4.0, "window": "uniform"}),
    "ssim of ranges": (
        ops.ssim,
        [REAL, REAL + 0.1],
        {"data_range": torch.full((2, 3), 4.0), "window": "gaussian"},
    ),
    "ssim_map": (ops.ssim_map, [REAL, REAL + 0.1], {"data_range": 4.0, "window": "uniform"}),
}
LIBRARIES = ["numpy"]
if find_spec("cupy"):
    LIBRARIES.append(pytest.param("cupy", marks=GPU.marks))


def to_array(value: Any, library: str) -> Any:
    if not isinstance(value, Tensor):
        return value
    return value.numpy() if library == "numpy" else pytest.importorskip("cupy").asarray(value)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", CALLS)
def test_arrays_give_an_array_of_the_same_numbers(name: str, library: str) -> None:
    function, operands, options = CALLS[name]
    arrays = [to_array(operand, library) for operand in operands]
    found = function(*arrays, **{key: to_array(value, library) for key, value in options.items()})
    assert type(found).__module__.partition(".")[0] == library
    expected = function(*operands, **options)
    torch.testing.assert_close(torch.as_tensor(found).cpu(), expected, rtol=1e-5, atol=1e-5)


def test_arrays_are_taken_by_keyword() -> None:
    found: Any = ops.apply_mask(kspace=KSPACE.numpy(), mask=MASK.numpy())  # type: ignore[arg-type]
    assert np.array_equal(found, ops.apply_mask(kspace=KSPACE, mask=MASK).numpy())


def test_array_of_numpy_is_not_copied() -> None:
    array = np.arange(12.0).reshape(3, 4)
    assert np.shares_memory(_tensor_of(array).numpy(), array)
    assert np.shares_memory(_tensor_of(array.T[::2]).numpy(), array)


@pytest.mark.parametrize("kind", ["read-only", "reversed", "transposed"])
def test_arrays_of_any_layout_are_taken(kind: str) -> None:
    array = KSPACE.numpy().copy()
    if kind == "read-only":
        array.flags.writeable = False
    else:
        array = array[..., ::-1] if kind == "reversed" else array.swapaxes(0, 1)
    found: Any = ops.apply_mask(array, MASK.numpy())  # type: ignore[arg-type]
    assert np.array_equal(found, array * MASK.numpy())


def test_a_tensor_beside_an_array_is_refused() -> None:
    with pytest.raises(ValueError, match="mask: expected a numpy array as kspace, got torch"):
        ops.apply_mask(KSPACE.numpy(), MASK)  # type: ignore[arg-type]


def test_an_array_of_a_wrong_dtype_is_refused_as_a_tensor_is() -> None:
    with pytest.raises(ValueError, match="kspace: expected complex64 or"):
        ops.apply_mask(REAL.numpy(), MASK.numpy())  # type: ignore[arg-type]


def test_arguments_that_are_no_arrays_reach_the_operator() -> None:
    with pytest.raises((TypeError, RuntimeError), match="apply_mask"):
        ops.apply_mask([1.0], [True])  # type: ignore[arg-type]
