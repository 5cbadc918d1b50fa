"""The evaluation loop against the definition, slice by slice, and its refusals."""

import math
from pathlib import Path

import pytest
import torch
from evaluation_cases import (
    CPU,
    N_SLICES,
    SAMPLING,
    SPOKES,
    SUBJECTS,
    make_dataset,
    make_generator,
)
from evaluation_cases import make_evaluation as evaluate_small

from mrirecon.classical import cg_sense_off_grid
from mrirecon.data import simulate
from mrirecon.evaluation import METHODS, OFF_GRID_METHODS, evaluate
from mrirecon.fourier import enforce_image_consistency
from mrirecon.metrics import get_protocol, score_volume


def test_scores_equal_those_of_each_slice_alone(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    scores = {(s.subject, s.slice, s.method): s for s in evaluate_small(dataset).scores}
    assert len(scores) == len(SUBJECTS) * N_SLICES * len(METHODS)
    generator = make_generator().eval()
    for raw in dataset.batches(1):
        measured = simulate(raw, SAMPLING, seed=5)
        with torch.no_grad():
            made = generator(measured.zero_filled, measured.mask)
        magnitude = measured.zero_filled.abs()
        alone = enforce_image_consistency(
            magnitude.to(torch.complex64), measured.zero_filled, measured.mask
        ).real.clamp_min(0)
        images = (magnitude, alone, made.network, made.consistent)
        for method, image in zip(METHODS, images, strict=True):
            expected = score_volume(
                image[:, 0],
                measured.target[:, 0],
                data_range=1.0,
                protocol=get_protocol("per_slice"),
            )
            score = scores[(SUBJECTS[int(raw.volumes)], int(raw.slices), method)]
            # float32 images of a batch and of a slice alone differ in the last digits
            assert score.ssim == pytest.approx(expected.ssim, abs=1e-5)
            assert score.psnr == pytest.approx(expected.psnr, abs=1e-3)
            assert score.nmse == pytest.approx(expected.nmse, rel=1e-3)


def test_off_the_grid_gridding_and_conjugate_gradients_are_scored(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    evaluation = evaluate_small(dataset, sampling=SPOKES)
    assert evaluation.methods == OFF_GRID_METHODS
    scores = {(s.subject, s.slice, s.method): s for s in evaluation.scores}
    assert len(scores) == len(SUBJECTS) * N_SLICES * len(OFF_GRID_METHODS)
    raw = next(iter(dataset.batches(1)))
    measured = simulate(raw, SPOKES, seed=5)
    assert measured.nufft is not None
    solved = cg_sense_off_grid(measured.kspace, measured.nufft, n_iterations=8, tolerance=0).x
    images = (measured.zero_filled.abs(), solved.real.clamp_min(0))
    for method, image in zip(OFF_GRID_METHODS[:2], images, strict=True):
        expected = score_volume(
            image[:, 0], measured.target[:, 0], data_range=1.0, protocol=get_protocol("per_slice")
        )
        score = scores[(SUBJECTS[int(raw.volumes)], int(raw.slices), method)]
        assert score.ssim == pytest.approx(expected.ssim, abs=1e-4)
        assert score.psnr == pytest.approx(expected.psnr, abs=1e-2)
    means = [
        sum(s.psnr for s in evaluation.scores if s.method == method) for method in OFF_GRID_METHODS
    ]
    assert means[1] > means[0]
    assert means[3] > means[2]


def test_data_consistency_brings_an_untrained_network_closer(tmp_path: Path) -> None:
    scores = evaluate_small(make_dataset(tmp_path)).scores
    psnr_of = {
        method: sum(s.psnr for s in scores if s.method == method) / len(scores)
        for method in METHODS
    }
    assert psnr_of["network + data consistency"] > psnr_of["network"]


def test_two_runs_give_the_same_scores(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    assert evaluate_small(dataset).scores == evaluate_small(dataset).scores


def test_gaussian_protocol_uses_another_window(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    uniform = evaluate_small(dataset).scores[0]
    gaussian = evaluate_small(dataset, protocol="wang2004").scores[0]
    assert uniform.psnr == gaussian.psnr
    assert abs(uniform.ssim - gaussian.ssim) > 1e-3


def test_progress_counts_slices_up_to_their_total(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    evaluate(
        make_generator(),
        make_dataset(tmp_path),
        SAMPLING,
        seed=5,
        protocol=get_protocol("per_slice"),
        batch_size=4,
        device=CPU,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls == [(4, 6), (6, 6)]


def test_the_generator_keeps_its_mode_and_is_scored_without_dropout(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    generator = make_generator().train()
    evaluation = evaluate(
        generator,
        dataset,
        SAMPLING,
        seed=5,
        protocol=get_protocol("per_slice"),
        batch_size=4,
        device=CPU,
    )
    assert generator.training
    assert evaluation.scores == evaluate_small(dataset).scores


def test_blank_slices_are_left_out_and_counted_where_slices_are_scored(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, blank=(1,))
    by_slice = evaluate_small(dataset)
    assert by_slice.n_blank == 1
    assert ("anna", 11) not in {(s.subject, s.slice) for s in by_slice.scores}
    by_volume = evaluate_small(dataset, protocol="fastmri")
    assert by_volume.n_blank == 0
    assert len(by_volume.scores) == len(SUBJECTS) * N_SLICES * len(METHODS)


def test_a_subject_blank_throughout_is_left_out_of_the_volume_protocol(tmp_path: Path) -> None:
    evaluation = evaluate_small(make_dataset(tmp_path, blank=(0, 1, 2)), protocol="fastmri")
    assert {s.subject for s in evaluation.scores} == {"bert"}
    assert evaluation.n_blank == N_SLICES


def test_a_test_set_without_an_image_is_refused(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, names=("anna",), blank=(0, 1, 2))
    with pytest.raises(ValueError, match="small: expected at least one slice with an image"):
        evaluate_small(dataset)


def test_a_network_that_makes_nan_is_named_with_the_slice(tmp_path: Path) -> None:
    generator = make_generator()
    with torch.no_grad():
        next(generator.parameters()).fill_(math.nan)
    with pytest.raises(ValueError, match=r"network: expected finite .* subject 'anna', slice 10"):
        evaluate(
            generator,
            make_dataset(tmp_path),
            SAMPLING,
            seed=5,
            protocol=get_protocol("per_slice"),
            batch_size=4,
            device=CPU,
        )
