"""Compare kernels and jobs with other packages: right first, then timed in turn, beside floors."""

from mrirecon.bench.case import Case, Floors, Problem, Setup, Suite, Way
from mrirecon.bench.compare import Change, changes, slower
from mrirecon.bench.machine import QUIET, describe, peak_operations
from mrirecon.bench.measure import Options, measure, measure_all
from mrirecon.bench.peers import PEERS, is_installed, peer_of
from mrirecon.bench.results import (
    CaseResult,
    SuiteResult,
    WayResult,
    joined,
    read_result,
    read_results,
    write_result,
)
from mrirecon.bench.suites import SUITES

__all__ = [
    "PEERS",
    "QUIET",
    "SUITES",
    "Case",
    "CaseResult",
    "Change",
    "Floors",
    "Options",
    "Problem",
    "Setup",
    "Suite",
    "SuiteResult",
    "Way",
    "WayResult",
    "changes",
    "describe",
    "is_installed",
    "joined",
    "measure",
    "measure_all",
    "peak_operations",
    "peer_of",
    "read_result",
    "read_results",
    "slower",
    "write_result",
]
