import math
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from mrirecon.bench import Case, Options, Problem, Setup, Way, is_installed, measure
from mrirecon.bench.case import OURS, relative_error
from mrirecon.bench.suites import nufft, nufft_tuning
from mrirecon.bench.suites.nufft_candidates import Candidate, candidates
from mrirecon.bench.suites.nufft_tuning import Contest, error_of
from mrirecon.bench.suites.nufft_workloads import Workload, workloads
from mrirecon.reference import nufft as direct

SMALL = Setup(threads=1, small=True)
CASES = {case.name: case for case in nufft.cases(SMALL)}
# That all ways are right is tested beside other suites; here how near they come.
CHOSEN = [
    "plan, 20 x 20, 4 x 42 radial, accuracy 0.001",
    "adjoint, 20 x 20, 4 x 42 radial, accuracy 1e-05",
    "normal, 26 x 26, 8 x 52 radial, 8 coils with maps, accuracy 0.001",
]


def small_work(ndim: int = 2, *, has_maps: bool = True, coils: int = 3) -> Workload:
    shape = (12, 10, 8)[:ndim]
    coords = (torch.rand(60, ndim, dtype=torch.float64) - 0.5) * torch.tensor(shape)
    return Workload("random", shape, coords, coils=coils, has_maps=has_maps)


@pytest.mark.filterwarnings("ignore")  # packages deprecate what they use
@pytest.mark.parametrize("name", CHOSEN)
def test_every_installed_package_is_about_as_accurate_as_ours(name: str) -> None:
    problem = CASES[name].make()
    expected = problem.expected()
    accuracy = float(name.rpartition(" ")[2])
    installed = [peer for peer in problem.ways if is_installed(peer)]
    assert installed[0] == OURS
    for peer in installed:
        way = problem.ways[peer]()
        error = relative_error(way.result(way.run()), expected)
        # Of the nearest of six tolerances or of a few widths; both directions double it.
        assert error < (1 if peer == OURS else 3) * accuracy, peer
        assert way.setup_ms is not None
        assert way.setting


@pytest.mark.skipif(not is_installed("BART"), reason="a program that few have")
@pytest.mark.parametrize("ndim", [2, 3])
def test_bart_is_called_with_the_conventions_of_this_package(ndim: int) -> None:
    contest = Contest(small_work(ndim, has_maps=False), 1e-3, threads=1)
    for direction in nufft.DIRECTIONS:
        planned = contest.fastest("BART", direction)
        error = error_of(planned.transform, contest.work, direction)
        assert error < 4e-3, direction  # of a grid and a kernel that it does not let one choose


def test_a_case_has_a_name_of_its_own_and_curves_a_size() -> None:
    cases = list(nufft.cases(Setup(threads=2)))
    assert len({case.name for case in cases}) == len(cases)
    curves = [case for case in cases if case.curve]
    assert {case.curve for case in curves} == {
        "NUFFT forward, 256 x 256, by coils",
        "NUFFT forward, 256 x 256, by spokes",
    }
    assert [case.at for case in curves[:6]] == [1, 2, 4, 8, 16, 32]
    forward = next(case for case in cases if case.name.startswith("forward"))
    assert forward.aims == {"fastest": 1.5, "ducc0": 2.1}


@pytest.mark.parametrize("work", list(workloads(SMALL)), ids=lambda work: work.name)
def test_what_is_right_is_the_direct_sum(work: Workload) -> None:
    maps = 1 if work.coil_maps is None else work.coil_maps.to(torch.complex128)
    coords = work.coords if work.has_frames else work.coords.expand(work.batch, -1, -1)
    images = (work.image.to(torch.complex128) * maps).expand(-1, work.coils, *work.shape)
    sums = [direct.nufft(x, c) for x, c in zip(images, coords, strict=True)]
    assert relative_error(work.exact("forward"), torch.stack(sums)) < 1e-8
    pairs = zip(work.exact("forward"), coords, strict=True)
    backs = torch.stack([direct.nufft_adjoint(y, c, work.shape) for y, c in pairs])
    expected = (backs * torch.as_tensor(maps).conj()).sum(1, keepdim=True)
    expected = expected if work.has_maps else backs
    assert relative_error(work.exact("normal"), expected) < 1e-8


class Off:
    """A transform that is off by a relative error, and takes a while."""

    scale = 1.0

    def __init__(self, work: Workload, error: float, threads: int, *, pause: float = 0) -> None:
        self.work, self.error, self.pause = work, error, pause

    def forward(self, image: Tensor) -> Tensor:
        time.sleep(self.pause)
        return self.work.exact("forward") * (1 + self.error)

    adjoint = normal = forward


def contest_of(monkeypatch: pytest.MonkeyPatch, *found: Candidate) -> Contest:
    monkeypatch.setattr(nufft_tuning, "candidates", lambda peer, work: iter(found))
    contest = Contest(small_work(has_maps=False), 1e-3, threads=1)
    contest.wanted = 4e-4
    return contest


def way_of(setting: str, pause: float, *values: float) -> Candidate:
    def make(work: Workload, value: float, threads: int) -> Off:
        return Off(work, value, threads, pause=pause)

    return Candidate(setting, make, make, knob="width", values=values)


