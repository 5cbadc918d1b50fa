"""A trace of a few steps, whole or not at all."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from small_run import CONFIG, small_run


def test_a_trace_holds_the_operators_of_the_steps(store: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace.json"
    small_run(store, tmp_path / "run", profile=trace)
    names = {event.get("name") for event in json.loads(trace.read_text())["traceEvents"]}
    assert "aten::conv2d" in names
    assert any(str(name).startswith("mrirecon::") for name in names)


def test_too_few_steps_leave_no_trace(store: Path, tmp_path: Path) -> None:
    config = replace(CONFIG, steps=4)
    with pytest.raises(ValueError, match=r"^--profile: expected 10 steps or more, got fewer"):
        small_run(store, tmp_path / "run", config, profile=tmp_path / "trace.json")
    assert list(tmp_path.iterdir()) == [tmp_path / "run"]
