import importlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from raw_sources import coil_kspace, dicom_slice, save_dicom, save_fastmri
from sources import cut_short, random_pixels, save_nifti, save_picture, save_subjects

from mrirecon.data import PrepareConfig, SliceStore, Subject, prepare
from mrirecon.data.pixels import fit_centre
from mrirecon.data.prepared_subject import PreparedSubject

# The package exports a function of the same name, so an import statement gives that one.
prepare_module = importlib.import_module("mrirecon.data.prepare")
TEST = PrepareConfig(splits="test")


def test_every_slice_arrives_unchanged_beside_its_scale(tmp_path: Path) -> None:
    source = save_subjects(tmp_path / "source", n_subjects=4, n_slices=3)

    done = prepare(source, tmp_path / "store.h5", PrepareConfig(splits=(0.5, 0.25, 0.25)))

    assert done.n_subjects == {"train": 2, "val": 1, "test": 1}
    assert done.n_slices == {"train": 6, "val": 3, "test": 3}
    with SliceStore(done.path) as store:
        assert (store.shapes, store.dtype, len(store)) == (((8, 10),), np.uint8, 12)
        for subject in store.subjects:
            images = store.read_rows(range(subject.first, subject.first + subject.count))
            number = int(subject.name[1:])
            expected = np.stack([random_pixels(100 * number + n) for n in (1, 2, 3)])
            np.testing.assert_array_equal(images, expected)
            assert subject.scale == expected.max()
            assert subject.files[0] == f"{subject.name}/{subject.name}_1.png"
            assert subject.voxel_size is None


def test_slices_of_a_split_are_neighbours_and_numbered(tmp_path: Path) -> None:
    source = save_subjects(tmp_path / "source", n_subjects=6, n_slices=2)
    prepare(source, tmp_path / "store.h5", PrepareConfig(splits=(0.4, 0.3, 0.3)))

    with SliceStore(tmp_path / "store.h5") as store:
        assert store.splits == ("train", "val", "test")
        assert [store.rows_of(split) for split in store.splits] == [
            range(4),
            range(4, 8),
            range(8, 12),
        ]
        assert store.volumes.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
        assert store.numbers.tolist() == [0, 1] * 6
        assert store.provenance["config"]["splits"] == [0.4, 0.3, 0.3]
        assert set(store.provenance["versions"]) == {"mrirecon", "python", "numpy", "h5py"}


def test_a_volume_keeps_type_and_voxel_size(tmp_path: Path) -> None:
    volume = random_pixels(1, (4, 5, 6), "int16")
    save_nifti(tmp_path / "head.nii.gz", volume, np.diag([2.0, 3.0, 4.0, 1.0]))

    prepare(tmp_path / "head.nii.gz", tmp_path / "store.h5", TEST)

    with SliceStore(tmp_path / "store.h5") as store:
        assert store.dtype == np.int16
        assert store.subjects[0].voxel_size == (4.0, 3.0, 2.0)
        assert store.subjects[0].scale == volume.max()


def test_types_of_two_subjects_are_joined_without_loss(tmp_path: Path) -> None:
    save_picture(tmp_path / "in" / "P1" / "1.png", random_pixels(1))
    save_picture(tmp_path / "in" / "P2" / "1.png", random_pixels(2, dtype="uint16"))

    prepare(tmp_path / "in", tmp_path / "store.h5", TEST)

    with SliceStore(tmp_path / "store.h5") as store:
        assert store.dtype == np.uint16
        np.testing.assert_array_equal(store.read_rows(range(1))[0], random_pixels(1))
        np.testing.assert_array_equal(
            store.read_rows(range(1, 2))[0], random_pixels(2, dtype="uint16")
        )


def test_blank_slices_can_be_dropped_and_the_others_keep_their_numbers(tmp_path: Path) -> None:
    volume = random_pixels(1, (8, 8, 4), "int16")
    volume[..., [0, 2]] //= 100  # noise around the head
    save_nifti(tmp_path / "head.nii", volume)

    done = prepare(
        tmp_path / "head.nii", tmp_path / "s.h5", PrepareConfig(splits="test", drop_blank=True)
    )

    assert [(entry.slice, entry.reason) for entry in done.left_out] == [(0, "blank"), (2, "blank")]
    with SliceStore(done.path) as store:
        assert store.numbers.tolist() == [1, 3]


