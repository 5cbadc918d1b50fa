from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.uid import EnhancedMRImageStorage, RLELossless, generate_uid
from raw_sources import dicom_slice, save_dicom
from sources import cut_short, random_pixels, save_picture

from mrirecon.data import read_source


def save_series(folder: Path, places: list[float], **elements: object) -> list[NDArray]:
    """Write a slice at each place along the body, in this order; slice i is `random_pixels(i)`."""
    images = [random_pixels(number, dtype="int16") for number in range(len(places))]
    for number, (place, pixels) in enumerate(zip(places, images, strict=True)):
        settings = {"ImagePositionPatient": [0, 0, place], "InstanceNumber": number + 1}
        save_dicom(folder / f"IM{number}.dcm", dicom_slice(pixels, **settings | elements))
    return images


def enhanced(images: NDArray, places: list[float], slopes: list[float]) -> pydicom.Dataset:
    """Make a multi-frame MR image whose frames have places and slopes of their own."""
    dataset = dicom_slice(images, SOPClassUID=EnhancedMRImageStorage, NumberOfFrames=len(images))
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        delattr(dataset, name)
    groups = []
    for place, slope in zip(places, slopes, strict=True):
        plane, values, group = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
        plane.ImagePositionPatient = [0, 0, place]
        values.RescaleSlope, values.RescaleIntercept, values.RescaleType = slope, 0, "US"
        group.PlanePositionSequence = [plane]
        group.PixelValueTransformationSequence = [values]
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = groups
    orientation, measures, shared = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    measures.PixelSpacing, measures.SliceThickness = [1, 2], 3
    shared.PlaneOrientationSequence = [orientation]
    shared.PixelMeasuresSequence = [measures]
    dataset.SharedFunctionalGroupsSequence = [shared]
    return dataset


def test_slices_lie_in_the_order_of_their_positions_and_not_of_names(tmp_path: Path) -> None:
    images = save_series(tmp_path, [4.0, -8.0, 0.0, -4.0])

    (subject,) = read_source(tmp_path).subjects

    assert (subject.name, subject.person) == ("patient_7/series_5", "patient_7")
    np.testing.assert_array_equal(subject.read_volume(), [images[n] for n in (1, 3, 2, 0)])
    assert subject.voxel_size == (4.0, 1.0, 2.0)
    assert subject.headers()[0].dtype == np.int16
    assert subject.notes == ()


def test_an_oblique_series_is_sorted_along_its_normal(tmp_path: Path) -> None:
    turn = np.array([[0.8, 0.6, 0], [0, 0, -1]])  # coronal, turned by 37 degrees
    normal = np.cross(*turn)
    images = [random_pixels(number, dtype="uint16") for number in range(3)]
    for number, place in enumerate([6.0, 0.0, 3.0]):
        position = (place * normal + [50, 60, 70]).tolist()
        geometry = {
            "ImagePositionPatient": position,
            "ImageOrientationPatient": turn.ravel().tolist(),
        }
        save_dicom(tmp_path / f"{number}.dcm", dicom_slice(images[number], **geometry))

    (subject,) = read_source(tmp_path).subjects

    np.testing.assert_array_equal(subject.read_volume(), [images[n] for n in (1, 2, 0)])
    assert subject.voxel_size == pytest.approx((3.0, 1.0, 2.0))


def test_files_without_a_suffix_are_recognised_by_their_contents(tmp_path: Path) -> None:
    pixels = random_pixels(1, dtype="int16")
    save_dicom(tmp_path / "1.2.840.113619.2.5.17625", dicom_slice(pixels))
    (tmp_path / "README").write_text("no image")
    save_picture(tmp_path / "preview.png", random_pixels(2))

    source = read_source(tmp_path)

    assert source.kind == "DICOM"
    assert [file.name for file in source.ignored] == ["README", "preview.png"]
    np.testing.assert_array_equal(source.subjects[0].read_volume()[0], pixels)


