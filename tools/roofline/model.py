"""Read the formulas of kernels and evaluate them for workloads and devices."""

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mrirecon.nufft.gridding import choose_gridding
from mrirecon.nufft.toeplitz import convolution_grid

_ACCURACY = 1e-3  # of the NUFFTs
_WINDOW = 7  # SSIM's uniform one


@dataclass(frozen=True)
class Device:
    """Peaks of a GPU, from its vendor's data sheet.

    Attributes:
        name: with its form, since that decides.
        gb_per_s: of its memory.
        float_tflops: of float32, without tensor cores.
        double_tflops: likewise of float64.
        source: the data sheet.
    """

    name: str
    gb_per_s: float
    float_tflops: float
    double_tflops: float
    source: str

    def seconds(self, line: "Line") -> float:
        """Return the least time: of moving or of computing, whichever takes longer."""
        tflops = self.float_tflops if line.dtype == torch.complex64 else self.double_tflops
        return max(line.n_bytes / (self.gb_per_s * 1e9), line.n_flops / (tflops * 1e12))


DEVICES = (
    Device("A100 SXM, 80 GB", 2039, 19.5, 9.7, "NVIDIA A100 Tensor Core GPU, data sheet, 2021"),
    Device("H100 SXM", 3350, 67, 34, "NVIDIA H100 Tensor Core GPU, data sheet, 2023"),
    Device("B200, HGX, 1000 W", 8000, 80, 40, "NVIDIA Blackwell Architecture, brief, 2024"),
)


@dataclass(frozen=True)
class Line:
    """A kernel at a workload.

    Attributes:
        kernel: as in docs/cuda_kernels.md, without template arguments.
        variant: what it does of several things; maybe empty.
        workload: its name.
        formula: of the bytes.
        flop_formula: of the operations.
        plain: function of `roofline.plain`.
        dtype: complex64 or complex128.
        sizes: by symbol; and `shape`, `grid` and `width`.
    """

    kernel: str
    variant: str
    workload: str
    formula: str
    flop_formula: str
    plain: str
    dtype: torch.dtype
    sizes: dict[str, Any]

    @property
    def n_bytes(self) -> float:
        """Bytes that the kernel must move."""
        return evaluate(self.formula, self.sizes)

    @property
    def n_flops(self) -> float:
        """Additions and multiplications of its formula."""
        return evaluate(self.flop_formula, self.sizes)

    @property
    def key(self) -> str:
        """By which the bytes of plain PyTorch are stored."""
        return f"{self.plain}, {self.workload}, {str(self.dtype).removeprefix('torch.')}"


def evaluate(formula: str, sizes: dict[str, Any]) -> float:
    """Compute a formula of `kernels.toml`.

    Raises:
        ValueError: a symbol that the workload lacks.
    """
    try:
        # The project's own data, without names but those of sizes.
        return float(eval(formula, {"__builtins__": {}}, sizes))
    except NameError as error:
        raise ValueError(f"{formula}: expected sizes {sorted(sizes)}, {error}") from None


def read_lines(path: Path, dtype: torch.dtype) -> list[Line]:
    """Read every kernel at each of its workloads, in the file's order."""
    stored = tomllib.loads(path.read_text())
    return [
        Line(
            kernel=kernel["name"],
            variant=kernel.get("variant", ""),
            workload=workload,
            formula=kernel["bytes"],
            flop_formula=kernel["flops"],
            plain=kernel["plain"],
            dtype=dtype,
            sizes=sizes_of(stored["workload"][workload], kernel.get("grid", ""), dtype),
        )
        for kernel in stored["kernel"]
        for workload in kernel["workloads"]
    ]


def sizes_of(workload: dict[str, Any], grid: str, dtype: torch.dtype) -> dict[str, Any]:
    """Complete a workload by what follows from it; `grid`: a convolution's or a trajectory's."""
    shape = tuple(workload["shape"])
    sizes = {**workload, "shape": shape, "C": dtype.itemsize, "R": dtype.itemsize // 2}
    sizes |= {"I": sizes["B"] * sizes["K"], "P": math.prod(shape), "A": len(shape), "k": _WINDOW}
    sizes |= {"S": sizes["I"] * sizes["P"], "L": sizes["I"] * math.prod(shape[:-1])}
    if "M" in sizes:
        gridding = choose_gridding(shape, sizes["M"], sizes["I"], _ACCURACY, dtype.to_real())
        points = convolution_grid(shape) if grid == "convolution" else gridding.grid
        sizes |= {"grid": points, "width": gridding.width, "G": math.prod(points)}
        sizes |= {"W": gridding.width ** len(shape)}
    return sizes
