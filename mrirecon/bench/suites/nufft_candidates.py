"""The ways in which each package's NUFFT can be used, and what sets its error."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from mrirecon.bench.suites import nufft_engines as engines
from mrirecon.bench.suites.nufft_bart import Bart
from mrirecon.bench.suites.nufft_engines import ESTIMATE, MEASURE, Transform, composed
from mrirecon.bench.suites.nufft_peers import MriNufft, PytorchFinufft, SigPy, TorchKbNufft
from mrirecon.bench.suites.nufft_workloads import Workload

_MULTIPLES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)  # of our error: tolerances to choose from
_LEAST = 1.2e-6  # the least tolerance that ducc0 takes in float32
_UPSAMPLINGS = (1.25, 2.0)
_ONE_WAY = ("cuFINUFFT", "torchkbnufft", "SigPy")  # that cannot be told how many threads to use

Maker = Callable[[Workload, float, int], Transform]  # of workload, knob's value and threads


@dataclass(frozen=True)
class Candidate:
    """A package in one of the ways it can be used.

    Attributes:
        setting: what its error depends on, but for the knob.
        make: plans it.
        trial: plans it quickly, to measure errors.
        way: how threads share the work.
        knob: what sets the error: "tolerance" or the kernel's "width"; empty if nothing does.
        values: of the knob, to choose from; tolerances follow from our error.
        plans: whether planning is apart from transforming.
        is_slow: its error is measured on some of the samples.
        one_thread: it leaves the others alone, since waking them can take longer than an image.
    """

    setting: str
    make: Maker
    trial: Maker
    way: str = ""
    knob: str = "tolerance"
    values: tuple[float, ...] = ()
    plans: bool = True
    is_slow: bool = False
    one_thread: bool = False

    def knobs(self, wanted: float) -> Sequence[float]:
        """Return the values to try."""
        if self.knob == "tolerance":
            return sorted({max(wanted * multiple, _LEAST) for multiple in _MULTIPLES})
        return self.values or (0.0,)

    def named(self, value: float) -> str:
        """Return the setting in words."""
        number = f"{value:.1e}" if self.knob == "tolerance" else f"{value:g}"
        knob = f"{self.knob} {number}" if self.knob else ""
        return ", ".join(filter(None, [self.setting, self.way, knob]))


def candidates(peer: str, work: Workload) -> Iterator[Candidate]:
    """Yield a package's ways for one image, a batch, or frames; one of a plane in one thread too.

    Raises:
        KeyError: no package has this name.
    """
    for candidate in _CANDIDATES[peer](work):
        yield candidate
        if work.n_images == 1 and len(work.shape) < 3 and peer not in _ONE_WAY:
            yield replace(candidate, way="one thread", one_thread=True)


def _finufft(work: Workload) -> Iterator[Candidate]:
    for way, plan in _shared(work):
        for upsampling in _UPSAMPLINGS:
            engine = partial(engines.finufft_engine, upsampling=upsampling)
            make, trial = (
                partial(plan, partial(engine, planner=planner)) for planner in (MEASURE, ESTIMATE)
            )
            yield Candidate(f"upsampling {upsampling}", make, trial, way)


def _ducc(work: Workload) -> Iterator[Candidate]:
    kinds = {"plan": engines.ducc_planned, "no plan, float64 coordinates": engines.ducc_unplanned}
    for way, plan in _shared(work):
        for name, engine in kinds.items():
            make = partial(plan, engine)
            yield Candidate(name, make, make, way, plans=name == "plan")


def _shared(work: Workload) -> Iterator[tuple[str, Callable[..., Transform]]]:
    """Yield how threads can share the work."""
    if not work.has_frames:
        yield "threads inside", partial(composed, across=False)
    if work.n_images > 1:
        yield "a transform per thread", partial(composed, across=True)


def _pytorch_finufft(work: Workload) -> Iterator[Candidate]:
    for upsampling in _UPSAMPLINGS:
        make = partial(PytorchFinufft, upsampling)
        yield Candidate(f"upsampling {upsampling}", make, make, plans=False)


def _mri_nufft(work: Workload) -> Iterator[Candidate]:
    for upsampling in _UPSAMPLINGS:
        make, trial = (partial(MriNufft, upsampling, planner) for planner in (MEASURE, ESTIMATE))
        yield Candidate(f"FINUFFT, upsampling {upsampling}", make, trial)


def _cufinufft(work: Workload) -> Iterator[Candidate]:
    for upsampling in _UPSAMPLINGS:
        engine = partial(engines.cufinufft_engine, upsampling=upsampling, device=work.device)
        make = partial(composed, engine, across=False)
        yield Candidate(f"upsampling {upsampling}", make, make)


def _torchkbnufft(work: Workload) -> Iterator[Candidate]:
    yield Candidate(
        "upsampling 2",
        TorchKbNufft,
        TorchKbNufft,
        knob="width",
        values=(4, 5, 6),
        is_slow=True,
    )


def _sigpy(work: Workload) -> Iterator[Candidate]:
    for upsampling, widths in ((1.25, (4, 5, 6, 7)), (2.0, (3, 4, 5))):
        make = partial(SigPy, upsampling)
        setting = f"one thread, upsampling {upsampling}"
        yield Candidate(setting, make, make, knob="width", values=widths, plans=False, is_slow=True)


def _bart(work: Workload) -> Iterator[Candidate]:
    setting = "-P, a process over files in memory, planning included"
    yield Candidate(setting, Bart, Bart, knob="", plans=False)


_CANDIDATES: dict[str, Callable[[Workload], Iterator[Candidate]]] = {
    "FINUFFT": _finufft,
    "ducc0": _ducc,
    "pytorch-finufft": _pytorch_finufft,
    "mri-nufft": _mri_nufft,
    "cuFINUFFT": _cufinufft,
    "torchkbnufft": _torchkbnufft,
    "SigPy": _sigpy,
    "BART": _bart,
}
