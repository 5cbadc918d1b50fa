from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sources import (
    SHAPE,
    cut_short,
    random_pixels,
    save_picture,
    save_rgb16_png,
    save_subjects,
)

from mrirecon.data import ChannelError, read_source


def test_a_folder_is_a_subject_and_slices_count_as_numbers(tmp_path: Path) -> None:
    source = read_source(save_subjects(tmp_path, n_subjects=2, n_slices=11))

    assert [subject.name for subject in source.subjects] == ["P1", "P2"]
    volume = source.subjects[1].read_volume()
    expected = [random_pixels(200 + number) for number in range(1, 12)]
    np.testing.assert_array_equal(volume, expected)


def test_kaggle_layout_keeps_masks_and_tables_apart(tmp_path: Path) -> None:
    root = save_subjects(tmp_path / "kaggle_3m", suffix=".tif")
    save_picture(root / "P1" / "P1_1_mask.tif", random_pixels(0))
    (root / "data.csv").write_text("Patient,age\n")

    source = read_source(tmp_path)

    assert [len(subject.files) for subject in source.subjects] == [4, 4, 4]
    assert [file.name for file in source.masks] == ["P1_1_mask.tif"]
    assert [file.name for file in source.ignored] == ["data.csv"]


def test_split_folders_are_kept_and_a_mask_folder_beside_them_is_not_read(tmp_path: Path) -> None:
    save_picture(tmp_path / "train" / "P1" / "slice_1.png", random_pixels(1))
    save_picture(tmp_path / "Validation" / "P2" / "slice_1.png", random_pixels(2))
    save_picture(tmp_path / "tumour_masks" / "val" / "P2" / "P2_1.png", random_pixels(3))
    save_picture(tmp_path / "preview.png", random_pixels(4))

    source = read_source(tmp_path)

    assert [(s.name, s.person, s.split) for s in source.subjects] == [
        ("P1", "P1", "train"),
        ("P2", "P2", "val"),
    ]
    assert len(source.masks) == 1
    assert [file.name for file in source.ignored] == ["preview.png"]


def test_pictures_in_one_folder_belong_to_the_subject_in_their_name(tmp_path: Path) -> None:
    for name in ("TCGA_CS_1_2", "TCGA_CS_1_10", "TCGA_CS_2_1"):
        save_picture(tmp_path / "images" / f"{name}.png", random_pixels(0))

    subjects = read_source(tmp_path).subjects

    assert [subject.name for subject in subjects] == ["TCGA_CS_1", "TCGA_CS_2"]
    assert [file.stem for file in subjects[0].files] == ["TCGA_CS_1_2", "TCGA_CS_1_10"]


def test_sessions_of_one_person_are_two_subjects_of_that_person(tmp_path: Path) -> None:
    for folder in ("P1/before", "P1/after", "P2/before"):
        save_picture(tmp_path / folder / "1.png", random_pixels(0))

    subjects = read_source(tmp_path).subjects

    assert [subject.name for subject in subjects] == ["P1/after", "P1/before", "P2/before"]
    assert [subject.person for subject in subjects] == ["P1", "P1", "P2"]


def test_unicode_names_are_read(tmp_path: Path) -> None:
    save_picture(tmp_path / "Jürgen Müller 患者" / "Schädel_1.png", random_pixels(5))

    (subject,) = read_source(tmp_path).subjects

    assert subject.name == "Schädel"
    np.testing.assert_array_equal(subject.read_volume()[0], random_pixels(5))


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_16_bit_pictures_keep_every_bit(tmp_path: Path, suffix: str) -> None:
    pixels = random_pixels(1, dtype="uint16")
    file = save_picture(tmp_path / f"P1_1{suffix}", pixels)

    (subject,) = read_source(file).subjects

    assert subject.headers()[0].dtype == np.uint16
    np.testing.assert_array_equal(subject.read_volume()[0], pixels)


def test_big_endian_16_bit_tiff_is_read(tmp_path: Path) -> None:
    pixels = random_pixels(1, dtype="uint16")
    file = tmp_path / "P1_1.tif"
    Image.frombytes("I;16B", SHAPE[::-1], pixels.astype(">u2").tobytes()).save(file)

    volume = read_source(file).subjects[0].read_volume()

    assert volume.dtype == np.dtype("=u2")
    np.testing.assert_array_equal(volume[0], pixels)


@pytest.mark.parametrize(
    ("channel", "index"),
    [
        ("pre", 0),
        ("flair", 1),
        ("post", 2),
        ("red", 0),
        ("green", 1),
        ("blue", 2),
        ("1", 1),
        (2, 2),
    ],
)
def test_channel_is_chosen_by_name_or_number(
    tmp_path: Path, channel: str | int, index: int
) -> None:
    pixels = random_pixels(1, (*SHAPE, 3))
    file = save_picture(tmp_path / "P1_1.tif", pixels)

    volume = read_source(file, channel=channel).subjects[0].read_volume()

    np.testing.assert_array_equal(volume[0], pixels[..., index])


def test_luminance_is_the_one_of_pillow(tmp_path: Path) -> None:
    pixels = random_pixels(1, (*SHAPE, 3))
    file = save_picture(tmp_path / "P1_1.tif", pixels)

    volume = read_source(file, channel="luminance").subjects[0].read_volume()

    # Pillow computes in 16-bit fixed point, so that a value halfway may round the other way.
    expected = np.asarray(Image.fromarray(pixels).convert("L")).astype(int)
    assert np.abs(volume[0].astype(int) - expected).max() <= 1


def test_colour_picture_without_a_channel_is_an_error_that_lists_the_choices(
    tmp_path: Path,
) -> None:
    file = save_picture(tmp_path / "P1_1.tif", random_pixels(1, (*SHAPE, 3)))

    with pytest.raises(ChannelError, match=r"P1_1\.tif: expected a channel .*pre, flair, post"):
        read_source(file).subjects[0].read_volume()


