from pathlib import Path

import numpy as np
import pytest
import torch
from raw_sources import acquisition, coil_kspace, header, save_cfl, save_fastmri, save_mrd

from mrirecon.data import read_source
from mrirecon.data.kspace_file import read_kspace
from mrirecon.data.readers import ArrayOptions
from mrirecon.data.readers.plain_files import write_images


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


def test_mrd_bart_and_npz_give_the_same_kspace(tmp_path: Path) -> None:
    kspace = full().astype(np.complex64)
    kspace[:, 3] = 0
    lines = [acquisition(kspace[None, :, col], col) for col in range(10) if col != 3]
    files = [
        save_mrd(tmp_path / "a.h5", header((12, 10), (12, 10)), lines),
        save_cfl(tmp_path / "b.cfl", kspace, dimensions=[0, 1]),
        tmp_path / "c.npz",
        save(tmp_path, kspace.T),
    ]
    np.savez(files[2], kspace)

    for file in files:
        options = ArrayOptions(axes=("cols", "rows")) if file.suffix == ".npy" else None
        found = read_kspace(file, options)
        np.testing.assert_array_equal(found.kspace[0, 0], kspace)
        assert found.mask is not None
        assert found.mask.nonzero().flatten().tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_one_of_several_volumes_is_chosen_by_name(tmp_path: Path) -> None:
    lines = [
        acquisition((1 + repetition) * full()[None, :, col], col, repetition=repetition)
        for repetition in (0, 1)
        for col in range(10)
    ]
    file = save_mrd(tmp_path / "a.h5", header((12, 10), (12, 10)), lines)

    with pytest.raises(ValueError, match=r"a\.h5: expected k-space of one volume, got 2 \(a/repet"):
        read_kspace(file)
    with pytest.raises(ValueError, match=r"volume: expected one of a/repetition_0, .* got 'b'"):
        read_kspace(file, volume="b")
    found = read_kspace(file, volume="a/repetition_1")
    np.testing.assert_allclose(found.kspace[0, 0], 2 * full(), rtol=1e-6)


def test_coils_sizes_and_the_mask_of_a_fastmri_file_are_kept(tmp_path: Path) -> None:
    kspace, _ = coil_kspace(0, 3, 16, 12)
    mask = np.arange(12) % 3 == 0
    file = save_fastmri(
        tmp_path / "a.h5",
        kspace=(kspace * mask)[None],
        mask=mask,
        ismrmrd_header=header((16, 12), (8, 12)),
    )

    found = read_kspace(file)

    np.testing.assert_array_equal(found.kspace[0], kspace * mask)
    assert found.mask is not None
    np.testing.assert_array_equal(found.mask, mask)
    assert (found.image_shape, found.grid_shape) == ((8, 12), (16, 12))
    assert found.voxel_size == (5.0, 1.0, 1.0)
    with pytest.raises(ValueError, match=r"b\.h5: mask: expected \(12,\), got \(11,\)"):
        read_kspace(save_fastmri(tmp_path / "b.h5", kspace=kspace[None], mask=mask[1:]))


@pytest.mark.parametrize("shape", [(1, 4, 5), (4, 5)])
def test_images_are_written_with_or_without_slices(tmp_path: Path, shape: tuple[int, ...]) -> None:
    write_images(tmp_path / "out.npy", np.ones(shape, np.float32))
    assert np.load(tmp_path / "out.npy").shape == shape


def test_nifti_keeps_values_and_voxel_size_and_reads_back_as_written(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((3, 4, 5)).astype(np.float32)
    out = tmp_path / "out.nii.gz"

    write_images(out, images, (5.0, 1.0, 2.0))

    subject = read_source(out).subjects[0]
    np.testing.assert_array_equal(subject.read_volume(), images)
    assert subject.voxel_size == (5.0, 1.0, 2.0)
    assert "no orientation is stored" in subject.notes[0]


def test_png_keeps_one_slice_to_sixteen_bits(tmp_path: Path) -> None:
    image = np.random.default_rng(0).random((1, 4, 5)).astype(np.float32)

    write_images(tmp_path / "out.png", image)

    pixels = read_source(tmp_path / "out.png").subjects[0].read_volume()
    assert pixels.dtype == np.uint16
    # Half a step of rounding, and float32's own.
    steps = image / image.max() * 65535
    np.testing.assert_allclose(pixels, steps, rtol=1e-6, atol=0.5 + 65535 * 2**-23)
    with pytest.raises(ValueError, match=r"b\.png: expected one slice for \.png, got 2; use \.nii"):
        write_images(tmp_path / "b.png", np.ones((2, 4, 5), np.float32))
    assert not (tmp_path / "b.png").exists()


def test_a_black_slice_is_a_black_png(tmp_path: Path) -> None:
    write_images(tmp_path / "out.png", np.zeros((4, 5), np.float32))

    assert read_source(tmp_path / "out.png").subjects[0].read_volume().max() == 0