def test_several_series_echoes_and_patients_are_apart(tmp_path: Path) -> None:
    save_series(tmp_path / "a", [0, 4], EchoTime=10)
    save_series(tmp_path / "b", [0, 4], EchoTime=80)
    save_series(tmp_path / "c", [0, 4], SeriesInstanceUID="1.2.9", SeriesNumber=6)
    save_series(tmp_path / "d", [0], PatientID="patient_8", SeriesInstanceUID="1.2.8")

    subjects = read_source(tmp_path).subjects

    assert [(subject.name, subject.person, len(subject.frames)) for subject in subjects] == [
        ("patient_7/series_5", "patient_7", 2),
        ("patient_7/series_5_2", "patient_7", 2),
        ("patient_7/series_6", "patient_7", 2),
        ("patient_8/series_5", "patient_8", 1),
    ]


def test_volumes_that_follow_in_time_within_a_series_are_apart(tmp_path: Path) -> None:
    images = save_series(tmp_path, [0, 4, 8, 0, 4, 8])

    first, second = read_source(tmp_path).subjects

    assert second.name == "patient_7/series_5/volume_2"
    np.testing.assert_array_equal(first.read_volume(), images[:3])
    np.testing.assert_array_equal(second.read_volume(), images[3:])


def test_missing_slices_and_missing_positions_are_noted(tmp_path: Path) -> None:
    save_series(tmp_path / "gap", [0, 4, 12])
    for number in (1, 2):
        dataset = dicom_slice(random_pixels(number), SeriesInstanceUID="1.2.9", SeriesNumber=6)
        del dataset.ImagePositionPatient
        dataset.InstanceNumber = 3 - number
        save_dicom(tmp_path / "none" / f"{number}.dcm", dataset)

    gap, unknown = read_source(tmp_path).subjects

    assert gap.notes == ("distances between slices from 4 to 8 mm: slices may be missing",)
    assert unknown.notes == ("no positions of slices: ordered by number",)
    np.testing.assert_array_equal(unknown.read_volume()[0], random_pixels(2))


def test_rescaled_values_come_in_their_units(tmp_path: Path) -> None:
    pixels = random_pixels(1, dtype="uint16")
    scaled = {"RescaleSlope": "0.25", "RescaleIntercept": "-3"}
    save_dicom(tmp_path / "1.dcm", dicom_slice(pixels, **scaled))

    (subject,) = read_source(tmp_path).subjects

    assert subject.headers()[0].dtype == np.float32
    np.testing.assert_array_equal(subject.read_volume()[0], pixels * np.float32(0.25) - 3)


@pytest.mark.parametrize(("dtype", "bits", "ends"), [("uint16", 12, 4095), ("int16", 16, -1)])
def test_monochrome_1_is_inverted(tmp_path: Path, dtype: str, bits: int, ends: int) -> None:
    pixels = random_pixels(1, dtype=dtype) >> (16 - bits)
    inverted = {
        "PhotometricInterpretation": "MONOCHROME1",
        "BitsStored": bits,
        "HighBit": bits - 1,
    }
    save_dicom(tmp_path / "1.dcm", dicom_slice(pixels, **inverted))

    np.testing.assert_array_equal(read_source(tmp_path).subjects[0].read_volume()[0], ends - pixels)


def test_phase_images_and_directories_are_set_apart(tmp_path: Path) -> None:
    save_series(tmp_path / "m", [0, 4])
    save_series(tmp_path / "p", [0, 4], ImageType=["ORIGINAL", "PRIMARY", "P", "ND"])

    source = read_source(tmp_path)

    assert len(source.subjects) == 1
    assert [file.parent.name for file in source.ignored] == ["p", "p"]


def test_frames_of_one_file_have_places_and_slopes_of_their_own(tmp_path: Path) -> None:
    images = np.stack([random_pixels(number, dtype="uint16") for number in range(3)])
    save_dicom(tmp_path / "e.dcm", enhanced(images, [8, 0, 4], [1.0, 0.5, 2.0]))

    (subject,) = read_source(tmp_path).subjects

    expected = [images[1] * 0.5, images[2] * 2.0, images[0]]
    np.testing.assert_array_equal(subject.read_volume(), np.array(expected, np.float32))
    assert subject.voxel_size == (4.0, 1.0, 2.0)


