"""Wrong input: one line that names what and why, a status that is not 0, nothing half-written."""

from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
from command import Command, Result
from PIL import Image


def check(result: Result, *texts: str, status: int = 1) -> None:
    assert result.status == status
    err = result.err.strip()
    assert err.startswith("error: ")
    assert "\n" not in err
    for text in texts:
        assert text in err


def partial_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if "partial" in path.name]


def test_empty_folder(mrirecon: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for command in ("inspect", "prepare"):
        arguments = ["--out", tmp_path / "store.h5"] if command == "prepare" else []
        check(mrirecon(command, tmp_path / "empty", *arguments), "empty", "an empty folder")
    assert not (tmp_path / "store.h5").exists()


def test_truncated_tiff(mrirecon: Command, pictures: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.tif"
    Image.fromarray(np.full((32, 32), 9, np.uint8)).save(whole)
    broken = pictures / "person_1" / "person_1_9.tif"
    broken.write_bytes(whole.read_bytes()[:300])
    check(mrirecon("prepare", pictures, "--out", tmp_path / "store.h5"), "person_1_9.tif")
    assert not (tmp_path / "store.h5").exists()
    assert partial_files(tmp_path) == []


def test_mixed_sizes(mrirecon: Command, pictures: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((30, 32), 9, np.uint8)).save(pictures / "person_1" / "person_1_9.png")
    result = mrirecon("prepare", pictures, "--out", tmp_path / "store.h5")
    check(result, "person_1_9.png", "30 x 32", "32 x 32", "--size")
    result = mrirecon("prepare", pictures, "--out", tmp_path / "s.h5", "--size", 32, 32)
    assert result.status == 0, result.err


def test_nan_volume(mrirecon: Command, trained: Path, tmp_path: Path) -> None:
    voxels = np.ones((8, 8, 3), np.float32)
    voxels[2, 3, 1] = np.nan
    source = tmp_path / "nan.nii"
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), source)
    store, out = tmp_path / "nan.h5", tmp_path / "out.nii"
    check(mrirecon("prepare", source, "--out", store, "--split", "test"), "nan.nii", "NaN")
    check(mrirecon("reconstruct", trained, source, "--out", out), "volume", "nan")
    assert not store.exists()
    assert not out.exists()


