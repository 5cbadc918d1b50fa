"""Fixtures that several test files share."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from mrirecon import native

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run name another emulated library: one with a seeded fault, or with a sanitizer."""
    parser.addoption(
        "--emulator",
        type=Path,
        default=ROOT / "build" / "cmake" / "mrirecon_emulated.so",
        help="the library that runs the CUDA kernels on the CPU",
    )


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


@pytest.fixture(scope="session")
def emulator_module(pytestconfig: pytest.Config) -> ModuleType:
    """Load the test library that runs the CUDA kernels on the CPU; not built is a failure."""
    path: Path = pytestconfig.getoption("--emulator")
    if not path.exists():
        pytest.fail(f"{path}: not built; run `make emulator`")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def emulator(emulator_module: ModuleType) -> Iterator[ModuleType]:
    """Give the emulator with its default settings, and restore them."""
    emulator_module.configure()
    yield emulator_module
    emulator_module.configure()


@pytest.fixture(params=["forward", "reverse", "random"])
def emulated_ops(emulator: ModuleType, request: pytest.FixtureRequest) -> Any:
    """Give the operators of the CUDA kernels, for CPU tensors, in each order of CUDA threads."""
    emulator.configure(order=request.param)
    return torch.ops.mrirecon_emulated
