"""Which slices are shown, and that their images are those that were scored."""

from pathlib import Path

import pytest
import torch
from evaluation_cases import CPU, N_SLICES, SUBJECTS, make_dataset, make_reconstructors
from evaluation_cases import make_evaluation as evaluate_small

from mrirecon.evaluation import METHODS, SliceScore, choose_slices, collect_examples
from mrirecon.metrics import nmse


def scores_of(ssims: list[float]) -> list[SliceScore]:
    return [
        SliceScore("anna", i, method, ssim=s, squared_error=1, target_energy=1, n_pixels=1)
        for i, ssim in enumerate(ssims)
        for method, s in (("network", 1 - ssim), ("network + data consistency", ssim))
    ]


def test_worst_median_and_best_are_ranked_by_the_consistent_network() -> None:
    chosen = choose_slices(scores_of([0.5, 0.9, 0.1, 0.7, 0.6]), n_even=0)
    assert chosen == {
        ("anna", 2): "worst SSIM",
        ("anna", 4): "median SSIM",
        ("anna", 1): "best SSIM",
    }


def test_the_worst_slices_are_of_three_subjects() -> None:
    """Else one bad subject would fill all places, and hide that others failed too."""
    names = ["anna", "anna", "bert", "carl", "dora", "anna"]
    ssims = [0.1, 0.2, 0.4, 0.3, 0.9, 0.8]
    scores = [
        SliceScore(name, i, "network", ssim=s, squared_error=1, target_energy=1, n_pixels=1)
        for i, (name, s) in enumerate(zip(names, ssims, strict=True))
    ]
    assert choose_slices(scores, n_even=0) == {
        ("anna", 0): "worst SSIM",
        ("carl", 3): "worst SSIM of another subject",
        ("bert", 2): "worst SSIM of a third subject",
        ("dora", 4): "best SSIM",
    }


def test_further_slices_stand_at_even_distances() -> None:
    chosen = choose_slices(scores_of([i / 100 for i in range(100)]), n_even=4)
    assert [index for _, index in chosen] == [0, 50, 99, 20, 40, 60, 80]


def test_a_single_slice_is_shown_once() -> None:
    assert choose_slices(scores_of([0.5]), n_even=3) == {("anna", 0): "worst SSIM"}


def test_examples_hold_the_images_that_were_scored(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    evaluation = evaluate_small(dataset)
    examples = collect_examples(
        make_reconstructors(), dataset, evaluation, batch_size=4, device=CPU, n_even=9
    )
    assert len(examples) == len(SUBJECTS) * N_SLICES
    assert [example.is_ranked for example in examples] == [True] * 4 + [False] * 2
    for example in examples:
        assert set(example.scores) == set(METHODS)
        for method in METHODS:
            error = nmse(example.images[method], example.target)
            assert float(error) == pytest.approx(example.scores[method].nmse, rel=1e-3)


def test_the_mask_is_what_the_zero_filled_image_was_measured_with(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    examples = collect_examples(
        make_reconstructors(), dataset, evaluate_small(dataset), batch_size=2, device=CPU
    )
    for example in examples:
        kspace = torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(example.target)))
        zero_filled = torch.fft.fftshift(
            torch.fft.ifft2(torch.fft.ifftshift(kspace * example.mask))
        ).abs()
        torch.testing.assert_close(zero_filled, example.images["zero-filled"], atol=1e-5, rtol=1e-5)
