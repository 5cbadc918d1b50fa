"""Each command as a person would call it, on small images."""

import csv
import json
import signal
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
import torch
import yaml
from command import Command
from PIL import Image
from raw_sources import coil_kspace, dicom_slice, save_dicom, save_fastmri

from mrirecon.data import SliceStore, read_source
from mrirecon.evaluation import METHODS, OFF_GRID_METHODS
from mrirecon.fourier import fft_centred
from mrirecon.sampling import CANDIDATES, STRATEGIES, SamplingConfig, make_mask
from mrirecon.training import TrainingStopped


def test_info_tells_build_and_versions_as_json(mrirecon: Command) -> None:
    facts = json.loads(mrirecon("info", "--json").out)
    assert facts["torch"] == torch.__version__
    assert facts["simd"] in facts["simd_available"]
    assert set(facts) >= {"mrirecon", "cuda_architectures", "threads"}
    assert "SIMD level in use" in mrirecon("info").out


def test_inspect_counts_what_is_there(mrirecon: Command, pictures: Path) -> None:
    result = mrirecon("inspect", pictures)
    assert result.status == 0
    assert "subjects: 6, slices: 24, size: 32 x 32" in result.out
    as_json = json.loads(mrirecon("inspect", pictures, "--json").out)
    assert as_json["n_slices"] == 24
    assert as_json["subjects"][0]["sizes"] == [[32, 32, 4]]


def test_inspect_fails_where_prepare_would(mrirecon: Command, pictures: Path) -> None:
    broken = pictures / "person_3" / "person_3_2.png"
    broken.write_bytes(broken.read_bytes()[:60])
    result = mrirecon("inspect", pictures)
    assert result.status == 1
    assert "person_3_2.png" in result.out
    assert "1 file cannot be read" in result.out


