"""Transforms off the grid: `Nufft`, planned, forward, adjoint and normal, at equal measured error.

Every package is set to the accuracy nearest to ours, and used in its fastest way; see
`nufft_tuning`. Planning keeps what each package keeps from one plan to the next: FFTW's trials,
our choice of a grid. Errors are against complex128, confirmed by the direct sum.
"""

import importlib
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from mrirecon.bench.case import FASTEST, OURS, Case, Compute, Floors, Problem, Setup, Way
from mrirecon.bench.peers import is_installed
from mrirecon.bench.suites.nufft_engines import Transform
from mrirecon.bench.suites.nufft_tuning import Contest, Planned, scale_of
from mrirecon.bench.suites.nufft_workloads import (
    DIRECTIONS,
    Direction,
    Workload,
    radial_workload,
    workloads,
)
from mrirecon.bench.timing import wall_seconds
from mrirecon.nufft import density_compensation
from mrirecon.nufft.gridding import grid_size

ACCURACIES = (1e-3, 1e-5)
_TOLERANCE = 10.0  # times the accuracy: room for peers whose nearest setting is still worse
_STRONGEST = ("FINUFFT", "ducc0")
_PLANNING = (*_STRONGEST, "mri-nufft", "torchkbnufft", "cuFINUFFT")
_WITH_TOLERANCE = (*_STRONGEST, "pytorch-finufft", "mri-nufft")
_OVERSAMPLING = 1.25  # of the grid whose transforms are the floor
_ROUNDS = 5  # that tell which library transforms it faster
# Times faster than the fastest peer and, at 1e-3, than ducc0 0.42: forward, adjoint. The aim of the
# normal operator is the lower of the two.
_AIMS = [
    ((1.5, 1.5), (2.1, 2.6)),
    ((2.5, 2.0), (3.0, 2.7)),
    ((2.5, 2.0), (3.0, 3.0)),
    ((2.5, 2.0), (2.9, 2.7)),
    ((1.4, 1.4), (1.7, 2.0)),
    ((1.3, 1.3), None),
]


def cases(setup: Setup) -> Iterator[Case]:
    """Yield six workloads at two accuracies, then how time grows with coils and spokes."""
    for work, aims in zip(workloads(setup), _AIMS, strict=True):
        for accuracy in ACCURACIES:
            contest = Contest(work, accuracy, setup.threads)
            if accuracy == ACCURACIES[0]:
                yield _case(contest, "plan", _make_plan)
            for direction in DIRECTIONS if accuracy == ACCURACIES[0] else DIRECTIONS[:2]:
                make = partial(_make, peers=_peers(work, accuracy, direction), direction=direction)
                yield _case(contest, direction, make, aims=_aims(aims, accuracy, direction))
        if setup.device.type == "cuda" and not work.has_frames:
            yield Case("nufft", f"density, {work.name}", partial(_make_density, work))
    for coils in () if setup.small else (1, 2, 4, 8, 16, 32):
        yield _curve(setup, "coils", coils)
    for n_spokes in () if setup.small else (16, 32, 64, 128, 256, 402):
        yield _curve(setup, "n_spokes", n_spokes)


def _case(
    contest: Contest,
    task: str,
    make: Callable[[Contest], Problem],
    *,
    aims: dict[str, float] | None = None,
) -> Case:
    work = contest.work
    name = f"{task}, {work.name}, accuracy {contest.accuracy:g}"
    return Case("nufft", name, partial(make, contest), aims=aims or {}, n_images=work.n_images)


def _aims(
    aims: tuple[tuple[float, float], tuple[float, float] | None],
    accuracy: float,
    direction: Direction,
) -> dict[str, float]:
    fastest, ducc = aims
    if direction == "normal":
        return {FASTEST: min(fastest)}
    which = DIRECTIONS.index(direction)
    known = ducc if accuracy == ACCURACIES[0] else None
    return {FASTEST: fastest[which]} | ({} if known is None else {"ducc0": known[which]})


def _curve(setup: Setup, axis: str, size: int) -> Case:
    work = radial_workload(setup, **{axis: size})
    what = axis.removeprefix("n_")
    return Case(
        "nufft",
        f"forward by {what}, {work.name}",
        partial(
            _make, Contest(work, ACCURACIES[0], setup.threads), _STRONGEST, direction="forward"
        ),
        n_images=work.n_images,
        curve=f"NUFFT forward, 256 x 256, by {what}",
        at=size,
    )