def test_run_length_encoding_is_decoded(tmp_path: Path) -> None:
    pixels = random_pixels(1, dtype="int16")
    dataset = dicom_slice(pixels)
    dataset.compress(RLELossless)
    save_dicom(tmp_path / "1.dcm", dataset)

    np.testing.assert_array_equal(read_source(tmp_path).subjects[0].read_volume()[0], pixels)


def test_a_compression_that_needs_more_than_pydicom_is_named() -> None:
    path = pydicom.data.get_testdata_file("MR_small_jpeg_ls_lossless.dcm")

    with pytest.raises(ValueError, match=r"decodes by itself, got JPEG-LS Lossless"):
        read_source(path).subjects[0].read_volume()


@pytest.mark.parametrize("kept", [0.0, 0.2, 0.9])
def test_a_file_that_is_cut_off_is_named(tmp_path: Path, kept: float) -> None:
    cut_short(save_dicom(tmp_path / "1.dcm", dicom_slice(random_pixels(1, (32, 32)))), kept)

    with pytest.raises(ValueError, match=r"^\S*1\.dcm: expected") as error:
        read_source(tmp_path).subjects[0].read_volume()
    assert "\n" not in str(error.value)


def test_a_broken_file_is_told_apart_from_a_whole_series(tmp_path: Path) -> None:
    save_series(tmp_path, [0, 4])
    broken = cut_short(save_dicom(tmp_path / "x.dcm", dicom_slice(random_pixels(1))), 0.2)
    errors: dict[Path, ValueError] = {}

    source = read_source(tmp_path)
    counts = [len(subject.read_slices(errors.__setitem__)) for subject in source.subjects]

    assert sorted(counts) == [0, 2]
    assert list(errors) == [broken]


def test_colour_is_refused(tmp_path: Path) -> None:
    save_dicom(tmp_path / "1.dcm", dicom_slice(random_pixels(1), PhotometricInterpretation="RGB"))

    with pytest.raises(ValueError, match=r"1\.dcm: expected a grey image, got 'RGB'"):
        read_source(tmp_path).subjects[0].headers()


def test_a_derived_series_keeps_geometry_units_and_patient(tmp_path: Path) -> None:
    save_series(tmp_path / "in", [4.0, -8.0, 0.0], RescaleSlope="0.5", RescaleIntercept="1")
    (subject,) = read_source(tmp_path / "in").subjects
    volume = np.abs(subject.read_volume()) * 1.1

    subject.write_like(volume, tmp_path / "out")

    (written,) = read_source(tmp_path / "out").subjects
    step = volume.max() / (2**16 - 1)  # what 16 bits resolve
    np.testing.assert_allclose(written.read_volume(), volume, atol=0.51 * step)
    assert (written.voxel_size, written.person) == (subject.voxel_size, "patient_7")
    before, after = (pydicom.dcmread(s.frames[0].file) for s in (subject, written))
    assert after.ImagePositionPatient == before.ImagePositionPatient
    assert after.ImageType == ["DERIVED", "SECONDARY", "M"]
    assert after.SeriesDescription == "t1 axial reconstructed"
    assert after.StudyInstanceUID == before.StudyInstanceUID
    assert after.SourceImageSequence[0].ReferencedSOPInstanceUID == before.SOPInstanceUID
    assert after.SOPInstanceUID == after.file_meta.MediaStorageSOPInstanceUID
    identifiers = {pydicom.dcmread(f).SOPInstanceUID for f in [*subject.files, *written.files]}
    assert len(identifiers) == 6
    assert len({pydicom.dcmread(f).SeriesInstanceUID for f in written.files}) == 1
    assert after.SeriesInstanceUID != before.SeriesInstanceUID


