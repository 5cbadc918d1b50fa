"""A search space is read as it stands, or refused with file and key."""

from pathlib import Path

import pytest

from mrirecon.tuning import Choice, Range, read_space


def test_ranges_and_lists_are_read(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(
        "training.learning_rate: {low: 1.0e-5, high: 0.01, log: true}\n"
        "generator.network.width: [8, 16]\n"
        "training.warmup_steps: {low: 0, high: 50}\n"
    )
    space = read_space(path)
    assert space == {
        "training.learning_rate": Range(1e-5, 0.01, log=True),
        "generator.network.width": Choice((8, 16)),
        "training.warmup_steps": Range(0, 50),
    }
    whole = space["training.warmup_steps"]
    assert isinstance(whole, Range) and whole.is_whole


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected keys with ranges or lists, got NoneType"),
        ("- 1", "expected keys with ranges or lists, got list"),
        ("a: [1", "expected YAML, got"),
        ("a: [1]", "a: expected a list of two values or more, or low, high"),
        ("a: {low: 1}", "a: expected a list of two values or more, or low, high"),
        ("a: {low: 1, high: 2, step: 1}", "a: expected a list of two values or more"),
        ("a: {low: 2, high: 1}", "a: expected numbers with low below high, got 2 and 1"),
        ("a: {low: x, high: 1}", "a: expected numbers with low below high, got x and 1"),
        ("a: {low: .nan, high: 1}", "a: expected numbers with low below high, got nan and 1"),
        ("a: {low: 0, high: 1, log: true}", "a: expected log true only where low is above 0"),
    ],
)
def test_what_is_no_space_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(text)
    with pytest.raises(ValueError) as error:
        read_space(path)
    assert str(error.value).startswith(f"{path}: {message}")
