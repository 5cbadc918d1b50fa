from pathlib import Path

import ismrmrd
import numpy as np
import pytest
from numpy.typing import NDArray
from raw_sources import acquisition, header, save_fastmri, save_mrd

from mrirecon.data import inspect_source
from mrirecon.data.findings import Inspection

ROWS, COLS = 48, 40


def smooth_kspace(n_coils: int = 2) -> NDArray:
    """Make k-space (coils, rows, cols) of discs with a little noise, strongest at n // 2."""
    rng = np.random.default_rng(0)
    rows, cols = np.mgrid[-1 : 1 : ROWS * 1j, -1 : 1 : COLS * 1j]
    disc = (np.hypot(rows, cols) < 0.7) * np.arange(1, n_coils + 1)[:, None, None]
    noisy = disc + 0.1 * rng.normal(size=(n_coils, ROWS, COLS, 2)).view(complex)[..., 0]
    axes = (-2, -1)
    spectrum = np.fft.fft2(np.fft.ifftshift(noisy, axes=axes), norm="ortho")
    return np.fft.fftshift(spectrum, axes=axes).astype(np.complex64)


def texts(found: Inspection, check: str) -> list[tuple[str, str]]:
    """Give severity and text of the findings of one check."""
    return [(each.severity, each.text) for each in found.findings if each.check == check]


def test_sound_kspace_has_a_ratio_and_no_finding(tmp_path: Path) -> None:
    save_fastmri(tmp_path / "a.h5", kspace=smooth_kspace()[None])

    found = inspect_source(tmp_path)

    (report,) = found.kspace
    assert (report.n_coils, report.shape, report.acceleration) == (2, (ROWS, COLS), 1.0)
    assert report.peak == (0, 0)
    assert report.snr.method.startswith("edge of k-space")
    assert found.problems == ()
    odd = {"centre", "acceleration", "noise", "transform", "JPEG"}
    assert odd.isdisjoint(finding.check for finding in found.findings)


def test_the_acceleration_of_undersampled_files_is_measured(tmp_path: Path) -> None:
    mask = np.arange(COLS) % 4 == 0
    kspace = smooth_kspace()[None] * mask
    save_fastmri(tmp_path / "a.h5", kspace=kspace, mask=mask)
    save_fastmri(tmp_path / "b.h5", kspace=kspace)

    found = inspect_source(tmp_path)

    assert [report.acceleration for report in found.kspace] == [4.0, 4.0]
    assert texts(found, "acceleration") == [
        ("note", f"{name}: k-space is undersampled, 4.00x as measured") for name in "ab"
    ]
    assert found.problems == ("2 files cannot be read",)


def test_kspace_that_begins_with_its_centre_is_a_problem(tmp_path: Path) -> None:
    shifted = np.fft.ifftshift(smooth_kspace(), axes=(-2, -1))
    save_fastmri(tmp_path / "a.h5", kspace=shifted[None])

    ((severity, text),) = texts(inspect_source(tmp_path), "centre")

    assert severity == "problem"
    assert "a: k-space begins with its centre (index 0)" in text


def test_a_centre_elsewhere_is_noted_and_one_of_an_echo_a_little_off_is_not(
    tmp_path: Path,
) -> None:
    save_fastmri(tmp_path / "a.h5", kspace=np.roll(smooth_kspace(), (7, -4), (1, 2))[None])
    save_fastmri(tmp_path / "b.h5", kspace=np.roll(smooth_kspace(), (2, 1), (1, 2))[None])

    assert texts(inspect_source(tmp_path), "centre") == [
        (
            "note",
            "a: k-space is strongest +7 rows and -4 cols from its centre (n // 2): calibration "
            "lines may miss it",
        )
    ]


def test_kspace_whose_signs_alternate_makes_halved_images(tmp_path: Path) -> None:
    signs = (-1.0) ** np.add.outer(np.arange(ROWS), np.arange(COLS))
    save_fastmri(tmp_path / "a.h5", kspace=(smooth_kspace() * signs)[None])

    ((severity, text),) = texts(inspect_source(tmp_path), "transform")

    assert severity == "note"
    assert text.startswith("a: the object lies at the edges along cols and rows")


def test_a_noise_scan_gives_a_ratio_that_can_be_low(tmp_path: Path) -> None:
    kspace = smooth_kspace()
    values = np.random.default_rng(1).normal(size=(2, 400, 2)).view(complex)[..., 0]
    scan = acquisition(values, 0, flag=ismrmrd.ACQ_IS_NOISE_MEASUREMENT)
    lines = [acquisition(kspace[..., col], col) for col in range(COLS)]
    save_mrd(tmp_path / "a.h5", header((ROWS, COLS), (ROWS, COLS)), [scan, *lines])

    found = inspect_source(tmp_path)

    (report,) = found.kspace
    assert report.snr.method == "noise scan"
    assert report.snr.value == pytest.approx(1.6, abs=0.8)  # discs of 1 and 2, noise of 1
    ((_, text),) = texts(found, "noise")
    assert "signal-to-noise ratio below 10" in text


def test_trajectories_are_told_of_and_have_no_acceleration(tmp_path: Path) -> None:
    stored = np.random.default_rng(0).random((20, 2)).astype(np.float32)
    line = ismrmrd.Acquisition.from_array(np.ones((2, 20), np.complex64), stored)
    save_mrd(tmp_path / "a.h5", header((16, 16), (16, 16), trajectory="radial"), [line])

    found = inspect_source(tmp_path)

    assert str(found.kspace[0]) == "a: 2 coils of 20 samples"
    assert "expected a Cartesian trajectory" in next(iter(found.unreadable.values()))
