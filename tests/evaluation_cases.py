"""A small test set and a small generator, for the tests of evaluation and report."""

from pathlib import Path

import numpy as np
import torch

from mrirecon.data import SliceDataset, SliceStore
from mrirecon.data.store_writer import SliceWriter
from mrirecon.evaluation import (
    METHODS,
    Evaluation,
    Example,
    Reconstructor,
    baselines,
    evaluate,
    network,
)
from mrirecon.metrics import get_protocol
from mrirecon.models import Generator, GeneratorConfig, ReconResNetConfig
from mrirecon.sampling import SamplingConfig, TrajectoryConfig, Undersampling

SHAPE = (32, 28)
SUBJECTS = ("anna", "bert")
N_SLICES = 3
SAMPLING = SamplingConfig(strategy="random", acceleration=2.5, calibration=6)
SPOKES = TrajectoryConfig(n_readouts=8, n_samples=64)
CPU = torch.device("cpu")


def make_volume(brightness: float) -> np.ndarray:
    """Draw slices of growing ellipses with structure, 16 bit, (N_SLICES, *SHAPE)."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in SHAPE), indexing="ij")
    structure = 1 + 0.4 * np.sin(8 * x + 3 * y)
    slices = [(x**2 + y**2 < size) * structure for size in np.linspace(0.4, 0.8, N_SLICES)]
    return (brightness * np.stack(slices)).astype(np.uint16)


def make_dataset(
    folder: Path, *, names: tuple[str, ...] = SUBJECTS, blank: tuple[int, ...] = ()
) -> SliceDataset:
    """Write a store of subjects of different brightness, all in its test split, and open it.

    Args:
        folder: where to write it.
        names: of the subjects.
        blank: slices of the first subject to set to zero.
    """
    path = folder / "store.h5"
    with SliceWriter(path, {}) as writer:
        for index, name in enumerate(names):
            volume = make_volume(1000.0 * (index + 1))
            scale = float(volume.max())
            if index == 0:
                volume[list(blank)] = 0
            writer.add(
                volume,
                range(10, 10 + N_SLICES),
                name=name,
                person=name,
                split="test",
                files=(f"{name}.tif",),
                scale=scale,
                voxel_size=None,
            )
    return SliceDataset(SliceStore(path), "test")


def make_generator() -> Generator:
    """Build a small generator, untrained, its output not its input."""
    torch.manual_seed(3)
    network = ReconResNetConfig(width=4, n_blocks=1, dropout=0.5)
    return Generator(GeneratorConfig(network=network, consistency="after"))


def make_reconstructors() -> list[Reconstructor]:
    """Give what `make_evaluation` scores."""
    return [baselines, network(make_generator().eval())]


def make_evaluation(
    dataset: SliceDataset,
    *,
    sampling: Undersampling = SAMPLING,
    protocol: str = "per_slice",
    batch_size: int = 4,
    name: str = "small",
) -> Evaluation:
    """Evaluate the small generator on a dataset."""
    return evaluate(
        make_generator(),
        dataset,
        sampling,
        seed=5,
        protocol=get_protocol(protocol),
        batch_size=batch_size,
        device=CPU,
        name=name,
        description=f"the test set {name}",
    )


def make_example(evaluation: Evaluation, error: torch.Tensor) -> Example:
    """Make an example of the first slice: target 0.5, each method wrong by `error`."""
    target = torch.full(tuple(error.shape), 0.5)
    first = evaluation.scores[0]
    return Example(
        subject=first.subject,
        slice=first.slice,
        reason="worst SSIM",
        is_ranked=True,
        target=target,
        images=dict.fromkeys(METHODS, target + error),
        mask=torch.arange(error.shape[1]).remainder(2).eq(0).expand(tuple(error.shape)),
        scores={score.method: score for score in evaluation.scores[: len(METHODS)]},
    )
