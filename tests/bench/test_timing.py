import random
import time

import pytest
import torch

from mrirecon.bench.case import Compute
from mrirecon.bench.timing import (
    FEWEST,
    MOST,
    Timer,
    mixed,
    quartiles,
    time_in_turn,
    timer_of,
    wall_seconds,
)


def test_names_are_spread_evenly_and_in_random_order() -> None:
    order = mixed({"fast": 40, "slow": 4}, random.Random(0))
    assert order.count("fast") == 40
    assert order.count("slow") == 4
    for start in range(0, 44, 11):
        assert order[start : start + 11].count("slow") == 1
    assert order != mixed({"fast": 40, "slow": 4}, random.Random(1))


def test_neither_of_two_ways_is_always_first() -> None:
    order = mixed({"a": 50, "b": 50}, random.Random(0))
    firsts = {order[start] for start in range(0, 100, 2)}
    assert firsts == {"a", "b"}


def fake_timer(durations: dict[str, float]) -> Timer:
    """A clock by which a run takes what it returns."""

    def timer(run: Compute, repeats: int) -> float:
        return durations[run()]

    return timer


def test_a_slow_way_gets_few_samples_and_a_fast_one_at_most_fifty() -> None:
    durations = {"slow": 10.0, "fast": 1e-3}
    runs = {name: (lambda name=name: name) for name in durations}
    times = time_in_turn(runs, 0.5, fake_timer(durations), seed=0)
    assert times == {"slow": [10.0] * FEWEST, "fast": [1e-3] * MOST}


def test_a_way_is_run_before_it_is_timed() -> None:
    calls: list[str] = []

    def timer(run: Compute, repeats: int) -> float:
        assert calls  # the first run, which compiles, is not timed
        run()
        return 10.0

    time_in_turn({"only": lambda: calls.append("run")}, 0.5, timer, seed=0)
    assert len(calls) == 2 + FEWEST


def test_wall_seconds_is_the_mean_of_the_repeats() -> None:
    assert wall_seconds(lambda: time.sleep(0.01), 3) == pytest.approx(0.01, rel=0.5, abs=0.005)


def test_the_clock_of_a_cpu_is_the_one_on_the_wall() -> None:
    assert timer_of(torch.device("cpu")) is wall_seconds


def test_quartiles_are_those_of_the_samples() -> None:
    assert quartiles([5.0, 1.0, 2.0, 4.0, 3.0]) == (2.0, 3.0, 4.0)
    assert quartiles([1.0, 3.0]) == (1.5, 2.0, 2.5)
