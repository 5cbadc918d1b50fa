"""Losses of the generator and the discriminator, as functions of tensors.

Sources: Zhao et al. 2017 (10.1109/TCI.2016.2644865) for L1 and SSIM as losses; Lim and Ye 2017
(arXiv 1705.02894) for the hinge; Mao et al. 2017 (10.1109/ICCV.2017.304) for least squares.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from torch import Tensor
from torch.nn import functional

from mrirecon.ops import ssim

AdversarialKind = Literal["hinge", "least-squares"]
SsimWindow = Literal["uniform", "gaussian"]


@dataclass(frozen=True)
class LossConfig:
    """Weights of the generator's loss terms; a term of weight 0 is not computed.

    Attributes:
        l1: weight of `l1_loss`.
        ssim: weight of `ssim_loss`; the ReconResNet paper trains with this term alone.
        ssim_window: its window.
        network: weight of `l1_loss` of the network's own image, beside that of the consistent one:
            with data consistency inside, nothing else holds the network's image to the target
            where k-space was measured.
        adversarial: weight of `generator_loss`; above 0 the discriminator is trained as well.
        adversarial_kind: hinge or least squares, for generator and discriminator.
        adversarial_start: steps before the adversarial term joins, so that the discriminator
            does not judge an untrained generator.
    """

    l1: float = 1.0
    ssim: float = 1.0
    ssim_window: SsimWindow = "gaussian"
    network: float = 0.0
    adversarial: float = 0.01
    adversarial_kind: AdversarialKind = "hinge"
    adversarial_start: int = 0

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        for name in ("l1", "ssim", "network", "adversarial", "adversarial_start"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ValueError(f"{name}: expected a finite number, 0 or more, got {value}")
        if self.l1 == self.ssim == 0:
            raise ValueError("l1: expected l1 or ssim above 0, got 0 for both")
        if self.ssim_window not in get_args(SsimWindow):
            raise ValueError(
                f"ssim_window: expected 'uniform' or 'gaussian', got {self.ssim_window!r}"
            )
        if self.adversarial_kind not in get_args(AdversarialKind):
            raise ValueError(
                "adversarial_kind: expected 'hinge' or 'least-squares', "
                f"got {self.adversarial_kind!r}"
            )


def l1_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """Return mean |prediction - target|, a scalar.

    Args:
        prediction: float, (batch, 1, rows, cols).
        target: the same shape and dtype.
    """
    return functional.l1_loss(prediction, target)


def ssim_loss(
    prediction: Tensor,
    target: Tensor,
    *,
    data_range: float,
    window: SsimWindow,
) -> Tensor:
    """Return 1 - SSIM, averaged over the batch, a scalar in [0, 2].

    Args:
        prediction: float, (batch, 1, rows, cols); 7 or 11 pixels or more each way.
        target: the same shape and dtype.
        data_range: largest minus smallest value a target may have.
        window: "gaussian" (11 x 11, as in the ReconResNet paper) or "uniform" (7 x 7).
    """
    return 1.0 - ssim(prediction, target, data_range=data_range, window=window).mean()


def discriminator_loss(
    real_logits: Tensor, fake_logits: Tensor, *, kind: AdversarialKind
) -> Tensor:
    """Return what the discriminator minimises, a scalar, 0 or more.

    hinge: mean max(0, 1 - real) + mean max(0, 1 + fake)  (Lim and Ye 2017, equation 13);
    least-squares: (mean (real - 1)^2 + mean fake^2) / 2  (Mao et al. 2017, equation 9).

    Args:
        real_logits: float, any shape, of fully sampled images.
        fake_logits: float, any shape, of reconstructed images that carry no gradient to the
            generator.
        kind: which of the two.
    """
    if kind == "hinge":
        return (1.0 - real_logits).relu().mean() + (1.0 + fake_logits).relu().mean()
    return 0.5 * ((real_logits - 1.0).square().mean() + fake_logits.square().mean())


def generator_loss(fake_logits: Tensor, *, kind: AdversarialKind) -> Tensor:
    """Return the adversarial term that the generator minimises, a scalar.

    hinge: -mean fake  (Lim and Ye 2017, equation 14);
    least-squares: mean (fake - 1)^2 / 2  (Mao et al. 2017, equation 9).

    Args:
        fake_logits: float, any shape, of reconstructed images that carry gradient.
        kind: which of the two.
    """
    if kind == "hinge":
        return -fake_logits.mean()
    return 0.5 * (fake_logits - 1.0).square().mean()
