import json
import re
from pathlib import Path

import pytest
import torch
from roofline.__main__ import all_lines, stored_page
from roofline.counting import ByteCounter, plain_bytes
from roofline.model import DEVICES, Line, evaluate

ROOT = Path(__file__).parents[2]


def line_of(n_bytes: str, flops: str, dtype: torch.dtype = torch.complex64) -> Line:
    return Line("stem: kernel", "", "few", n_bytes, flops, "apply_mask", dtype, {"C": 8, "S": 1e6})


def test_every_kernel_has_a_line() -> None:
    kernels = {
        f"{path.stem}: {name}"
        for path in (ROOT / "csrc" / "cuda").glob("*.cu")
        for name in re.findall(r"__global__[^;{]*?(\w+_kernel)\(", path.read_text())
    }
    assert len(kernels) > 20
    assert {line.kernel for line in all_lines()} == kernels


def test_the_page_is_what_the_formulas_give() -> None:
    assert (ROOT / "docs" / "roofline.md").read_text() == stored_page()


def test_stored_counts_are_those_of_a_torch_like_this_one() -> None:
    stored = json.loads((ROOT / "tools" / "roofline" / "plain.json").read_text())["bytes"]
    lines = {line.key: line for line in all_lines()}
    assert stored.keys() == lines.keys()
    for key in list(lines)[::7]:
        assert plain_bytes(lines[key]) == pytest.approx(stored[key], rel=0.2)


def test_a_kernel_takes_as_long_as_the_slower_of_memory_and_arithmetic() -> None:
    device = DEVICES[0]
    assert device.seconds(line_of("2*C*S", "S")) == pytest.approx(16e6 / 2039e9)
    assert device.seconds(line_of("C", "1000*S")) == pytest.approx(1e9 / 19.5e12)
    assert device.seconds(line_of("C", "S", torch.complex128)) == pytest.approx(1e6 / 9.7e12)


def test_a_formula_names_the_size_that_is_missing() -> None:
    with pytest.raises(ValueError, match=r"2\*G: expected sizes \['C', 'S'\], name 'G'"):
        evaluate("2*G", {"C": 8, "S": 1})


def test_operations_count_what_they_read_and_write_and_views_nothing() -> None:
    x, y = torch.empty(100, 8, device="meta"), torch.empty(8, device="meta")
    with ByteCounter() as counter:
        _ = x.T[1:]
    assert counter.n_bytes == 0
    with ByteCounter() as counter:
        _ = x + y.expand(100, 8)
    assert counter.n_bytes == 4 * (800 + 8 + 800)
    with ByteCounter() as counter:
        x.mul_(2)
    assert counter.n_bytes == 2 * 4 * 800