def test_equal_channels_are_grey(tmp_path: Path) -> None:
    grey = random_pixels(1)
    file = save_picture(tmp_path / "P1_1.png", np.stack([grey] * 3, axis=-1))

    np.testing.assert_array_equal(read_source(file).subjects[0].read_volume()[0], grey)


def test_a_channel_of_a_grey_picture_is_refused(tmp_path: Path) -> None:
    file = save_picture(tmp_path / "P1_1.png", random_pixels(1))

    with pytest.raises(ChannelError, match="expected no channel for a grey picture, got 'flair'"):
        read_source(file, channel="flair").subjects[0].read_volume()


@pytest.mark.parametrize("channel", ["t2", 3, -1])
def test_an_unknown_channel_is_refused_before_any_file_is_read(
    tmp_path: Path, channel: str | int
) -> None:
    with pytest.raises(ValueError, match=f"channel: expected one of pre, .*, got {channel!r}"):
        read_source(save_subjects(tmp_path), channel=channel)


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.6])
def test_a_file_that_is_cut_off_is_named(tmp_path: Path, suffix: str, kept: float) -> None:
    save_picture(tmp_path / f"P1_1{suffix}", random_pixels(1, (64, 64)))
    cut_short(tmp_path / f"P1_1{suffix}", kept)

    with pytest.raises(
        ValueError, match=rf"^\S*P1_1\{suffix}: expected a whole .* picture"
    ) as error:
        read_source(tmp_path).subjects[0].read_volume()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("channels", "mode"), [(4, "RGBA"), (2, "LA")])
def test_an_alpha_channel_is_refused(tmp_path: Path, channels: int, mode: str) -> None:
    save_picture(tmp_path / "P1_1.png", random_pixels(1, (*SHAPE, channels)))

    with pytest.raises(ValueError, match=f"expected no alpha channel, got mode {mode}"):
        read_source(tmp_path).subjects[0].headers()


def test_16_bit_colour_is_refused_since_pillow_would_drop_half_of_it(tmp_path: Path) -> None:
    save_rgb16_png(tmp_path / "P1_1.png", random_pixels(1, (*SHAPE, 3), "uint16"))

    with pytest.raises(ValueError, match="expected 8 bits for each colour, got 16"):
        read_source(tmp_path, channel="red").subjects[0].headers()


def test_several_pages_in_one_tiff_are_refused(tmp_path: Path) -> None:
    pages = [Image.fromarray(random_pixels(number)) for number in range(3)]
    pages[0].save(tmp_path / "P1_1.tif", save_all=True, append_images=pages[1:])

    with pytest.raises(ValueError, match="expected one page, got 3"):
        read_source(tmp_path).subjects[0].headers()


def test_slices_of_two_sizes_are_refused_with_both_files_and_sizes(tmp_path: Path) -> None:
    save_picture(tmp_path / "P1_1.png", random_pixels(1))
    save_picture(tmp_path / "P1_2.png", random_pixels(2, (6, 7)))

    with pytest.raises(
        ValueError, match=r"P1_2\.png: expected 8 x 10 pixels as in .*P1_1\.png, got 6 x 7"
    ):
        read_source(tmp_path).subjects[0].read_volume()


def test_errors_can_be_collected_instead_of_raised(tmp_path: Path) -> None:
    root = save_subjects(tmp_path, n_subjects=1)
    broken = cut_short(root / "P1" / "P1_2.png")
    errors: dict[Path, ValueError] = {}

    slices = read_source(root).subjects[0].read_slices(errors.__setitem__)

    assert [number for number, _ in slices] == [0, 2, 3]
    assert list(errors) == [broken]


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere: no such file or folder"):
        read_source(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"expected images \(.*\), got an empty folder"):
        read_source(tmp_path)
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(ValueError, match=r"got files of other kinds: 1 x \.txt"):
        read_source(tmp_path)
    save_picture(tmp_path / "P1_1_mask.png", random_pixels(1))
    with pytest.raises(ValueError, match="expected images, got 1 masks alone"):
        read_source(tmp_path)


@pytest.mark.parametrize(("suffix", "dtype"), [(".tif", "uint16"), (".png", "uint16")])
def test_pictures_are_written_back_with_their_names_and_type(
    tmp_path: Path, suffix: str, dtype: str
) -> None:
    for number in (1, 2):
        save_picture(tmp_path / "in" / f"P1_{number}{suffix}", random_pixels(number, dtype=dtype))
    (subject,) = read_source(tmp_path / "in").subjects
    volume = subject.read_volume().astype(np.float32) + 0.4
    volume[0, 0, :2] = -5, 70000

    subject.write_like(volume, tmp_path / "out")

    expected = subject.read_volume()
    expected[0, 0, :2] = 0, 65535
    written = read_source(tmp_path / "out").subjects[0]
    assert [file.name for file in written.files] == [f"P1_{n}{suffix}" for n in (1, 2)]
    np.testing.assert_array_equal(written.read_volume(), expected)


def test_one_picture_is_written_back_as_one_file(tmp_path: Path) -> None:
    file = save_picture(tmp_path / "P1_1.png", random_pixels(1))
    (subject,) = read_source(file).subjects

    subject.write_like(subject.read_volume(), tmp_path / "out.png")

    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out.png")), random_pixels(1))
    with pytest.raises(ValueError, match=r"out\.bmp: expected a name ending in \.tif"):
        subject.write_like(subject.read_volume(), tmp_path / "out.bmp")
    with pytest.raises(ValueError, match="volume: expected 1 slices, got 0"):
        subject.write_like(subject.read_volume()[:0], tmp_path / "out.png")
