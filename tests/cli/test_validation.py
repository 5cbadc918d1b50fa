"""What a run shows of itself: pictures for TensorBoard, and scores that evaluation makes too."""

import json
from pathlib import Path

from command import Command
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mrirecon.data import SliceDataset, SliceStore
from mrirecon.evaluation import LAYOUT
from mrirecon.training import read_records


def test_pictures_of_the_same_validation_slices_come_at_each_validation(
    mrirecon: Command, pictures: Path, tiny: list[str], tmp_path: Path
) -> None:
    store, run = tmp_path / "store.h5", tmp_path / "run"
    assert mrirecon("prepare", pictures, "--out", store).status == 0
    assert mrirecon("train", run, "--store", store, "--tensorboard", *tiny).status == 0
    events = EventAccumulator(str(run / "tensorboard")).Reload()
    tags = events.Tags()["images"]
    assert 1 <= len(tags) <= 4
    with SliceStore(store) as opened:
        assert len(tags) == min(4, len(SliceDataset(opened, "val")))
    for tag in tags:
        assert tag.startswith(f"{LAYOUT}/person_")
        shown = events.Images(tag)
        assert [event.step for event in shown] == [2, 4]
        assert {(event.height, event.width) for event in shown} == {(32, 4 * 32)}
        assert shown[0].encoded_image_string != shown[1].encoded_image_string


def test_validation_scores_are_those_of_evaluation(mrirecon: Command, trained: Path) -> None:
    """Early stopping and training curves follow the very numbers that the report has."""
    result = mrirecon("evaluate", trained, "--split", "val", "--checkpoint", "last")
    assert result.status == 0, result.err
    summary = json.loads((trained / "evaluation" / "summary.json").read_text())
    statistics = summary["test_sets"][0]["statistics"]["network + data consistency"]
    last = read_records(trained / "metrics.jsonl")[-1]
    for metric in ("ssim", "psnr"):
        assert last[f"validation.{metric}"] == statistics[metric]["mean"]
