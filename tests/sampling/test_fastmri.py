"""Bit for bit the masks of the fastMRI package: make_fastmri_masks.py wrote its digests."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mrirecon.sampling import (
    SamplingConfig,
    acceleration,
    fastmri_generator,
    fastmri_lines,
    make_mask,
)

DIGESTS = json.loads(Path(__file__).with_name("fastmri_masks.json").read_text("utf-8"))
KINDS = ("random", "equispaced", "equispaced_fraction", "magic", "magic_fraction")


def config_of(
    kind: str, asked: float, calibration: int | None, **options: object
) -> SamplingConfig:
    return SamplingConfig(
        strategy=f"fastmri_{kind}",  # type: ignore[arg-type]
        acceleration=asked,
        calibration=calibration,
        **options,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("key", DIGESTS)
def test_masks_of_a_hundred_seeds_equal_those_of_the_package(key: str) -> None:
    kind, n_cols, asked, calibration = key.split()
    config = config_of(kind, float(asked), int(calibration))
    masks = [make_mask(config, (8, int(n_cols)), seed=seed).numpy() for seed in range(100)]
    place = {"volume": 2, "slice_index": 3, "epoch": 4}
    masks.append(make_mask(config, (8, int(n_cols)), seed=1, **place).numpy())
    assert hashlib.sha256(np.packbits(masks).tobytes()).hexdigest()[:16] == DIGESTS[key]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("asked", "calibration"), [(4, 26), (8, 13)])
def test_the_default_centre_is_that_of_the_challenges(
    kind: str, asked: float, calibration: int
) -> None:
    ours, named = (
        make_mask(config_of(kind, asked, n), (8, 320), seed=3) for n in (None, calibration)
    )
    assert torch.equal(ours, named)


def test_a_file_name_seeds_a_mask_as_fastmris_data_loaders_do() -> None:
    """The mask of fastmri 0.3.0 for RandomMaskFunc([0.08], [4]) and this name, 64 columns."""
    rng = fastmri_generator(tuple(map(ord, "file1000001.h5")))
    mask = fastmri_lines(config_of("random", 4, None), (64,), rng)
    assert np.flatnonzero(mask).tolist() == [
        *(3, 6, 7, 11, 15, 16, 30, 31, 32, 33, 34, 35, 38, 48, 50, 52, 57)
    ]


def test_accelerations_are_what_the_package_gets_not_what_is_asked_for() -> None:
    measured = {
        kind: acceleration(make_mask(config_of(kind, 4, None), (8, 320), seed=0)) for kind in KINDS
    }
    assert measured["equispaced"] == pytest.approx(320 / 99)
    assert measured["magic"] == pytest.approx(320 / 100)
    assert measured["equispaced_fraction"] == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_an_offset_takes_the_place_of_the_random_one(kind: str) -> None:
    masks = [
        make_mask(config_of(kind, 4, 8, offset=offset), (8, 128), seed=seed)
        for seed in (1, 2)
        for offset in (0.0, 1.0)
    ]
    assert all(torch.equal(a, b) for a, b in zip(masks[:2], masks[2:], strict=True))
    assert not torch.equal(masks[0], masks[1])
    with pytest.raises(
        ValueError, match=r"^offset: expected less than the spacing \d+, got 64\.0$"
    ):
        make_mask(config_of(kind, 4, 8, offset=64.0), (8, 128), seed=1)


@pytest.mark.parametrize("kind", ["equispaced_fraction", "magic_fraction"])
def test_a_centre_that_takes_all_lines_is_refused(kind: str) -> None:
    text = r"^calibration: expected fewer than 32 lines, all that acceleration 4 allows, got 32$"
    with pytest.raises(ValueError, match=text):
        make_mask(config_of(kind, 4, 32), (8, 128), seed=1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_centre_longer_than_the_axis_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=r"^calibration: expected at most 128, .* got 129$"):
        make_mask(config_of(kind, 4, 129), (8, 128), seed=1)


def test_a_random_mask_may_be_all_centre() -> None:
    assert bool(make_mask(config_of("random", 4, 128), (8, 128), seed=1).all())


@pytest.mark.parametrize("seed", [2**32, (1, -1)])
def test_seeds_that_the_package_has_not_are_refused(seed: int | tuple[int, ...]) -> None:
    with pytest.raises(
        ValueError, match=r"^seed: expected 0 to 2\^32 - 1 for fastMRI's masks, got"
    ):
        fastmri_generator(seed)
