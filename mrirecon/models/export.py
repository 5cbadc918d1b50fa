"""Turn a generator into a program that runs without this package's Python code."""

import copy
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim, export, load, save

from mrirecon.files import atomic_path
from mrirecon.models.generator import Generator
from mrirecon.nufft import Nufft

_MAX_BATCH = 1024
_ROUNDING = 1e-5
"""Of the largest value: what the program may differ by from eager execution, in float32."""


class _Reconstruct(nn.Module):
    """The generator on a mask that comes with each batch."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, zero_filled: Tensor, mask: Tensor) -> Tensor:
        result: Tensor = self.generator(zero_filled, mask).output
        return result


class _ReconstructOffGrid(nn.Module):
    """The generator on one trajectory, whose plan becomes part of the program."""

    def __init__(self, generator: Generator, nufft: Nufft) -> None:
        super().__init__()
        self.generator = generator
        self.nufft = nufft

    def forward(self, zero_filled: Tensor) -> Tensor:
        result: Tensor = self.generator(zero_filled, self.nufft).output
        return result


def export_generator(
    generator: Generator, path: Path, *, shape: tuple[int, int], sampled: tuple[int, int] | Nufft
) -> None:
    """Write the generator with its data consistency as a `torch.export` program.

    `torch.export.load(path).module()` gives back a function of (zero_filled, mask): complex64,
    (batch, 1, rows, cols), and bool, (batch, *sampled), of any batch size; it returns float32,
    (batch, 1, rows, cols). For a trajectory it is a function of one zero-filled image, (1, 1,
    rows, cols). `import mrirecon.ops` must come before, since the program calls this package's
    native operators.

    Args:
        generator: in evaluation mode; of one coil.
        path: .pt2 file to write.
        shape: (rows, cols) of the images.
        sampled: shape of a mask, (1, cols), (rows, 1) or (rows, cols); or the transform to the
            samples of a trajectory, which becomes part of the program.

    Raises:
        ValueError: the program does not give eager execution's numbers; nothing is written.
        OSError: the file cannot be written.

    Examples:
        >>> import torch
        >>> from pathlib import Path
        >>> import mrirecon
        >>> from mrirecon.models import export_generator
        >>> generator = mrirecon.load("run")
        >>> export_generator(generator, Path("model.pt2"), shape=(32, 32), sampled=(1, 32))
        >>> program = torch.export.load("model.pt2").module()
        >>> mask = (torch.arange(32) % 2 == 0).expand(2, 1, 32)
        >>> program(torch.rand(2, 1, 32, 32, dtype=torch.complex64), mask).shape
        torch.Size([2, 1, 32, 32])
    """
    # torch.export stores weights of another memory order with a warning.
    generator = copy.deepcopy(generator)
    generator.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    image = torch.polar(torch.rand(2, 1, *shape), torch.rand(2, 1, *shape))
    module: nn.Module
    inputs: tuple[Tensor, ...]
    if isinstance(sampled, Nufft):
        module, inputs = _ReconstructOffGrid(generator, sampled), (image[:1],)
        shapes = None
    else:
        module, inputs = _Reconstruct(generator), (image, torch.rand(2, *sampled) < 0.5)
        batch = Dim("batch", min=1, max=_MAX_BATCH)
        shapes = ({0: batch}, {0: batch})
    with torch.no_grad():
        expected = module(*inputs)  # plans are made at this first call, outside the program
        program = export(module, inputs, dynamic_shapes=shapes)
        with atomic_path(path) as partial:
            save(program, partial)
            _require_equal(load(partial).module()(*inputs), expected)


def _require_equal(found: Tensor, expected: Tensor) -> None:
    error = float((found - expected).abs().max() / expected.abs().max().clamp_min(1e-30))
    if not error <= _ROUNDING:
        raise ValueError(f"program: expected eager execution's numbers, got an error of {error:g}")
