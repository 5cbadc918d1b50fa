"""Every way of every suite of `mrirecon bench` under pytest-benchmark: checked, then timed.

Command: pytest benchmarks/bench_suites.py -k "ssim and uniform" --benchmark-only
    --benchmark-group-by=group
Ways of packages that are not installed are left out. `mrirecon bench` takes the ways of a case in
turn instead of one after another, and has floors, memory and aims beside them. To name the ways
the operands of every case are drawn first, which takes some 13 s; `-k` does not shorten it.
"""

from functools import lru_cache

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from mrirecon.bench import SUITES, Problem, Setup, is_installed, peer_of
from mrirecon.bench.case import relative_error
from mrirecon.native import keep_freed_memory

# Packages that are compared warn of what they deprecate.
pytestmark = pytest.mark.filterwarnings("ignore")

keep_freed_memory()  # as the command does; else mapping each result anew takes longer than the work
SETUP = Setup(threads=torch.get_num_threads())
CASES = {f"{c.suite}: {c.name}": c for suite in SUITES.values() for c in suite(SETUP)}
WAYS = [
    pytest.param(title, way, id=f"{title}-{way}")
    for title, case in CASES.items()
    for way in case.make().ways
    if is_installed(peer_of(way))
]


@lru_cache(maxsize=1)  # the ways of a case follow one another
def problem_of(title: str) -> tuple[Problem, Tensor]:
    torch.compiler.reset()  # else the ways of earlier cases count towards its limit of variants
    problem = CASES[title].make()
    return problem, problem.expected()


@pytest.mark.parametrize(("title", "way"), WAYS)
def test_way(benchmark: BenchmarkFixture, title: str, way: str) -> None:
    problem, expected = problem_of(title)
    planned = problem.ways[way]()
    error = relative_error(planned.result(planned.run()), expected)
    assert error <= problem.tolerance
    benchmark.group = title
    benchmark.extra_info.update(relative_error=error, threads=SETUP.threads)
    benchmark(planned.run)
