from dataclasses import replace

import pytest
import torch
from torch import Tensor

from mrirecon import Nufft
from mrirecon.classical import (
    SenseConfig,
    ZeroFilledConfig,
    crop_images,
    get_method,
    reconstruct_scan,
    root_sum_of_squares,
)
from mrirecon.data import low_resolution_phase
from mrirecon.data.kspace_file import KspaceFile
from mrirecon.fourier import fft_centred
from mrirecon.sampling import radial_trajectory

SHAPE = (48, 40)
CPU = torch.device("cpu")
SENSE = SenseConfig(regularisation=1e-4, n_iterations=60)


def make_coil_images(slices: int = 2, coils: int = 4) -> Tensor:
    """Textured discs under smooth coils, complex64, (slices, coils, rows, cols)."""
    rows, cols = torch.meshgrid(*[torch.linspace(-1, 1, n) for n in SHAPE], indexing="ij")
    disc = (rows.hypot(cols) < 0.8).float()
    image = torch.stack([
        disc * (1 + 0.5 * torch.cos(9 * rows + i) * torch.cos(11 * cols)) for i in range(slices)
    ])  # fmt: skip
    angles = torch.arange(coils) * 2 * torch.pi / coils
    maps = torch.stack([
        torch.exp(1j * (a + rows)) * (1.5 + torch.cos(a) * rows + torch.sin(a) * cols)
        for a in angles
    ])  # fmt: skip
    return (image[:, None] * maps).to(torch.complex64)


def line_mask(lines: int = 12, n: int = SHAPE[1], first: int = 0) -> Tensor:
    """Every second line and a block at the centre."""
    places = torch.arange(n)
    return (places % 2 == first) | ((places - n // 2 + 0.5).abs() < lines / 2)


def measure(images: Tensor, mask: Tensor | None) -> KspaceFile:
    kspace = fft_centred(images)
    if mask is not None:
        kspace = kspace * (mask[:, None] if mask.ndim == 3 else mask)
    return KspaceFile(kspace, mask, has_slices=True, image_shape=SHAPE, grid_shape=SHAPE)


def error(found: Tensor, images: Tensor) -> float:
    target = root_sum_of_squares(images)[:, 0]
    return float((found - target).norm() / target.norm())


@pytest.mark.parametrize("kind", ["full", "lines", "lines of rows", "by slice"])
def test_maps_from_the_scan_itself_unfold_it(kind: str) -> None:
    images = make_coil_images(6)
    masks = {
        "full": None,
        "lines": line_mask(),
        "lines of rows": line_mask(n=SHAPE[0])[:, None],
        "by slice": torch.stack([line_mask(first=i % 2).expand(SHAPE) for i in range(6)]),
    }
    scan = measure(images, masks[kind])
    found = error(reconstruct_scan(scan, SENSE, CPU), images)
    zero_filled = error(reconstruct_scan(scan, ZeroFilledConfig(), CPU), images)
    if kind == "full":
        assert zero_filled < 1e-5
        assert found < 0.03  # maps of 24 x 24 samples are not quite the coils'
    else:
        assert found < 0.5 * zero_filled


@pytest.mark.parametrize("method", ["zero-filled", "sense", "cg-sense", "tv", "wavelet"])
@pytest.mark.parametrize("coils", [1, 4])
def test_every_method_reconstructs_spokes(method: str, coils: int) -> None:
    images = make_coil_images(2, coils)
    coords = radial_trajectory(60, 80, SHAPE)
    scan = KspaceFile(
        Nufft(coords, SHAPE, 1e-4)(images),
        mask=None,
        has_slices=True,
        image_shape=(24, 20),
        grid_shape=SHAPE,
        coords=coords,
    )
    found = reconstruct_scan(scan, get_method(method), CPU)
    assert found.shape == (2, 24, 20)
    assert error(found, crop_images(images, (24, 20))) < 0.1
    moved = replace(scan, coords=torch.stack([coords, coords]))
    torch.testing.assert_close(reconstruct_scan(moved, get_method(method), CPU), found)


def test_noise_scans_whiten_the_coils() -> None:
    """A coil of a hundred times the noise, beside which nothing is lost once it is white."""
    torch.manual_seed(0)
    images, levels = make_coil_images(1), torch.tensor([1.0, 1, 1, 100]).view(-1, 1, 1)
    scan = measure(images, None)
    noisy = replace(scan, kspace=scan.kspace + 0.01 * levels * torch.randn_like(scan.kspace))
    noise = 0.01 * levels[:, 0] * torch.randn(4, 1000, dtype=torch.complex64)
    white = replace(noisy, noise=noise)
    target = root_sum_of_squares(images[:, :3])[:, 0]

    def normalised(scan: KspaceFile) -> float:
        found = reconstruct_scan(scan, SENSE, CPU)
        cosine = (found * target).sum() / (found.norm() * target.norm())
        return float(1 - cosine)

    assert normalised(white) < 0.3 * normalised(noisy)


def test_a_small_centre_and_3d_trajectories_are_refused() -> None:
    scan = measure(make_coil_images(1), line_mask(6))
    with pytest.raises(
        ValueError, match=r"kspace: expected a fully measured centre of 8 x 8 .*24 x"
    ):
        reconstruct_scan(scan, SENSE, CPU)
    deep = replace(scan, grid_shape=(4, *SHAPE))
    with pytest.raises(ValueError, match="coords: expected a 2-D trajectory, got 3-D"):
        reconstruct_scan(deep, SENSE, CPU)


def test_crops_keep_the_centre() -> None:
    image = torch.zeros(1, 9, 8)
    image[0, 4, 4] = 1
    cropped = crop_images(image, (4, 100))
    assert cropped.shape == (1, 4, 8)
    assert cropped[0, 2, 4] == 1


def test_the_phase_of_a_smooth_image_is_found() -> None:
    rows = torch.linspace(-1, 1, SHAPE[0])[:, None]
    image = torch.exp(0.8j * rows) * torch.rand(1, 1, *SHAPE).add(1)
    phase = low_resolution_phase(image)
    torch.testing.assert_close(phase.abs(), torch.ones(1, 1, *SHAPE))
    within = slice(8, -8)  # at the edges the phase jumps, since the image is periodic
    assert (phase / image.sgn() - 1)[..., within, :].abs().mean() < 0.05
