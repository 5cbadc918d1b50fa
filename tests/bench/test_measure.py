import sys
import time
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from mrirecon.bench import Case, Floors, Options, Problem, Way, measure, measure_all, peers
from mrirecon.bench.case import relative_error

MODULE = sys.modules["mrirecon.bench.measure"]  # the package has a function of this name
QUICK = Options(seconds=0.0)
RIGHT = torch.tensor([3.0, 4.0])


def ready(result: Tensor) -> Callable[[], Way]:
    return lambda: Way(lambda: result)


def make_case(ways: dict[str, Callable[[], Way]], **fields: object) -> Case:
    problem = Problem(ways, expected=RIGHT.double, tolerance=1e-3, floors=Floors(n_bytes=64))
    return Case("masking", "a case", lambda: problem, **fields)  # type: ignore[arg-type]


def test_what_is_right_is_timed_and_what_is_wrong_is_not() -> None:
    case = make_case({"mrirecon": ready(RIGHT), "PyTorch: off": ready(1.1 * RIGHT)})
    result = measure(case, QUICK)
    right, wrong = result.ways
    assert result.ours is right
    assert right.n_samples >= 3
    assert right.error == 0
    assert wrong.quartiles_ms is None
    assert wrong.error == pytest.approx(0.1)
    assert wrong.note == "wrong: error 1.0e-01, allowed 1.0e-03"


def test_nan_is_wrong() -> None:
    result = measure(make_case({"mrirecon": ready(torch.full((2,), torch.nan))}), QUICK)
    assert result.ours is None
    assert "wrong" in result.ways[0].note


def test_what_fails_has_a_note() -> None:
    def fail() -> Way:
        raise RuntimeError("out of memory\nand more")

    result = measure(make_case({"mrirecon": ready(RIGHT), "NumPy": fail}), QUICK)
    assert result.ways[1].note == "failed: RuntimeError: out of memory"


def test_what_is_not_installed_has_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(peers.PEERS, "cupy", peers.Peer("no_such_package", "no-such-package"))
    result = measure(make_case({"mrirecon": ready(RIGHT), "cupy": ready(RIGHT)}), QUICK)
    assert result.ways[1].note == "not installed"


def test_only_the_peers_that_are_asked_for_are_planned() -> None:
    case = make_case({name: ready(RIGHT) for name in ("mrirecon", "PyTorch: a", "NumPy")})
    result = measure(case, Options(seconds=0.0, peers=frozenset({"PyTorch"})))
    assert [way.way for way in result.ways] == ["mrirecon", "PyTorch: a"]


def test_floors_are_timed_and_computed() -> None:
    floors = Floors(n_bytes=64, n_operations=1e6, transforms=lambda: time.sleep(0.002))
    problem = Problem({"mrirecon": ready(RIGHT)}, RIGHT.double, 1e-3, floors)
    result = measure(Case("masking", "x", lambda: problem), Options(seconds=0.0, peak=1e9))
    assert set(result.floors_ms) == {"bytes", "transforms", "operations"}
    assert result.floors_ms["operations"] == 1.0
    assert result.floor_ms == result.floors_ms["transforms"] > 1.9


def test_the_result_of_a_way_may_need_conversion() -> None:
    way = Way(lambda: [1.5, 2.0], result=lambda found: 2 * torch.tensor(found), setting="halved")
    result = measure(make_case({"mrirecon": lambda: way}), QUICK)
    assert result.ways[0].error == 0
    assert result.ways[0].setting == "halved"


def test_what_there_is_no_time_for_is_named() -> None:
    cases = [make_case({"mrirecon": ready(RIGHT)})] * 2
    (first, second) = measure_all(cases, QUICK, end=time.monotonic() - 1)
    assert first.ways[0].note == second.ways[0].note == "left out: no time was left"
    (timed, _) = measure_all(cases, QUICK, end=time.monotonic() + 60)
    assert timed.ours is not None


def test_ratios_are_to_the_fastest_way_of_a_peer() -> None:
    def sleeping(seconds: float) -> Callable[[], Way]:
        return lambda: Way(lambda: (time.sleep(seconds), RIGHT)[1])

    ways = {"mrirecon": sleeping(0.002), "PyTorch: a": sleeping(0.02), "PyTorch: b": sleeping(0.2)}
    result = measure(make_case(ways), QUICK)
    assert [way.way for way in result.rivals] == ["PyTorch: a", "PyTorch: b"]
    assert result.ratio_to("fastest") == result.ratio_to("PyTorch") == result.ratio_to("PyTorch: a")
    assert 2 < (result.ratio_to("PyTorch: a") or 0) < (result.ratio_to("PyTorch: b") or 0)
    assert result.ratio_to("NumPy") is None


@pytest.mark.parametrize(("factor", "n_found"), [(1.0, 1), (1.1, 0)])
def test_a_graph_that_replays_something_else_is_left_out(
    factor: float, n_found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODULE, "replayed", lambda run: lambda: factor * run())
    found = MODULE._replayed("PyTorch: plain", Way(lambda: RIGHT), RIGHT.double(), 1e-3)
    assert list(found) == ["PyTorch: plain, replayed"][:n_found]


def test_what_cannot_be_recorded_is_not_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(run: object) -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(MODULE, "replayed", refuse)
    assert MODULE._replayed("mrirecon", Way(lambda: RIGHT), RIGHT.double(), 1e-3) == {}


@pytest.mark.requires_cuda
def test_kernels_are_also_replayed_on_a_gpu() -> None:
    device = torch.device("cuda")
    right = RIGHT.to(device)
    problem = Problem({"mrirecon": lambda: Way(lambda: right + 0)}, RIGHT.double, 1e-3)
    result = measure(Case("masking", "x", lambda: problem), Options(device, seconds=0.0))
    assert [way.way for way in result.timed] == ["mrirecon", "mrirecon: replayed"]


def test_an_error_is_relative_to_what_is_right() -> None:
    expected = torch.tensor([3.0 + 4.0j], dtype=torch.complex128)
    assert relative_error(torch.tensor([3.0 + 4.5j]), expected) == pytest.approx(0.1)
    assert relative_error(torch.tensor([2.0]), torch.tensor([1.0], dtype=torch.float64)) == 1.0


def test_every_peer_is_found_by_its_way() -> None:
    assert peers.peer_of("PyTorch: shifts folded") == "PyTorch"
    assert peers.peer_of("mrirecon") == "mrirecon"
    assert peers.is_installed("NumPy")
    with pytest.raises(KeyError):
        peers.is_installed("no such peer")


def test_bart_is_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert not peers.is_installed("BART")
    assert peers._version_of_bart() == ""
