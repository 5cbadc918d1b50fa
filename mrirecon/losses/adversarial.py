"""Losses of a game of two networks, as functions of logits, and the penalties that keep it even.

Logits come as a sequence with one tensor for each scale of the discriminator; a loss is the mean
over the scales. Sources: Lim and Ye 2017 (arXiv 1705.02894) for the hinge; Mao et al. 2017
(10.1109/ICCV.2017.304) for least squares; Arjovsky et al. 2017 (arXiv 1701.07875) for Wasserstein;
Gulrajani et al. 2017 (arXiv 1704.00028) for the gradient penalty; Mescheder et al. 2018 (arXiv
1801.04406) for R1; Wang et al. 2018 (10.1109/CVPR.2018.00917) for feature matching.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

AdversarialKind = Literal["hinge", "least-squares", "wasserstein"]
Logits = Sequence[Tensor]


def discriminator_loss(real: Logits, fake: Logits, *, kind: AdversarialKind) -> Tensor:
    """Return what the discriminator minimises, a scalar.

    hinge: mean max(0, 1 - real) + mean max(0, 1 + fake)  (Lim and Ye 2017, equation 13);
    least-squares: (mean (real - 1)^2 + mean fake^2) / 2  (Mao et al. 2017, equation 9);
    wasserstein: mean fake - mean real  (Arjovsky et al. 2017, algorithm 1).

    Args:
        real: float, any shape each, logits of fully sampled images.
        fake: float, any shape each, logits of reconstructed images that carry no gradient to the
            generator.
        kind: which of the three.

    Examples:
        >>> import torch
        >>> from mrirecon.losses import discriminator_loss
        >>> real, fake = [torch.tensor([0.5])], [torch.tensor([-2.0])]  # logits
        >>> discriminator_loss(real, fake, kind="hinge")
        tensor(0.5000)
    """
    return _mean(_discriminator_term(r, f, kind=kind) for r, f in zip(real, fake, strict=True))


def generator_loss(fake: Logits, *, kind: AdversarialKind) -> Tensor:
    """Return the adversarial term that the generator minimises, a scalar.

    hinge and wasserstein: -mean fake  (Lim and Ye 2017, equation 14);
    least-squares: mean (fake - 1)^2 / 2  (Mao et al. 2017, equation 9).

    Args:
        fake: float, any shape each, logits of reconstructed images that carry gradient.
        kind: which of the three.

    Examples:
        >>> import torch
        >>> from mrirecon.losses import generator_loss
        >>> generator_loss([torch.tensor([-2.0])], kind="hinge")
        tensor(2.)
    """
    if kind == "least-squares":
        return _mean(0.5 * (f - 1.0).square().mean() for f in fake)
    return _mean(-f.mean() for f in fake)


def separation(real: Logits, fake: Logits) -> Tensor:
    """Return the share of images with a higher mean logit than their reconstructions.

    1: the discriminator tells each pair apart; 1/2: it guesses, or says the same of all.

    Args:
        real: float, (batch, ...) each, logits of fully sampled images.
        fake: the same shapes, logits of reconstructions of the same images.

    Returns:
        A scalar without gradient.

    Examples:
        >>> import torch
        >>> from mrirecon.losses import separation
        >>> real, fake = [torch.tensor([[2.0], [-1.0]])], [torch.tensor([[-1.0], [1.0]])]
        >>> separation(real, fake)
        tensor(0.5000)
    """
    return _mean(_share_above(r, f) for r, f in zip(real, fake, strict=True))


def gradient_penalty(judge: Callable[[Tensor], Logits], real: Tensor, fake: Tensor) -> Tensor:
    """Return mean (|grad D| - 1)^2 at random points between pairs of images, a scalar.

    Gulrajani et al. 2017, equation 3. D is the mean logit of an image. Draws one random number an
    image from torch's generator.

    Args:
        judge: the discriminator; has to support second derivatives.
        real: float, (batch, channels, rows, cols), fully sampled images.
        fake: the same shape and dtype, reconstructed images.

    Examples:
        >>> import torch
        >>> from mrirecon.losses import gradient_penalty
        >>> real, fake = torch.ones(2, 1, 2, 2), torch.zeros(2, 1, 2, 2)
        >>> gradient_penalty(lambda image: [3 * image[:, :, 0, 0]], real, fake)  # (3 - 1)^2
        tensor(4.)
    """
    place = torch.rand(len(real), 1, 1, 1, device=real.device, dtype=real.dtype)
    between = torch.lerp(real, fake.detach(), place)
    return (_steepness(judge, between) - 1.0).square().mean()


def r1_penalty(judge: Callable[[Tensor], Logits], real: Tensor) -> Tensor:
    """Return mean |grad D|^2 / 2 at fully sampled images, a scalar (Mescheder 2018, equation 9).

    Args:
        judge: as in `gradient_penalty`.
        real: float, (batch, channels, rows, cols), fully sampled images.

    Examples:
        >>> import torch
        >>> from mrirecon.losses import r1_penalty
        >>> r1_penalty(lambda image: [3 * image[:, :, 0, 0]], torch.ones(2, 1, 2, 2))  # 3^2 / 2
        tensor(4.5000)
    """
    return 0.5 * _steepness(judge, real).square().mean()


def feature_matching_loss(fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Return the mean absolute difference of features, averaged over layers, a scalar.

    Args:
        fake: what the discriminator's layers see of reconstructed images.
        real: the same of fully sampled images; no gradient flows to them.

    Examples:
        >>> import torch
        >>> from mrirecon.losses import feature_matching_loss
        >>> fake, real = [torch.zeros(4), torch.zeros(2)], [torch.ones(4), torch.zeros(2)]
        >>> feature_matching_loss(fake, real)
        tensor(0.5000)
    """
    return _mean(functional.l1_loss(f, r.detach()) for f, r in zip(fake, real, strict=True))


def _discriminator_term(real: Tensor, fake: Tensor, *, kind: AdversarialKind) -> Tensor:
    if kind == "hinge":
        return (1.0 - real).relu().mean() + (1.0 + fake).relu().mean()
    if kind == "least-squares":
        return 0.5 * ((real - 1.0).square().mean() + fake.square().mean())
    return fake.mean() - real.mean()


def _share_above(real: Tensor, fake: Tensor) -> Tensor:
    difference = real.flatten(1).mean(1) - fake.flatten(1).mean(1)  # (batch,)
    return 0.5 * ((difference > 0).float() + (difference >= 0).float()).mean()


def _steepness(judge: Callable[[Tensor], Logits], image: Tensor) -> Tensor:
    """Return |grad D| of each image, (batch,), differentiable in the discriminator's weights."""
    image = image.detach().requires_grad_()
    score = _mean(logits.flatten(1).mean(1).sum() for logits in judge(image))
    (gradient,) = torch.autograd.grad(score, image, create_graph=True)
    # The square root has no slope at 0, where a gradient that vanishes would put it.
    return (gradient.square().flatten(1).sum(1) + torch.finfo(image.dtype).eps ** 2).sqrt()


def _mean(terms: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(terms)).mean()
