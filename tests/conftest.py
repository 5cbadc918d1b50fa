"""Fixtures that several test files share."""

from collections.abc import Iterator

import pytest
import torch

from mrirecon import native


@pytest.fixture(autouse=True)
def seed() -> None:
    """Give every test the same random numbers."""
    torch.manual_seed(20260101)


@pytest.fixture(params=native.simd_levels())
def simd_level(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run the test with each instruction set of this processor."""
    before = native.simd_level()
    native.set_simd_level(request.param)
    yield request.param
    native.set_simd_level(before)
