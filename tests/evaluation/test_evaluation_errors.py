"""What cannot be scored ends in one error that names it; what only looks odd is scored."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from evaluation_cases import CPU, SAMPLING, make_dataset, make_evaluation, make_volume
from small_run import make_store, small_run

from mrirecon.data import SimulationConfig, SliceDataset, SliceStore
from mrirecon.data.store_writer import SliceWriter
from mrirecon.evaluation import Cell, Finished, Source, Task, TestSet, finish_tasks
from mrirecon.metrics import get_protocol
from mrirecon.training import last_checkpoint

CELL = Cell(SAMPLING, SimulationConfig(), 5)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the checkpoint of a small run that was really trained."""
    folder = tmp_path_factory.mktemp("run")
    small_run(make_store(folder), folder / "run")
    found = last_checkpoint(folder / "run" / "checkpoints")
    assert found is not None
    return found


def score(folder: Path, checkpoint: Path, split: str = "test") -> Finished:
    if not (folder / "store.h5").exists():
        make_dataset(folder).store.close()
    source = Source(run="small", checkpoint=checkpoint)
    task = Task(TestSet(folder / "store.h5", split), CELL, source, get_protocol("per_slice"))
    return finish_tasks([task], folder / "parts", batch_size=4, device=CPU)[0]


def test_a_checkpoint_of_another_architecture_names_file_and_tensor(
    tmp_path: Path, checkpoint: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.safetensors").write_bytes((checkpoint / "model.safetensors").read_bytes())
    state = json.loads((checkpoint / "state.json").read_text())
    state["generator"]["network"]["width"] = 8
    (other / "state.json").write_text(json.dumps(state))
    with pytest.raises(ValueError, match=r"model\.safetensors: .*network\..* expected"):
        score(tmp_path, other)
    assert not list((tmp_path / "parts").glob("*"))
    state["generator"]["network"]["kind"] = "transformer"
    (other / "state.json").write_text(json.dumps(state))
    with pytest.raises(ValueError, match=r"state\.json: generator: .*transformer"):
        score(tmp_path, other)


def test_a_network_of_nan_is_named_with_its_slice_and_keeps_nothing(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Source.make

    def spoil(source: Source, device: torch.device) -> object:
        reconstruct = make(source, device)
        return lambda measurement: {
            name: torch.where(image > image.mean(), math.nan, image)
            for name, image in reconstruct(measurement).items()
        }

    with monkeypatch.context() as patch:
        patch.setattr(Source, "make", spoil)
        with pytest.raises(ValueError, match=r"network: expected finite .* 'anna', slice 10"):
            score(tmp_path, checkpoint)
    assert {s.method for s in score(tmp_path, checkpoint).scores} == {
        "network",
        "network + data consistency",
    }


def test_a_split_that_is_not_there_is_named_with_those_that_are(
    tmp_path: Path, checkpoint: Path
) -> None:
    with pytest.raises(ValueError, match=r"split: expected one in .*store\.h5 \(test\), got 'val'"):
        score(tmp_path, checkpoint, split="val")


def test_a_target_that_is_blank_is_refused_by_the_name_of_its_test_set(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, names=("anna",), blank=(0, 1, 2))
    with pytest.raises(ValueError, match="small: expected at least one slice with an image"):
        make_evaluation(dataset)


@pytest.mark.parametrize("protocol", ["per_slice", "fastmri"])
def test_subjects_of_mixed_sizes_are_scored_each_in_its_own(tmp_path: Path, protocol: str) -> None:
    path = tmp_path / "mixed.h5"
    with SliceWriter(path, {}) as writer:
        for name, cut in (("large", 0), ("small", 8), ("wide", 4)):
            volume = make_volume(1000.0)[:, cut:]
            writer.add(
                volume,
                range(len(volume)),
                name=name,
                person=name,
                split="test",
                files=(f"{name}.tif",),
                scale=float(volume.max()),
                voxel_size=None,
            )
    with SliceStore(path) as store:
        evaluation = make_evaluation(SliceDataset(store, "test"), protocol=protocol)
    sizes = {s.subject: s.n_pixels for s in evaluation.scores}
    assert sizes == {"large": 32 * 28, "small": 24 * 28, "wide": 28 * 28}
    assert np.isfinite([s.ssim for s in evaluation.scores]).all()
