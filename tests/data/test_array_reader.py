import zipfile
from pathlib import Path

import numpy as np
import pytest
from raw_sources import coil_kspace, save_cfl
from sources import cut_short, random_pixels, save_picture

from mrirecon.data import read_source
from mrirecon.data.readers import ArrayOptions

IMAGE = ArrayOptions("image")
VOLUME = ArrayOptions("image", ("slices", "rows", "cols"))
COILS = ArrayOptions("kspace", ("coils", "rows", "cols"))


def test_images_keep_their_type_and_axes_are_put_in_order(tmp_path: Path) -> None:
    volume = random_pixels(1, (3, 8, 10), "int16")
    np.save(tmp_path / "head.npy", volume.transpose(1, 2, 0))

    (subject,) = read_source(
        tmp_path, arrays=ArrayOptions("image", ("rows", "cols", "slices"))
    ).subjects

    assert subject.headers()[0].dtype == np.int16
    np.testing.assert_array_equal(subject.read_volume(), volume)
    assert subject.origin == "magnitude images"


def test_complex_images_give_their_magnitude_and_coils_are_combined(tmp_path: Path) -> None:
    images = random_pixels(1, (4, 8, 10), "int16") * np.complex64(1 - 2j)
    np.save(tmp_path / "head.npy", images)

    (slices,) = read_source(tmp_path, arrays=VOLUME).subjects
    (coils,) = read_source(
        tmp_path, arrays=ArrayOptions("image", ("coils", "rows", "cols"))
    ).subjects

    np.testing.assert_allclose(slices.read_volume(), np.abs(images), rtol=1e-6)
    expected = np.sqrt((np.abs(images.astype(complex)) ** 2).sum(axis=0))
    np.testing.assert_allclose(coils.read_volume()[0], expected, rtol=1e-6)
    assert slices.origin == "magnitude of complex images"
    assert coils.origin == "root sum of squares of the images of 4 coils"


@pytest.mark.parametrize("compressed", [False, True])
def test_kspace_in_npz_gives_images(tmp_path: Path, compressed: bool) -> None:
    kspace, image = coil_kspace(1, 3, 9, 8)
    save = np.savez_compressed if compressed else np.savez
    save(tmp_path / "scan.npz", kspace=kspace, other=np.ones(3))

    options = ArrayOptions("kspace", ("coils", "rows", "cols"), key="kspace")
    (subject,) = read_source(tmp_path, arrays=options).subjects

    np.testing.assert_allclose(subject.read_volume()[0], image, rtol=1e-5)


def test_bart_files_have_rows_along_the_readout(tmp_path: Path) -> None:
    pairs = [coil_kspace(seed, 3, 9, 8) for seed in range(2)]
    kspace = np.stack([kspace for kspace, _ in pairs])
    save_cfl(tmp_path / "scan.cfl", kspace, dimensions=[13, 3, 0, 1])

    (subject,) = read_source(tmp_path, arrays=ArrayOptions("kspace")).subjects

    np.testing.assert_allclose(subject.read_volume(), [image for _, image in pairs], rtol=1e-5)


def test_a_third_axis_of_space_is_slices_of_images_and_not_of_kspace(tmp_path: Path) -> None:
    volume = random_pixels(1, (3, 8, 10))
    save_cfl(tmp_path / "head.cfl", volume, dimensions=[2, 0, 1])

    np.testing.assert_array_equal(
        read_source(tmp_path, arrays=IMAGE).subjects[0].read_volume(), volume
    )
    with pytest.raises(ValueError, match=r"head\.cfl: expected k-space of slices \(2-D\), got 3-D"):
        read_source(tmp_path, arrays=ArrayOptions("kspace")).subjects[0].read_volume()


@pytest.mark.parametrize("suffix", [".npy", ".cfl"])
def test_images_are_written_back(tmp_path: Path, suffix: str) -> None:
    volume = random_pixels(1, (3, 8, 10)).astype(np.float32)
    np.save(tmp_path / "head.npy", volume)
    (subject,) = read_source(tmp_path / "head.npy", arrays=VOLUME).subjects

    subject.write_like(volume, tmp_path / f"out{suffix}")

    (written,) = read_source(tmp_path / f"out{suffix}", arrays=VOLUME).subjects
    np.testing.assert_array_equal(written.read_volume(), volume)


