from pathlib import Path

import h5py
import ismrmrd
import numpy as np
import pytest
from numpy.typing import NDArray
from raw_sources import acquisition, coil_kspace, header, save_mrd

from mrirecon.data import read_source

ROWS, COLS = 16, 12
XML = header((ROWS, COLS), (ROWS // 2, COLS))


def lines(kspace: NDArray, **settings: int) -> list[ismrmrd.Acquisition]:
    """Make an acquisition of each line of (coils, rows, cols)."""
    return [acquisition(kspace[..., line], line, **settings) for line in range(kspace.shape[-1])]


def test_oversampling_is_removed_and_lines_go_where_their_counters_say(tmp_path: Path) -> None:
    kspace, image = coil_kspace(0, 3, ROWS, COLS)
    shuffled = np.random.default_rng(0).permutation(np.array(lines(kspace), dtype=object)).tolist()
    save_mrd(tmp_path / "scan.mrd", XML, shuffled)

    (subject,) = read_source(tmp_path).subjects

    np.testing.assert_allclose(subject.read_volume()[0], image[4:12], rtol=1e-5)
    assert (subject.name, subject.person) == ("scan", "patient_9")
    assert subject.voxel_size == (5.0, 1.0, 1.0)
    assert subject.notes == ()


def test_slices_lie_in_the_order_of_their_positions(tmp_path: Path) -> None:
    pairs = [coil_kspace(seed, 2, ROWS, COLS) for seed in range(3)]
    acquired = [
        line
        for number, z in enumerate([0, 14, 7])
        for line in lines(pairs[number][0], slice=number, z=z)
    ]
    save_mrd(tmp_path / "scan.h5", XML, acquired)

    (subject,) = read_source(tmp_path).subjects

    expected = [pairs[number][1][4:12] for number in (0, 2, 1)]
    np.testing.assert_allclose(subject.read_volume(), expected, rtol=1e-5)
    assert subject.voxel_size == (7.0, 1.0, 1.0)


def test_noise_and_navigators_are_left_out_and_averages_averaged(tmp_path: Path) -> None:
    kspace, image = coil_kspace(0, 2, ROWS, COLS)
    noise = acquisition(np.ones((2, 5)), 0, flag=ismrmrd.ACQ_IS_NOISE_MEASUREMENT)
    navigator = acquisition(np.ones((2, ROWS)), 3, flag=ismrmrd.ACQ_IS_NAVIGATION_DATA)
    twice = [*lines(kspace * 0.5), *lines(kspace * 1.5, average=1)]
    save_mrd(tmp_path / "scan.h5", XML, [noise, navigator, *twice])

    np.testing.assert_allclose(
        read_source(tmp_path).subjects[0].read_volume()[0], image[4:12], rtol=1e-5
    )


def test_partial_fourier_and_partial_echo_are_filled_with_zeros_about_the_centre(
    tmp_path: Path,
) -> None:
    """Lines 0 to 7 hold columns 4 to 11, and samples 0 to 12 of a line rows 3 to 15."""
    kspace, _ = coil_kspace(0, 2, ROWS, COLS)
    kspace[..., :4] = 0
    kspace[:, :3] = 0
    measured = [
        acquisition(kspace[:, 3:, line + 4], line, center_sample=ROWS // 2 - 3) for line in range(8)
    ]
    xml = header((ROWS, COLS), (ROWS, COLS), centre=2, last=7)
    save_mrd(tmp_path / "scan.h5", xml, measured)

    (subject,) = read_source(tmp_path).subjects

    images = np.fft.fftshift(
        np.fft.ifft2(np.fft.ifftshift(kspace, axes=(1, 2)), norm="ortho"), axes=(1, 2)
    )
    expected = np.sqrt((np.abs(images) ** 2).sum(axis=0))
    np.testing.assert_allclose(subject.read_volume()[0], expected, rtol=1e-4, atol=1e-6)
    assert "3 + 0 rows, 4 + 0 cols" in subject.notes[0]


def test_discarded_samples_are_not_used(tmp_path: Path) -> None:
    kspace, _ = coil_kspace(0, 1, ROWS, COLS)
    acquired = lines(kspace, discard_pre=2, discard_post=1)
    save_mrd(tmp_path / "scan.h5", XML, acquired)

    assert "2 + 1 rows, 0 + 0 cols" in read_source(tmp_path).subjects[0].notes[0]


def test_the_scanners_interpolated_size_is_not_taken_over(tmp_path: Path) -> None:
    kspace, _ = coil_kspace(0, 1, ROWS, COLS)
    xml = header((ROWS, COLS), (32, 32), encoded_fov=(48, 36), shown_fov=(24, 36))
    save_mrd(tmp_path / "scan.h5", xml, lines(kspace))

    (subject,) = read_source(tmp_path).subjects

    assert subject.headers()[0].shape == (8, 12)
    assert subject.voxel_size == (5.0, 3.0, 3.0)


def test_repetitions_and_contrasts_are_subjects_of_one_person(tmp_path: Path) -> None:
    pairs = [coil_kspace(seed, 1, ROWS, COLS) for seed in range(2)]
    acquired = [
        *lines(pairs[0][0], repetition=0, contrast=3),
        *lines(pairs[1][0], repetition=2, contrast=3),
    ]
    save_mrd(tmp_path / "scan.h5", XML, acquired)

    subjects = read_source(tmp_path).subjects

    assert [(subject.name, subject.person) for subject in subjects] == [
        ("scan/repetition_0", "patient_9"),
        ("scan/repetition_2", "patient_9"),
    ]
    np.testing.assert_allclose(subjects[1].read_volume()[0], pairs[1][1][4:12], rtol=1e-5)


def test_what_would_be_placed_wrongly_is_refused(tmp_path: Path) -> None:
    kspace, _ = coil_kspace(0, 2, ROWS, COLS)
    whole = lines(kspace)
    cases = [
        (XML, whole[::2], "expected fully sampled k-space"),
        (XML, [*whole, acquisition(kspace[:1, :, 0], 0)], "expected one encoding and number of"),
        (XML, [*whole, acquisition(kspace[..., 0], 40)], "expected lines within 12 about"),
        (XML, [*whole, acquisition(np.ones((2, 40)), 0)], "expected 16 samples of a line at most"),
        (XML, lines(kspace, flag=ismrmrd.ACQ_IS_NOISE_MEASUREMENT), "expected acquisitions of an"),
        (header((ROWS, COLS), (ROWS, COLS), depth=8), whole, "of the phase encodings"),
        (header((ROWS, COLS), (ROWS, COLS), depth=800), whole, "expected at least one line in 64"),
    ]
    for number, (xml, acquired, message) in enumerate(cases):
        file = save_mrd(tmp_path / f"{number}.h5", xml, acquired)
        with pytest.raises(ValueError, match=rf"{number}\.h5: .*{message}"):
            read_source(file).subjects[0].read_volume()


@pytest.mark.parametrize("options", [{"chunks": (5,)}, {}, {"chunks": (1,), "compression": "gzip"}])
def test_headers_are_read_from_every_layout_of_the_table(
    tmp_path: Path, options: dict[str, object]
) -> None:
    """Selecting a field once read all samples, and their memory was never given back."""
    kspace, image = coil_kspace(0, 2, ROWS, COLS)
    file = save_mrd(tmp_path / "scan.h5", XML, lines(kspace))
    with h5py.File(file, "a") as opened:
        table = opened["dataset/data"][()]
        del opened["dataset/data"]
        opened["dataset"].create_dataset("data", data=table, dtype=table.dtype, **options)

    (subject,) = read_source(file).subjects

    np.testing.assert_allclose(subject.read_volume()[0], image[4:12], rtol=1e-5)


def test_a_damaged_header_is_reported_when_the_file_is_read(tmp_path: Path) -> None:
    kspace, _ = coil_kspace(0, 2, ROWS, COLS)
    file = save_mrd(tmp_path / "scan.h5", XML, lines(kspace))
    with h5py.File(file, "a") as opened:
        opened["dataset/xml"][0] = b"<ismrmrdHeader>"

    (subject,) = read_source(file).subjects

    with pytest.raises(ValueError, match=r"scan\.h5: expected an ISMRMRD header, got an error"):
        subject.read_volume()
