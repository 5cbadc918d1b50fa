from dataclasses import replace

import pytest
from cuda_check.gate import Note, Notes, faults
from cuda_check.measure import Facts, Kernels, kernels_from_json, kernels_to_json
from cuda_check.occupancy import MULTIPROCESSORS
from cuda_check.table import page

GOOD = Facts(
    registers=40, stack=0, spills=0, shared=32, threads=128, fp64=0, loads=(8, 64), stores=(64,)
)


def kernels(facts: Facts = GOOD, name: str = "mean_kernel<float>") -> Kernels:
    return {f"ssim: {name}": dict.fromkeys(MULTIPROCESSORS, facts)}


def test_what_is_as_before_passes() -> None:
    assert faults(kernels(), kernels(), {}) == []


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (replace(GOOD, spills=12), "sm_80: spills 12 bytes of registers"),
        (replace(GOOD, fp64=1), "sm_80: 1 double instructions in a float kernel, without a note"),
        (replace(GOOD, registers=56), "sm_80: occupancy fell from 75% to 56%"),
        (replace(GOOD, registers=80), "sm_80: occupancy 38%, less than half without a note"),
        (replace(GOOD, stack=8), "sm_80: stack grew from 0 to 8 bytes"),
        (replace(GOOD, loads=(8, 32, 64)), "sm_80: loads of (8, 32, 64) bits, before (8, 64)"),
        (replace(GOOD, loads=(8,)), "sm_80: loads of (8,) bits, before (8, 64)"),
        (replace(GOOD, stores=(32,)), "sm_80: stores of (32,) bits, before (64,)"),
    ],
)
def test_what_is_worse_fails(facts: Facts, text: str) -> None:
    assert any(text in fault for fault in faults(kernels(facts), kernels(), {}))


@pytest.mark.parametrize(
    "facts",
    [
        replace(GOOD, registers=32),
        replace(GOOD, loads=(8, 64, 128)),
        replace(GOOD, loads=(64,), stores=(128,)),
        replace(GOOD, shared=0),
    ],
)
def test_what_is_better_passes(facts: Facts) -> None:
    assert faults(kernels(facts), kernels(), {}) == []


def test_a_new_kernel_needs_a_line_of_the_baseline() -> None:
    (fault,) = faults(kernels(), {}, {})
    assert fault == (
        "ssim: mean_kernel<float>: not in the baseline; "
        "look at its facts, then run `make cuda-baseline`"
    )
    assert "no longer exists" in faults({}, kernels(), {})[0]


def test_double_kernels_may_compute_in_double() -> None:
    doubles = kernels(replace(GOOD, fp64=60), "mean_kernel<double>")
    assert faults(doubles, doubles, {}) == []


def test_a_note_excuses_double_and_no_more_of_it() -> None:
    notes: Notes = {"ssim: mean_kernel<float>": Note(fp64="one number a launch")}
    few, many = kernels(replace(GOOD, fp64=3)), kernels(replace(GOOD, fp64=4))
    assert faults(few, few, notes) == []
    assert "double instructions grew from 3 to 4" in faults(many, few, notes)[0]
    assert "excuse double arithmetic that it does not do" in faults(kernels(), few, notes)[0]
    assert "in the notes, but no kernel" in faults({}, {}, notes)[0]


def test_dynamic_shared_memory_of_a_note_lowers_the_occupancy() -> None:
    notes: Notes = {"ssim: mean_kernel<float>": Note(dynamic_shared=60000)}
    assert any("occupancy 12%" in fault for fault in faults(kernels(), kernels(), notes))
    notes["ssim: mean_kernel<float>"] = Note(dynamic_shared=60000, occupancy="a large tile")
    assert faults(kernels(), kernels(), notes) == []


def test_facts_survive_the_baseline_file() -> None:
    assert kernels_from_json(kernels_to_json(kernels())) == kernels()


def test_page_has_a_row_for_each_kernel_and_the_reasons() -> None:
    compiled = kernels()
    compiled["ssim: mean_kernel<float>"]["sm_75"] = replace(GOOD, registers=64)
    text = page(compiled, {"ssim: mean_kernel<float>": Note(fp64="a reason")}, "nvcc 13")
    row = next(line for line in text.splitlines() if line.startswith("| `ssim"))
    assert "| 128 | 32 | 64 40 40 40 40 | 0 | 100 75 75 75 100 | 0 | 8, 64 | 64 |" in row
    assert text.endswith("- `ssim: mean_kernel<float>`, FP64: a reason.\n")
