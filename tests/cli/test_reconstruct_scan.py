from pathlib import Path

import numpy as np
import pytest
import torch
from command import Command
from raw_sources import save_fastmri

from mrirecon import Nufft
from mrirecon.fourier import fft_centred
from mrirecon.sampling import radial_trajectory

SHAPE = (32, 32)
METHODS = ["zero-filled", "sense", "cg-sense", "tv", "wavelet"]
TRAJECTORY = ["--key", "kdata", "--coords", "traj", "--coords-unit", "pixel", "--size", 32, 32]


def coil_images() -> torch.Tensor:
    """A disc with a wave under four smooth coils, complex64, (1, coils, rows, cols)."""
    rows, cols = torch.meshgrid(*[torch.linspace(-1, 1, n) for n in SHAPE], indexing="ij")
    image = torch.where(rows.hypot(cols) < 0.8, 1 + 0.5 * torch.cos(8 * rows - 5 * cols), 0)
    angles = torch.arange(4) * torch.pi / 2
    maps = torch.stack([1.5 + torch.cos(a) * rows + torch.sin(a) * cols for a in angles])
    return (image * maps * torch.exp(0.5j * rows))[None].to(torch.complex64)


def lines() -> torch.Tensor:
    places = torch.arange(SHAPE[1])
    return (places % 2 == 0) | ((places - 15.5).abs() < 6)


def save_lines(path: Path) -> Path:
    save_fastmri(path, kspace=(fft_centred(coil_images()) * lines()).numpy())
    return path


def save_spokes(path: Path) -> Path:
    coords = radial_trajectory(48, 64, SHAPE)
    kspace = Nufft(coords, SHAPE, 1e-4)(coil_images())[0].view(4, 48, 64)
    np.savez(path, kdata=kspace.numpy(), traj=(coords / 32).view(48, 64, 2).numpy())
    return path


def error(image: np.ndarray) -> float:
    target = coil_images().abs().square().sum(1).sqrt().numpy()
    return float(np.linalg.norm(image - target) / np.linalg.norm(target))


@pytest.mark.parametrize("method", METHODS)
def test_measured_kspace_is_reconstructed_without_a_run(
    mrirecon: Command, tmp_path: Path, method: str
) -> None:
    out = tmp_path / "image.npy"
    scan = save_lines(tmp_path / "scan.h5")
    result = mrirecon("reconstruct", scan, "--method", method, "--out", out)
    assert (result.status, result.err) == (0, "")
    assert "1 slices of 4 coils" in result.out
    assert error(np.load(out)) < (0.5 if method == "zero-filled" else 0.1)
    spokes = save_spokes(tmp_path / "spokes.npz")
    result = mrirecon("reconstruct", spokes, "--method", method, "--out", tmp_path / "radial.npy",
                      *TRAJECTORY)  # fmt: skip
    assert (result.status, result.err) == (0, "")
    assert error(np.load(tmp_path / "radial.npy")) < 0.15


def test_more_regularisation_gives_less_total_variation(mrirecon: Command, tmp_path: Path) -> None:
    scan, out = save_lines(tmp_path / "scan.h5"), tmp_path / "image.npy"
    lengths = []
    for weight in ("0.001", "0.1"):
        arguments = ("--method", "tv", "--regularisation", weight, "--out", out, "--overwrite")
        assert mrirecon("reconstruct", scan, *arguments).status == 0
        lengths.append(np.abs(np.diff(np.load(out))).sum())
    assert lengths[1] < 0.8 * lengths[0]


@pytest.mark.parametrize("kind", ["lines", "spokes"])
def test_a_run_takes_kspace_of_several_coils_and_of_trajectories(
    mrirecon: Command, trained: Path, tmp_path: Path, kind: str
) -> None:
    """The untrained network's image gives way to what was measured by all coils."""
    out = tmp_path / "image.npy"
    if kind == "lines":
        source, said = save_lines(tmp_path / "scan.h5"), []
    else:
        source, said = save_spokes(tmp_path / "spokes.npz"), TRAJECTORY
    result = mrirecon("reconstruct", trained, source, "--out", out, *said)
    assert (result.status, result.err) == (0, "")
    assert "as it was measured" in result.out
    assert error(np.load(out)) < 0.15


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ["--method", "grappa"],
            "method: expected one of zero-filled, homodyne, pocs, sense",
        ),
        ([], "arguments: expected a run and a source, got 1 paths"),
        (
            ["--method", "tv", "--regularisation", "-1"],
            "regularisation: expected 0 or more, got -1",
        ),
        (
            ["--method", "zero-filled", "--regularisation", "1"],
            "--regularisation: expected a --metho",
        ),
        (["--method", "tv", "--size", "32", "32"], "--size: expected with --coords alone"),
        (
            ["--method", "tv", "--coords", "traj"],
            "--coords: expected with --key, --coords-unit, --si",
        ),
        (
            ["--method", "tv", "--coords-unit", "miles"],
            "--coords-unit: expected one of field-of-view",
        ),
        (
            ["--method", "tv", "--contents", "image"],
            "scan.h5: expected k-space for --method, got im",
        ),
    ],
)
def test_options_that_do_not_fit_end_in_one_line(
    mrirecon: Command, tmp_path: Path, arguments: list[str], text: str
) -> None:
    scan = save_lines(tmp_path / "scan.h5")
    result = mrirecon("reconstruct", scan, *arguments, "--out", tmp_path / "image.npy")
    assert result.status == 1
    assert text in result.err
    assert not (tmp_path / "image.npy").exists()
