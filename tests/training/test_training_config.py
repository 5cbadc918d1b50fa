"""Options of training and of the losses that make no sense are refused by name."""

from typing import Any

import pytest

from mrirecon.training import TrainingConfig


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("steps", 0, "1 or more"),
        ("batch_size", 0, "1 or more"),
        ("log_every", 0, "1 or more"),
        ("validate_every", 0, "1 or more"),
        ("checkpoint_every", 0, "1 or more"),
        ("keep_checkpoints", 0, "1 or more"),
        ("seed", -1, "0 or more"),
        ("warmup_steps", -1, "0 or more"),
        ("learning_rate", 0.0, "a finite number above 0"),
        ("discriminator_learning_rate", float("nan"), "a finite number above 0"),
        ("gradient_clip", 0.0, "above 0"),
        ("patience", 0, "1 or more"),
        ("ema_decay", 1.0, r"a number in \[0, 1\)"),
        ("precision", "float8", "one of float32, bfloat16, float16, auto"),
        ("accumulate", 0, "1 or more"),
        ("explosion", 1.0, "above 1"),
        ("on_divergence", "go_on", "one of roll_back, stop"),
        ("schedule", "linear", "one of halfway, cosine, constant"),
    ],
)
def test_training_refuses_an_impossible_option(option: str, value: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=f"^{option}: expected {expected}, got {value}$"):
        TrainingConfig(**{option: value})
