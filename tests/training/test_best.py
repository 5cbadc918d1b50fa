"""The best validation, and patience, as functions of the log."""

import pytest

from mrirecon.training.best import BestScore


def test_a_replayed_log_decides_as_the_run_did() -> None:
    scores = [0.5, 0.7, 0.7, 0.6]
    live = BestScore("ssim", 2, [])
    assert [live.update(n, {"ssim": s}) for n, s in enumerate(scores)] == [True, True, False, False]
    records = [{"step": n, "validation.ssim": s} for n, s in enumerate(scores)]
    replayed = BestScore("ssim", 2, [{"step": 0, "loss": 1.0}, *records])
    assert (replayed.step, replayed.is_exhausted) == (live.step, live.is_exhausted) == (1, True)


def test_patience_counts_validations_in_a_row() -> None:
    best = BestScore("ssim", 2, [])
    for step, score in enumerate([0.5, 0.4, 0.6, 0.5]):
        best.update(step, {"ssim": score})
        assert not best.is_exhausted
    best.update(4, {"ssim": 0.5})
    assert best.is_exhausted


def test_without_patience_a_run_never_has_enough() -> None:
    best = BestScore("ssim", None, [{"step": n, "validation.ssim": -n} for n in range(50)])
    assert not best.is_exhausted


def test_a_missing_score_is_named() -> None:
    with pytest.raises(ValueError, match=r"best_by: expected a score of the validation \(psnr\), "):
        BestScore("ssim", None, []).update(1, {"psnr": 30.0})