def _peers(work: Workload, accuracy: float, direction: Direction) -> tuple[str, ...]:
    """Return the peers that can do it in less than a second or two."""
    if work.device.type == "cuda":
        return ("cuFINUFFT", "torchkbnufft")
    if accuracy != ACCURACIES[0]:
        return _WITH_TOLERANCE
    is_taken = {
        "torchkbnufft": len(work.shape) < 3,  # 4 to 5 s a volume
        "SigPy": len(work.shape) < 3,  # 2 s
        "BART": not (work.has_maps or work.has_frames or direction == "normal"),  # no such command
    }
    return (*_WITH_TOLERANCE, *(peer for peer, is_so in is_taken.items() if is_so))


def _make(contest: Contest, peers: tuple[str, ...], *, direction: Direction) -> Problem:
    work = contest.work
    operand = work.operand(direction)

    def way(plan: Callable[[], Planned]) -> Way:
        planned = plan()
        scale = scale_of(planned.transform, direction)
        return Way(
            partial(getattr(planned.transform, direction), operand),
            lambda result: result * scale,
            planned.setting,
            planned.setup_ms,
        )

    plans = {OURS: contest.ours}
    plans |= {peer: partial(contest.fastest, peer, direction) for peer in peers}
    moved = (operand, work.kspace if direction == "forward" else work.image, work.coil_maps)
    return Problem(
        ways={name: partial(way, plan) for name, plan in plans.items()},
        expected=partial(work.exact, direction),
        tolerance=_TOLERANCE * contest.accuracy,
        floors=Floors(
            n_bytes=sum(x.nbytes for x in moved if x is not None),
            transforms=_transforms(work, contest.threads),
        ),
    )


def _make_plan(contest: Contest) -> Problem:
    """Return the case of planning both directions; the plan is checked by its forward."""
    work = contest.work

    def way(plan: Callable[[], Planned]) -> Way:
        planned = plan()

        def result(transform: Transform) -> Tensor:
            return transform.forward(work.image) * transform.scale

        return Way(planned.make, result, planned.setting, planned.setup_ms)

    plans = {OURS: contest.ours}
    for peer in _peers(work, contest.accuracy, "forward"):
        if peer in _PLANNING:
            plans[peer] = partial(contest.fastest, peer, "forward", planned_only=True)
    return Problem(
        ways={name: partial(way, plan) for name, plan in plans.items()},
        expected=partial(work.exact, "forward"),
        tolerance=_TOLERANCE * contest.accuracy,
    )


def _make_density(work: Workload) -> Problem:
    """Return the case of the density, which no package computes with this scale."""
    coords = work.single_coords()
    return Problem(
        ways={OURS: lambda: Way(lambda: density_compensation(coords, work.shape))},
        expected=lambda: density_compensation(work.coords, work.shape),
        tolerance=_TOLERANCE * ACCURACIES[0],  # of ten iterations
        floors=Floors(n_bytes=coords.nbytes + coords.nbytes // len(work.shape)),
    )


def _transforms(work: Workload, threads: int) -> Compute:
    """Return the FFT of all images on an oversampled grid, by the faster of torch and FFTW."""
    ndim = len(work.shape)
    sizes = [math.ceil(_OVERSAMPLING * n) for n in work.shape]
    grid = [grid_size(size, axis, ndim) for axis, size in enumerate(sizes)]
    x = torch.randn(work.n_images, *grid, dtype=torch.complex64, device=work.device)
    axes = tuple(range(1, ndim + 1))
    found: list[Compute] = [lambda: torch.fft.fftn(x, dim=axes)]
    if work.device.type == "cpu" and is_installed("FFTW"):
        found.append(_by_fftw(x, axes, threads))
    return min(found, key=_least_seconds) if len(found) > 1 else found[0]


def _by_fftw(x: Tensor, axes: tuple[int, ...], threads: int) -> Compute:
    package: Any = importlib.import_module("pyfftw")
    source, target = (package.empty_aligned(tuple(x.shape), "complex64") for _ in range(2))
    options = {"axes": axes, "threads": threads, "flags": ["FFTW_MEASURE"]}
    plan = package.FFTW(source, target, **options)
    source[:] = x.numpy()  # measuring overwrote it
    return plan.execute


def _least_seconds(run: Compute) -> float:
    run()
    return min(wall_seconds(run) for _ in range(_ROUNDS))
