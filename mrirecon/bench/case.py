"""What a benchmark case is: a result, the ways to it, what is right, and what any way has to do."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

Compute = Callable[[], Any]
OURS = "mrirecon"
FASTEST = "fastest"


@dataclass(frozen=True)
class Way:
    """A way to a result, planned and ready to run.

    Attributes:
        run: what is timed.
        result: makes of what `run` returned the tensor that is compared with what is right.
        setting: how the way is tuned, for the table.
        setup_ms: what planning it took, where making it also tunes it.
    """

    run: Compute
    result: Callable[[Any], Tensor] = torch.as_tensor
    setting: str = ""
    setup_ms: float | None = None


@dataclass(frozen=True)
class Floors:
    """What any way has to do; the time of it alone is the floor of the case.

    Attributes:
        n_bytes: operands read once and the result written once; timed as a copy that moves as
            many bytes.
        n_operations: additions and multiplications, divided by the measured peak.
        transforms: the Fourier transforms alone, timed.
        convolutions: a network's convolutions alone, timed.
    """

    n_bytes: int = 0
    n_operations: float = 0.0
    transforms: Compute | None = None
    convolutions: Compute | None = None


@dataclass(frozen=True)
class Problem:
    """A case whose operands are made.

    Attributes:
        ways: what plans each way, by name: a peer of `peers.PEERS`, and after ": " which of its
            ways, as in "PyTorch: shifts folded". A way may refuse by any exception.
        expected: computes what is right, in double precision.
        tolerance: largest relative l2 error of a way that counts as right.
        floors: what any way has to do.
    """

    ways: Mapping[str, Callable[[], Way]]
    expected: Callable[[], Tensor]
    tolerance: float
    floors: Floors = field(default_factory=Floors)


@dataclass(frozen=True)
class Case:
    """What is compared, before anything is computed.

    Attributes:
        suite: the kernel or job it belongs to.
        name: what is computed, and its sizes; unique in the suite.
        make: makes the operands.
        aims: how many times faster this package shall be, by peer or way; "fastest" for the
            fastest of all that are right.
        n_images: images that one run goes through; 0 where that means nothing.
        curve: of cases that differ in one size, what they have in common; empty for others.
        at: that size.
    """

    suite: str
    name: str
    make: Callable[[], Problem]
    aims: Mapping[str, float] = field(default_factory=dict)
    n_images: int = 0
    curve: str = ""
    at: float = 0.0


@dataclass(frozen=True)
class Setup:
    """Where and how cases run.

    Attributes:
        device: whose memory holds the operands.
        threads: of every way, on a CPU.
        small: tiny sizes, to test that all ways agree.
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    threads: int = 1
    small: bool = False


Suite = Callable[[Setup], Iterable[Case]]


def relative_error(found: Tensor, expected: Tensor) -> float:
    """Return the l2 distance of a result from what is right, over the norm of what is right."""
    wide = torch.complex128 if expected.is_complex() else torch.float64
    expected = expected.detach().cpu().to(wide)
    difference = found.detach().cpu().to(wide) - expected
    return float(torch.linalg.vector_norm(difference) / torch.linalg.vector_norm(expected))
