import itertools
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform
from numpy.typing import NDArray
from sources import cut_short, random_pixels, save_nifti

from mrirecon.data import read_source, write_nifti_like

SHAPE = (4, 5, 6)  # right, front, up
# Every way to store a volume: which way each of its axes points.
ORIENTATIONS = [
    "".join(codes)
    for axes in itertools.permutations(("RL", "AP", "SI"))
    for codes in itertools.product(*axes)
]


def stored_as(volume: NDArray, affine: NDArray, codes: str) -> tuple[NDArray, NDArray]:
    """Turn an RAS volume into another orientation of the same head."""
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes))
    return apply_orientation(volume, turn), affine @ inv_ornt_aff(turn, volume.shape)


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_axial_slices_show_the_front_up_and_the_right_on_the_left(
    tmp_path: Path, codes: str
) -> None:
    head = random_pixels(1, SHAPE, "int16")
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    file = save_nifti(tmp_path / "head.nii", *stored_as(head, affine, codes))

    (subject,) = read_source(file).subjects

    # slices upwards; rows from front to back; cols from the person's right to the left
    np.testing.assert_array_equal(subject.read_volume(), head[::-1, ::-1].transpose(2, 1, 0))
    assert subject.voxel_size == (4.0, 3.0, 2.0)
    assert len(subject.headers()) == 6
    assert subject.headers()[0].shape == (5, 4)


def test_affines_that_are_missing_or_disagree_are_noted(tmp_path: Path) -> None:
    head = random_pixels(1, SHAPE, "int16")
    none = nibabel.Nifti1Image(head, None)
    mirrored = nibabel.Nifti1Image(head, np.eye(4))
    mirrored.set_qform(np.diag([-1.0, 1, 1, 1]), code=1)
    alike = nibabel.Nifti1Image(head, np.diag([-1.0, 1, 1, 1]))
    alike.set_qform(np.diag([-1.0, 1, 1, 1]), code=1)
    expected = [
        ("no orientation is stored (qform_code and sform_code are 0)", none),
        ("qform (LAS) and sform (RAS) disagree: sform counts", mirrored),
        (None, alike),
        (None, nibabel.Nifti1Image(head, np.eye(4))),
    ]
    for text, stored in expected:
        nibabel.save(stored, tmp_path / "head.nii")
        (subject,) = read_source(tmp_path / "head.nii").subjects
        assert [note[: len(text or "")] for note in subject.notes] == ([text] if text else [])


def test_coronal_and_sagittal_slices_stand_upright(tmp_path: Path) -> None:
    head = random_pixels(1, SHAPE, "int16")
    file = save_nifti(tmp_path / "head.nii", head, np.diag([2.0, 3.0, 4.0, 1.0]))

    (coronal,) = read_source(file, slice_axis="coronal").subjects
    (sagittal,) = read_source(file, slice_axis="sagittal").subjects

    flipped = head[::-1, ::-1, ::-1]
    np.testing.assert_array_equal(coronal.read_volume(), flipped.transpose(1, 2, 0))
    np.testing.assert_array_equal(sagittal.read_volume(), flipped.transpose(0, 2, 1))
    assert coronal.voxel_size == (3.0, 4.0, 2.0)
    assert sagittal.voxel_size == (2.0, 4.0, 3.0)


