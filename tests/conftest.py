"""Fixtures that several test files share."""

import importlib.util
import json
import shutil
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
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LEFT_OUT = pytest.StashKey[dict[str, int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run name another emulated library, with a fault or a sanitizer, or another browser."""
    parser.addoption(
        "--emulator",
        type=Path,
        default=ROOT / "build" / "cmake" / "mrirecon_emulated.so",
        help="the library that runs the CUDA kernels on the CPU",
    )
    found = [path for path in map(shutil.which, BROWSERS) if path]
    parser.addoption(
        "--browser", default=found[0] if found else "", help="a Chromium, for the tests of pages"
    )


def what_is_missing(config: pytest.Config) -> dict[str, str]:
    """Tell which markers ask for something that this machine lacks, and what that is."""
    missing = {} if torch.cuda.is_available() else {"requires_cuda": "a GPU"}
    if not config.getoption("--browser"):
        missing["requires_browser"] = "Chromium (apt-get install chromium, or --browser PATH)"
    return missing


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, not skip, what needs a GPU or a browser where there is none."""
    for marker in what_is_missing(config):
        left_out = [item for item in items if item.get_closest_marker(marker)]
        if left_out:
            config.stash.setdefault(LEFT_OUT, {})[marker] = len(left_out)
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if not item.get_closest_marker(marker)]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how many tests were left out, and for want of what."""
    for marker, count in config.stash.get(LEFT_OUT, {}).items():
        missing = what_is_missing(config)[marker]
        terminalreporter.write_line(f"{count} tests left out, which need {missing}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that needs a GPU or a browser, has one, and skips."""
    report = yield
    needs = [
        name for name in ("requires_cuda", "requires_browser") if item.get_closest_marker(name)
    ]
    if report.skipped and needs:
        report.outcome = "failed"
        report.longrepr = f"{needs[0]}, which is here, and skipped: {report.longrepr}"
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
