"""The perceptual loss: VGG's form, its weights file, and what is compared."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from vgg_cases import PLACES, vgg_tensors

from mrirecon.losses import PerceptualLoss


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    save_file(vgg_tensors(16), tmp_path / "vgg.safetensors")
    return tmp_path / "vgg.safetensors"


def test_compares_what_the_layer_sees(weights: Path) -> None:
    """Against the layers written out: relu2_1 follows two convolutions, a pooling and a third."""
    tensors = vgg_tensors(16)
    save_file(tensors, weights)
    prediction, target = torch.rand(2, 2, 1, 12, 10)

    def see(image: Tensor) -> Tensor:
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        x = (image.expand(-1, 3, -1, -1) - mean[:, None, None]) / std[:, None, None]
        for place in (0, 2, 5):
            x = nn.functional.max_pool2d(x, 2) if place == 5 else x
            kernel, bias = tensors[f"features.{place}.weight"], tensors[f"features.{place}.bias"]
            x = nn.functional.conv2d(x, kernel, bias, padding=1).relu()
        return x

    expected = (see(prediction) - see(target)).square().mean()
    loss = PerceptualLoss(weights, "relu2_1")(prediction, target)
    torch.testing.assert_close(loss, expected)


def test_names_without_their_prefix_are_the_same(weights: Path, tmp_path: Path) -> None:
    tensors = vgg_tensors(16)
    save_file(tensors, weights)
    save_file({k.removeprefix("features."): v for k, v in tensors.items()}, tmp_path / "short")
    prediction, target = torch.rand(2, 1, 1, 8, 8)
    losses = [
        PerceptualLoss(p, "relu1_2")(prediction, target) for p in (weights, tmp_path / "short")
    ]
    assert losses[0] == losses[1] > 0


def test_teaches_the_prediction_and_neither_target_nor_weights(weights: Path) -> None:
    loss = PerceptualLoss(weights, "relu1_2")
    prediction, target = torch.rand(2, 1, 1, 8, 8).requires_grad_()
    loss(prediction, target).backward()
    assert not any(parameter.requires_grad for parameter in loss.parameters())
    prediction = prediction.detach().requires_grad_()
    target = target.detach().requires_grad_()
    loss(prediction, target).backward()
    assert prediction.grad is not None and prediction.grad.abs().sum() > 0
    assert target.grad is None


@pytest.mark.parametrize("depth", [16, 19])
def test_weights_are_taken_from_the_places_of_the_published_models(
    depth: int, tmp_path: Path
) -> None:
    """VGG-16 and VGG-19 part in their third block."""
    path = tmp_path / "vgg.safetensors"
    tensors = vgg_tensors(depth, n_blocks=4)
    save_file(tensors, path)
    loss = PerceptualLoss(path, "relu4_1")
    got = [layer.weight for layer in loss.features if isinstance(layer, nn.Conv2d)]
    places = [p for block in PLACES[depth][:3] for p in block] + [PLACES[depth][3][0]]
    assert len(got) == len(places)
    for weight, place in zip(got, places, strict=True):
        assert torch.equal(weight, tensors[f"features.{place}.weight"])


def test_a_layer_of_the_other_vgg_is_refused(weights: Path) -> None:
    with pytest.raises(ValueError, match=r"expected a VGG with relu3_4, got VGG-16"):
        PerceptualLoss(weights, "relu3_4")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none.safetensors: expected weights of VGG-16 or"):
        PerceptualLoss(tmp_path / "none.safetensors", "relu1_1")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"PK\x03\x04 a pickle, perhaps")
    with pytest.raises(ValueError, match=r"bad.safetensors: expected an undamaged safetensors"):
        PerceptualLoss(tmp_path / "bad.safetensors", "relu1_1")


def test_a_missing_tensor_is_named(weights: Path) -> None:
    with pytest.raises(ValueError, match=r"vgg.safetensors: expected a tensor features.10.weight"):
        PerceptualLoss(weights, "relu3_1")


def test_a_tensor_of_another_shape_is_named(weights: Path) -> None:
    tensors = vgg_tensors(16) | {"features.2.bias": torch.zeros(3)}
    save_file(tensors, weights)
    message = r"features.2.bias: expected shape \(64,\), got \(3,\)"
    with pytest.raises(ValueError, match=message):
        PerceptualLoss(weights, "relu1_2")
