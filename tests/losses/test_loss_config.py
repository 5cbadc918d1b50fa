"""Which losses there are, and which combinations make no sense."""

import pytest
import torch

from mrirecon.losses import GENERATOR_TERMS, IMAGE_TERMS, LossConfig, image_terms


def test_terms_with_a_weight_are_computed_and_no_others() -> None:
    prediction, target = torch.rand(2, 1, 1, 176, 176)
    for name in ("l1", "charbonnier", "ssim", "ms_ssim", "frequency"):
        losses = LossConfig(**{"l1": 0.0, "ssim": 0.0, name: 0.5})
        assert set(image_terms(prediction, target, losses, None)) == {name}
    assert set(IMAGE_TERMS) < set(GENERATOR_TERMS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"l1": 0.0, "ssim": 0.0}, "l1: expected one of l1, charbonnier, ssim, ms_ssim, frequency"),
        (
            {"adversarial": float("inf")},
            "adversarial: expected a finite number, 0 or more",
        ),
        ({"frequency": -1.0}, "frequency: expected a finite number, 0 or more, got -1.0"),
        ({"r1": float("nan")}, "r1: expected a finite number, 0 or more, got nan"),
        (
            {"perceptual": 1.0},
            "perceptual_weights: expected a file, since perceptual > 0, got none",
        ),
        ({"perceptual_layer": "relu1_3"}, "perceptual_layer: expected relu1_1 to relu5_4, got 're"),
        ({"perceptual_layer": "conv1"}, "perceptual_layer: expected relu1_1 to relu5_4, got 'conv"),
        ({"adversarial_kind": "gan"}, "adversarial_kind: expected 'hinge' or 'least-squares' or"),
        ({"ssim_window": "box"}, "ssim_window: expected 'uniform' or 'gaussian', got 'box'"),
        ({"discriminator_steps": 0}, "discriminator_steps: expected 1 or more, got 0"),
        ({"adversarial": 0.0, "r1": 1.0}, "r1: expected 0, since adversarial is 0, got 1.0"),
        ({"adversarial": 0.0, "feature_matching": 1.0}, "feature_matching: expected 0, since"),
    ],
)
def test_a_combination_without_sense_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError) as error:
        LossConfig(**options)  # type: ignore[arg-type]
    assert message in str(error.value)