def test_values_that_need_no_scale_are_written_as_they_are_and_twice_the_same(
    tmp_path: Path,
) -> None:
    dataset = dicom_slice(random_pixels(1, dtype="int16"))
    dataset.private_block(0x11, "SCANNER", create=True).add_new(1, "LO", "of the source")
    file = save_dicom(tmp_path / "1.dcm", dataset)
    (subject,) = read_source(file).subjects
    volume = subject.read_volume()

    for name in ("a.dcm", "b.dcm"):
        subject.write_like(volume + np.float32(0.3), tmp_path / name)

    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()
    written = pydicom.dcmread(tmp_path / "a.dcm")
    np.testing.assert_array_equal(written.pixel_array, volume[0])
    assert not [element for element in written if element.tag.is_private]


def test_compressed_and_inverted_sources_are_written_plainly(tmp_path: Path) -> None:
    dataset = dicom_slice(random_pixels(1, dtype="uint16"), PhotometricInterpretation="MONOCHROME1")
    dataset.compress(RLELossless)
    (subject,) = read_source(save_dicom(tmp_path / "1.dcm", dataset)).subjects
    volume = subject.read_volume()

    subject.write_like(volume, tmp_path / "out.dcm")

    (written,) = read_source(tmp_path / "out.dcm").subjects
    np.testing.assert_allclose(written.read_volume(), volume, atol=0.51)
    assert pydicom.dcmread(tmp_path / "out.dcm").PhotometricInterpretation == "MONOCHROME2"


def test_a_big_endian_source_is_written_little_endian(tmp_path: Path) -> None:
    source = pydicom.dcmread(pydicom.data.get_testdata_file("MR_small_bigendian.dcm"))
    agent = pydicom.Dataset()
    agent.ContrastBolusAgentNumber = 3
    source.ContrastBolusAgentSequence = [agent]
    (subject,) = read_source(save_dicom(tmp_path / "1.dcm", source)).subjects
    volume = subject.read_volume()

    subject.write_like(volume, tmp_path / "out.dcm")

    (written,) = read_source(tmp_path / "out.dcm").subjects
    np.testing.assert_array_equal(written.read_volume(), volume)
    assert written.voxel_size == subject.voxel_size
    agents = pydicom.dcmread(tmp_path / "out.dcm").ContrastBolusAgentSequence
    assert agents[0].ContrastBolusAgentNumber == 3


def test_frames_are_written_back_into_one_file(tmp_path: Path) -> None:
    images = np.stack([random_pixels(number, dtype="uint16") for number in range(3)])
    save_dicom(tmp_path / "e.dcm", enhanced(images, [8, 0, 4], [1.0, 0.5, 2.0]))
    (subject,) = read_source(tmp_path / "e.dcm").subjects
    volume = subject.read_volume()

    subject.write_like(volume, tmp_path / "out.dcm")

    (written,) = read_source(tmp_path / "out.dcm").subjects
    np.testing.assert_allclose(written.read_volume(), volume, atol=0.51 * volume.max() / 65535)
    assert [frame.position for frame in written.frames] == [0, 4, 8]


def test_a_volume_of_other_slices_or_size_is_not_written(tmp_path: Path) -> None:
    save_series(tmp_path / "in", [0, 4])
    (subject,) = read_source(tmp_path / "in").subjects

    with pytest.raises(ValueError, match="volume: expected 2 slices, got 1"):
        subject.write_like(np.zeros((1, 8, 10)), tmp_path / "out")
    with pytest.raises(ValueError, match=r"volume: expected \(8, 10\) as .*, got \(8, 9\)"):
        subject.write_like(np.zeros((2, 8, 9)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_identifiers_are_valid_and_unlike_those_of_other_images(tmp_path: Path) -> None:
    save_series(tmp_path / "in", [0, 4], SeriesInstanceUID=generate_uid())
    (subject,) = read_source(tmp_path / "in").subjects
    for number in (1, 2):
        subject.write_like(np.full((2, 8, 10), number), tmp_path / str(number))

    found = [pydicom.dcmread(file) for file in tmp_path.glob("[12]/*.dcm")]
    assert all(dataset.SOPInstanceUID.is_valid for dataset in found)
    assert len({dataset.SOPInstanceUID for dataset in found}) == 4
    assert len({dataset.SeriesInstanceUID for dataset in found}) == 2
