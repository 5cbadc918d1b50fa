"""Sentences made of numbers: what was gained, how sure it is, and what was lost."""

from dataclasses import replace

import pytest
from evaluation_cases import make_dataset, make_evaluation

from mrirecon.evaluation import Evaluation, MethodName, compare_evaluation
from mrirecon.report.verdict import Outcome, find, headline, tiles


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return make_evaluation(make_dataset(tmp_path_factory.mktemp("store")))


def outcome_of(
    scored: Evaluation, gains: dict[str, float], *, base: MethodName = "zero-filled"
) -> Outcome:
    """Give subjects a result that is better than each other method by these gains in SSIM."""
    first, last = scored.scores[0], scored.methods[-1]
    scores = []
    for subject, gain in gains.items():
        for method in (base, last):
            better = gain if method == last else 0.0
            scores.append(
                replace(
                    first,
                    subject=subject,
                    method=method,
                    ssim=0.5 + better,
                    residual=0.0,
                    change=1.0,
                    squared_error=first.n_pixels * 10 ** -(3 + better),  # 30 dB + 10 * better
                )
            )
    evaluation = replace(scored, scores=scores, name="heads")
    return Outcome("heads (4x)", evaluation, compare_evaluation(evaluation))


MANY = {f"s{number}": 0.2 + 0.01 * number for number in range(8)}  # mean 0.235


def test_the_headline_names_gain_interval_and_subjects(scored: Evaluation) -> None:
    text = headline(outcome_of(scored, MANY))
    assert text.startswith(
        "On heads (4x), network + data consistency has a mean SSIM of 0.735 where zero-filled "
        "images have 0.500: +0.235 and +2.35 dB, 95\N{NO-BREAK SPACE}% interval of the SSIM 0.2"
    )
    assert text.endswith("8 subjects, p = 0.008.")  # 2 / 2^8


def test_one_subject_gives_a_gain_without_an_interval(scored: Evaluation) -> None:
    outcome = outcome_of(scored, {"anna": 0.1})
    assert headline(outcome).endswith(
        "+0.100 and +1.00 dB, from one subject, which gives no interval."
    )
    assert tiles(outcome)[0].detail == "0.500 \N{RIGHTWARDS ARROW} 0.600"
    assert any("no interval or test" in finding.text for finding in find([outcome]))


def test_gridding_is_named_as_the_input_off_the_grid(scored: Evaluation) -> None:
    text = headline(outcome_of(scored, MANY, base="gridding"))
    assert "where gridding alone has 0.500" in text


def test_a_loss_is_told_first_and_by_name(scored: Evaluation) -> None:
    won, lost = outcome_of(scored, MANY), outcome_of(scored, {s: -g for s, g in MANY.items()})
    lost = replace(lost, where="knees (4x)")
    findings = find([won, lost])
    assert findings[0].kind == "bad"
    assert findings[0].text == "to zero-filled on knees (4x)."
    assert findings[1].kind == "good"
    assert findings[1].text == "of every other method on heads (4x), by SSIM and by PSNR."


def test_losses_on_many_measurements_are_counted_by_rival(scored: Evaluation) -> None:
    lost = outcome_of(scored, {subject: -gain for subject, gain in MANY.items()})
    outcomes = [replace(lost, where=f"heads ({rate}x)") for rate in (2, 4, 8)]
    (loss,) = [finding for finding in find(outcomes) if finding.kind == "bad"]
    assert loss.text == "to zero-filled on 3 of 3 measurements."


def test_a_better_rival_stands_in_the_headline(scored: Evaluation) -> None:
    outcome = outcome_of(scored, {subject: -gain for subject, gain in MANY.items()})
    assert headline(outcome).endswith("p = 0.008. But zero-filled has 0.500.")
    assert "But" not in headline(outcome_of(scored, MANY))


def test_a_draw_is_neither_a_loss_nor_a_win(scored: Evaluation) -> None:
    outcome = outcome_of(scored, {"a": 0.1, "b": -0.1})
    assert not {"good", "bad"} & {finding.kind for finding in find([outcome])}


def test_enough_subjects_raise_no_doubt(scored: Evaluation) -> None:
    labels = [finding.label for finding in find([outcome_of(scored, MANY)])]
    assert labels == ["Ahead", "Simulated"]
    few = dict(list(MANY.items())[:5])
    assert "Few subjects" in [finding.label for finding in find([outcome_of(scored, few)])]


def test_measured_kspace_is_not_called_simulated(scored: Evaluation) -> None:
    outcome = outcome_of(replace(scored, is_simulated=False), MANY)
    assert "Simulated" not in [finding.label for finding in find([outcome])]


def test_equal_images_leave_psnr_out(scored: Evaluation) -> None:
    outcome = outcome_of(scored, MANY)
    scores = [replace(score, squared_error=0.0) for score in outcome.evaluation.scores]
    evaluation = replace(outcome.evaluation, scores=scores)
    perfect = Outcome("heads", evaluation, compare_evaluation(evaluation))
    assert "dB" not in headline(perfect)
    assert len(tiles(perfect)) == 2


def test_what_the_honesty_checks_find_is_told(scored: Evaluation) -> None:
    outcome = outcome_of(scored, MANY)
    last = outcome.result
    moved = [
        replace(score, alignment="flipped along rows") if score.method == last else score
        for score in outcome.evaluation.scores
    ]
    evaluation = replace(outcome.evaluation, scores=moved)
    (found,) = [f for f in find([replace(outcome, evaluation=evaluation)]) if f.kind == "bad"]
    assert found.label == "Moved"
    assert "8 of 8 slices are closest to a target that is flipped along rows" in found.text
    assert found.text.endswith("(heads (4x)).")
