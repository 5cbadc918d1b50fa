"""Fixtures that several test files share."""

import importlib.util
import json
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from gpu import GPU, GpuOperators

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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, not skip, what needs a GPU where there is none."""
    if torch.cuda.is_available():
        return
    left_out = [item for item in items if item.get_closest_marker("requires_cuda")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("requires_cuda")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that needs a GPU, has one, and skips."""
    report = yield
    if report.skipped and item.get_closest_marker("requires_cuda"):
        report.outcome = "failed"
        report.longrepr = f"skipped on a machine with a GPU: {report.longrepr}"
    return report


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


@cache
def compiled_bounds() -> dict[str, int]:
    """Return the most threads of a block that each kernel was compiled for, by its name."""
    baseline = json.loads((ROOT / "tools" / "cuda_check" / "baseline.json").read_text())
    return {
        name.partition(": ")[2]: facts["sm_80"]["threads"]
        for name, facts in baseline["kernels"].items()
    }


@pytest.fixture
def emulator(emulator_module: ModuleType) -> Iterator[ModuleType]:
    """Give the emulator with its default settings, and restore them."""
    emulator_module.configure()
    emulator_module.set_launch_bounds(compiled_bounds())
    yield emulator_module
    emulator_module.configure()


@pytest.fixture(params=["forward", "reverse", "random", GPU])
def emulated_ops(request: pytest.FixtureRequest) -> Any:
    """Give the operators of the CUDA kernels, for CPU tensors.

    By the emulator in each order of CUDA threads, and on the GPU where there is one.
    """
    if request.param == "gpu":
        return GpuOperators()
    request.getfixturevalue("emulator").configure(order=request.param)
    return torch.ops.mrirecon_emulated
