"""Grids read from files: what lists stand for, and what is refused."""

from pathlib import Path

import pytest

from mrirecon.data import SimulationConfig
from mrirecon.evaluation import read_grid
from mrirecon.sampling import SamplingConfig, TrajectoryConfig


def write(folder: Path, text: str) -> Path:
    path = folder / "grid.yaml"
    path.write_text(text)
    return path


def test_lists_stand_for_all_their_combinations(tmp_path: Path) -> None:
    grid = read_grid(
        write(
            tmp_path,
            """
            sampling:
              - {strategy: [equispaced, random], acceleration: [4, 8]}
              - {kind: radial, n_readouts: [60, 30]}
            simulation: {noise_std: [0, 0.02]}
            methods: [tv]
            acquisition: {repetition_time: 0.5}
            seed: 3
            """,
        )
    )
    masks = [
        SamplingConfig(strategy, acceleration)
        for strategy in ("equispaced", "random")
        for acceleration in (4.0, 8.0)
    ]
    spokes = [TrajectoryConfig(n_readouts=n) for n in (60, 30)]
    assert grid.sampling == (*masks, *spokes)
    assert grid.simulation == (SimulationConfig(), SimulationConfig(noise_std=0.02))
    assert len(grid.cells) == 12
    assert [cell.title for cell in grid.cells[:2]] == [
        "equispaced, 4x",
        "equispaced, 4x, noise 0.02",
    ]
    assert {cell.seed for cell in grid.cells} == {3}
    assert grid.acquisition.repetition_time == 0.5


def test_the_grid_of_the_papers_table_has_its_eight_samplings() -> None:
    path = Path(__file__).parents[2] / "examples" / "grids" / "paper_table.yaml"
    titles = [cell.title for cell in read_grid(path).cells]
    assert len(titles) == len(set(titles)) == 8
    assert sum(title.startswith("variable density 2d") for title in titles) == 4
    assert titles[-2:] == ["radial, 60 spokes", "radial, 30 spokes"]


def test_cells_that_read_alike_are_numbered(tmp_path: Path) -> None:
    text = "sampling: [{strategy: variable_density, power: [2, 4]}]"
    titles = [cell.title for cell in read_grid(write(tmp_path, text)).cells]
    assert titles == ["variable density, 4x", "variable density, 4x (2)"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sampling: [", "expected YAML"),
        ("methods: [tv]", "expected a list under the key sampling"),
        ("sampling: [equispaced]", "sampling.0: expected keys and values, got 'equispaced'"),
        ("sampling: [{strategy: spokes}]", "sampling.0.strategy: Input should be 'equispaced'"),
        ("sampling: [{strategy: random, speed: 4}]", "sampling.0.speed: unknown key"),
        ("sampling: [{strategy: random}]\nnoise: 3", "noise: unknown key"),
        ("sampling: [{strategy: random}]\nseed: x", "seed: Input should be a valid integer"),
    ],
)
def test_a_wrong_grid_ends_in_one_line_with_file_and_key(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ValueError, match=rf"grid\.yaml: {message}"):
        read_grid(write(tmp_path, text))
