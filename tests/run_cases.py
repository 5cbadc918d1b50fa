"""Run folders as training and evaluation leave them, for the tests of comparisons."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import yaml

SUBJECTS = tuple(f"s{number}" for number in range(8))
KEY = {"test_set": "heads, test", "protocol": "per_slice", "cell": "random, 4x", "seed": "0"}


def make_run(
    folder: Path,
    *,
    settings: Mapping[str, object] | None = None,
    validation: Mapping[int, float] | None = None,
    rate: float = 10.0,
    ssim: Mapping[str, float] | None = None,
    key: Mapping[str, str] = KEY,
) -> Path:
    """Write a run.

    Args:
        folder: of the run.
        settings: keys of `training` beside the learning rate.
        validation: SSIM after steps.
        rate: images a second.
        ssim: of the result on each subject; None for no evaluation.
        key: test set, protocol, cell and seed of the evaluation.
    """
    folder.mkdir(parents=True)
    config = {"store": "a.h5", "training": {"learning_rate": 0.001} | dict(settings or {})}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    records: list[dict[str, object]] = [
        {"step": step, "epoch": 0, "loss": 1 / step} for step in range(1, 601)
    ]
    for step, value in (validation or {300: 0.8, 600: 0.9}).items():
        records.append({"step": step, "validation.ssim": value, "validation.psnr": 40 * value})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    speeds = [
        {"step": 10, "images_per_second": rate},
        {"step": 20, "images_per_second": rate + 1},
        {"step": 30, "images_per_second": rate - 1},
        {"step": 30, "images_per_second": 1.0, "shares": {}, "peak_memory_bytes": 2**30},
    ]
    (folder / "speed.jsonl").write_text("".join(json.dumps(r) + "\n" for r in speeds))
    if ssim is not None:
        write_subjects(folder / "evaluation" / "subjects.csv", ssim, key)
    return folder


def write_subjects(path: Path, ssim: Mapping[str, float], key: Mapping[str, str]) -> None:
    """Write the scores of the result, of its input, and of a region of it."""
    path.parent.mkdir()
    with path.open("w", newline="") as file:
        columns = [*key, "subject", "region", "run", "method", "ssim", "psnr_db"]
        table = csv.DictWriter(file, columns)
        table.writeheader()
        for subject, value in ssim.items():
            for method, region, score in (
                ("zero-filled", "image", 0.1),
                ("network + data consistency", "image", value),
                ("network + data consistency", "tumour", 0.2),
            ):
                row = {"subject": subject, "region": region, "run": "a", "method": method}
                table.writerow(dict(key) | row | {"ssim": score, "psnr_db": 40 * score})
