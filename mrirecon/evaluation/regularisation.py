"""Tune the regularisation of a classical method on a validation set, and keep it in a file.

Source: golden-section search, Kiefer 1953 (DOI 10.1090/S0002-9939-1953-0055639-3).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import yaml

from mrirecon.classical import MethodConfig, PriorConfig, get_method
from mrirecon.data import Measurement
from mrirecon.evaluation.methods import reconstruct_real
from mrirecon.files import atomic_path

DECADES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
"""Tried first; the search goes on between the neighbours of the best."""
N_STEPS = 6  # the last interval is a ninth of a decade wide, where PSNR changes by about 0.01 dB
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class TunedMethod:
    """The best regularisation found, and what was tried.

    Attributes:
        config: the method with it.
        regularisation: of `config`.
        psnr: mean over the slices [dB].
        trials: (regularisation, mean PSNR [dB]) of everything tried, by regularisation.
    """

    config: MethodConfig
    regularisation: float
    psnr: float
    trials: tuple[tuple[float, float], ...]


def tune_regularisation(
    method: MethodConfig,
    measurements: Sequence[Measurement],
    *,
    tell: Callable[[float, float], None] | None = None,
) -> TunedMethod:
    """Find the regularisation of the highest mean PSNR: by decades, then by golden section.

    The mean is over slices that are not blank, of each against its fully sampled image in [0, 1].
    PSNR is taken to have one maximum in the logarithm of the regularisation.

    Args:
        method: whose other settings stay.
        measurements: simulated, of the validation set.
        tell: called after each trial with the regularisation and its PSNR.

    Raises:
        ValueError: the method has no regularisation, or no slice has an image.
    """
    if not isinstance(method, PriorConfig):
        got = type(method).__name__.removesuffix("Config")
        raise ValueError(f"method: expected one with a regularisation, got {got}")
    tried: dict[float, float] = {}

    def score(exponent: float) -> float:
        weight = float(f"{10**exponent:.3g}")  # what is written is what was tried
        if weight not in tried:
            tried[weight] = _mean_psnr(replace(method, regularisation=weight), measurements)
            if tell:
                tell(weight, tried[weight])
        return tried[weight]

    centre = max((math.log10(weight) for weight in DECADES), key=score)
    _search(score, centre - 1, centre + 1)
    best = max(tried, key=lambda weight: tried[weight])
    config = replace(method, regularisation=best)
    return TunedMethod(config, best, tried[best], tuple(sorted(tried.items())))


def write_regularisation(path: Path, tuned: Mapping[str, TunedMethod], source: str) -> None:
    """Write what was found as YAML, by the method's name, whole or not at all.

    Args:
        path: file to write.
        tuned: by names of `mrirecon.classical`.
        source: what it was tuned on, for a reader.
    """
    content = {
        "tuned_on": source,
        "methods": {
            name: {
                "regularisation": found.regularisation,
                "psnr_db": round(found.psnr, 3),
                "trials": [[weight, round(psnr, 3)] for weight, psnr in found.trials],
            }
            for name, found in tuned.items()
        },
    }
    with atomic_path(path) as temporary:
        temporary.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def read_regularisation(path: Path) -> dict[str, MethodConfig]:
    """Read methods with their tuned regularisation, by the names of `mrirecon.classical`.

    Raises:
        ValueError: damaged, or a method or value that is none.
        OSError: the file cannot be read.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        weights = {name: found["regularisation"] for name, found in content["methods"].items()}
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path}: expected what tune-regularisation writes, got {error}") from None
    try:
        return {name: _with_weight(name, weight) for name, weight in weights.items()}
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _with_weight(name: str, weight: object) -> MethodConfig:
    method = get_method(name)
    if not isinstance(method, PriorConfig) or not isinstance(weight, int | float):
        raise ValueError(f"{name}: expected a number for a method with a prior, got {weight!r}")
    return replace(method, regularisation=float(weight))


def _search(score: Callable[[float], float], low: float, high: float) -> None:
    """Narrow the interval of a maximum by golden section."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    for _ in range(N_STEPS):
        if score(left) >= score(right):
            high, right = right, left
            left = high - _GOLDEN * (high - low)
        else:
            low, left = left, right
            right = low + _GOLDEN * (high - low)


@torch.inference_mode()
def _mean_psnr(method: MethodConfig, measurements: Sequence[Measurement]) -> float:
    """Average the PSNR of slices that are not blank, data range 1."""
    psnrs = []
    for measurement in measurements:
        target = measurement.target[:, 0]
        errors = (reconstruct_real(method, measurement) - target).double().square()
        psnrs.append(-10 * errors.mean((-2, -1)).log10()[target.amax((-2, -1)) > 0])
    every = torch.cat(psnrs) if psnrs else torch.empty(0)
    if len(every) == 0:
        raise ValueError("measurements: expected a slice with an image, got none")
    return float(every.mean())
