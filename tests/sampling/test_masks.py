import dataclasses
import hashlib

import numpy as np
import pytest
import torch

from mrirecon.sampling import STRATEGIES, SamplingConfig, acceleration, make_mask, mask_batch

SHAPE = (48, 64)
FASTMRI = [name for name in STRATEGIES if name.startswith("fastmri_")]
PLANE = ["random_2d", "variable_density_2d", "gaussian_2d", "poisson_disc"]
SPOKES = ["radial", "golden_angle"]
SPACINGS = ["every_nth", *FASTMRI]  # whose acceleration is not that of the mask
LINES = [name for name in STRATEGIES if name not in PLANE + SPOKES]


def mask_of(shape: tuple[int, int] = SHAPE, *, seed: int = 1, **options: object) -> torch.Tensor:
    return make_mask(SamplingConfig(**options), shape, seed=seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_shape_follows_the_strategy(strategy: str) -> None:
    mask = mask_of(strategy=strategy)
    assert mask.dtype == torch.bool
    assert mask.shape == ((64,) if strategy in LINES else SHAPE)


@pytest.mark.parametrize("strategy", LINES)
def test_lines_along_rows_are_those_along_cols_turned(strategy: str) -> None:
    along_rows = mask_of((64, 48), strategy=strategy, axis="rows")
    assert along_rows.shape == (64, 1)
    assert torch.equal(along_rows[:, 0], mask_of((48, 64), strategy=strategy))


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name not in SPACINGS])
@pytest.mark.parametrize("asked", [1.5, 2, 4, 6.3, 10, 16])
def test_measured_acceleration_is_the_nearest_the_grid_allows(strategy: str, asked: float) -> None:
    shape = (255, 256)
    mask = mask_of(shape, strategy=strategy, acceleration=asked)
    total, count = mask.numel(), int(mask.sum())
    if strategy in SPOKES:
        spoke = 256  # samples; a rotated spoke count may be off by about one spoke's worth
        assert abs(total / asked - count) < spoke
    else:
        others = [abs(total / n - asked) for n in (count - 1, count + 1) if n > 0]
        assert abs(total / count - asked) <= min(others)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_acceleration_one_measures_everything(strategy: str) -> None:
    if strategy in (*SPOKES, "poisson_disc"):
        with pytest.raises(
            ValueError, match=r"^acceleration: expected at least 1\.\d+.* corners out"
        ):
            mask_of(strategy=strategy, acceleration=1)
    elif strategy not in FASTMRI:
        assert bool(mask_of(strategy=strategy, acceleration=1).all())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_mask_is_a_function_of_seed_volume_slice_and_epoch(strategy: str) -> None:
    config = SamplingConfig(strategy=strategy, acceleration=4, calibration=0)
    places = [(1, 0, 0, 0), (2, 0, 0, 0), (1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 1)]

    def make(place: tuple[int, int, int, int]) -> torch.Tensor:
        seed, volume, slice_index, epoch = place
        return make_mask(
            config, (128, 128), seed=seed, volume=volume, slice_index=slice_index, epoch=epoch
        )

    masks = [make(place) for place in places]
    again = [make(place) for place in reversed(places)][::-1]
    assert all(torch.equal(a, b) for a, b in zip(masks, again, strict=True))
    if strategy in ("equispaced", "every_nth", *FASTMRI[1:]):  # some four masks exist
        return
    for i, mask in enumerate(masks):
        assert not any(torch.equal(mask, other) for other in masks[i + 1 :])


@pytest.mark.parametrize(
    ("per", "differs"), [("run", ""), ("volume", "volume epoch"), ("slice", "volume slice epoch")]
)
def test_per_says_what_shares_a_mask(per: str, differs: str) -> None:
    config = SamplingConfig(strategy="random", per=per)  # type: ignore[arg-type]
    first = make_mask(config, (8, 256), seed=1)
    others = {
        "volume": make_mask(config, (8, 256), seed=1, volume=1),
        "slice": make_mask(config, (8, 256), seed=1, slice_index=1),
        "epoch": make_mask(config, (8, 256), seed=1, epoch=1),
    }
    for name, other in others.items():
        assert torch.equal(first, other) == (name not in differs.split())


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("per", ["run", "volume", "slice"])
def test_batch_equals_masks_made_one_at_a_time(strategy: str, per: str) -> None:
    config = SamplingConfig(strategy=strategy, per=per, acceleration=3)  # type: ignore[arg-type]
    volumes, slices = torch.tensor([0, 0, 5]), torch.tensor([3, 4, 0])
    batch = mask_batch(config, SHAPE, seed=9, volumes=volumes, slices=slices, epoch=2)
    assert batch.shape == ((3, 1, 64) if config.is_line_mask else (3, *SHAPE))
    for i, (volume, index) in enumerate(zip(volumes.tolist(), slices.tolist(), strict=True)):
        one = make_mask(config, SHAPE, seed=9, volume=volume, slice_index=index, epoch=2)
        assert torch.equal(batch[i], torch.atleast_2d(one))


def test_batch_along_rows_keeps_the_rows_axis() -> None:
    config = SamplingConfig(strategy="random", axis="rows")
    numbers = torch.arange(5)
    batch = mask_batch(config, SHAPE, seed=9, volumes=numbers, slices=numbers, epoch=0)
    assert batch.shape == (5, 48, 1)


def test_an_empty_batch_has_no_masks() -> None:
    none = torch.zeros(0, dtype=torch.int64)
    batch = mask_batch(SamplingConfig(), SHAPE, seed=9, volumes=none, slices=none, epoch=0)
    assert batch.shape == (0, 1, 64)