def test_the_setting_is_the_one_with_the_error_nearest_to_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contest = contest_of(monkeypatch, way_of("a way", 0, 1e-2, 7e-4, 3e-4, 1e-4))
    planned = contest.fastest("a package", "forward")
    assert planned.setting == "a way, width 0.0003"
    assert error_of(planned.transform, contest.work, "forward") == pytest.approx(3e-4)


def test_a_tolerance_is_tried_above_and_below_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    contest = contest_of(monkeypatch, replace(way_of("", 0), knob="tolerance"))
    assert contest.fastest("a package", "forward").setting == "tolerance 4.0e-04"
    assert min(Candidate("", Off, Off).knobs(1e-6)) == 1.2e-6  # ducc0 takes no less


def test_the_fastest_of_the_ways_near_our_error_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, fast = way_of("slow", 0.03, 5e-4), way_of("fast", 0.01, 3e-4)
    inaccurate = way_of("inaccurate", 0.0, 9e-4, 8.1e-4)
    contest = contest_of(monkeypatch, slow, inaccurate, fast)
    assert contest.fastest("a package", "normal").setting == "fast, width 0.0003"
    only = contest_of(monkeypatch, inaccurate)
    assert only.fastest("a package", "normal").setting == "inaccurate, width 0.00081"


def test_ways_without_a_plan_are_left_out_of_planning(monkeypatch: pytest.MonkeyPatch) -> None:
    unplanned = replace(way_of("no plan", 0.0, 4e-4), plans=False)
    contest = contest_of(monkeypatch, unplanned, way_of("plan", 0.01, 4e-4))
    assert contest.fastest("a package", "forward").setting == "no plan, width 0.0004"
    planned = contest.fastest("a package", "forward", planned_only=True)
    assert planned.setting == "plan, width 0.0004"


def test_one_image_may_leave_threads_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """FINUFFT and its like take 4 ms for a small image by two threads, and 1 ms by one."""
    one, three = small_work(coils=1), small_work(coils=3)
    ways = [candidate.way for candidate in candidates("FINUFFT", one)]
    assert ways == ["threads inside", "one thread"] * 2
    assert not any(candidate.one_thread for candidate in candidates("FINUFFT", three))
    threads = []

    def make(work: Workload, value: float, n_threads: int) -> Off:
        threads.append(n_threads)
        return Off(work, value, n_threads)

    found = Candidate("a way", make, make, knob="", one_thread=True)
    contest = replace(contest_of(monkeypatch, found), threads=2)
    contest.wanted = 4e-4
    contest.fastest("a package", "forward")
    assert threads == [1]


def test_planning_takes_what_the_way_says_not_what_tuning_it_took() -> None:
    def slowly() -> Way:
        time.sleep(0.02)
        return Way(lambda: torch.ones(3), setup_ms=1.5)

    problem = Problem({OURS: slowly}, lambda: torch.ones(3), tolerance=1e-6)
    case = Case("nufft", "a case", lambda: problem)
    (way,) = measure(case, Options(seconds=0.001)).ways
    assert way.setup_ms == 1.5


class ExactPlan:
    """Has the calls of cufinufft.Plan, and sums directly."""

    def __init__(
        self,
        kind: int,
        *,
        n_modes: tuple[int, ...],
        n_trans: int,
        eps: float,
        isign: int,
        dtype: str,
        upsampfac: float,
    ) -> None:
        assert (kind, isign) in ((2, -1), (1, 1))
        assert dtype == "complex64"
        assert upsampfac in (1.25, 2.0)
        self.is_forward, self.shape, self.n_images = kind == 2, n_modes, n_trans

    def setpts(self, *angles: Tensor) -> None:
        sizes = torch.tensor(self.shape)
        self.coords = torch.stack(angles, -1).double() / (2 * math.pi) * sizes

    def execute(self, operand: Tensor, out: Tensor) -> None:
        operand, out = torch.as_tensor(operand), torch.as_tensor(out)
        assert operand.is_contiguous()
        assert out.is_contiguous()
        assert operand.ndim == (len(self.shape) if self.is_forward else 1) + (self.n_images > 1)
        scale, operand = math.sqrt(math.prod(self.shape)), operand.to(torch.complex128)
        if self.is_forward:
            out.copy_(scale * direct.nufft(operand, self.coords))
        else:
            out.copy_(scale * direct.nufft_adjoint(operand, self.coords, self.shape))


@pytest.mark.parametrize("coils", [1, 3])
@pytest.mark.parametrize("has_maps", [False, True])
def test_cufinufft_is_called_with_the_conventions_of_this_package(
    has_maps: bool, coils: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cufinufft", SimpleNamespace(Plan=ExactPlan))
    contest = Contest(small_work(has_maps=has_maps, coils=coils), 1e-3, threads=1)
    for direction in nufft.DIRECTIONS:
        planned = contest.fastest("cuFINUFFT", direction)
        assert error_of(planned.transform, contest.work, direction) < 1e-5


def density_cases() -> Iterator[Case]:
    on_gpu = Setup(torch.device("cuda"), small=True)
    yield from (case for case in nufft.cases(on_gpu) if case.name.startswith("density"))


def test_the_density_is_timed_on_a_gpu_where_all_images_have_one_trajectory() -> None:
    assert len(list(density_cases())) == 5
    assert not any(name.startswith("density") for name in CASES)
    problem = nufft._make_density(small_work())
    way = problem.ways[OURS]()
    assert relative_error(way.run(), problem.expected()) < 1e-3  # the accuracy of its transforms
