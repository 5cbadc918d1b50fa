"""Measured k-space in a store: complex images of every coil."""

from pathlib import Path

import numpy as np
import pytest
import torch
from raw_sources import coil_kspace, header, save_cfl, save_fastmri
from sources import random_pixels, save_subjects

from mrirecon.data import ArrayOptions, PrepareConfig, SliceDataset, SliceStore, prepare
from mrirecon.fourier import fft_centred

COMPLEX = PrepareConfig(splits="test", keep="complex")
EPS = np.finfo(np.float32).eps


def measured(n_slices: int = 2, n_coils: int = 3, rows: int = 8, cols: int = 10) -> np.ndarray:
    """Make k-space of several slices: (slices, coils, rows, cols)."""
    return np.stack([coil_kspace(seed, n_coils, rows, cols)[0] for seed in range(n_slices)])


def test_the_kspace_of_a_store_is_the_measured_one(tmp_path: Path) -> None:
    kspace = measured()
    save_fastmri(tmp_path / "knee.h5", kspace=kspace, patient_id="p")

    prepare(tmp_path / "knee.h5", tmp_path / "store.h5", COMPLEX)

    with SliceStore(tmp_path / "store.h5") as store:
        assert (store.dtype, store.shapes) == (np.complex64, ((3, 8, 10),))
        assert store.is_complex
        assert not store.is_simulated
        assert store.provenance["origins"] == {"images of measured k-space of 3 coils": 1}
        batch = next(SliceDataset(store, "test").batches(2))
        stored = fft_centred(batch.images).numpy()
        np.testing.assert_allclose(stored, kspace, atol=10 * EPS * np.abs(kspace).max())
        largest = max(coil_kspace(seed, 3, 8, 10)[1].max() for seed in range(2))
        assert store.subjects[0].scale == pytest.approx(largest, rel=1e-5)
    with SliceStore(prepare(tmp_path / "knee.h5", tmp_path / "m.h5", TEST).path) as store:
        assert store.is_simulated


TEST = PrepareConfig(splits="test")


def test_readout_oversampling_goes_and_every_phase_encoding_stays(tmp_path: Path) -> None:
    kspace = measured(1, 2, 16, 10)
    xml = header((16, 10), (8, 6))
    save_fastmri(tmp_path / "knee.h5", kspace=kspace, ismrmrd_header=np.bytes_(xml))

    prepare(tmp_path / "knee.h5", tmp_path / "store.h5", COMPLEX)

    with SliceStore(tmp_path / "store.h5") as store:
        assert store.shapes == ((2, 8, 10),)
        images = torch.from_numpy(store.read_rows([0]))
        lines = torch.fft.ifftshift(fft_centred(images, (-1,)), (-2,))  # (readout, phase)
        rows = torch.from_numpy(kspace)
        expected = torch.fft.fftshift(
            torch.fft.ifft(torch.fft.ifftshift(rows, (-2,)), dim=-2, norm="ortho"), (-2,)
        )
        torch.testing.assert_close(
            torch.fft.fftshift(lines, (-2,)), expected[..., 4:12, :], atol=50 * EPS, rtol=0
        )


def test_a_file_with_a_target_still_gives_its_kspace(tmp_path: Path) -> None:
    kspace = measured(2)
    target = np.ones((2, 8, 6), np.float32)
    save_fastmri(tmp_path / "knee.h5", kspace=kspace, reconstruction_rss=target)

    prepare(tmp_path / "knee.h5", tmp_path / "store.h5", COMPLEX)

    with SliceStore(tmp_path / "store.h5") as store:
        assert store.shapes == ((3, 8, 10),)


def test_files_with_other_numbers_of_coils_are_other_buckets(tmp_path: Path) -> None:
    for n_coils in (2, 4):
        save_fastmri(tmp_path / "in" / f"{n_coils}.h5", kspace=measured(2, n_coils))

    prepare(tmp_path / "in", tmp_path / "store.h5", COMPLEX)

    with SliceStore(tmp_path / "store.h5") as store:
        assert store.shapes == ((2, 8, 10), (4, 8, 10))
        shapes = [tuple(b.images.shape) for b in SliceDataset(store, "test").batches(3)]
        assert shapes == [(2, 2, 8, 10), (2, 4, 8, 10)]


@pytest.mark.parametrize("kind", ["npy", "cfl"])
def test_complex_images_and_kspace_of_arrays_are_kept(tmp_path: Path, kind: str) -> None:
    images = coil_kspace(0, 2, 8, 10)[0]
    if kind == "npy":
        np.save(tmp_path / "a.npy", images)
        arrays = ArrayOptions("image", axes=("coils", "rows", "cols"))
    else:
        save_cfl(tmp_path / "a.cfl", images, (3, 0, 1))
        arrays = ArrayOptions("kspace")
    config = PrepareConfig(splits="test", keep="complex", arrays=arrays)

    prepare(tmp_path / f"a.{kind}", tmp_path / "store.h5", config)

    with SliceStore(tmp_path / "store.h5") as store:
        assert store.is_simulated == (kind == "npy")
        kept = torch.from_numpy(store.read_rows([0])[0])
        wanted = kept if kind == "npy" else fft_centred(kept)
        np.testing.assert_allclose(wanted.numpy(), images, atol=20 * EPS)


def test_magnitudes_have_no_complex_images(tmp_path: Path) -> None:
    source = save_subjects(tmp_path / "in", n_subjects=1, n_slices=1)
    with pytest.raises(
        ValueError, match=r"P1_1\.png: expected k-space or complex images.*magnitude"
    ):
        prepare(source, tmp_path / "store.h5", COMPLEX)
    np.save(tmp_path / "a.npy", random_pixels(1))
    config = PrepareConfig(splits="test", keep="complex", arrays=ArrayOptions("image"))
    with pytest.raises(ValueError, match=r"a\.npy: expected k-space or complex images"):
        prepare(tmp_path / "a.npy", tmp_path / "store.h5", config)


def test_undersampled_kspace_is_no_target(tmp_path: Path) -> None:
    kspace = measured(1)
    kspace[..., 1::2] = 0
    save_fastmri(tmp_path / "knee.h5", kspace=kspace)

    with pytest.raises(ValueError, match=r"knee\.h5: expected fully sampled k-space"):
        prepare(tmp_path / "knee.h5", tmp_path / "store.h5", COMPLEX)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": "kspace"}, "keep: expected magnitude or complex, got 'kspace'"),
        ({"keep": "complex", "size": (4, 4)}, "size: expected none with keep complex"),
    ],
)
def test_wrong_options_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PrepareConfig(**options)
