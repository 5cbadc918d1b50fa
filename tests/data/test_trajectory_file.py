import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mrirecon.data.trajectory_file import TrajectoryOptions, read_trajectory
from mrirecon.sampling import radial_trajectory

OPTIONS = TrajectoryOptions("kdata", "traj", "pixel", (24, 20))
COORDS = radial_trajectory(5, 16, (24, 20)).view(5, 16, 2).double()
SIZES = torch.tensor([24, 20])


def save(path: Path, **changed: np.ndarray) -> Path:
    rng = np.random.default_rng(0)
    kspace = rng.normal(size=(3, 5, 16, 2)).astype(np.float32).view(np.complex64)[..., 0]
    np.savez(path, **({"kdata": kspace, "traj": (COORDS / SIZES).numpy()} | changed))
    return path


@pytest.mark.parametrize(
    ("unit", "coords"),
    [
        ("field-of-view", COORDS),
        ("pixel", COORDS / SIZES),
        ("radian", 2 * math.pi * COORDS / SIZES),
    ],
)
@pytest.mark.parametrize("is_col_first", [False, True])
def test_coordinates_of_every_unit_and_order_become_the_same(
    tmp_path: Path, unit: str, coords: torch.Tensor, is_col_first: bool
) -> None:
    written = coords.flip(-1) if is_col_first else coords
    file = save(tmp_path / "a.npz", traj=written.numpy())
    options = replace(OPTIONS, unit=unit, is_col_first=is_col_first, image_shape=(12, 10))
    read = read_trajectory(file, options)
    assert read.kspace.shape == (1, 3, 80)
    assert (read.grid_shape, read.image_shape, read.mask) == ((24, 20), (12, 10), None)
    expected = torch.remainder(COORDS.flatten(0, 1) + SIZES / 2, SIZES) - SIZES / 2
    torch.testing.assert_close(read.coords, expected.float())


def test_coordinates_just_beyond_the_edge_are_the_same_wave_within(tmp_path: Path) -> None:
    coords = COORDS.clone()
    coords[0, 0] = torch.tensor([12.25, -10.5])
    file = save(tmp_path / "a.npz", traj=(coords / SIZES).numpy())
    read = read_trajectory(file, OPTIONS)
    assert read.coords is not None
    torch.testing.assert_close(read.coords[0], torch.tensor([-11.75, 9.5]))


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (
            {"traj": np.ones((5, 16, 2)) * 3},
            "traj: expected at most n / 2 cycles .* got 72; is the unit",
        ),
        (
            {"traj": np.ones((5, 16, 2)) * 0.01},
            "traj: expected a trajectory that reaches further out",
        ),
        ({"traj": np.ones((5, 15, 2))}, r"traj: expected real \(5, 16, 2\), got float64 \(5, 15, "),
        ({"traj": np.full((5, 16, 2), np.nan)}, "expected finite k-space and coordinates, got NaN"),
        ({"kdata": np.ones((3, 5, 16))}, r"kdata: expected complex \(coils, ..., samples\), got f"),
        ({"kdata": np.zeros((3, 5, 16), complex)}, "expected measured samples, got zeros alone"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_the_files_name(
    tmp_path: Path, changed: dict[str, np.ndarray], text: str
) -> None:
    with pytest.raises(ValueError, match=rf"a\.npz: {text}"):
        read_trajectory(save(tmp_path / "a.npz", **changed), OPTIONS)


def test_damaged_files_and_other_names_are_refused(tmp_path: Path) -> None:
    file = save(tmp_path / "a.npz")
    with pytest.raises(ValueError, match=r"a\.npz: expected an array .*coords.*, got none of that"):
        read_trajectory(file, replace(OPTIONS, coords="coords"))
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"a\.npz: expected an \.npz, got a damaged file"):
        read_trajectory(file, OPTIONS)
    with pytest.raises(FileNotFoundError):
        read_trajectory(tmp_path / "b.npz", OPTIONS)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (
            {"unit": "per-metre"},
            "unit: expected one of field-of-view, pixel, radian, got 'per-metr",
        ),
        ({"grid_shape": (0, 4)}, r"grid_shape: expected sizes of 1 or more, got \(0, 4\)"),
    ],
)
def test_options_that_describe_no_trajectory_are_refused(
    changed: dict[str, object], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        replace(OPTIONS, **changed)  # type: ignore[arg-type]
