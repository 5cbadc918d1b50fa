from pathlib import Path

import numpy as np
import pytest
import torch

from mrirecon.data.kspace_file import read_kspace, write_images


def save(tmp_path: Path, kspace: np.ndarray) -> Path:
    np.save(tmp_path / "kspace.npy", kspace.astype(np.complex64))
    return tmp_path / "kspace.npy"


def full(rows: int = 12, cols: int = 10) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, cols, 2)).view(complex)[..., 0]


def test_full_kspace_has_no_mask_even_with_chance_zeros(tmp_path: Path) -> None:
    """Zeros among the counts of a real scan once made it look undersampled, by 1.00x."""
    kspace = full()
    assert read_kspace(save(tmp_path, kspace)).mask is None
    kspace[3, 4] = kspace[7, 0] = 0
    assert read_kspace(save(tmp_path, kspace)).mask is None


def test_missing_lines_are_found_along_either_axis(tmp_path: Path) -> None:
    lines = torch.ones(10, dtype=torch.bool)
    lines[[2, 7]] = False
    measured = read_kspace(save(tmp_path, full() * lines.numpy())).mask
    assert measured is not None
    assert torch.equal(measured, lines)
    rows = torch.ones(12, 1, dtype=torch.bool)
    rows[5] = False
    measured = read_kspace(save(tmp_path, full() * rows.numpy())).mask
    assert measured is not None
    assert torch.equal(measured, rows)


def test_missing_points_give_a_mask_of_the_plane(tmp_path: Path) -> None:
    points = np.random.default_rng(1).random((12, 10)) < 0.4
    file = read_kspace(save(tmp_path, full() * points))
    assert file.mask is not None
    assert torch.equal(file.mask, torch.from_numpy(points))
    assert file.kspace.shape == (1, 1, 12, 10)
    assert not file.has_slices


@pytest.mark.parametrize("has_slices", [True, False])
def test_images_are_written_with_or_without_slices(tmp_path: Path, has_slices: bool) -> None:
    images = torch.rand(1, 4, 5)
    write_images(tmp_path / "out.npy", images, has_slices=has_slices)
    assert np.load(tmp_path / "out.npy").shape == ((1, 4, 5) if has_slices else (4, 5))