def test_inspect_writes_a_page_that_needs_nothing_else(
    mrirecon: Command, pictures: Path, tmp_path: Path
) -> None:
    odd = pictures / "person_<b>"
    odd.mkdir()
    (odd / "1.png").hardlink_to(pictures / "person_0" / "person_0_1.png")
    result = mrirecon("inspect", pictures, "--html", tmp_path / "page.html", "--json")
    assert result.status == 1  # one image under two names
    assert json.loads(result.out)["is_safe"] is False
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/png;base64,") == 7
    assert "Not safe to train on" in page
    assert "identical slices in person_0, person_&lt;b&gt;" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_sampling_draws_every_strategy(
    mrirecon: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(
        "mrirecon.cli.sampling.draw_masks",
        lambda masks, _path: drawn.extend(title for title, _, _ in masks),
    )
    result = mrirecon("sampling", "--size", 64, 48, "--out", tmp_path / "masks.png")
    assert result.status == 0, result.err
    assert result.out.count("acceleration") == len(STRATEGIES)
    assert drawn == [name.replace("_", " ") for name in STRATEGIES]


def test_sampling_draws_what_is_asked_for(mrirecon: Command, tmp_path: Path) -> None:
    chosen = [part for name in ("random", "poisson_disc") for part in ("--strategy", name)]
    result = mrirecon("sampling", "--size", 64, 48, "--out", tmp_path / "masks.png", *chosen)
    assert result.status == 0, result.err
    with Image.open(tmp_path / "masks.png") as picture:
        assert picture.size[0] > 700  # two columns


def test_sampling_says_what_a_scanner_cannot_play(mrirecon: Command, tmp_path: Path) -> None:
    """12 lines of 64 samples at 20 ms; 1 / (0.256 m x 2 us x 42.6 MHz/T) is 45.9 mT/m."""
    own = tmp_path / "own.yaml"
    own.write_text("{name: own, field_strength: 1.5, max_gradient: 40.0e-3, max_slew: 150}")
    scan = ("--scanner", own, "--repetition-time", 0.02, "--dwell-time", 2e-6)
    chosen = ("--strategy", "equispaced", "--size", 64, 48, "--out", tmp_path / "masks.png")
    result = mrirecon("sampling", *chosen, *scan)
    assert result.status == 0, result.err
    lines = " ".join(result.out.split())
    assert "12 excitations, 0.24 s instead of 0.96 s" in lines
    assert "cannot be played: gradient of 45.9 mT/m is 1.15 times the 40 mT/m of own" in lines
    slow = mrirecon("sampling", *chosen, "--scanner", own)
    assert slow.status == 0
    assert "cannot be played" not in slow.out


def test_sampling_lists_its_strategies(mrirecon: Command) -> None:
    result = mrirecon("sampling", "--list")
    assert result.status == 0
    assert all(name in result.out for name in CANDIDATES)


def test_sampling_compares_strategies_on_an_image(
    mrirecon: Command, pictures: Path, tmp_path: Path
) -> None:
    chosen = [part for name in ("equispaced", "poisson_disc") for part in ("--strategy", name)]
    source = pictures / "person_0"
    html = tmp_path / "page.html"
    result = mrirecon("sampling", "--image", source, *chosen, "--html", html, "--slice", 1)
    assert result.status == 0, result.err
    assert "slice 1, 4 times shorter" in result.out
    assert "equispaced: SSIM 0." in result.out
    assert "points of a plane need a 3-D scan" in html.read_text("utf-8")
    in_3d = mrirecon("sampling", "--image", source, *chosen, "--partitions", 16)
    assert "the highest of the 2 that clinical_3t can play" in in_3d.out
    # Its 4 slices are fewer than the partitions; of 3 they are enough.
    koosh = ("--strategy", "kooshball", "--partitions")
    assert "expected a volume" in mrirecon("sampling", "--image", source, *koosh, 16).err
    assert "kooshball: SSIM 0." in mrirecon("sampling", "--image", source, *koosh, 3).out


def test_strategies_that_cannot_be_so_fast_are_left_out_and_named(
    mrirecon: Command, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {name: CANDIDATES[name] for name in ("equispaced", "poisson_disc")}
    monkeypatch.setattr("mrirecon.cli.sampling_comparison.CANDIDATES", few)
    command = ("sampling", "--image", pictures / "person_0", "--acceleration", 1.2)
    result = mrirecon(*command)
    assert result.status == 0, result.err
    assert "left out: poisson_disc: acceleration: expected at least 1.2" in result.out
    assert mrirecon(*command, "--strategy", "poisson_disc").status == 1


def test_a_run_is_trained_scored_and_reported(
    mrirecon: Command, trained: Path, tmp_path: Path
) -> None:
    assert (trained / "config.yaml").read_text().startswith("store: ")
    lines = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert {record["step"] for record in lines} == {1, 2, 3, 4}
    result = mrirecon("evaluate", trained)
    assert result.status == 0, result.err
    assert "network + data consistency" in result.out
    with (trained / "evaluation" / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["method"] for row in rows} == set(METHODS)
    report = (trained / "evaluation" / "report.html").read_text()
    assert "<html" in report
    assert "http://" not in report.replace("http://www.w3.org", "")


def test_a_radial_run_is_trained_scored_and_reconstructs(
    mrirecon: Command, pictures: Path, tiny: list[str], tmp_path: Path
) -> None:
    store, run = tmp_path / "store.h5", tmp_path / "run"
    assert mrirecon("prepare", pictures, "--out", store).status == 0
    spokes = ("trajectory.n_readouts=12", "trajectory.n_samples=64", "generator.consistency=inside")
    options = [part for setting in spokes for part in ("--set", setting)]
    result = mrirecon("train", run, "--store", store, *tiny, *options)
    assert result.status == 0, result.err
    result = mrirecon("evaluate", run)
    assert result.status == 0, result.err
    assert "radial, 12 spokes" in result.out
    with (run / "evaluation" / "scores.csv").open() as file:
        assert {row["method"] for row in csv.DictReader(file)} == set(OFF_GRID_METHODS)
    source, out = pictures / "person_0" / "person_0_1.png", tmp_path / "out.png"
    assert mrirecon("reconstruct", run, source, "--out", out).status == 0
    with Image.open(source) as before, Image.open(out) as after:
        difference = np.asarray(after, float) - np.asarray(before, float)
        assert np.linalg.norm(difference) < 0.5 * np.linalg.norm(np.asarray(before, float))
    np.save(tmp_path / "kspace.npy", np.ones((32, 32), np.complex64))
    result = mrirecon("reconstruct", run, tmp_path / "kspace.npy", "--out", tmp_path / "image.npy")
    assert "expected undersampled k-space or an image, since the run was trained" in result.err
    result = mrirecon("train", run, "--resume", "--set", "trajectory.n_readouts=13")
    assert "--set trajectory: expected the run's own with --resume, got another" in result.err
    result = mrirecon("sampling", "--config", run / "config.yaml", "--out", tmp_path / "spokes.png")
    assert "radial: 12 spokes" in result.out
    assert (tmp_path / "spokes.png").exists()


def test_a_run_of_a_mixture_says_which_pattern_was_scored(
    mrirecon: Command, pictures: Path, tiny: list[str], tmp_path: Path
) -> None:
    store, run = tmp_path / "store.h5", tmp_path / "run"
    assert mrirecon("prepare", pictures, "--out", store).status == 0
    mixture = "mixture.sampling=[{acceleration: 2}, {strategy: random_2d, acceleration: 3}]"
    options = ["--set", mixture, "--set", "training.curriculum.ease=2"]
    result = mrirecon("train", run, "--store", store, *tiny, *options)
    assert result.status == 0, result.err
    names = ["variable density, 2x", "random 2d, 3x"]
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    scores = lines[-1]
    of_patterns = [scores[f"validation.ssim of {name}"] for name in names]
    assert scores["validation.ssim"] == pytest.approx(sum(of_patterns) / 2)
    assert of_patterns[0] != of_patterns[1]
    result = mrirecon("evaluate", run)
    assert result.status == 0, result.err
    report = (run / "evaluation" / "report.html").read_text()
    assert all(name in result.out and name in report for name in names)
    with (run / "evaluation" / "scores.csv").open() as file:
        cells = {row["cell"] for row in csv.DictReader(file)}
    assert cells == set(names)
    result = mrirecon("evaluate", run, "--pattern", names[1])
    assert names[0] not in result.out and names[1] in result.out
    source, out = pictures / "person_0" / "person_0_1.png", tmp_path / "out.png"
    result = mrirecon("reconstruct", run, source, "--out", out)
    expected = (
        "--pattern: expected one, since the run mixes 'variable density, 2x'; 'random 2d, 3x'"
    )
    assert expected in result.err
    result = mrirecon("reconstruct", run, source, "--out", out, "--pattern", names[0])
    assert result.status == 0, result.err
    result = mrirecon("export", run, "--out", tmp_path / "model.pt2", "--pattern", "lines")
    assert "--pattern: expected one of 'variable density, 2x'" in result.err
    result = mrirecon("train", run, "--resume", "--set", "mixture.weights=[2, 1]")
    assert "--set mixture: expected the run's own with --resume, got another" in result.err
    picture = tmp_path / "masks.png"
    result = mrirecon("sampling", "--config", run / "config.yaml", "--out", picture)
    assert "variable_density: " in result.out and "random_2d: " in result.out


def test_train_shows_its_configuration_and_starts_nothing(
    mrirecon: Command, tmp_path: Path
) -> None:
    arguments = ("--store", "s.h5", "--set", "training.steps=7", "--show-config")
    result = mrirecon("train", tmp_path / "run", *arguments)
    assert result.status == 0
    assert yaml.safe_load(result.out)["training"]["steps"] == 7
    assert not (tmp_path / "run").exists()


def test_a_stopped_training_says_so_and_ends_as_shells_expect(
    mrirecon: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop() -> None:
        raise TrainingStopped(signal.SIGTERM, 7)

    monkeypatch.setattr("mrirecon.cli.app.app", stop)
    result = mrirecon("train", "run")
    assert result.status == 128 + 15
    assert "stopped by SIGTERM after step 7, which is saved; go on by --resume" in result.out


def test_fine_tuning_starts_from_another_run(
    mrirecon: Command, trained: Path, tiny: list[str], tmp_path: Path
) -> None:
    store, tuned = tmp_path / "store.h5", tmp_path / "tuned"
    result = mrirecon("train", tuned, "--store", store, *tiny, "--init-from", trained)
    assert result.status == 0, result.err
    assert f"tensors start from {trained}" in result.out
    result = mrirecon("train", tuned, "--resume", "--init-from", trained)
    assert (result.status, "--init-from: expected none" in result.err) == (1, True)
    result = mrirecon("evaluate", tuned, "--checkpoint", "newest")
    assert "--checkpoint: expected best or last, got 'newest'" in result.err


def test_train_finds_the_largest_batch_and_says_so(
    mrirecon: Command, pictures: Path, tiny: list[str], tmp_path: Path
) -> None:
    store, run = tmp_path / "store.h5", tmp_path / "run"
    assert mrirecon("prepare", pictures, "--out", store).status == 0
    with SliceStore(store) as opened:
        n_train = len(opened.rows_of("train"))
    result = mrirecon("train", run, "--store", store, *tiny, "--batch", "auto")
    assert result.status == 0, result.err
    assert f"batch of {n_train}: " in result.out and "tried (slices: GiB) 1: " in result.out
    assert yaml.safe_load((run / "config.yaml").read_text())["training"]["batch_size"] == n_train
    other = (tmp_path / "other", "--store", store, *tiny)
    result = mrirecon("train", *other, "--batch", "auto", "--max-memory", 0.001)
    assert "--max-memory: expected" in result.err and "a batch of one slice takes" in result.err
    result = mrirecon("train", *other, "--max-memory", 4)
    assert "--max-memory: expected with --batch auto alone, got 4" in result.err
    result = mrirecon("train", *other, "--batch", "many")
    assert "training.batch_size" in result.err
    result = mrirecon("train", run, "--resume", "--batch", "auto")
    assert "--batch: expected none with --resume" in result.err


def test_find_rate_draws_and_says_which_one_to_take(
    mrirecon: Command, pictures: Path, tiny: list[str], tmp_path: Path
) -> None:
    store, out = tmp_path / "store.h5", tmp_path / "rates.png"
    assert mrirecon("prepare", pictures, "--out", store).status == 0
    result = mrirecon("find-rate", "--store", store, *tiny, "--out", out, "--steps", 20)
    assert result.status == 0, result.err
    assert "--set training.learning_rate=" in result.out
    with Image.open(out) as picture:
        assert picture.size[0] > 700
    result = mrirecon("find-rate", "--store", store, "--out", tmp_path / "rates.pdf")
    assert "--out: expected a name ending in .png, got rates.pdf" in result.err


def test_export_writes_a_program_of_the_run(
    mrirecon: Command, trained: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model.pt2"
    result = mrirecon("export", trained, "--out", out)
    assert result.status == 0, result.err
    assert "masks (batch, 1, 32), 32 x 32 pixels" in result.out
    program = torch.export.load(out).module()
    image = program(torch.rand(3, 1, 32, 32, dtype=torch.complex64), torch.rand(3, 1, 32) < 0.5)
    assert image.shape == (3, 1, 32, 32)
    assert "exists already" in mrirecon("export", trained, "--out", out).err
    assert "ending in .pt2" in mrirecon("export", trained, "--out", tmp_path / "model.pt").err


def test_tune_writes_a_configuration_that_train_takes(
    mrirecon: Command, trained: Path, tiny: list[str], tmp_path: Path
) -> None:
    space, study = tmp_path / "space.yaml", tmp_path / "study"
    space.write_text("training.learning_rate: {low: 1.0e-4, high: 1.0e-2, log: true}\n")
    arguments = ["--space", space, "--store", tmp_path / "store.h5", *tiny, "--trials", 2]
    result = mrirecon("tune", study, *arguments)
    assert result.status == 0, result.err
    assert {"best.yaml", "study.db", "study.png", "trials", "trials.csv"} <= {
        path.name for path in study.iterdir()
    }
    assert "trial 1: 0." in result.out and "training.learning_rate" in result.out
    result = mrirecon("train", tmp_path / "best", "--config", study / "best.yaml")
    assert result.status == 0, result.err
    assert "--trials: expected 1 or more" in mrirecon("tune", study, *arguments[:-1], 0).err


def test_training_resumes_where_it_was(mrirecon: Command, trained: Path) -> None:
    result = mrirecon("train", trained, "--resume", "--set", "training.steps=6")
    assert result.status == 0, result.err
    last = (trained / "checkpoints" / "last").read_text().strip()
    assert last == "step_000006"


def test_reconstruct_gives_an_image_back_as_it_came(
    mrirecon: Command, trained: Path, pictures: Path, tmp_path: Path
) -> None:
    source, out = pictures / "person_0" / "person_0_1.png", tmp_path / "out.png"
    result = mrirecon("reconstruct", trained, source, "--out", out)
    assert result.status == 0, result.err
    with Image.open(source) as before, Image.open(out) as after:
        assert (before.size, before.mode) == (after.size, after.mode)
        # A quarter of k-space with its centre keeps most of a smooth image.
        difference = np.asarray(after, float) - np.asarray(before, float)
        assert np.linalg.norm(difference) < 0.5 * np.linalg.norm(np.asarray(before, float))


def test_reconstruct_keeps_the_geometry_of_a_volume(
    mrirecon: Command, trained: Path, tmp_path: Path
) -> None:
    affine = np.diag([-1.5, 1.25, 3.0, 1.0])
    affine[:3, 3] = [10, -20, 5]
    voxels = (100 * np.random.default_rng(0).random((32, 30, 3))).astype(np.int16)
    source, out = tmp_path / "head.nii.gz", tmp_path / "out.nii.gz"
    nibabel.save(nibabel.Nifti1Image(voxels, affine), source)
    assert mrirecon("reconstruct", trained, source, "--out", out).status == 0
    written = nibabel.load(out)
    assert written.shape == voxels.shape
    np.testing.assert_array_equal(written.affine, affine)
    assert written.get_data_dtype() == np.int16


@pytest.mark.parametrize("axis", ["cols", "rows"])
def test_reconstruct_keeps_measured_kspace(
    mrirecon: Command, trained: Path, tmp_path: Path, axis: str
) -> None:
    rows, cols = torch.meshgrid(torch.linspace(-1, 1, 32), torch.linspace(-1, 1, 40), indexing="ij")
    image = 300 * torch.exp(-4 * (rows**2 + 2 * cols**2))
    mask = make_mask(SamplingConfig(acceleration=2, axis=axis), (32, 40), seed=1)
    kspace = fft_centred(image.to(torch.complex64)) * mask
    source, out = tmp_path / "kspace.npy", tmp_path / "image.npy"
    np.save(source, kspace.numpy())
    result = mrirecon("reconstruct", trained, source, "--out", out)
    assert result.status == 0, result.err
    assert "as it was measured (2." in result.out
    written = fft_centred(torch.from_numpy(np.load(out)).to(torch.complex64))
    error = torch.linalg.norm((written - kspace)[mask.expand(32, 40)])
    # The consistent image is complex; its magnitude, which is written, is only nearly consistent
    # for an untrained network. An image shifted by one pixel would miss by the norm itself.
    assert error < 0.1 * torch.linalg.norm(kspace)


def test_reconstruct_writes_a_derived_dicom_series(
    mrirecon: Command, trained: Path, tmp_path: Path
) -> None:
    for number in range(3):
        pixels = (100 * np.random.default_rng(number).random((32, 30))).astype(np.uint16)
        place = {"ImagePositionPatient": [5, -7, 4 * number], "InstanceNumber": number + 1}
        save_dicom(tmp_path / "in" / f"{number}.dcm", dicom_slice(pixels, **place))
    out = tmp_path / "out"
    result = mrirecon("reconstruct", trained, tmp_path / "in", "--out", out)
    assert result.status == 0, result.err
    (before,), (after,) = (read_source(folder).subjects for folder in (tmp_path / "in", out))
    assert before.voxel_size == after.voxel_size == (4.0, 1.0, 2.0)
    difference = after.read_volume().astype(float) - before.read_volume()
    assert np.linalg.norm(difference) < np.linalg.norm(before.read_volume())


def test_several_sources_of_several_kinds_become_one_store(
    mrirecon: Command, pictures: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "kspace.npy", coil_kspace(0, 4, 32, 32)[0])
    save_fastmri(tmp_path / "fastmri.h5", kspace=coil_kspace(1, 4, 32, 32)[0][None])
    sources = [pictures, tmp_path / "kspace.npy", tmp_path / "fastmri.h5"]
    said = ["--contents", "kspace", "--axes", "coils,rows,cols"]
    assert mrirecon("inspect", *sources, *said).status == 0
    store = tmp_path / "store.h5"
    result = mrirecon("prepare", *sources, *said, "--out", store, "--split", "train")
    assert result.status == 0, result.err
    with SliceStore(store) as opened:
        assert (len(opened), opened.shapes) == (26, ((32, 32),))
        expected = coil_kspace(1, 4, 32, 32)[1]
        np.testing.assert_allclose(opened.read_rows([25])[0], expected, rtol=1e-5)


def test_measured_kspace_stays_complex_and_pictures_are_cleaned(
    mrirecon: Command, pictures: Path, tmp_path: Path
) -> None:
    """`prepare --keep complex` and `--clean`, with a licence."""
    save_fastmri(tmp_path / "knee.h5", kspace=coil_kspace(0, 2, 8, 10)[0][None])
    store = tmp_path / "store.h5"
    options = ["--out", store, "--split", "train", "--overwrite"]
    assert mrirecon("prepare", tmp_path / "knee.h5", "--keep", "complex", *options).status == 0
    with SliceStore(store) as opened:
        assert opened.shapes == ((2, 8, 10),)

    whole = next(pictures.glob("*/*.png"))
    (whole.parent / f"{whole.parent.name}_77.png").write_bytes(whole.read_bytes())
    (tmp_path / "terms").write_text("for research")
    result = mrirecon("prepare", pictures, "--clean", "--licence", tmp_path / "terms", *options)
    assert "repeated slices left out: 1" in result.out
    with SliceStore(store) as opened:
        assert opened.provenance["licences"] == ["for research"]
    result = mrirecon("prepare", pictures, "--keep", "kspace", *options)
    assert "--keep: expected magnitude or complex, got 'kspace'" in result.err


def test_reconstruct_reads_and_writes_fastmri_files(
    mrirecon: Command, trained: Path, tmp_path: Path
) -> None:
    source, out = tmp_path / "scan.h5", tmp_path / "out.h5"
    kspace = np.random.default_rng(0).normal(size=(2, 32, 36, 2)).view(complex)[..., 0]
    with h5py.File(source, "w") as file:
        file["kspace"] = kspace.astype(np.complex64)
    result = mrirecon("reconstruct", trained, source, "--out", out)
    assert result.status == 0, result.err
    assert "undersampled by one mask of the run" in result.out
    with h5py.File(out) as file:
        assert file["reconstruction"].shape == (2, 32, 36)


def test_the_demo_runs_on_a_persons_own_folder(
    mrirecon: Command, pictures: Path, tmp_path: Path
) -> None:
    for person, split in enumerate(["train", "train", "train", "train", "val", "val"]):
        (pictures / split).mkdir(exist_ok=True)
        (pictures / f"person_{person}").rename(pictures / split / f"person_{person}")
    out = tmp_path / "demo"
    result = mrirecon("demo", "--short", "--data", pictures, "--out", out)
    assert result.status == 0, result.err
    assert "own images" in result.out
    assert "Split val of" in (out / "report.html").read_text()
    # A second call goes on where the first ended: nothing is trained again.
    before = (out / "lines" / "metrics.jsonl").read_bytes()
    assert mrirecon("demo", "--short", "--data", pictures, "--out", out).status == 0
    assert (out / "lines" / "metrics.jsonl").read_bytes() == before