@pytest.mark.parametrize("present", [4, 5])
@pytest.mark.parametrize("wanted", [2, 3, 4, 5, 6, 7])
def test_fitting_keeps_the_centre_pixel_at_the_centre(present: int, wanted: int) -> None:
    image = np.arange(1, 1 + present * 9).reshape(9, present)

    fitted = fit_centre(image, (8, wanted))

    assert fitted.shape == (8, wanted)
    assert fitted[4, wanted // 2] == image[4, present // 2]
    kept = min(present // 2, wanted // 2) + min(present - present // 2, wanted - wanted // 2)
    assert np.count_nonzero(fitted[4]) == kept


def test_subjects_of_several_sizes_are_kept_as_they_are(tmp_path: Path) -> None:
    source = save_subjects(tmp_path / "in", n_subjects=2, n_slices=1)
    save_picture(source / "P2" / "P2_1.png", random_pixels(9, (6, 7)))

    prepare(source, tmp_path / "store.h5", TEST)

    with SliceStore(tmp_path / "store.h5") as store:
        assert store.shapes == ((8, 10), (6, 7))
        assert [subject.shape for subject in store.subjects] == [(8, 10), (6, 7)]
        np.testing.assert_array_equal(store.read_rows([1])[0], random_pixels(9, (6, 7)))


def test_sizes_mixed_in_a_subject_are_refused_and_a_size_resolves_them(tmp_path: Path) -> None:
    source = save_subjects(tmp_path / "in", n_subjects=1, n_slices=1)
    save_picture(source / "P1" / "P1_2.png", random_pixels(9, (6, 7)))

    with pytest.raises(ValueError, match=r"P1_2\.png: expected 8 x 10 .*P1_1\.png, got 6 x 7; .*"):
        prepare(source, tmp_path / "store.h5", TEST)
    prepare(source, tmp_path / "store.h5", PrepareConfig(splits="test", size=(9, 9)))

    with SliceStore(tmp_path / "store.h5") as store:
        assert store.shapes == ((9, 9),)
        assert store.read_rows([1])[0, 4, 4] == random_pixels(9, (6, 7))[3, 3]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.nan, r"head\.nii: expected finite values, got 1 NaN or Inf"),
        (np.inf, r"head\.nii: expected finite values, got 1 NaN or Inf"),
        (-1.5, r"head\.nii: expected magnitudes, 0 or more, got -1\.5; .*--clip-negative"),
    ],
)
def test_values_that_no_magnitude_has_are_refused(tmp_path: Path, bad: float, message: str) -> None:
    volume = random_pixels(1, (4, 5, 6)).astype(np.float32)
    volume[2, 2, 2] = bad
    save_nifti(tmp_path / "head.nii", volume)

    with pytest.raises(ValueError, match=message):
        prepare(tmp_path / "head.nii", tmp_path / "store.h5", TEST)
    assert [file.name for file in tmp_path.iterdir()] == ["head.nii"]


def test_negative_values_are_clipped_when_asked(tmp_path: Path) -> None:
    volume = random_pixels(1, (4, 5, 6)).astype(np.float32)
    volume[2, 2, 2] = -1
    save_nifti(tmp_path / "head.nii", volume)

    prepare(
        tmp_path / "head.nii", tmp_path / "s.h5", PrepareConfig(splits="test", clip_negative=True)
    )

    with SliceStore(tmp_path / "s.h5") as store:
        assert store.read_rows(range(len(store))).min() == 0


def test_a_subject_that_shows_nothing_is_refused(tmp_path: Path) -> None:
    save_picture(tmp_path / "P1" / "P1_1.png", np.zeros((4, 4), np.uint8))

    with pytest.raises(ValueError, match=r"P1_1\.png: expected an image in P1, got only blanks"):
        prepare(tmp_path, tmp_path / "store.h5", TEST)


def test_a_broken_picture_leaves_no_store(tmp_path: Path) -> None:
    source = save_subjects(tmp_path / "in", n_slices=2)
    cut_short(source / "P3" / "P3_2.png", 0.8)

    with pytest.raises(ValueError, match=r"P3_2\.png: expected a whole PNG picture"):
        prepare(source, tmp_path / "out" / "store.h5", TEST)
    assert list((tmp_path / "out").iterdir()) == []


