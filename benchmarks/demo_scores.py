"""Run `mrirecon demo` and put its scores and its time into benchmarks/results/demo.json.

The time is that of the processor, on one thread: what else runs on the machine changes it little.
Threads add in another order, so that a demo on more of them has other scores; --beside names the
folder of one, and what differs most is kept.

Usage: OMP_NUM_THREADS=1 python benchmarks/demo_scores.py FOLDER --beside OTHER
FOLDER is one that is not there yet.
"""

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import mrirecon
from mrirecon.config import load_config
from mrirecon.files import atomic_path

OUT = Path(__file__).with_name("results") / "demo.json"


def tests_of(folder: Path) -> list[dict[str, Any]]:
    """Give the mean scores of each method on each test set and mask."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return [
        {
            "strategy": test["sampling"]["strategy"],
            "acceleration": test["sampling"]["acceleration"],
            "name": test["name"],
            "protocol": test["protocol"]["name"],
            "n_slices": test["statistics"]["zero-filled"]["ssim"]["n"],
            "methods": {
                method: {"ssim": by["ssim"]["mean"], "psnr_db": by["psnr"]["mean"]}
                for method, by in test["statistics"].items()
            },
        }
        for test in summary["test_sets"]
    ]


def differences(tests: list[dict[str, Any]], other: Path) -> dict[str, Any]:
    """Give the largest difference of each method's scores to those in another demo's folder."""
    pairs = list(zip(tests, tests_of(other), strict=True))
    return {
        "threads": json.loads((other / "lines" / "versions.json").read_text())["threads"],
        "largest_difference": {
            method: {
                metric: max(
                    abs(a["methods"][method][metric] - b["methods"][method][metric])
                    for a, b in pairs
                )
                for metric in scores
            }
            for method, scores in tests[0]["methods"].items()
        },
    }


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--beside", type=Path, required=True, metavar="OTHER")
    options = parser.parse_args()
    folder = options.folder
    if folder.exists():
        parser.error(f"folder: expected one that is not there yet, got {folder}")
    subprocess.run([sys.executable, "-m", "mrirecon", "demo", "--out", folder], check=True)
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    run = folder / "lines"
    config = load_config(run / "config.yaml")
    versions = json.loads((run / "versions.json").read_text(encoding="utf-8"))
    result = {
        "command": "OMP_NUM_THREADS=1 python benchmarks/demo_scores.py runs/one --beside runs/demo",
        "versions": {name: versions[name] for name in ("mrirecon", "torch", "python")},
        "threads": versions["threads"],
        "cpu_minutes": seconds / 60,
        "parameters": sum(weight.numel() for weight in mrirecon.load(run).parameters()),
        "steps": config.training.steps,
        "batch_size": config.training.batch_size,
        "beside": differences(tests_of(folder), options.beside),
        "tests": tests_of(folder),
    }
    with atomic_path(OUT) as path:
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
