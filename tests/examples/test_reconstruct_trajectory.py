"""The example as a person would call it, on spokes of eight simulated coils."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mrirecon import Nufft
from mrirecon.sampling import radial_trajectory

ROOT = Path(__file__).parents[2]
N_SPOKES, N_SAMPLES, N_COILS, SHAPE = 12, 64, 8, (32, 32)


@pytest.fixture
def scan(tmp_path: Path) -> tuple[Path, Tensor]:
    """Write a scan of smooth coils around a disc with stripes; give its file and the disc."""
    row, col = torch.meshgrid(*[torch.linspace(-1, 1, n) for n in SHAPE], indexing="ij")
    image = (row**2 + col**2 < 0.6) * (1 + 0.5 * torch.cos(9 * row))
    turns = 2 * torch.pi * torch.arange(N_COILS)[:, None, None] / N_COILS
    distance = (row - torch.sin(turns)) ** 2 + (col - torch.cos(turns)) ** 2
    maps = torch.exp(-distance + 1j * (row * torch.cos(turns)))
    maps = (maps / torch.linalg.vector_norm(maps, dim=0)).to(torch.complex64)
    coords = radial_trajectory(N_SPOKES, N_SAMPLES, SHAPE)
    kspace = Nufft(coords, SHAPE, 1e-5)((maps * image)[None])[0]
    by_readout = (N_SPOKES, N_SAMPLES)
    path = tmp_path / "scan.npz"
    per_pixel = coords / torch.tensor(SHAPE)
    np.savez(
        path,
        kdata=kspace.unflatten(-1, by_readout).numpy(),
        coords=coords.unflatten(0, by_readout).numpy(),
        traj=per_pixel.unflatten(0, by_readout).numpy(),
    )
    return path, image


def call(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "examples" / "reconstruct_trajectory.py"
    arguments = (path, "--size", "32", "32", "--out", path.parent / "image.npy", *options)
    return subprocess.run(
        [sys.executable, *map(str, (script, *arguments)), "--kspace", "kdata"],
        check=False,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )


def reconstruct(path: Path, *options: str) -> np.ndarray:
    result = call(path, *options)
    assert result.returncode == 0, result.stderr
    return np.abs(np.load(path.parent / "image.npy"))


def test_sense_is_closer_to_the_object_than_gridding(scan: tuple[Path, Tensor]) -> None:
    path, image = scan
    gridded = reconstruct(path, "--method", "gridding")
    solved = reconstruct(path, "--unit", "pixel", "--coords", "traj")
    errors = [np.linalg.norm(x - image.numpy()) / image.norm().item() for x in (gridded, solved)]
    assert errors[1] < 0.5 * errors[0]
    assert errors[1] < 0.15


def test_coordinates_in_another_unit_are_refused(scan: tuple[Path, Tensor]) -> None:
    path, _ = scan
    result = call(path, "--unit", "pixel")  # they are in cycles per field of view
    assert result.returncode != 0
    assert "coords: expected up to n / 2 cycles per field of view, got 512" in result.stderr
    assert not (path.parent / "image.npy").exists()


def test_voronoi_weights_keep_the_scale_of_the_object(scan: tuple[Path, Tensor]) -> None:
    path, image = scan
    gridded = reconstruct(path, "--method", "gridding", "--weights", "voronoi")
    inside = image.numpy() > 0
    ratio = gridded[inside].mean() / image.numpy()[inside].mean()
    assert 1 < ratio < 1.05  # 0.98 by iteration, which weighs no sample more than 1
