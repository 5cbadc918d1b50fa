"""MRD files beyond full slices: coils, noise, 3-D encoding, EPI, radial and spiral trajectories."""

import math
from pathlib import Path

import ismrmrd
import numpy as np
import pytest
import torch
from ismrmrd.xsd import (
    trajectoryDescriptionType,
    userParameterDoubleType,
    userParameterLongType,
)
from numpy.typing import NDArray
from raw_sources import acquisition, coil_kspace, header, save_mrd

from mrirecon import Nufft
from mrirecon.data import read_source
from mrirecon.data.kspace_file import CoordsUnit, read_kspace

ROWS, COLS, DEPTH = 16, 12, 6


def centred(values: NDArray, axes: tuple[int, ...], *, inverse: bool = False) -> NDArray:
    """Transform with the centre at n // 2, by NumPy."""
    transform = np.fft.ifftn if inverse else np.fft.fftn
    shifted = np.fft.ifftshift(values, axes=axes)
    return np.fft.fftshift(transform(shifted, axes=axes, norm="ortho"), axes=axes)


def block_kspace(n_coils: int = 2) -> NDArray:
    """Draw 3-D k-space (depth, coils, rows, cols)."""
    return np.stack([coil_kspace(seed, n_coils, ROWS, COLS)[0] for seed in range(DEPTH)])


def block_lines(kspace: NDArray, taken: NDArray | None = None) -> list[ismrmrd.Acquisition]:
    """Make an acquisition for each place (depth, cols), or those taken."""
    return [
        acquisition(kspace[plane, :, :, col], col, kspace_encode_step_2=plane)
        for plane in range(DEPTH)
        for col in range(COLS)
        if taken is None or taken[plane, col]
    ]


def test_coils_noise_and_lines_that_were_left_out_are_kept(tmp_path: Path) -> None:
    """A sample of 0 by chance counts as measured, since the file counts its lines."""
    kspace, _ = coil_kspace(0, 3, ROWS, COLS)
    kspace[:, 2, 3] = 0
    taken = np.arange(COLS) % 4 != 1
    noise = acquisition(np.full((3, 20), 2), 0, flag=ismrmrd.ACQ_IS_NOISE_MEASUREMENT)
    lines = [acquisition(kspace[..., col], col) for col in np.flatnonzero(taken).tolist()]
    noise.sample_time_us = 16
    for line in lines:
        line.sample_time_us = 4
    file = save_mrd(tmp_path / "a.h5", header((ROWS, COLS), (8, COLS)), [noise, *lines])

    found = read_kspace(file)

    np.testing.assert_array_equal(found.kspace[0], kspace * taken)
    assert found.mask is not None
    np.testing.assert_array_equal(found.mask, taken)
    assert (found.image_shape, found.grid_shape) == ((8, COLS), (ROWS, COLS))
    assert found.coords is None
    assert found.noise is not None
    np.testing.assert_array_equal(found.noise, np.full((3, 20), 4))  # 2 sqrt(16 / 4)


def test_slices_of_different_lines_have_masks_of_their_own(tmp_path: Path) -> None:
    kspace, _ = coil_kspace(0, 1, ROWS, COLS)
    lines = [
        acquisition(kspace[..., col], col, slice=number, z=number)
        for number in (0, 1)
        for col in range(number, COLS, 2)
    ]
    file = save_mrd(tmp_path / "a.h5", header((ROWS, COLS), (ROWS, COLS)), lines)

    mask = read_kspace(file).mask

    assert mask is not None
    np.testing.assert_array_equal(mask[:, 0], [np.arange(COLS) % 2 == n for n in (0, 1)])
    assert mask.shape == (2, ROWS, COLS)