def test_nothing_is_guessed(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((2, 3, 4)))

    with pytest.raises(ValueError, match=r"a\.npy: expected to be told .*--contents image or ksp"):
        read_source(tmp_path)
    with pytest.raises(ValueError, match=r"a\.npy: expected a name for each axis of \(2, 3, 4\)"):
        read_source(tmp_path, arrays=IMAGE).subjects[0].headers()
    with pytest.raises(ValueError, match=r"a\.npy: expected complex k-space, got float64"):
        read_source(tmp_path, arrays=COILS).subjects[0].headers()
    np.savez(tmp_path / "b.npz", first=np.ones((2, 2)), second=np.ones((2, 2)))
    for key, message in [(None, r"--key\): first, second"), ("x", "no array 'x', but first, sec")]:
        with pytest.raises(ValueError, match=rf"b\.npz: .*{message}"):
            read_source(tmp_path / "b.npz", arrays=ArrayOptions("image", key=key)).subjects[
                0
            ].headers()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"contents": "phase"}, "contents: expected image or kspace, got 'phase'"),
        ({"axes": ("rows",)}, "axes: expected rows and cols, and slices or coils .*, got rows"),
        ({"axes": ("rows", "cols", "cols")}, "axes: expected"),
        ({"axes": ("rows", "cols", "time")}, "axes: expected"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ArrayOptions(**options)  # type: ignore[arg-type]


def test_arrays_beside_pictures_are_read_only_when_asked_for(tmp_path: Path) -> None:
    save_picture(tmp_path / "P1_1.png", random_pixels(1))
    np.save(tmp_path / "values.npy", np.ones((3, 3)))

    assert read_source(tmp_path).kind == "image"
    assert read_source(tmp_path, arrays=IMAGE).kind == "array"


def test_objects_and_text_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "b.npy", np.array([["x", "y"]]))

    objects, text = read_source(tmp_path, arrays=IMAGE).subjects
    with pytest.raises(ValueError, match=r"a\.npy: expected a whole NumPy file, got an error"):
        objects.headers()
    with pytest.raises(ValueError, match=r"b\.npy: expected an array of numbers, got <U1"):
        text.headers()


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.cfl"])
@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_a_file_that_is_cut_off_is_named(tmp_path: Path, name: str, kept: float) -> None:
    pixels = random_pixels(1, (20, 20))
    if name == "a.cfl":
        save_cfl(tmp_path / name, pixels, dimensions=[0, 1])
    elif name == "a.npz":
        np.savez(tmp_path / name, pixels)
    else:
        np.save(tmp_path / name, pixels)
    cut_short(tmp_path / name, kept)

    with pytest.raises(ValueError, match=rf"^\S*{name}: expected") as error:
        read_source(tmp_path, arrays=IMAGE).subjects[0].read_volume()
    assert "\n" not in str(error.value)


def test_a_header_that_declares_more_than_is_there_takes_no_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((20, 20)))
    declared = (tmp_path / "a.npy").read_bytes().replace(b"(20, 20), }   ", b"(20000, 200)} ")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", declared)

    with pytest.raises(ValueError, match=r"a\.npz: .* do not have the length of the file"):
        read_source(tmp_path / "a.npz", arrays=IMAGE).subjects[0].headers()


@pytest.mark.parametrize(
    "text", ["", "# Dimensions\n", "# Dimensions\n8 -3", "# Dimensions\n8 x", "8 10", "\xff" * 40]
)
def test_a_damaged_bart_header_is_named(tmp_path: Path, text: str) -> None:
    file = save_cfl(tmp_path / "a.cfl", random_pixels(1), dimensions=[0, 1])
    file.with_suffix(".hdr").write_text(text)

    with pytest.raises(ValueError, match=r"a\.hdr: expected up to 16 sizes of 1 or more"):
        read_source(file, arrays=IMAGE).subjects[0].headers()
    file.with_suffix(".hdr").unlink()
    with pytest.raises(ValueError, match=r"a\.hdr: cannot be read beside its \.cfl: No such file"):
        read_source(file, arrays=IMAGE).subjects[0].headers()
