from dataclasses import replace

import pytest

from mrirecon.bench import CaseResult, WayResult, changes, slower


def make_result(
    ours: float, rival: float = 10.0, floor: float = 0.5, mib: float = 10
) -> CaseResult:
    def timed(way: str, median: float, mib: float | None = None) -> WayResult:
        return WayResult(way, quartiles_ms=(0.95 * median, median, 1.05 * median), peak_mib=mib)

    return CaseResult(
        suite="ssim",
        name="a case",
        threads=2,
        tolerance=1e-3,
        ways=(timed("mrirecon", ours, mib), timed("PyTorch", rival), WayResult("cupy", note="no")),
        aims={"fastest": 2.0},
        floors_ms={"bytes": floor},
    )


def test_a_kernel_that_became_slower_is_named() -> None:
    (time, _) = changes([make_result(1.0)], [make_result(1.5)])
    assert (time.case, time.way, time.quantity) == ("ssim: a case, 2 threads", "mrirecon", "time")
    assert time.ratio == pytest.approx(1.5)
    assert slower([time], 1.2) == [time]
    assert slower([time], 1.6) == []


def test_a_slower_machine_is_not_a_slower_kernel() -> None:
    found = list(changes([make_result(1.0)], [make_result(2.0, rival=20.0, floor=1.0)]))
    assert found[0].ratio == pytest.approx(1.0)
    assert slower(found, 1.05) == []


def test_a_change_within_the_spread_is_not_sure() -> None:
    found = list(changes([make_result(1.0)], [make_result(1.09)]))
    assert found[0].ratio == pytest.approx(1.09)
    assert slower(found, 1.05) == []


def test_more_memory_is_named() -> None:
    found = list(changes([make_result(1.0)], [make_result(1.0, mib=21.0)]))
    (change,) = slower(found, 1.5)
    assert change.quantity == "memory"
    assert change.ratio == pytest.approx(2.0)


def test_the_worst_comes_first() -> None:
    found = [*changes([make_result(1.0)], [make_result(1.5, mib=100.0)])]
    assert [change.quantity for change in slower(found, 1.1)] == ["memory", "time"]


@pytest.mark.parametrize("field", [{"name": "another"}, {"threads": 1}, {"suite": "coils"}])
def test_other_cases_are_passed_over(field: dict) -> None:
    assert not list(changes([make_result(1.0)], [replace(make_result(2.0), **field)]))


def test_without_others_times_are_compared_as_they_are() -> None:
    alone = replace(make_result(1.0), ways=make_result(1.0).ways[:1], floors_ms={})
    later = replace(make_result(2.0), ways=make_result(2.0).ways[:1], floors_ms={})
    assert next(changes([alone], [later])).ratio == pytest.approx(2.0)


@pytest.mark.parametrize("limit", [1.0, 0.5, float("nan")])
def test_refuses_a_limit_that_passes_nothing(limit: float) -> None:
    with pytest.raises(ValueError, match="limit: expected a ratio above 1, got"):
        slower([], limit)
