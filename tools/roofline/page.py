"""The page of the model: formulas, and least times of every kernel on three GPUs."""

import torch

from roofline.model import DEVICES, Line

_HEAD = """\
# What the kernels must move and compute

**Modelled, not measured.** Bytes that each CUDA kernel must read and write, and the additions and
multiplications of its formula, counted from its source. A GPU's least time is that of moving these
bytes at its memory's peak or of computing at its peak without tensor cores, whichever is longer;
real kernels take longer, by what caches, latency and launches cost. Functions (logarithm, sine),
indices and random integers are not counted. `make roofline` writes this page from
`tools/roofline/kernels.toml`; `make gpu-check` measures, on a machine with a GPU.
"""
_SYMBOLS = """\
C and R are the bytes of a complex and of a real number, B the batch, K coils or channels, I = B K
images of P pixels on G grid points in L lines, S = I P, f the share of samples that are measured, M
samples along A axes, W the grid points of a sample's taps, k the size of SSIM's window.
"""
_PLAIN = """\
*Plain* is the same composed of PyTorch's operations (`tools/roofline/plain.py`), each of which
reads its operands and writes its result: counted while they run on tensors without data, torch
{version}. A gather counts as reading its source once. NUFFTs are planned for an accuracy of 1e-3;
fast Fourier transforms are a library's, and no part of any line.
"""


def page(lines: list[Line], plain: dict[str, int], version: str) -> str:
    """Return the page as Markdown.

    Args:
        lines: of both precisions.
        plain: bytes of the plain compositions, by the lines' keys.
        version: of torch, whose operations were counted.
    """
    parts = [_HEAD, _devices(), "## Formulas\n", _SYMBOLS, _formulas(lines)]
    parts.append(_PLAIN.format(version=version))
    for title, dtype in (("complex64", torch.complex64), ("complex128", torch.complex128)):
        of_dtype = [line for line in lines if line.dtype == dtype]
        parts += [f"## Least times, {title}\n", _times(of_dtype, plain)]
    return "\n".join(parts)


def _table(head: list[str], rows: list[list[str]]) -> str:
    texts = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in texts)


def _devices() -> str:
    head = ["GPU", "GB/s", "float32, TFLOP/s", "float64, TFLOP/s", "source"]
    rows = [
        [d.name, f"{d.gb_per_s:g}", f"{d.float_tflops:g}", f"{d.double_tflops:g}", d.source]
        for d in DEVICES
    ]
    return _table(head, rows)


def _formulas(lines: list[Line]) -> str:
    formulas = {_name(line): [f"`{line.formula}`", f"`{line.flop_formula}`"] for line in lines}
    return _table(
        ["kernel", "bytes", "operations"], [[name, *texts] for name, texts in formulas.items()]
    )


def _times(lines: list[Line], plain: dict[str, int]) -> str:
    names = [f"{device.name.split(' ')[0].rstrip(',')}, us" for device in DEVICES]
    head = ["kernel", "workload", "MB", "Mflop", *names, "plain, MB", "plain / kernel"]
    rows = []
    for line in lines:
        numbers = [line.n_bytes / 1e6, line.n_flops / 1e6]
        numbers += [1e6 * device.seconds(line) for device in DEVICES]
        numbers += [plain[line.key] / 1e6, plain[line.key] / line.n_bytes]
        rows.append([_name(line), line.workload, *map(_three_digits, numbers)])
    return _table(head, rows)


def _name(line: Line) -> str:
    return f"`{line.kernel}`" + (f" {line.variant}" if line.variant else "")


def _three_digits(number: float) -> str:
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"
