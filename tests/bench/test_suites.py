"""Every way of every suite computes what is right, at tiny sizes.

Ways that compile need seconds each, so that one of them stands for all here; `mrirecon bench`
checks each before it is timed.
"""

from collections import Counter

import pytest

from mrirecon.bench import PEERS, SUITES, Case, Setup, is_installed, peer_of
from mrirecon.bench.case import FASTEST, OURS, relative_error

# Packages that are compared, and torch.compile, warn of what they deprecate.
pytestmark = pytest.mark.filterwarnings("ignore")

SMALL = Setup(small=True)
CASES = [case for suite in SUITES.values() for case in suite(SMALL)]


def titled(case: Case) -> str:
    return f"{case.suite}: {case.name}"


def faults(case: Case, *, compiled: bool = False) -> dict[str, str]:
    """Name the installed ways that fail, or are further from what is right than they may be."""
    problem = case.make()
    expected, found = problem.expected(), {}
    for name, make in problem.ways.items():
        peer = peer_of(name)
        if not is_installed(peer) or (peer == "torch.compile") != compiled:
            continue
        way = make()
        error = relative_error(way.result(way.run()), expected)
        if not error <= problem.tolerance:
            found[name] = f"{error:.1e}, allowed {problem.tolerance:.1e}"
    return found


@pytest.mark.parametrize("case", CASES, ids=titled)
def test_every_installed_way_is_right(case: Case) -> None:
    assert faults(case) == {}


@pytest.mark.parametrize("case", CASES, ids=titled)
def test_ways_are_of_known_peers_and_aims_are_of_ways(case: Case) -> None:
    ways = case.make().ways
    peers = {peer_of(way) for way in ways}
    assert OURS in ways
    assert peers <= PEERS.keys()
    assert case.aims.keys() <= {FASTEST, *ways, *peers}
    assert all(aim > 1 for aim in case.aims.values())


def test_a_compiled_way_is_right() -> None:
    case = next(c for c in CASES if c.suite == "image_consistency")
    assert any(peer_of(way) == "torch.compile" for way in case.make().ways)
    assert faults(case, compiled=True) == {}


@pytest.mark.parametrize("setup", [SMALL, Setup()], ids=["small", "whole"])
@pytest.mark.parametrize("suite", SUITES)
def test_a_suite_names_each_case_once(suite: str, setup: Setup) -> None:
    cases = list(SUITES[suite](setup))
    assert cases
    assert {case.suite for case in cases} == {suite}
    assert max(Counter(case.name for case in cases).values()) == 1


@pytest.mark.parametrize("suite", SUITES)
def test_a_curve_has_several_sizes_each_once(suite: str) -> None:
    cases = [case for case in SUITES[suite](Setup()) if case.curve]
    for curve in {case.curve for case in cases}:
        sizes = [case.at for case in cases if case.curve == curve]
        assert len(set(sizes)) == len(sizes) > 2
