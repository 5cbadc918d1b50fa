"""Training and scoring on k-space that was measured, of one coil and of several."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from evaluation_cases import make_generator
from raw_sources import save_fastmri
from small_run import CONFIG, small_run

from mrirecon.data import AugmentationConfig, PrepareConfig, SliceDataset, SliceStore, prepare
from mrirecon.data.coil_ring import ring_coil_maps
from mrirecon.evaluation import evaluate, write_summary_json
from mrirecon.fourier import fft_centred
from mrirecon.metrics import get_protocol
from mrirecon.sampling import SamplingConfig
from mrirecon.training import last_checkpoint

SHAPE = (24, 20)


def make_store(folder: Path, n_coils: int) -> Path:
    """Prepare measured k-space of four slices of an ellipse with a smooth phase."""
    row, col = (torch.linspace(-1, 1, n)[:, None] for n in SHAPE)
    sizes = torch.linspace(0.4, 0.9, 4)[:, None, None, None]
    image = ((row**2 + col.T**2) < sizes) * torch.polar(torch.ones(SHAPE), row + col.T)
    kspace = fft_centred(image * ring_coil_maps(n_coils, SHAPE)).numpy().astype(np.complex64)
    save_fastmri(folder / "knee.h5", kspace=kspace)
    config = PrepareConfig(splits="train", keep="complex")
    return prepare(folder / "knee.h5", folder / "store.h5", config).path


@pytest.mark.parametrize("n_coils", [1, 3])
def test_a_generator_trains_on_measured_kspace_and_says_so(tmp_path: Path, n_coils: int) -> None:
    store, run = make_store(tmp_path, n_coils), tmp_path / "run"
    config = replace(CONFIG, steps=2, augmentation=AugmentationConfig(flip=True, rotate=5.0))

    small_run(store, run, config)

    checkpoint = last_checkpoint(run / "checkpoints")
    assert checkpoint is not None
    assert json.loads((checkpoint / "state.json").read_text())["simulated"] is False


@pytest.mark.parametrize("n_coils", [1, 3])
def test_scores_of_measured_kspace_say_so_and_consistency_helps(
    tmp_path: Path, n_coils: int
) -> None:
    with SliceStore(make_store(tmp_path, n_coils)) as store:
        evaluation = evaluate(
            make_generator(),
            SliceDataset(store, "train"),
            SamplingConfig(acceleration=2),
            seed=1,
            protocol=get_protocol("per_slice"),
            batch_size=2,
            device=torch.device("cpu"),
        )
    write_summary_json([evaluation], tmp_path / "summary.json")
    (summary,) = json.loads((tmp_path / "summary.json").read_text())["test_sets"]
    assert summary["simulated"] is False
    assert evaluation.kspace_statement == "K-space was measured and undersampled afterwards."
    psnr = {name: [] for name in evaluation.methods}
    for score in evaluation.scores:
        psnr[score.method].append(score.psnr)
    assert min(psnr["zero-filled"]) > 12
    alone, zero_filled = psnr["data consistency alone"], psnr["zero-filled"]
    assert np.mean(alone) > np.mean(zero_filled)
