"""Call the command line as a shell does, in this process."""

import sys
from pathlib import Path

import numpy as np
import pytest
from command import Command, Result
from PIL import Image

from mrirecon.cli import main


@pytest.fixture
def mrirecon(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Give a function that runs `mrirecon` with its arguments."""

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["mrirecon", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        capsys.readouterr()
        try:
            main()
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        captured = capsys.readouterr()
        return Result(status, captured.out, captured.err)

    return run


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Give a folder of six people with four smooth 8-bit slices each, 32 x 32 pixels."""
    rows, cols = np.mgrid[-1:1:32j, -1:1:32j]
    for person in range(6):
        folder = tmp_path / "pictures" / f"person_{person}"
        folder.mkdir(parents=True)
        for number in range(1, 5):
            radius = 0.5 + 0.05 * person + 0.02 * number
            disc = 1 / (1 + np.exp(30 * (np.hypot(rows, cols) - radius)))
            image = disc * (150 + 80 * np.cos(4 * rows + person) * np.cos(5 * cols + number))
            Image.fromarray(image.astype(np.uint8)).save(folder / f"person_{person}_{number}.png")
    return tmp_path / "pictures"


TINY = [
    "generator.network.width=4",
    "generator.network.n_blocks=1",
    "discriminator.width=4",
    "discriminator.n_downsamplings=1",
    "training.steps=4",
    "training.batch_size=4",
    "training.validate_every=2",
    "training.checkpoint_every=2",
    "training.log_every=1",
]


@pytest.fixture
def tiny() -> list[str]:
    """Give the options of a network and a training that take a second."""
    return [part for setting in TINY for part in ("--set", setting)]


@pytest.fixture
def trained(mrirecon: Command, pictures: Path, tiny: list[str], tmp_path: Path) -> Path:
    """Give the folder of a finished tiny run."""
    store, run = tmp_path / "store.h5", tmp_path / "run"
    assert mrirecon("prepare", pictures, "--out", store).status == 0
    result = mrirecon("train", run, "--store", store, *tiny)
    assert result.status == 0, result.err
    return run