def test_one_subject_with_one_slice_is_a_store(tmp_path: Path) -> None:
    file = save_picture(tmp_path / "P1_1.png", random_pixels(1))

    assert prepare(file, tmp_path / "store.h5", TEST).n_slices == {"test": 1}


def test_an_existing_store_is_replaced_only_when_asked(tmp_path: Path) -> None:
    source = save_subjects(tmp_path / "in", n_subjects=1)
    prepare(source, tmp_path / "store.h5", TEST)
    before = (tmp_path / "store.h5").read_bytes()

    with pytest.raises(FileExistsError, match=r"store\.h5: exists already; .*--overwrite"):
        prepare(source, tmp_path / "store.h5", PrepareConfig(splits="train"))
    assert (tmp_path / "store.h5").read_bytes() == before
    prepare(source, tmp_path / "store.h5", PrepareConfig(splits="train"), overwrite=True)
    with SliceStore(tmp_path / "store.h5") as store:
        assert store.splits == ("train",)


def test_an_output_that_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(PermissionError, match=r"cannot be written: .*file is no folder"):
        prepare(tmp_path / "nowhere", tmp_path / "file" / "store.h5")
    with pytest.raises(IsADirectoryError, match="expected the name of a file, got a folder"):
        prepare(tmp_path / "nowhere", tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_said_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)

    with pytest.raises(
        PermissionError, match=r"cannot be written: .*locked is no folder that lets"
    ):
        prepare(tmp_path / "nowhere", tmp_path / "locked" / "store.h5")


def test_progress_names_each_subject(tmp_path: Path) -> None:
    calls: list[tuple[int, int, str]] = []

    prepare(
        save_subjects(tmp_path / "in", n_subjects=2),
        tmp_path / "store.h5",
        TEST,
        progress=lambda *call: calls.append(call),
    )

    assert calls == [(0, 2, "P1"), (1, 2, "P2"), (2, 2, "")]


@pytest.mark.parametrize("size", [(0, 4), (4,), (4, -1)])
def test_a_size_without_pixels_is_refused(size: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="size: expected two numbers of 1 or more"):
        PrepareConfig(size=size)  # type: ignore[arg-type]


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    source = save_subjects(tmp_path / "in", n_subjects=3)
    save_dicom(tmp_path / "dicom" / "1.dcm", dicom_slice(random_pixels(1)))

    for name in ("a.h5", "b.h5"):
        prepare([source, tmp_path / "dicom"], tmp_path / name, PrepareConfig(seed=3))

    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_processes_write_the_same_bytes_as_one(tmp_path: Path) -> None:
    source = save_subjects(tmp_path / "in", n_subjects=3)
    save_picture(source / "P4" / "P4_1.png", random_pixels(101))  # as the first of P1
    save_dicom(tmp_path / "dicom" / "1.dcm", dicom_slice(random_pixels(1)))
    save_fastmri(tmp_path / "raw" / "a.h5", kspace=coil_kspace(0, 2, 16, 12)[0][None])
    config = PrepareConfig(seed=3, drop_repeated=True)

    sources = [source, tmp_path / "dicom", tmp_path / "raw"]

    done = {
        n: prepare(sources, tmp_path / f"out{n}" / "store.h5", config, n_workers=n) for n in (1, 3)
    }

    assert done[1].path.read_bytes() == done[3].path.read_bytes()
    assert done[1].left_out == done[3].left_out
    assert len(done[3].left_out) == 1


def test_subjects_that_other_processes_finished_are_kept_for_later(tmp_path: Path) -> None:
    source, out = save_subjects(tmp_path / "in", n_subjects=3), tmp_path / "out" / "store.h5"
    prepare(source, tmp_path / "whole.h5", TEST)
    whole = (source / "P3" / "P3_4.png").read_bytes()
    cut_short(source / "P3" / "P3_4.png", 0.8)

    with pytest.raises(ValueError, match=r"P3_4\.png: expected a whole PNG picture"):
        prepare(source, out, TEST, resume=True, n_workers=2)
    assert len(list((out.parent / ".store.h5.parts").iterdir())) == 2
    (source / "P3" / "P3_4.png").write_bytes(whole)
    prepare(source, out, TEST, resume=True, n_workers=2)

    assert out.read_bytes() == (tmp_path / "whole.h5").read_bytes()
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize("n_workers", [0, -1])
def test_a_number_of_processes_below_one_is_refused(tmp_path: Path, n_workers: int) -> None:
    with pytest.raises(ValueError, match=rf"n_workers: expected 1 or more, got {n_workers}"):
        prepare(tmp_path, tmp_path / "store.h5", n_workers=n_workers)