@pytest.mark.parametrize("slice_axis", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("codes", ["RAS", "PIL", "SRA", "LPI"])
def test_a_volume_is_written_back_with_every_voxel_and_the_header_in_place(
    tmp_path: Path, codes: str, slice_axis: str
) -> None:
    oblique = np.array([[2, 0.3, 0, -9], [-0.2, 3, 0.1, 7], [0, -0.1, 4, 5], [0, 0, 0, 1.0]])
    pixels, affine = stored_as(random_pixels(1, SHAPE, "int16"), oblique, codes)
    file = save_nifti(tmp_path / "head.nii.gz", pixels, affine)
    (subject,) = read_source(file, slice_axis=slice_axis).subjects

    subject.write_like(subject.read_volume().astype(np.float64) + 0.3, tmp_path / "out.nii.gz")

    before, after = nibabel.load(file), nibabel.load(tmp_path / "out.nii.gz")
    np.testing.assert_array_equal(np.asarray(after.dataobj), pixels)
    np.testing.assert_array_equal(after.affine, before.affine)
    assert after.header == before.header


def test_scaled_voxels_are_read_in_their_units_and_written_back(tmp_path: Path) -> None:
    pixels = random_pixels(1, SHAPE, "uint8").astype(np.float32) / 7
    image = nibabel.Nifti1Image(pixels, np.eye(4))
    image.set_data_dtype(np.int16)
    nibabel.save(image, tmp_path / "head.nii")

    (subject,) = read_source(tmp_path / "head.nii").subjects
    volume = subject.read_volume()
    subject.write_like(volume, tmp_path / "out.nii")

    step = np.ptp(pixels) / (2**16 - 2)  # what 16 bits resolve
    assert volume.dtype == np.float32
    (written,) = read_source(tmp_path / "out.nii").subjects
    np.testing.assert_allclose(written.read_volume(), volume, atol=2 * step)


def test_one_volume_with_a_fourth_axis_is_read_and_several_are_refused(tmp_path: Path) -> None:
    pixels = random_pixels(1, (*SHAPE, 1), "int16")
    file = save_nifti(tmp_path / "one.nii", pixels)
    (subject,) = read_source(file).subjects
    subject.write_like(subject.read_volume(), tmp_path / "out.nii")
    np.testing.assert_array_equal(np.asarray(nibabel.load(tmp_path / "out.nii").dataobj), pixels)

    several = save_nifti(tmp_path / "two.nii", random_pixels(1, (*SHAPE, 2), "int16"))
    with pytest.raises(ValueError, match=r"two\.nii: expected one volume .*\(4, 5, 6, 2\)"):
        read_source(several).subjects[0].read_volume()


def test_a_folder_of_volumes_has_a_subject_for_each_and_segmentations_apart(
    tmp_path: Path,
) -> None:
    volume = random_pixels(1, SHAPE, "int16")
    for name in ("sub-02/sub-02_T1w.nii.gz", "sub-10/sub-10_T1w.nii", "sub-02/sub-02_T2w.nii"):
        save_nifti(tmp_path / name, volume)
    save_nifti(tmp_path / "sub-02" / "sub-02_dseg.nii", volume)
    (tmp_path / "preview.png").write_bytes(b"")

    source = read_source(tmp_path)

    assert source.kind == "NIfTI"
    assert [(subject.name, subject.person) for subject in source.subjects] == [
        ("sub-02/sub-02_T1w", "sub-02"),
        ("sub-02/sub-02_T2w", "sub-02"),
        ("sub-10/sub-10_T1w", "sub-10"),
    ]
    assert [file.name for file in source.masks] == ["sub-02_dseg.nii"]
    assert [file.name for file in source.ignored] == ["preview.png"]


def test_voxel_sizes_in_micrometres_come_in_millimetres(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(random_pixels(1, SHAPE, "int16"), np.diag([500.0, 600, 700, 1]))
    image.header.set_xyzt_units("micron")
    nibabel.save(image, tmp_path / "head.nii")

    (subject,) = read_source(tmp_path).subjects

    assert subject.voxel_size == pytest.approx((0.7, 0.6, 0.5))


@pytest.mark.parametrize("name", ["head.nii", "head.nii.gz"])
@pytest.mark.parametrize("kept", [0.0, 0.05, 0.9])
def test_a_volume_that_is_cut_off_is_named(tmp_path: Path, name: str, kept: float) -> None:
    cut_short(save_nifti(tmp_path / name, random_pixels(1, (20, 20, 20), "int16")), kept)

    with pytest.raises(ValueError, match=rf"^\S*{name}: expected a whole NIfTI file") as error:
        read_source(tmp_path).subjects[0].read_volume()
    assert "\n" not in str(error.value)


def test_complex_voxels_are_refused(tmp_path: Path) -> None:
    file = save_nifti(tmp_path / "head.nii", np.ones(SHAPE, np.complex64))

    with pytest.raises(ValueError, match=r"head\.nii: pixel type: expected real .*, got complex64"):
        read_source(file).subjects[0].headers()


def test_wrong_options_are_refused(tmp_path: Path) -> None:
    file = save_nifti(tmp_path / "head.nii", random_pixels(1, SHAPE, "int16"))

    with pytest.raises(ValueError, match="slice_axis: expected axial, coronal or sagittal"):
        read_source(file, slice_axis="frontal")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"channel: expected none for NIfTI files .*, got 'red'"):
        read_source(file, channel="red")
    with pytest.raises(ValueError, match=r"volume: expected \(6, 5, 4\) as in .*, got \(1, 5, 4\)"):
        write_nifti_like(file, np.zeros((1, 5, 4)), tmp_path / "out.nii")
    with pytest.raises(ValueError, match=r"out\.png: expected a name ending in \.nii or \.nii\.gz"):
        write_nifti_like(file, np.zeros((6, 5, 4)), tmp_path / "out.png")
    assert not list(tmp_path.glob("*out*"))
