"""What operators say of tensors on a GPU, on two devices, or without data; no GPU is needed.

A fake tensor that claims to lie on a GPU is handed to the very function that torch calls for CUDA.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._pytree import tree_map_only

from mrirecon import native
from mrirecon.nufft import Nufft
from mrirecon.nufft.toeplitz import make_convolution

KSPACE = torch.zeros(2, 3, 8, 10, dtype=torch.complex64)
IMAGE, MAPS = KSPACE[:, :1].contiguous(), KSPACE[:1]
MASK = torch.ones(10, dtype=torch.bool)
REAL = torch.zeros(2, 8, 10)
SSIM = (REAL, REAL, torch.ones(2), "uniform")
FEATURES, KEEP = torch.zeros(2, 3, 8, 10), torch.ones(2, 3)
COORDS = torch.zeros(4, 2)
PLAN = Nufft(COORDS, (8, 10)).plan
CONVOLUTION = make_convolution(COORDS, (8, 10), None, 1e-3)
POINTS = torch.zeros(2, 3, *PLAN.grid, dtype=torch.complex64)
SPECTRUM = torch.zeros(2, 3, *CONVOLUTION.grid, dtype=torch.complex64)
PADDING = (PLAN.apodisation, PLAN.shape, PLAN.grid)
OPERANDS: dict[str, tuple[Any, ...]] = {
    "apply_mask": (KSPACE, MASK, torch.ones(2), torch.arange(2)),
    "enforce_consistency": (KSPACE, KSPACE, MASK, None),
    "grad_enforce_consistency": (KSPACE, None, None, MASK, None, True, True),
    "expand_coils": (IMAGE, MAPS),
    "combine_coils": (KSPACE, MAPS),
    "grad_coil_maps": (IMAGE, KSPACE, 1),
    "weigh_kspace": (IMAGE, MAPS, MASK, torch.ones(2)),
    "enforce_image_consistency": (KSPACE, KSPACE, MASK, torch.ones(2)),
    "undersample_image": (KSPACE, MASK, torch.ones(2), torch.arange(2)),
    "ssim_mean": SSIM,
    "ssim_mean_with_grad": SSIM,
    "ssim_map": SSIM,
    "grad_ssim_map": (torch.zeros(2, 2, 4), *SSIM),
    "instance_norm": (FEATURES, torch.ones(1), KEEP, FEATURES, 1e-5, 0),
    "grad_instance_norm": (FEATURES, FEATURES, KEEP, KEEP, torch.ones(1), KEEP, 0),
    "nufft": (IMAGE, MAPS, COORDS, *PLAN),
    "nufft_adjoint": (KSPACE[..., 0, :4].contiguous(), None, COORDS, *PLAN),
    "nufft_normal": (IMAGE, MAPS, *CONVOLUTION),
    "pad_image": (IMAGE, MAPS, *PADDING),
    "interpolate": (POINTS, *PLAN),
    "spread": (KSPACE[..., 0, :4].contiguous(), *PLAN),
    "crop_image": (POINTS, None, *PADDING),
    "apply_transfer": (SPECTRUM, CONVOLUTION.transfer, CONVOLUTION.grid),
}
ON_GPU_ALONE = ("pad_image", "interpolate", "spread", "crop_image", "apply_transfer")
ON_CPU_ALONE = ("weigh_kspace", "enforce_image_consistency", "undersample_image")
COMPOSED = ("nufft", "nufft_adjoint", "nufft_normal")  # of those, on a GPU
IGNORED = ("coords", "roots")  # by these kernels
ALLOCATE = ("instance_norm", "grad_instance_norm")  # on a GPU, before they look at operands
FOR_CUDA = [name for name in OPERANDS if name not in ON_CPU_ALONE + COMPOSED + ALLOCATE]


def on_gpu(operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return operands whose tensors say that they lie on a GPU."""
    with FakeTensorMode():
        return tree_map_only(
            Tensor, lambda x: torch.empty(x.shape, dtype=x.dtype, device="cuda:0"), operands
        )


def call_for_cuda(name: str, operands: tuple[Any, ...]) -> Any:
    """Call what is registered for CUDA, as torch does for tensors of a GPU."""
    operator = getattr(torch.ops.mrirecon, name).default
    return operator.redispatch(torch._C.DispatchKeySet(torch._C.DispatchKey.CUDA), *operands)


def one_moved(
    name: str, operands: tuple[Any, ...], device: str, reference: int
) -> Iterator[tuple[str, Any]]:
    """Yield the name of each tensor but that of place `reference`, and operands with it moved."""
    schema = getattr(torch.ops.mrirecon, name).default._schema
    for place, argument in enumerate(schema.arguments):
        is_tensor = isinstance(operands[place], Tensor)
        if is_tensor and place != reference and argument.name not in IGNORED:
            moved = torch.empty_like(OPERANDS[name][place], device=device)
            yield argument.name, (*operands[:place], moved, *operands[place + 1 :])


def test_every_operator_is_tried() -> None:
    found = {
        schema.name.removeprefix("mrirecon::")
        for schema in torch._C._jit_get_all_schemas()
        if schema.name.startswith("mrirecon::")
    }
    assert found == OPERANDS.keys()


@pytest.mark.skipif(bool(native.cuda_architectures()), reason="this build has CUDA kernels")
@pytest.mark.parametrize("name", FOR_CUDA)
def test_a_build_without_cuda_says_how_to_get_one(name: str) -> None:
    with pytest.raises(RuntimeError) as error:
        call_for_cuda(name, on_gpu(OPERANDS[name]))
    assert str(error.value) == (
        "this build of mrirecon has no CUDA kernels: put nvcc on PATH and build again with "
        "MRIRECON_CUDA=ON pip install --no-build-isolation ."
    )


@pytest.mark.parametrize("name", FOR_CUDA)
def test_a_tensor_left_on_the_cpu_is_named(name: str) -> None:
    reference = 1 if name == "grad_ssim_map" else 0  # whose device the others must have
    for argument, operands in one_moved(name, on_gpu(OPERANDS[name]), "cpu", reference):
        with pytest.raises(ValueError) as error:
            call_for_cuda(name, operands)
        text = f"{argument}: expected cuda:0, the device of the other tensors, got cpu"
        assert str(error.value) == text


@pytest.mark.parametrize("name", sorted(OPERANDS.keys() - ON_GPU_ALONE))
def test_a_tensor_without_data_among_others_is_named(name: str) -> None:
    for argument, operands in one_moved(name, OPERANDS[name], "meta", 0):
        with pytest.raises(ValueError) as error:
            getattr(torch.ops.mrirecon, name)(*operands)
        text = f"{argument}: expected cpu, the device of the other tensors, got meta"
        assert str(error.value) == text