@pytest.mark.parametrize("changed", ["files", "settings"])
def test_a_part_is_used_only_for_the_same_files_and_settings(tmp_path: Path, changed: str) -> None:
    source, out = save_subjects(tmp_path / "in", n_subjects=2), tmp_path / "out" / "store.h5"
    whole = (source / "P2" / "P2_4.png").read_bytes()
    cut_short(source / "P2" / "P2_4.png", 0.8)
    with pytest.raises(ValueError, match=r"P2_4\.png"):
        prepare(source, out, PrepareConfig(splits="test", size=(6, 6)), resume=True)
    assert len(list((out.parent / ".store.h5.parts").iterdir())) == 1
    (source / "P2" / "P2_4.png").write_bytes(whole)

    config = PrepareConfig(splits="test", size=(6, 6) if changed == "files" else (8, 6))
    if changed == "files":
        save_picture(source / "P1" / "P1_1.png", random_pixels(999))
    prepare(source, tmp_path / "fresh.h5", config)
    prepare(source, out, config, resume=True)

    assert out.read_bytes() == (tmp_path / "fresh.h5").read_bytes()


@pytest.mark.parametrize("damage", [False, True])
def test_finished_subjects_are_not_prepared_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bool
) -> None:
    source, out = save_subjects(tmp_path / "in", n_subjects=3), tmp_path / "out" / "store.h5"
    prepare(source, tmp_path / "whole.h5", TEST)
    made: list[str] = []
    prepare_subject = prepare_module.prepare_subject

    def stop_at_third(subject: Subject, config: PrepareConfig) -> PreparedSubject:
        made.append(subject.name)
        if made == ["P1", "P2", "P3"]:
            raise KeyboardInterrupt
        return prepare_subject(subject, config)

    monkeypatch.setattr(prepare_module, "prepare_subject", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        prepare(source, out, TEST, resume=True)
    parts = list((out.parent / ".store.h5.parts").iterdir())
    assert len(parts) == 2
    if damage:
        cut_short(parts[0])
    prepare(source, out, TEST, resume=True)

    assert made[3:] == ["P3"] or (damage and len(made) == 5)
    assert out.read_bytes() == (tmp_path / "whole.h5").read_bytes()
    assert list(out.parent.iterdir()) == [out]


SCRIPT = """
import signal, sys, time
from mrirecon.data import PrepareConfig, prepare
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
def slow(done, total, name):
    print(done, flush=True)
    time.sleep(float(sys.argv[3]))
config = PrepareConfig(splits="test")
prepare(sys.argv[1], sys.argv[2], config, progress=slow, n_workers=int(sys.argv[4]))
"""


@pytest.mark.parametrize("n_workers", ["1", "2"])
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_no_store(
    tmp_path: Path, kind: signal.Signals, n_workers: str
) -> None:
    source = save_subjects(tmp_path / "in")
    out = tmp_path / "out" / "store.h5"
    arguments = [sys.executable, "-c", SCRIPT, str(source), str(out), "60", n_workers]
    with subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stdout is not None
        run.stdout.readline()  # the first subject has begun
        time.sleep(0.1)
        if kind == signal.SIGINT:
            os.killpg(run.pid, kind)  # as the terminal does for Ctrl-C
        else:
            run.send_signal(kind)
        # Ends once nobody holds the other end of the pipes: neither program nor a process of it.
        _, errors = run.communicate(timeout=20)
        assert run.returncode != 0

    assert not out.exists()
    if kind == signal.SIGINT:
        assert list(out.parent.iterdir()) == []
        assert errors.count("Traceback") == 1


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on file size makes the system refuse to write, as a full disk does."""
    source = tmp_path / "in"
    for number in range(8):
        save_picture(source / "P1" / f"P1_{number}.png", random_pixels(number, (256, 256)))
    out = tmp_path / "out" / "store.h5"

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(source), str(out), "0", "1"],
        preexec_fn=limit,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "store.h5: the disk or its quota is full; nothing is left of the store"
    )
    assert list(out.parent.iterdir()) == []
