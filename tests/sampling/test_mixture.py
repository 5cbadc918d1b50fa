import numpy as np
import pytest
import torch

from mrirecon.sampling import (
    MixtureConfig,
    SamplingConfig,
    TrajectoryConfig,
    make_mask,
    named_patterns,
)

LINES = SamplingConfig(acceleration=4)
FAST = SamplingConfig(acceleration=8)
PLANE = SamplingConfig("variable_density_2d", acceleration=4)
SHAPE = (24, 32)


def places(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    numbers = torch.arange(n)
    return numbers // 10, numbers % 10


def choose(mixture: MixtureConfig, n: int, *, seed: int = 3, epoch: int = 0) -> list[int]:
    volumes, slices = places(n)
    chosen = mixture.choose(seed=seed, volumes=volumes, slices=slices, epoch=epoch)
    return [int(number) for number in chosen]


def test_the_choice_depends_on_seed_volume_slice_and_epoch_alone() -> None:
    mixture = MixtureConfig((LINES, PLANE))
    whole = choose(mixture, 40)
    volumes, slices = places(40)
    alone = [
        int(mixture.choose(seed=3, volumes=volumes[[i]], slices=slices[[i]], epoch=0)[0])
        for i in reversed(range(40))
    ]
    assert whole == alone[::-1]
    assert whole == choose(mixture, 40)
    assert whole != choose(mixture, 40, seed=4)
    assert whole != choose(mixture, 40, epoch=1)
    assert len({tuple(whole[v * 10 : v * 10 + 10]) for v in range(4)}) == 4  # volumes differ


def test_patterns_come_as_often_as_their_weights_say() -> None:
    weights = (1.0, 3.0, 6.0)
    chosen = choose(MixtureConfig((LINES, FAST, PLANE), weights=weights), 3000)
    shares = np.bincount(chosen, minlength=3) / 3000
    expected = np.array(weights) / sum(weights)
    deviation = np.sqrt(expected * (1 - expected) / 3000)  # of a binomial share
    assert (np.abs(shares - expected) < 4 * deviation).all()


@pytest.mark.parametrize(
    ("patterns", "size"),
    [
        ((LINES, FAST), (1, 32)),
        ((SamplingConfig(axis="rows"), SamplingConfig(axis="rows", acceleration=2)), (24, 1)),
        ((LINES, SamplingConfig(axis="rows")), (24, 32)),
        ((LINES, PLANE), (24, 32)),
    ],
)
def test_each_mask_is_that_of_its_slices_own_pattern(
    patterns: tuple[SamplingConfig, ...], size: tuple[int, int]
) -> None:
    mixture = MixtureConfig(patterns)
    volumes, slices = places(12)
    masks = mixture.masks(SHAPE, seed=5, volumes=volumes, slices=slices, epoch=2)
    assert masks.shape == (12, *size)
    chosen = choose(mixture, 12, seed=5, epoch=2)
    assert set(chosen) == {0, 1}
    for i, number in enumerate(chosen):
        place = {"volume": int(volumes[i]), "slice_index": int(slices[i])}
        expected = make_mask(patterns[number], SHAPE, seed=5, epoch=2, **place)
        assert torch.equal(masks[i], torch.atleast_2d(expected).expand(size))


def test_patterns_of_one_title_are_numbered() -> None:
    mixture = MixtureConfig((LINES, SamplingConfig(acceleration=4, calibration=8), PLANE))
    assert list(named_patterns(mixture)) == [
        "variable density, 4x (1)",
        "variable density, 4x (2)",
        "variable density 2d, 4x",
    ]
    assert named_patterns(TrajectoryConfig(n_readouts=30)) == {
        "radial, 30 spokes": TrajectoryConfig(n_readouts=30)
    }


@pytest.mark.parametrize(
    ("patterns", "weights", "text"),
    [
        ((LINES,), None, "sampling: expected two patterns or more, with trajectory, got 1"),
        ((LINES, FAST), (1.0,), "weights: expected 2, one for each pattern, got 1"),
        ((LINES, FAST), (1.0, 0.0), r"weights: expected finite numbers above 0, got \[1.0, 0.0\]"),
        ((LINES, FAST), (1.0, float("nan")), "weights: expected finite numbers above 0"),
    ],
)
def test_what_is_no_mixture_is_refused(
    patterns: tuple[SamplingConfig, ...], weights: tuple[float, ...] | None, text: str
) -> None:
    with pytest.raises(ValueError, match=f"^{text}"):
        MixtureConfig(patterns, weights=weights)
