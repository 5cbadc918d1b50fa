"""Statistics against values worked by hand, against their definitions, and on wrong inputs."""

import math
from itertools import product

import numpy as np
import pytest

from mrirecon.evaluation.statistics import (
    adjust_p_values,
    bootstrap_interval,
    compare_groups,
    compare_methods,
)

NETWORK = {"a": 31.0, "b": 33.5, "c": 30.25, "d": 35.0, "e": 32.0}
WAVELET = {"a": 30.0, "b": 31.5, "c": 30.50, "d": 31.0, "e": 29.0}


def test_wilcoxon_p_value_is_the_share_of_sign_patterns_as_extreme() -> None:
    """Five pairs have 32 sign patterns; the test's p-value is counted from all of them."""
    (comparison,) = compare_methods(
        {"network": NETWORK, "wavelet": WAVELET}, "network", higher_is_better=True
    )
    gains = np.array([1.0, 2.0, -0.25, 4.0, 3.0])
    ranks = np.array([2, 3, 1, 5, 4])  # of their absolute values

    def smaller_sum(signs: np.ndarray) -> int:
        return int(min(ranks[signs > 0].sum(), ranks[signs < 0].sum()))

    observed = smaller_sum(gains)
    patterns = [np.array(signs) for signs in product((-1, 1), repeat=5)]
    share = sum(smaller_sum(signs) <= observed for signs in patterns) / 32
    assert comparison.p_value == pytest.approx(share)
    assert comparison.p_adjusted == comparison.p_value
    assert comparison.effect == pytest.approx((2 + 3 + 5 + 4 - 1) / 15)
    assert (comparison.n, comparison.n_better, comparison.n_worse) == (5, 4, 1)
    assert comparison.difference == pytest.approx(gains.mean())
    assert comparison.interval.low < gains.mean() < comparison.interval.high


def test_a_lower_value_is_better_where_the_metric_says_so() -> None:
    scores = {"network": {"a": 0.01, "b": 0.02}, "input": {"a": 0.03, "b": 0.05}}
    (comparison,) = compare_methods(scores, "network", higher_is_better=False)
    assert comparison.effect == 1
    assert comparison.difference == pytest.approx(-0.025)
    assert not comparison.is_worse
    (reverse,) = compare_methods(scores, "input", higher_is_better=False)
    assert reverse.is_worse


def test_only_shared_subjects_are_paired() -> None:
    scores = {"network": NETWORK, "wavelet": {"a": 30.0, "z": 90.0}}
    (comparison,) = compare_methods(scores, "network", higher_is_better=True)
    assert (comparison.n, comparison.difference) == (1, 1.0)


def test_equal_scores_differ_by_nothing() -> None:
    (comparison,) = compare_methods(
        {"network": NETWORK, "identity": NETWORK}, "network", higher_is_better=True
    )
    assert (comparison.p_value, comparison.effect, comparison.difference) == (1.0, 0.0, 0.0)
    assert (comparison.interval.low, comparison.interval.high) == (0.0, 0.0)
    assert not comparison.is_worse


def test_holm_multiplies_by_the_tests_left_and_keeps_the_order() -> None:
    assert adjust_p_values([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert adjust_p_values([0.5, 0.6]) == [1.0, 1.0]
    assert adjust_p_values([]) == []


def test_comparisons_are_corrected_for_their_number() -> None:
    generator = np.random.default_rng(0)
    base = {str(i): float(v) for i, v in enumerate(generator.normal(30, 1, 12))}
    scores = {"network": base} | {
        name: {s: v - gap for s, v in base.items()} for name, gap in (("x", 0.5), ("y", 1.0))
    }
    found = compare_methods(scores, "network", higher_is_better=True)
    assert [c.other for c in found] == ["x", "y"]
    assert [c.p_adjusted for c in found] == pytest.approx([2 * c.p_value for c in found])


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    """150 samples of 20: the count of covered means is binomial, 4 deviations wide here."""
    generator = np.random.default_rng(3)
    covered = 0
    for sample in generator.gamma(4.0, size=(150, 20)):
        interval = bootstrap_interval(sample.tolist())
        covered += interval.low <= 4.0 <= interval.high
    assert covered >= 150 * 0.95 - 4 * math.sqrt(150 * 0.95 * 0.05)
    assert covered < 150


def test_the_interval_is_the_same_every_time() -> None:
    values = [0.81, 0.86, 0.9, 0.79, 0.88]
    assert bootstrap_interval(values) == bootstrap_interval(values)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, math.inf]])
def test_too_few_values_or_infinite_ones_have_no_interval(values: list[float]) -> None:
    interval = bootstrap_interval(values)
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


def test_mann_whitney_counts_pairs() -> None:
    """Of the 6 pairs of (1, 4) and (0, 2, 3), 4 are larger and 2 smaller."""
    found = compare_groups([1.0, 4.0], [0.0, 2.0, 3.0])
    assert found.effect == pytest.approx((4 - 2) / 6)
    apart = compare_groups([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    assert apart.effect == -1
    assert apart.p_value == pytest.approx(2 / 20)  # of the 20 ways to choose 3 ranks of 6


def test_wrong_inputs_are_named() -> None:
    with pytest.raises(ValueError, match="method: expected one of network, got 'tv'"):
        compare_methods({"network": NETWORK}, "tv", higher_is_better=True)
    with pytest.raises(ValueError, match="subjects: expected some that network and tv share"):
        compare_methods({"network": NETWORK, "tv": {"z": 1.0}}, "network", higher_is_better=True)
    infinite = {"network": NETWORK, "identity": {"a": math.inf}}
    with pytest.raises(ValueError, match="identity: expected a finite score of subject 'a'"):
        compare_methods(infinite, "network", higher_is_better=True)
    with pytest.raises(ValueError, match="others: expected one or more numbers"):
        compare_groups([1.0], [])
