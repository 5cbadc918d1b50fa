from pathlib import Path

import h5py
import numpy as np
import pytest
from raw_sources import coil_kspace, header, save_fastmri
from sources import cut_short

from mrirecon.data import prepare, read_source
from mrirecon.data.prepare import PrepareConfig


@pytest.mark.parametrize("n_coils", [1, 3])
def test_images_are_the_cropped_root_of_the_sum_of_squares(tmp_path: Path, n_coils: int) -> None:
    pairs = [coil_kspace(seed, n_coils, 16, 12) for seed in range(2)]
    kspace = np.stack([kspace for kspace, _ in pairs])
    if n_coils == 1:
        kspace = kspace[:, 0]  # single-coil files have no axis of coils
    xml = header((16, 12), (8, 6), encoded_fov=(32, 24), shown_fov=(16, 12))
    save_fastmri(tmp_path / "file1.h5", kspace=kspace, ismrmrd_header=xml, patient_id="0a1b")

    (subject,) = read_source(tmp_path).subjects

    # Rows 4 to 11 of 16 keep pixel 8 at place 4 of 8; cols 3 to 8 of 12 likewise.
    expected = np.stack([image[4:12, 3:9] for _, image in pairs])
    np.testing.assert_allclose(subject.read_volume(), expected, rtol=1e-5)
    assert (subject.person, subject.voxel_size) == ("0a1b", (5.0, 2.0, 2.0))
    assert subject.origin == f"root sum of squares of measured k-space of {n_coils} coils"
    assert subject.notes == ()


@pytest.mark.parametrize("name", ["reconstruction_rss", "reconstruction_esc"])
def test_targets_of_the_file_go_before_its_kspace(tmp_path: Path, name: str) -> None:
    target = np.random.default_rng(0).random((2, 8, 8)).astype(np.float32)
    kspace = np.ones((2, 16, 12), np.complex64)
    save_fastmri(tmp_path / "file1.h5", kspace=kspace, **{name: target})

    (subject,) = read_source(tmp_path).subjects

    np.testing.assert_array_equal(subject.read_volume(), target)
    assert subject.origin == f"{name} of the file, made from measured k-space"
    assert subject.person == "file1"


def test_without_a_header_the_whole_image_is_kept_and_that_is_said(tmp_path: Path) -> None:
    kspace, image = coil_kspace(1, 2, 9, 8)
    save_fastmri(tmp_path / "own.h5", kspace=kspace[None])

    (subject,) = read_source(tmp_path).subjects

    np.testing.assert_allclose(subject.read_volume()[0], image, rtol=1e-5)
    assert subject.notes == ("no ismrmrd_header: readout oversampling, if there is any, is kept",)


def test_zero_padded_edges_are_noted(tmp_path: Path) -> None:
    kspace, _ = coil_kspace(1, 2, 8, 20)
    kspace[..., :3] = kspace[..., 18:] = 0
    save_fastmri(tmp_path / "own.h5", kspace=kspace[None], ismrmrd_header=header((8, 20), (8, 20)))

    (subject,) = read_source(tmp_path).subjects

    assert "0 + 0 rows, 3 + 2 cols" in subject.notes[0]
    assert np.isfinite(subject.read_volume()).all()


def test_undersampled_kspace_is_no_source_of_images(tmp_path: Path) -> None:
    kspace, _ = coil_kspace(1, 2, 8, 20)
    kspace[..., ::4] = 0
    save_fastmri(tmp_path / "a.h5", kspace=kspace[None])
    save_fastmri(tmp_path / "b.h5", kspace=kspace[None], mask=np.ones(20, np.float32))
    kspace[...] = 0
    kspace[..., 8:12] = 1
    save_fastmri(tmp_path / "c.h5", kspace=kspace[None])
    kspace[0, 0, 0] = np.nan
    save_fastmri(tmp_path / "d.h5", kspace=kspace[None])
    save_fastmri(tmp_path / "e.h5", kspace=0 * np.ones((1, 8, 20), np.complex64))

    messages = []
    for subject in read_source(tmp_path).subjects:
        with pytest.raises(ValueError) as error:
            subject.read_volume()
        messages.append(str(error.value).removeprefix(f"{tmp_path}/"))
    assert messages == [
        "a.h5: expected fully sampled k-space to make images of, got 75% of slice 0; "
        "'mrirecon reconstruct' takes undersampled k-space",
        "b.h5: expected fully sampled k-space to make images of, got a mask (a test file); "
        "'mrirecon reconstruct' takes undersampled k-space",
        "c.h5: expected fully sampled k-space to make images of, got 20% of slice 0; "
        "'mrirecon reconstruct' takes undersampled k-space",
        "d.h5: expected finite k-space, got NaN or Inf in slice 0",
        "e.h5: expected measured samples, got zeros alone in slice 0",
    ]


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        ({"kspace": np.ones((2, 8, 8))}, "expected complex kspace, .*, got float64"),
        ({"kspace": np.ones((8, 8), complex)}, r"got complex128 \(8, 8\)"),
        ({"reconstruction_rss": np.ones((8, 8))}, r"expected \(slices, rows, cols\), got \(8, 8\)"),
        ({"kspace": np.ones((0, 8, 8), complex)}, "expected axes of 1 or more"),
        (
            {"kspace": np.ones((1, 8, 8), complex), "ismrmrd_header": b"<a><b></a>"},
            "expected an ISMRMRD header, got an error: mismatched tag",
        ),
        (
            {"kspace": np.ones((1, 8, 8), complex), "ismrmrd_header": b"<a/>"},
            "expected an ISMRMRD header, got an error: no encoding",
        ),
    ],
)
def test_other_contents_are_refused(
    tmp_path: Path, datasets: dict[str, object], message: str
) -> None:
    save_fastmri(tmp_path / "own.h5", **datasets)

    with pytest.raises(ValueError, match=rf"own\.h5: .*{message}"):
        read_source(tmp_path).subjects[0].read_volume()


