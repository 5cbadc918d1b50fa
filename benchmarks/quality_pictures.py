"""Draw one slice of each evaluated run beside its classical and adversarial reconstructions.

Each argument is `TITLE=RUN+GAN`, folders of two runs of one sampling, or `TITLE=RUN`. The slice is
the one of median SSIM of the first run, so that nobody picks it. Errors are 5 times as bright.

Usage: python benchmarks/quality_pictures.py --out PICTURE.jpg TITLE=RUN+GAN ... --tuned FILE ...
"""

import argparse
import csv
from pathlib import Path

import matplotlib as mpl
import torch
from torch import Tensor

from mrirecon.config import load_config
from mrirecon.data import RawBatch, SliceDataset, SliceStore
from mrirecon.evaluation import read_regularisation
from mrirecon.evaluation.methods import baselines, classical, network
from mrirecon.evaluation.reconstruct import reconstruct_batches
from mrirecon.sampling import named_patterns
from mrirecon.training import load

mpl.use("Agg")
from matplotlib import pyplot as plt

RESULT = "network + data consistency"
TV = "total variation"
BRIGHTER = 5
CPU = torch.device("cpu")


def median_slice(scores: Path) -> tuple[str, int]:
    """Give subject and slice of median SSIM."""
    with scores.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["method"] == RESULT]
    ranked = sorted(rows, key=lambda row: float(row["ssim"]))
    chosen = ranked[len(ranked) // 2]
    return chosen["subject"], int(chosen["slice"])


def find_slice(dataset: SliceDataset, subject: str, number: int) -> RawBatch:
    """Read one slice of a split."""
    for raw in dataset.batches(1):
        name = dataset.store.subjects[int(raw.volumes[0])].name
        if (name, int(raw.slices[0])) == (subject, number):
            return raw
    raise ValueError(f"{subject}: expected slice {number} in the split, found none")


def reconstructions(folders: list[Path], tuned: Path) -> tuple[dict[str, Tensor], str]:
    """Reconstruct the median slice every way, float32 (rows, cols) each, and say which it is."""
    config = load_config(folders[0] / "config.yaml")
    subject, number = median_slice(folders[0] / "evaluation" / "scores.csv")
    names = ["unrolled CNN", "its GAN"][: len(folders)]
    reconstructors = [
        baselines,
        classical(TV, read_regularisation(tuned)["tv"]),
        *(network(load(folder), name) for name, folder in zip(names, folders, strict=True)),
    ]
    (sampling,) = named_patterns(config.undersampling).values()
    with SliceStore(config.store) as store:
        raw = find_slice(SliceDataset(store, "val"), subject, number)
        (batch,) = reconstruct_batches(
            reconstructors, [raw], sampling, seed=config.training.seed, device=CPU
        )
    first = "gridding" if "gridding" in batch.images else "zero-filled"
    images = {"fully sampled": batch.target[0]}
    images |= {name: batch.images[name][0] for name in (first, TV)}
    images |= {name: batch.images[f"{RESULT} ({name})"][0] for name in names}
    return images, f"{subject}, slice {number}"


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="TITLE=RUN+GAN")
    parser.add_argument("--tuned", nargs="+", type=Path, required=True, help="one for each run")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    n_rows = 2 * len(options.runs)
    figure, axes = plt.subplots(n_rows, 5, figsize=(10, 2.05 * n_rows), dpi=100)
    for axis in axes.flat:
        axis.axis("off")
    for row, (run, tuned) in enumerate(zip(options.runs, options.tuned, strict=True)):
        title, folders = run.split("=", 1)
        images, place = reconstructions([Path(folder) for folder in folders.split("+")], tuned)
        target = images["fully sampled"]
        print(f"{title}: {place}")
        for column, (name, image) in enumerate(images.items()):
            upper, lower = axes[2 * row, column], axes[2 * row + 1, column]
            upper.imshow(image, cmap="gray", vmin=0, vmax=float(target.max()))
            psnr = -10 * (image - target).square().mean().log10()
            upper.set_title(name if column == 0 else f"{name}, {psnr:.1f} dB", fontsize=8)
            if column == 0:
                lower.text(0.5, 0.5, title, ha="center", va="center", wrap=True, fontsize=10)
            else:
                error = BRIGHTER * (image - target).abs()
                lower.imshow(error, cmap="inferno", vmin=0, vmax=float(target.max()))
    figure.tight_layout(pad=0.3)
    figure.savefig(options.out, pil_kwargs={"quality": 80})


if __name__ == "__main__":
    main()