def test_mask_of_the_wrong_length(mrirecon: Command, trained: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "scan.h5", tmp_path / "out.h5"
    with h5py.File(source, "w") as file:
        file["kspace"] = np.ones((1, 16, 20), np.complex64)
        file["mask"] = np.ones(16, bool)
    result = mrirecon("reconstruct", trained, source, "--out", out)
    check(result, "scan.h5", "mask: expected (20,), got (16,)")
    assert not out.exists()


@pytest.mark.parametrize(
    ("setting", "texts"),
    [
        ("training.stepz=3", ("unknown key training.stepz", "did you mean steps?")),
        ("samplings.strategy=radial", ("unknown key samplings", "did you mean sampling?")),
        ("generator.network.widht=3", ("unknown key generator.network.widht", "width")),
        ("sampling.acceleration=0.5", ("sampling.acceleration: expected at least 1, got 0.5",)),
        ("training.steps=many", ("training.steps", "got 'many'")),
        ("training.losses.l1=-1", ("training.losses.l1: expected", "got -1")),
        ("steps", ("--set: expected key=value, got 'steps'",)),
        ("store.x=1", ("--set store.x",)),
    ],
)
def test_wrong_configuration_key_or_value(
    mrirecon: Command, tmp_path: Path, setting: str, texts: tuple[str, ...]
) -> None:
    result = mrirecon("train", tmp_path / "run", "--store", tmp_path / "s.h5", "--set", setting)
    check(result, *texts)
    assert not (tmp_path / "run").exists()


def test_configuration_file_is_named(mrirecon: Command, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("store: s.h5\ntraning: {}\n")
    check(mrirecon("train", tmp_path / "run", "--config", path), "mine.yaml", "traning")
    path.write_text("store: [s.h5\n")
    check(mrirecon("train", tmp_path / "run", "--config", path), "mine.yaml: expected YAML")


def test_missing_store_and_missing_run(mrirecon: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    check(mrirecon("train", run, "--store", tmp_path / "none.h5"), "none.h5: no such store")
    assert not run.exists()
    check(mrirecon("evaluate", run), "run: no run here")
    check(mrirecon("train", run, "--resume"), "nothing to resume")


def test_missing_checkpoint(mrirecon: Command, trained: Path, pictures: Path) -> None:
    for name in ("best", "last"):
        (trained / "checkpoints" / name).unlink()
    image = pictures / "person_0" / "person_0_1.png"
    check(mrirecon("evaluate", trained), "expected a run with a checkpoint, found none")
    out = trained / "out.png"
    check(
        mrirecon("reconstruct", trained, image, "--out", out),
        "expected a run with a checkpoint, found none",
    )


def test_truncated_checkpoint(mrirecon: Command, trained: Path) -> None:
    weights = trained / "checkpoints" / "step_000004" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    check(mrirecon("evaluate", trained), "model.safetensors")


def test_a_run_is_not_overwritten(mrirecon: Command, trained: Path) -> None:
    before = (trained / "metrics.jsonl").read_bytes()
    check(mrirecon("train", trained, "--store", "x.h5"), "holds a run already", "--resume")
    setting = "sampling.strategy=radial"
    check(mrirecon("train", trained, "--resume", "--set", setting), "sampling")
    assert (trained / "metrics.jsonl").read_bytes() == before


def test_a_start_that_failed_does_not_stand_in_the_way(
    mrirecon: Command, pictures: Path, tiny: list[str], tmp_path: Path
) -> None:
    """A batch larger than the data once left a config.yaml that made the next start fail."""
    store, run = tmp_path / "store.h5", tmp_path / "run"
    assert mrirecon("prepare", pictures, "--out", store).status == 0
    arguments = ("train", run, "--store", store, *tiny)
    result = mrirecon(*arguments, "--set", "training.batch_size=500")
    check(result, "expected a batch of 500 slices or more")
    assert mrirecon(*arguments).status == 0


def test_output_folder_that_cannot_be_written(
    mrirecon: Command, pictures: Path, trained: Path, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    check(mrirecon("prepare", pictures, "--out", in_the_way / "store.h5"), "file")
    check(mrirecon("evaluate", trained, "--out", in_the_way / "evaluation"), "file")
    image = pictures / "person_0" / "person_0_1.png"
    check(mrirecon("reconstruct", trained, image, "--out", in_the_way / "out.png"), "file")
    assert in_the_way.read_text() == "not a folder"


def test_unknown_split_protocol_device_and_strategy(
    mrirecon: Command, trained: Path, tmp_path: Path
) -> None:
    check(mrirecon("evaluate", trained, "--split", "exam"), "exam")
    check(mrirecon("evaluate", trained, "--protocol", "best"), "fastmri")
    check(mrirecon("evaluate", trained, "--device", "abacus"), "--device", "abacus")
    out = tmp_path / "m.png"
    check(mrirecon("sampling", "--strategy", "spiral9", "--out", out), "spiral9", "golden_angle")
    check(mrirecon("sampling", "--strategy", "spiral", "--out", out), "--image it is compared")
    check(mrirecon("sampling", "--html", out), "--html", "expected --image")
    check(mrirecon("sampling", "--image", tmp_path / "none"), "none: no such file")


def test_a_comparison_refuses_what_it_has_not(
    mrirecon: Command, pictures: Path, tmp_path: Path
) -> None:
    source = pictures / "person_0"
    check(mrirecon("sampling", "--image", source, "--slice", 4), "--slice: expected 0 to 3, got 4")
    check(mrirecon("sampling", "--image", source, "--strategy", "spiral9"), "spiral9", "spiral")
    check(mrirecon("sampling", "--image", source, "--acceleration", 0.5), "--acceleration", "0.5")
    check(mrirecon("sampling", "--image", pictures), "expected one subject, got 6")
    check(mrirecon("sampling", "--image", source, "--scanner", "7t"), "clinical_3t", "7t")
    check(mrirecon("sampling", "--image", source, "--noise", -1), "noise_std", "-1")


def test_kspace_that_is_none(mrirecon: Command, trained: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "a.npy", tmp_path / "out.npy"
    for array, text in [
        (np.ones((8, 8), np.float32), "expected complex k-space, got float32"),
        (np.ones((2, 3, 8, 8), np.complex64), "a name for each axis (--axes)"),
        (np.zeros((8, 8), np.complex64), "zeros alone"),
        (np.full((8, 8), np.nan, np.complex64), "NaN or Inf"),
    ]:
        np.save(source, array)
        check(mrirecon("reconstruct", trained, source, "--out", out), "a.npy", text)
    source.write_bytes(b"\x93NUMPY damaged")
    check(mrirecon("reconstruct", trained, source, "--out", out), "a.npy")
    assert not out.exists()


def test_a_command_line_mistake_has_its_own_status(mrirecon: Command) -> None:
    assert mrirecon("no-such-command").status == 2
    assert mrirecon("train").status == 2