# Pinned so that a change of NumPy or of this code cannot silently change every experiment.
GOLDEN = {
    "equispaced": [0, 5, 10, 15, 16, 17, 22, 27],
    "every_nth": [0, 4, 8, 12, 15, 16, 20, 24, 28],
    "random": [0, 15, 16, 19, 22, 27, 28, 31],
    "variable_density": [12, 15, 16, 17, 19, 20, 22, 23],
    "gaussian": [12, 15, 16, 17, 19, 20, 22, 23],
}


@pytest.mark.parametrize("strategy", GOLDEN)
def test_masks_stay_the_same_over_versions(strategy: str) -> None:
    mask = mask_of((1, 32), strategy=strategy, calibration=2, seed=5)
    assert np.flatnonzero(mask.numpy()).tolist() == GOLDEN[strategy]


GOLDEN_POINTS = [
    "........",
    "........",
    "...#..#.",
    "..###...",
    ".####...",
    "..##.#..",
    "..#.#.#.",
    "......#.",
]

GOLDEN_SPOKES = [
    ".....#...",
    ".#...#...",
    ".##..#...",
    "...##....",
    "#########",
    "....##...",
    "...#..##.",
    "...#...#.",
    "...#.....",
]


def drawn(mask: torch.Tensor) -> list[str]:
    return ["".join("#" if measured else "." for measured in row) for row in mask.tolist()]


GOLDEN_DISCS = [
    "............",
    ".....#...#..",
    "...#..#.....",
    "....##....#.",
    "..#...#.#...",
    ".....#####..",
    "#..#.#..#.#.",
    "..#..###.#..",
    "....#..#...#",
    ".#....#.#...",
    "....#....#..",
    "...#..#.#...",
]


def test_plane_masks_stay_the_same_over_versions() -> None:
    discs = mask_of((12, 12), strategy="poisson_disc", seed=5)
    assert drawn(discs) == GOLDEN_DISCS
    points = mask_of((8, 8), strategy="variable_density_2d", seed=5)
    assert drawn(points) == GOLDEN_POINTS
    spokes = mask_of((9, 9), strategy="golden_angle", acceleration=3, offset=0)
    assert drawn(spokes) == GOLDEN_SPOKES


def test_acceleration_is_measured() -> None:
    assert acceleration(torch.tensor([True, False, False, True, False])) == 2.5
    batch = torch.tensor([[[True, False]], [[True, True]]])
    assert acceleration(batch) == pytest.approx(4 / 3)


def test_acceleration_of_an_empty_mask_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^mask: expected at least one measured sample, got none"):
        acceleration(torch.zeros(4, dtype=torch.bool))


@pytest.mark.parametrize("place", [{"seed": -1}, {"seed": 1, "epoch": -1}])
def test_negative_numbers_are_refused(place: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"^seed: expected seed, volume, slice and epoch of"):
        make_mask(SamplingConfig(), SHAPE, **place)


@pytest.mark.parametrize("shape", [(0, 8), (8,), (2, 8, 8)])
def test_shapes_that_are_no_image_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^shape: expected \(rows, cols\), each at least 1, got"):
        make_mask(SamplingConfig(), shape, seed=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(("volumes", "slices"), [((2,), (3,)), ((2, 1), (2, 1))])
def test_batch_numbers_that_do_not_match_are_refused(
    volumes: tuple[int, ...], slices: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"^slices: expected \(batch,\) as volumes \(2,.*\), got"):
        mask_batch(
            SamplingConfig(),
            SHAPE,
            seed=1,
            volumes=torch.zeros(volumes, dtype=torch.int64),
            slices=torch.zeros(slices, dtype=torch.int64),
            epoch=0,
        )


def test_masks_can_be_made_for_a_torch_size() -> None:
    config = dataclasses.replace(SamplingConfig(), strategy="variable_density_2d")
    mask = make_mask(config, torch.zeros(1, 1, *SHAPE).shape[-2:], seed=1)
    assert mask.shape == SHAPE


DIGESTS = {  # of masks as they were when runs first relied on them
    "equispaced": "ea211871a1511207",
    "every_nth": "9e63c1cff4881085",
    "random": "ed574ed33c1dae30",
    "variable_density": "756f5254d645f8b9",
    "gaussian": "cacf5e28adf6cc48",
    "fastmri_random": "13a04c68c92a3c75",
    "fastmri_equispaced": "558913727c0c2038",
    "fastmri_equispaced_fraction": "c4f5d83fd6439b43",
    "fastmri_magic": "9562af2053922287",
    "fastmri_magic_fraction": "b11ad2c919a1bcf5",
    "random_2d": "e93e74a51373498a",
    "variable_density_2d": "55455e3bd6b040f9",
    "gaussian_2d": "a98ee0551d376a1a",
    "poisson_disc": "3edc8e2b4dbfdaa4",
    "radial": "37ea8ed8205ee96a",
    "golden_angle": "f7d787d694a556e5",
}


@pytest.mark.parametrize("strategy", DIGESTS)
def test_masks_stay_those_that_runs_were_trained_with(strategy: str) -> None:
    config = SamplingConfig(strategy=strategy)  # type: ignore[arg-type]
    numbers = torch.arange(4)
    masks = mask_batch(config, SHAPE, seed=3, volumes=numbers // 2, slices=numbers, epoch=1)
    assert (
        hashlib.sha256(np.packbits(masks.numpy()).tobytes()).hexdigest()[:16] == DIGESTS[strategy]
    )
