"""Weights of VGG-16 and VGG-19 by their published names, drawn at random."""

import torch
from torch import Tensor

WIDTHS = {1: 64, 2: 128, 3: 256, 4: 512, 5: 512}
# Places of the convolutions in torchvision's `features`, as its models are published.
PLACES = {
    16: [[0, 2], [5, 7], [10, 12, 14], [17, 19, 21], [24, 26, 28]],
    19: [[0, 2], [5, 7], [10, 12, 14, 16], [19, 21, 23, 25], [28, 30, 32, 34]],
}


def vgg_tensors(depth: int, n_blocks: int = 2) -> dict[str, Tensor]:
    """The first blocks of a VGG with random weights that keep the size of what they see."""
    tensors, before = {}, 3
    for block, places in enumerate(PLACES[depth][:n_blocks], start=1):
        for place in places:
            weight = torch.randn(WIDTHS[block], before, 3, 3) * (2 / (9 * before)) ** 0.5
            tensors[f"features.{place}.weight"] = weight
            tensors[f"features.{place}.bias"] = 0.1 * torch.randn(WIDTHS[block])
            before = WIDTHS[block]
    return tensors