def test_a_huge_declared_size_takes_no_memory(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "huge.h5", "w") as file:
        file.create_dataset("kspace", (4, 90_000, 90_000), np.complex64, chunks=(1, 64, 64))
    with h5py.File(tmp_path / "none.h5", "w") as file:
        file.create_dataset("kspace", (4, 90, 90), np.complex64)

    huge, none = read_source(tmp_path).subjects
    with pytest.raises(ValueError, match=r"huge\.h5: kspace: expected values, got .* without any"):
        huge.read_volume()
    with pytest.raises(ValueError, match=r"none\.h5: kspace: expected values"):
        none.read_volume()
    with h5py.File(tmp_path / "huge.h5", "a") as file:
        file["kspace"][0, 0, 0] = 1
    with pytest.raises(ValueError, match=r"expected 65536 slices of \d+ pixels at most, got 4 of"):
        huge.read_volume()


def test_values_of_another_file_are_not_read(tmp_path: Path) -> None:
    secret = save_fastmri(tmp_path / "secret.h5", kspace=np.ones((1, 8, 8), np.complex64))
    layout = h5py.VirtualLayout((1, 8, 8), np.complex64)
    layout[:] = h5py.VirtualSource(secret, "kspace", (1, 8, 8))
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        file.create_virtual_dataset("kspace", layout)
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["kspace"] = h5py.ExternalLink(secret, "kspace")

    for name in ("virtual.h5", "link.h5"):
        with pytest.raises(ValueError, match=rf"{name}: .*expected .* this file"):
            read_source(tmp_path / name).subjects[0].read_volume()


def test_a_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    file = save_fastmri(tmp_path / "own.h5", kspace=np.ones((3, 32, 32), np.complex64))
    subject = read_source(file).subjects[0]
    cut_short(file, 0.5)

    with pytest.raises(ValueError, match=r"own\.h5: expected a whole HDF5 file, got an error"):
        subject.read_volume()
    errors: dict[Path, ValueError] = {}
    assert subject.read_slices(errors.__setitem__) == []
    assert list(errors) == [file]


def test_a_store_says_what_its_images_are(tmp_path: Path) -> None:
    kspace, image = coil_kspace(0, 2, 8, 8)
    source = save_fastmri(tmp_path / "own.h5", kspace=kspace[None], patient_id="p")

    prepare(source, tmp_path / "store.h5", PrepareConfig(splits="test"))

    with h5py.File(tmp_path / "store.h5") as file:
        np.testing.assert_allclose(file["images/0"][0], image, rtol=1e-5)
        assert '"simulated": true' in file.attrs["provenance"]
        assert "measured k-space of 2 coils" in file.attrs["provenance"]


def test_images_are_written_as_predictions(tmp_path: Path) -> None:
    kspace, image = coil_kspace(0, 2, 8, 8)
    (subject,) = read_source(save_fastmri(tmp_path / "own.h5", kspace=kspace[None])).subjects

    subject.write_like(image[None], tmp_path / "out.h5")

    with h5py.File(tmp_path / "out.h5") as file:
        np.testing.assert_array_equal(file["reconstruction"], image[None])
    with pytest.raises(ValueError, match=r"out\.tif: expected a name ending in \.npy, \.h5"):
        subject.write_like(image[None], tmp_path / "out.tif")
