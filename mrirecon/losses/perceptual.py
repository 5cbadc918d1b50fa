"""The perceptual loss: a distance between what an image classifier's early layers see.

Sources: Johnson et al. 2016 (10.1007/978-3-319-46475-6_43) for the loss; Simonyan and Zisserman
2015 (arXiv 1409.1556), table 1, for VGG-16 and VGG-19.
"""

import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

_WIDTHS = (3, 64, 128, 256, 512, 512)  # channels of the image and of each block
_DEPTHS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # convolutions in each block
_ONLY_IN_19 = "16.weight"  # the fourth convolution of the third block; VGG-16 pools there
_LAYER = re.compile(r"relu([1-5])_([1-4])")
_MEAN = (0.485, 0.456, 0.406)  # of ImageNet's colours in [0, 1], which the weights were trained on
_STD = (0.229, 0.224, 0.225)


class _Convolution(NamedTuple):
    name: str
    """relu1_1, ..., relu5_4: what its activation is called."""
    place: int
    """Its place in torchvision's `features`, by which weights are named."""
    before: int
    after: int


class PerceptualLoss(nn.Module):
    """Mean squared difference of one VGG layer's features of two images.

    Args:
        weights: safetensors file of the convolutions of VGG-16 or VGG-19, named as torchvision
            does, `features.0.weight` and so on, with or without `features.`.
        layer: relu1_1 to relu5_4: the k-th activation of the n-th block.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is no safetensors file, lacks a layer, or one has another shape; names
            file and tensor.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: Path, layer: str) -> None:
        super().__init__()
        tensors = _read(weights)
        depth = 19 if _ONLY_IN_19 in tensors else 16
        plan = _plan(depth)
        names = [convolution.name for convolution in plan]
        if layer not in names:
            raise ValueError(f"{weights}: expected a VGG with {layer}, got VGG-{depth}")
        plan = plan[: names.index(layer) + 1]
        modules: list[nn.Module] = [_load(plan[0], tensors, weights), nn.ReLU()]
        for last, convolution in pairwise(plan):
            is_next_block = convolution.name[4] != last.name[4]
            modules += [nn.MaxPool2d(2)] if is_next_block else []
            modules += [_load(convolution, tensors, weights), nn.ReLU()]
        self.features = nn.Sequential(*modules)
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(_STD).view(3, 1, 1))
        self.eval().requires_grad_(False)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Compare two batches of grey images.

        Args:
            prediction: float32, (batch, 1, rows, cols), in [0, 1].
            target: the same shape; no gradient flows to it.

        Returns:
            The mean over images, channels and positions, a scalar.
        """
        with torch.no_grad():
            wanted = self._see(target)
        return functional.mse_loss(self._see(prediction), wanted)

    def _see(self, image: Tensor) -> Tensor:
        colours = (image - self.mean) / self.std  # (batch, 3, rows, cols)
        features: Tensor = self.features(colours)
        return features.float()


def check_layer(layer: str) -> None:
    """Raise ValueError unless a layer is one of VGG-19's, the larger of the two."""
    match = _LAYER.fullmatch(layer)
    if not match or int(match[2]) > _DEPTHS[19][int(match[1]) - 1]:
        raise ValueError(f"perceptual_layer: expected relu1_1 to relu5_4, got {layer!r}")


def _plan(depth: int) -> list[_Convolution]:
    """List the convolutions of a VGG; each is followed by a ReLU, each block by a pooling."""
    plan, place = [], 0
    for block, (n_convolutions, (before, after)) in enumerate(
        zip(_DEPTHS[depth], pairwise(_WIDTHS), strict=True), start=1
    ):
        for k in range(1, n_convolutions + 1):
            name = f"relu{block}_{k}"
            plan.append(_Convolution(name, place, before if k == 1 else after, after))
            place += 2
        place += 1
    return plan


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected weights of VGG-16 or VGG-19, found no file")
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path}: expected an undamaged safetensors file, got: {error}") from None
    return {name.removeprefix("features."): tensor for name, tensor in tensors.items()}


def _load(convolution: _Convolution, tensors: dict[str, Tensor], path: Path) -> nn.Conv2d:
    layer = nn.Conv2d(convolution.before, convolution.after, 3, padding=1)
    for part, parameter in layer.named_parameters():
        name = f"{convolution.place}.{part}"
        if name not in tensors:
            raise ValueError(f"{path}: expected a tensor features.{name}, got none")
        if tensors[name].shape != parameter.shape:
            expected, got = tuple(parameter.shape), tuple(tensors[name].shape)
            raise ValueError(f"{path}: features.{name}: expected shape {expected}, got {got}")
        parameter.data.copy_(tensors[name])
    return layer