def test_full_3d_kspace_becomes_slices_across_the_second_phase_encoding(tmp_path: Path) -> None:
    kspace = block_kspace()
    xml = header((ROWS, COLS), (ROWS // 2, COLS), depth=DEPTH, shown_depth=DEPTH - 2)
    save_mrd(tmp_path / "a.h5", xml, block_lines(kspace))

    (subject,) = read_source(tmp_path).subjects

    images = centred(kspace, (0, 2, 3), inverse=True)
    expected = np.sqrt((np.abs(images) ** 2).sum(axis=1))[1:5, 4:12]
    np.testing.assert_allclose(subject.read_volume(), expected, rtol=1e-4, atol=1e-6)
    assert subject.voxel_size == pytest.approx((5 / DEPTH, 1, 1))
    assert subject.notes == ()


def test_undersampled_3d_kspace_comes_as_planes_of_both_phase_encodings(tmp_path: Path) -> None:
    kspace = block_kspace()
    taken = np.random.default_rng(0).random((DEPTH, COLS)) < 0.5
    xml = header((ROWS, COLS), (ROWS // 2, COLS), depth=DEPTH)
    file = save_mrd(tmp_path / "a.h5", xml, block_lines(kspace, taken))

    found = read_kspace(file)

    along = centred(kspace * taken[:, None, None], (2,), inverse=True)
    expected = along.transpose(2, 1, 0, 3)[4:12]
    np.testing.assert_allclose(found.kspace, expected, rtol=1e-4, atol=1e-6)
    assert found.mask is not None
    np.testing.assert_array_equal(found.mask, taken)
    assert (found.image_shape, found.grid_shape) == ((DEPTH, COLS), (DEPTH, COLS))
    with pytest.raises(ValueError, match=r"a\.h5: expected fully sampled k-space .* phase encod"):
        read_source(file).subjects[0].read_volume()


def epi_lines(kspace: NDArray, phase: NDArray, *, corrections: int) -> list[ismrmrd.Acquisition]:
    """Read every other line backwards, with an error of phase along the readout."""

    def read(line: NDArray, col: int, *, backwards: bool, **settings: int) -> ismrmrd.Acquisition:
        if not backwards:
            return acquisition(line, col, **settings)
        wrong = centred(centred(line, (-1,), inverse=True) * np.exp(1j * phase), (-1,))
        made = acquisition(wrong[:, ::-1], col, **settings)
        made.center_sample = ROWS - 1 - ROWS // 2
        made.set_flag(ismrmrd.ACQ_IS_REVERSE)
        return made

    centre = kspace[..., COLS // 2]
    navigators = [
        read(centre, 0, backwards=bool(n % 2), flag=ismrmrd.ACQ_IS_PHASECORR_DATA)
        for n in range(corrections)
    ]
    return navigators + [
        read(kspace[..., col], col, backwards=bool(col % 2)) for col in range(COLS)
    ]


def test_epi_lines_are_turned_around_and_their_phase_corrected(tmp_path: Path) -> None:
    kspace, image = coil_kspace(0, 2, ROWS, COLS)
    phase = 0.7 + 0.2 * (np.arange(ROWS) - ROWS // 2)
    xml = header((ROWS, COLS), (ROWS // 2, COLS), trajectory="epi")
    save_mrd(tmp_path / "scan.h5", xml, epi_lines(kspace, phase, corrections=3))

    (subject,) = read_source(tmp_path).subjects

    np.testing.assert_allclose(subject.read_volume()[0], image[4:12], rtol=2e-4)
    assert subject.notes == ()


def test_epi_without_correction_lines_is_read_and_noted(tmp_path: Path) -> None:
    kspace, image = coil_kspace(0, 2, ROWS, COLS)
    xml = header((ROWS, COLS), (ROWS // 2, COLS), trajectory="epi")
    save_mrd(tmp_path / "scan.h5", xml, epi_lines(kspace, np.zeros(ROWS), corrections=0))

    (subject,) = read_source(tmp_path).subjects

    np.testing.assert_allclose(subject.read_volume()[0], image[4:12], rtol=2e-4)
    assert "images may have ghosts" in subject.notes[0]


def test_epi_that_would_be_corrected_wrongly_is_refused(tmp_path: Path) -> None:
    kspace, _ = coil_kspace(0, 2, ROWS, COLS)
    xml = header((ROWS, COLS), (ROWS, COLS), trajectory="epi")
    one_way = save_mrd(tmp_path / "a.h5", xml, epi_lines(kspace, np.zeros(ROWS), corrections=1))
    with pytest.raises(ValueError, match=r"a\.h5: .* in both directions, got 1 forwards and 0 ba"):
        read_source(one_way).subjects[0].read_volume()
    described = ismrmrd.xsd.CreateFromDocument(xml)
    described.encoding[0].trajectoryDescription = trajectoryDescriptionType(
        identifier="ConventionalEPI",
        userParameterLong=[
            userParameterLongType(name=name, value=value)
            for name, value in (("rampUpTime", 100), ("flatTopTime", 300), ("acqDelayTime", 20))
        ]
        + [userParameterLongType(name="numSamples", value=96)],
        userParameterDouble=[userParameterDoubleType(name="dwellTime", value=5.0)],
    )
    ramps_xml = described.toXML("utf-8").encode()
    ramps = save_mrd(tmp_path / "b.h5", ramps_xml, epi_lines(kspace, np.zeros(ROWS), corrections=2))
    with pytest.raises(ValueError, match=r"b\.h5: expected lines sampled on the plateau"):
        read_source(ramps).subjects[0].read_volume()


def spokes(n_spokes: int = 9) -> NDArray:
    """Give (spokes, samples, 2) coordinates in cycles per pixel."""
    angles = np.arange(n_spokes)[:, None] * math.radians(111.25)
    radius = (np.arange(ROWS) - ROWS // 2) / ROWS
    return np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=-1).astype(np.float32)


def save_spokes(path: Path, positions: NDArray, *, depth: int = 1, columns: int = 2) -> NDArray:
    """Write an image's k-space along spokes; give the k-space (coils, samples)."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, *positions.shape[:2], 2)).astype(np.float32).view(np.complex64)
    made = []
    for plane in range(depth):
        for number, spoke in enumerate(positions):
            stored = np.pad(spoke, ((0, 0), (0, columns - spoke.shape[-1])), constant_values=0.3)
            line = ismrmrd.Acquisition.from_array(
                np.ascontiguousarray(values[:, number, :, 0] * (plane + 1)), stored
            )
            line.idx.kspace_encode_step_1, line.idx.kspace_encode_step_2 = number, plane
            line.center_sample = ROWS // 2
            made.append(line)
    save_mrd(path, header((ROWS, ROWS), (8, 8), trajectory="radial", depth=depth), made)
    samples = values[..., 0].reshape(2, -1)
    return np.concatenate([samples * (plane + 1) for plane in range(depth)], axis=1)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("pixel", 1), ("field-of-view", ROWS), ("radian", 2 * math.pi), ("per-metre", 1000)],
)
def test_radial_kspace_has_coordinates_in_cycles_per_field_of_view(
    tmp_path: Path, unit: CoordsUnit, factor: float
) -> None:
    """A pixel of the header has 1 mm; a third column, a density to some, is left out."""
    positions = spokes()
    scaled = (positions * factor).astype(np.float32)
    samples = save_spokes(tmp_path / "a.h5", scaled, columns=3)

    found = read_kspace(tmp_path / "a.h5", coords_unit=unit)

    np.testing.assert_array_equal(found.kspace[0], samples)
    assert found.coords is not None
    np.testing.assert_allclose(found.coords, positions.reshape(-1, 2) * ROWS, rtol=1e-5, atol=1e-5)
    assert (found.mask, found.grid_shape, found.image_shape) == (None, (ROWS, ROWS), (8, 8))
    assert Nufft(found.coords, found.grid_shape).adjoint(found.kspace).shape == (1, 2, ROWS, ROWS)


def test_a_stack_of_stars_has_the_partitions_as_its_first_coordinate(tmp_path: Path) -> None:
    positions = spokes()
    samples = save_spokes(tmp_path / "a.h5", positions, depth=4)

    found = read_kspace(tmp_path / "a.h5", coords_unit="pixel")

    assert found.coords is not None
    assert found.coords.shape == (4 * positions[..., 0].size, 3)
    depth = torch.arange(-2.0, 2).repeat_interleave(positions[..., 0].size)
    assert torch.equal(found.coords[:, 0], depth)
    np.testing.assert_array_equal(found.kspace[0], samples)
    assert (found.grid_shape, found.image_shape) == ((4, ROWS, ROWS), (4, 8, 8))


def test_a_3d_trajectory_has_its_coordinates_in_the_order_of_an_image(tmp_path: Path) -> None:
    flat = spokes()
    positions = np.concatenate([flat, 0.5 * flat[..., :1]], axis=-1)  # kx, ky, kz
    save_spokes(tmp_path / "a.h5", positions, depth=4, columns=3)

    coords = read_kspace(tmp_path / "a.h5", coords_unit="pixel").coords

    assert coords is not None
    expected = positions[..., [2, 0, 1]].reshape(-1, 3) * (4, ROWS, ROWS)
    np.testing.assert_allclose(coords[: len(expected)], expected, rtol=1e-5, atol=1e-6)


def test_the_unit_of_a_trajectory_is_said_and_checked(tmp_path: Path) -> None:
    save_spokes(tmp_path / "a.h5", spokes())
    cases: list[tuple[CoordsUnit | None, str]] = [
        (None, r"expected to be told the unit .* its largest coordinate is 0\.5"),
        ("field-of-view", "that reaches further out than .* is the unit right"),
        ("yard", "coords_unit: expected one of field-of-view"),  # type: ignore[list-item]
    ]
    for unit, message in cases:
        with pytest.raises(ValueError, match=rf"a\.h5: .*{message}"):
            read_kspace(tmp_path / "a.h5", coords_unit=unit)
    save_spokes(tmp_path / "b.h5", 10 * spokes())
    with pytest.raises(ValueError, match=r"b\.h5: .* reaches out to 0\.5 cycles per pixel, got 5;"):
        read_kspace(tmp_path / "b.h5", coords_unit="pixel")


def test_coordinates_a_little_beyond_the_edge_are_moved_by_the_period(tmp_path: Path) -> None:
    """Delays of gradients put the first samples of measured spokes there."""
    positions = spokes()
    positions[0, 0] = -0.51, 0.2
    save_spokes(tmp_path / "a.h5", positions)

    coords = read_kspace(tmp_path / "a.h5", coords_unit="pixel").coords

    assert coords is not None
    np.testing.assert_allclose(coords[0], [0.49 * ROWS, 0.2 * ROWS], rtol=1e-5)


def test_trajectories_make_no_images_and_must_be_stored(tmp_path: Path) -> None:
    save_spokes(tmp_path / "a.h5", spokes())
    (subject,) = read_source(tmp_path / "a.h5").subjects
    with pytest.raises(ValueError, match=r"a\.h5: expected a Cartesian trajectory .* got radial"):
        subject.read_volume()
    kspace, _ = coil_kspace(0, 1, ROWS, COLS)
    lines = [acquisition(kspace[..., col], col) for col in range(COLS)]
    xml = header((ROWS, COLS), (ROWS, COLS), trajectory="spiral")
    save_mrd(tmp_path / "b.h5", xml, lines)
    with pytest.raises(ValueError, match=r"b\.h5: expected 2 or 3 stored coordinates .*spiral"):
        read_kspace(tmp_path / "b.h5", coords_unit="pixel")
