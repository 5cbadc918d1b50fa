"""PSNR, NMSE and SSIM of a volume as plain PyTorch and three packages compute them.

Every function takes prediction and target, (slices, rows, cols), whose data range is 1, and returns
SSIM, PSNR [dB] and NMSE.
"""

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from statistics import fmean
from typing import Any

from torch import Tensor

from mrirecon.bench.suites.operands import compiled
from mrirecon.bench.suites.ssim_ways import Measure, measures
from mrirecon.metrics import Protocol, score_volume

Scorer = Callable[[Tensor, Tensor], Sequence[Any]]
_SLICES = "PyTorch: shifted slices"


def scorers(protocol: Protocol, like: Tensor) -> dict[str, Callable[[], Scorer]]:
    """Return what makes each way's scorer; those of packages import them."""
    similarities = measures(protocol.window, like)

    def by(name: str) -> Scorer:
        return partial(_scores, protocol, similarities[name]())

    found: dict[str, Callable[[], Scorer]] = {
        "mrirecon": lambda: partial(score_volume, data_range=1.0, protocol=protocol),
        _SLICES: lambda: by(_SLICES),
        "PyTorch: separable convolutions": lambda: by("PyTorch: separable convolutions"),
        "torch.compile: shifted slices": lambda: compiled(by(_SLICES)),
        "scikit-image": lambda: _scikit_image(protocol, similarities["scikit-image"]()),
    }
    if protocol.window == "gaussian":
        found["torchmetrics"] = lambda: _torchmetrics(similarities["torchmetrics"]())
        found["pytorch-msssim"] = lambda: by("pytorch-msssim")
    return found


def plain_scores(protocol: Protocol, prediction: Tensor, target: Tensor) -> Sequence[Tensor]:
    """Score by the formulas alone, in any precision."""
    measure = measures(protocol.window, prediction)[_SLICES]()
    return _scores(protocol, measure, prediction, target)


def _scores(
    protocol: Protocol, measure: Measure, prediction: Tensor, target: Tensor
) -> Sequence[Tensor]:
    dims = (-3, -2, -1) if protocol.errors_over == "volume" else (-2, -1)
    error = (prediction - target).square().mean(dims)
    energy = target.square().mean(dims)
    similarity = measure(prediction[:, None], target[:, None])
    return similarity.mean(), -10 * error.log10().mean(), (error / energy).mean()


def _scikit_image(protocol: Protocol, measure: Measure) -> Scorer:
    """Call it as fastMRI's evaluation does, on a volume or on every slice."""
    metrics: Any = importlib.import_module("skimage.metrics")

    def score(prediction: Tensor, target: Tensor) -> Sequence[float]:
        pairs = list(zip(target.numpy(), prediction.numpy(), strict=True))
        if protocol.errors_over == "volume":
            pairs = [(target.numpy(), prediction.numpy())]
        return (
            float(measure(prediction[:, None], target[:, None]).mean()),
            fmean(metrics.peak_signal_noise_ratio(*pair, data_range=1.0) for pair in pairs),
            fmean(metrics.normalized_root_mse(*pair) ** 2 for pair in pairs),
        )

    return score


def _torchmetrics(measure: Measure) -> Scorer:
    images: Any = importlib.import_module("torchmetrics.functional.image")
    regression: Any = importlib.import_module("torchmetrics.functional.regression")

    def score(prediction: Tensor, target: Tensor) -> Sequence[Tensor]:
        psnr = images.peak_signal_noise_ratio(prediction, target, data_range=1.0, dim=(-2, -1))
        columns = [x.flatten(1).T for x in (prediction, target)]  # (pixels, slices)
        nrmse = regression.normalized_root_mean_squared_error(
            *columns, normalization="l2", num_outputs=len(target)
        )
        similarity = measure(prediction[:, None], target[:, None])
        # It divides the root mean square by the norm, which is not a mean.
        nmse = nrmse.square().mean() * target[0].numel()
        return similarity.mean(), psnr, nmse

    return score
