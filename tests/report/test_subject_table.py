"""The table of subjects: worst first, and red where the result loses to its input."""

from dataclasses import replace
from pathlib import Path

import pytest
from evaluation_cases import make_dataset, make_evaluation

from mrirecon.evaluation import score_subjects
from mrirecon.report import subject_table
from mrirecon.report.subject_table import subject_rows


def test_subjects_come_worst_first_with_their_gain(tmp_path: Path) -> None:
    evaluation = make_evaluation(make_dataset(tmp_path))
    rows = subject_rows([("4x", evaluation)])
    last = evaluation.methods[-1]
    results = {
        score.subject: score
        for score in score_subjects(evaluation.scores, evaluation.protocol)
        if score.method == last
    }
    assert [row.subject for row in rows] == sorted(results, key=lambda name: results[name].ssim)
    for row in rows:
        before, after, gain = (value for _, value in row.numbers[:3])
        assert after == results[row.subject].ssim
        assert gain == after - before
        assert (row.where, row.sampling, row.n_slices) == ("small", "4x", 3)


def test_a_subject_that_loses_is_marked_by_metric(tmp_path: Path) -> None:
    evaluation = make_evaluation(make_dataset(tmp_path))
    last = evaluation.methods[-1]
    spoilt = [
        replace(score, ssim=-1.0, squared_error=1e-6) if score.method == last else score
        for score in evaluation.scores
    ]
    rows = subject_rows([("4x", replace(evaluation, scores=spoilt))])
    assert [row.loses for row in rows] == [(True, False)] * 2


def test_the_worst_are_kept_of_very_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation = make_evaluation(make_dataset(tmp_path))
    whole = subject_rows([("4x", evaluation)])
    monkeypatch.setattr(subject_table, "MOST_SUBJECTS", 1)
    assert subject_rows([("4x", evaluation)]) == whole[:1]
