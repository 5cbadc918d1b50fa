"""Pieces of an evaluation: kept, used again for the same work alone, and put together."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from evaluation_cases import CPU, N_SLICES, SAMPLING, SPOKES, SUBJECTS, make_dataset

from mrirecon.classical import TotalVariationConfig
from mrirecon.data import SimulationConfig
from mrirecon.evaluation import (
    Cell,
    Evaluation,
    Finished,
    Source,
    Task,
    TestSet,
    assemble,
    finish_tasks,
    write_scores_csv,
    write_timing_csv,
)
from mrirecon.metrics import get_protocol
from mrirecon.sampling import AcquisitionConfig, SamplingConfig

PROTOCOL = get_protocol("per_slice")
CELL = Cell(SAMPLING, SimulationConfig(), 5)
SOURCES = [Source(), Source("total variation", TotalVariationConfig(n_iterations=3))]


def tasks_of(folder: Path, cell: Cell = CELL) -> list[Task]:
    if not (folder / "store.h5").exists():
        make_dataset(folder).store.close()
    test_set = TestSet(folder / "store.h5", "test")
    return [Task(test_set, cell, source, PROTOCOL) for source in SOURCES]


def finish(folder: Path, tasks: list[Task]) -> list[Finished]:
    return finish_tasks(tasks, folder / "parts", batch_size=4, device=CPU)


def put_together(folder: Path, cell: Cell = CELL, **acquisition: float) -> Evaluation:
    tasks = tasks_of(folder, cell)
    with tasks[0].test_set.open().store as store:
        dataset = tasks[0].test_set.open()
        assert store.is_simulated
        return assemble(
            cell,
            SOURCES,
            finish(folder, tasks),
            dataset,
            protocol=PROTOCOL,
            acquisition=AcquisitionConfig(**acquisition),
            name="small",
            description="",
        )


def test_a_piece_is_read_back_as_it_was_made(tmp_path: Path) -> None:
    tasks = tasks_of(tmp_path)
    made = finish(tmp_path, tasks)
    assert len(list((tmp_path / "parts").iterdir())) == len(SOURCES)
    assert finish(tmp_path, tasks) == made


def test_a_finished_piece_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = tasks_of(tmp_path)
    made = finish(tmp_path, tasks[:1])
    seen: list[Source] = []
    make = Source.make

    def count(source: Source, device: torch.device) -> object:
        seen.append(source)
        return make(source, device)

    monkeypatch.setattr(Source, "make", count)
    assert finish(tmp_path, tasks)[0] == made[0]
    assert seen == SOURCES[1:]


def test_a_damaged_piece_is_made_again(tmp_path: Path) -> None:
    tasks = tasks_of(tmp_path)
    made = finish(tmp_path, tasks)
    for path in (tmp_path / "parts").iterdir():
        path.write_text(path.read_text()[:-40])
    assert [piece.scores for piece in finish(tmp_path, tasks)] == [piece.scores for piece in made]


@pytest.mark.parametrize(
    "change",
    [
        {"cell": replace(CELL, seed=6)},
        {"cell": replace(CELL, sampling=SPOKES)},
        {"cell": replace(CELL, simulation=SimulationConfig(noise_std=0.1))},
        {"protocol": get_protocol("wang2004")},
        {"source": Source("total variation", TotalVariationConfig(n_iterations=4))},
    ],
)
def test_other_work_has_another_name(tmp_path: Path, change: dict[str, object]) -> None:
    task = tasks_of(tmp_path)[1]
    dataset = task.test_set.open()
    with dataset.store:
        assert task.key(dataset) == replace(task).key(dataset)
        assert replace(task, **change).key(dataset) != task.key(dataset)


def test_other_pixels_have_another_name(tmp_path: Path) -> None:
    keys = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        make_dataset(folder, blank=(1,) if name == "b" else ()).store.close()
        task = tasks_of(folder)[0]
        dataset = task.test_set.open()
        with dataset.store:
            keys.append(task.key(dataset))
    assert keys[0] != keys[1]


def test_pieces_join_to_the_scores_of_every_slice(tmp_path: Path) -> None:
    evaluation = put_together(tmp_path)
    assert evaluation.methods == ("zero-filled", "data consistency alone", "total variation")
    assert [(s.subject, s.slice, s.method) for s in evaluation.scores] == [
        (subject, number, method)
        for subject in SUBJECTS
        for number in range(10, 10 + N_SLICES)
        for method in evaluation.methods
    ]
    assert set(evaluation.throughput) == {evaluation.methods[:2], evaluation.methods[2:]}


def test_a_rerun_gives_the_same_bytes_and_only_times_differ(tmp_path: Path) -> None:
    texts = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        evaluation = put_together(folder)
        write_scores_csv([evaluation], folder / "scores.csv")
        write_timing_csv([evaluation], folder / "timing.csv")
        texts.append((folder / "scores.csv").read_bytes())
    assert texts[0] == texts[1]
    assert b"total variation" in (tmp_path / "a" / "timing.csv").read_bytes()


def test_scan_time_is_that_of_the_lines_and_undefined_for_points(tmp_path: Path) -> None:
    evaluation = put_together(tmp_path, repetition_time=0.5)
    acceleration = evaluation.scores[0].acceleration
    assert acceleration is not None
    n_lines = round(28 / acceleration)
    assert {score.scan_time for score in evaluation.scores} == {0.5 * n_lines}
    points = replace(CELL, sampling=SamplingConfig("random_2d", 2.5))
    assert {score.scan_time for score in put_together(tmp_path, points).scores} == {None}
