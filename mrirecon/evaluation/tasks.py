"""The work of an evaluation in pieces that are kept: one source of images in one cell.

A finished piece is a JSON file named by a hash of all that decides its scores: pixels, weights,
sampling, noise, protocol. So a restarted evaluation uses it again, and only for the same work.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass, fields
from hashlib import blake2b
from pathlib import Path

import torch

from mrirecon.classical import MethodConfig
from mrirecon.data import SliceDataset, SliceStore
from mrirecon.evaluation.grid import Cell
from mrirecon.evaluation.methods import MethodName, Reconstructor, baselines, classical, network
from mrirecon.evaluation.regions import Region, find_masks
from mrirecon.evaluation.run import score_slices
from mrirecon.evaluation.scores import SliceScore
from mrirecon.evaluation.throughput import Throughput, reset_peak_memory
from mrirecon.files import atomic_path
from mrirecon.metrics import Protocol
from mrirecon.training import load
from mrirecon.training.ledger import peak_memory
from mrirecon.version import __version__

_FORMAT = 2
_COLUMNS = tuple(field.name for field in fields(SliceScore))
_WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class TestSet:
    """The slices that are scored.

    Attributes:
        store: file made by `prepare`.
        split: train, val or test.
        per_volume: at most so many slices of each volume, at even distances; None for all.
    """

    __test__ = False  # for pytest: no test, although its name begins like one

    store: Path
    split: str
    per_volume: int | None = None

    def open(self) -> SliceDataset:
        """Open it; close its store after use."""
        return SliceDataset(SliceStore(self.store), self.split, per_volume=self.per_volume)


@dataclass(frozen=True)
class Source:
    """What makes images: a classical method, a network, or neither of them.

    Attributes:
        method: name of a classical method, "" for none.
        config: of the method.
        run: name of the network's run, "" for none.
        checkpoint: folder of the network's checkpoint.
    """

    method: MethodName = ""
    config: MethodConfig | None = None
    run: str = ""
    checkpoint: Path | None = None

    def make(self, device: torch.device) -> Reconstructor:
        """Give what makes the images, with its network on the device."""
        if self.checkpoint is not None:
            return network(load(self.checkpoint, device=device))
        return baselines if self.config is None else classical(self.method, self.config)

    def identify(self) -> dict[str, object]:
        """Say all that decides the images, as JSON holds it."""
        if self.checkpoint is not None:
            weights = (self.checkpoint / _WEIGHTS).read_bytes()
            state = (self.checkpoint / "state.json").read_text(encoding="utf-8")
            described = json.dumps(json.loads(state)["generator"], sort_keys=True)
            return {"weights": _digest(weights), "generator": described}
        if self.config is None:
            return {}
        return {"method": self.method, "class": type(self.config).__name__} | asdict(self.config)


@dataclass(frozen=True)
class Task:
    """Score one source of images on a test set in one cell."""

    test_set: TestSet
    cell: Cell
    source: Source
    protocol: Protocol
    regions: tuple[Region, ...] = ()

    def key(self, dataset: SliceDataset) -> str:
        """Name the work by a hash of all that decides its scores."""
        subjects = [s.digest for s in dataset.store.subjects if s.split == self.test_set.split]
        content = {
            "format": _FORMAT,
            "version": __version__,
            "subjects": subjects,
            "per_volume": self.test_set.per_volume,
            "sampling": [type(self.cell.sampling).__name__, asdict(self.cell.sampling)],
            "simulation": asdict(self.cell.simulation),
            "seed": self.cell.seed,
            "protocol": asdict(self.protocol),
            "source": self.source.identify(),
            "regions": [self._identify(region, dataset.store) for region in self.regions],
        }
        return _digest(json.dumps(content, sort_keys=True).encode())

    def _identify(self, region: Region, store: SliceStore) -> list[object]:
        files = find_masks(region, store, self.test_set.split)
        states = [
            (*key, path.stat().st_size, path.stat().st_mtime_ns) for key, path in files.items()
        ]
        return [region.name, states]


@dataclass(frozen=True)
class Finished:
    """A task's scores, blank slices too, and what it took."""

    scores: list[SliceScore]
    throughput: Throughput


def finish_tasks(
    tasks: Sequence[Task],
    folder: Path,
    *,
    batch_size: int,
    device: torch.device,
    progress: Callable[[int], None] = lambda _n_slices: None,
) -> list[Finished]:
    """Do the tasks that are not done yet, one after another, and keep each as soon as it is done.

    Args:
        tasks: what to score.
        folder: of the finished pieces.
        batch_size: slices at once.
        device: where to compute.
        progress: called with the number of slices that were scored since the last call.

    Returns:
        Scores and throughput of each task, in their order.

    Raises:
        ValueError: as `mrirecon.evaluation.evaluate`.
        OSError: the folder cannot be written to, or a checkpoint or store cannot be read.
    """
    return [
        _finish(task, folder, batch_size=batch_size, device=device, progress=progress)
        for task in tasks
    ]


def _finish(
    task: Task,
    folder: Path,
    *,
    batch_size: int,
    device: torch.device,
    progress: Callable[[int], None],
) -> Finished:
    dataset = task.test_set.open()
    with dataset.store:
        path = folder / f"{task.key(dataset)}.json"
        with suppress(OSError, ValueError, KeyError, TypeError):
            found = _read(path)
            progress(len(dataset))
            return found
        finished = _score(task, dataset, batch_size=batch_size, device=device, progress=progress)
    with atomic_path(path) as temporary:
        temporary.write_text(_to_json(finished), encoding="utf-8")
    return finished


def _score(
    task: Task,
    dataset: SliceDataset,
    *,
    batch_size: int,
    device: torch.device,
    progress: Callable[[int], None],
) -> Finished:
    reset_peak_memory(device)
    done = 0

    def tell(now: int, _total: int) -> None:
        nonlocal done
        progress(now - done)
        done = now

    scored = score_slices(
        [task.source.make(device)],
        dataset,
        task.cell.sampling,
        seed=task.cell.seed,
        protocol=task.protocol,
        batch_size=batch_size,
        device=device,
        simulation=task.cell.simulation,
        regions=task.regions,
        progress=tell,
    )
    used = Throughput(
        len(dataset), scored.seconds, peak_memory(device), str(device), torch.get_num_threads()
    )
    return Finished(scored.scores, used)


def _to_json(finished: Finished) -> str:
    rows = [astuple(score) for score in finished.scores]
    content = {"columns": _COLUMNS, "throughput": asdict(finished.throughput), "scores": rows}
    return json.dumps(content, ensure_ascii=False) + "\n"


def _read(path: Path) -> Finished:
    content = json.loads(path.read_text(encoding="utf-8"))
    if tuple(content["columns"]) != _COLUMNS:
        raise ValueError(f"{path}: expected the columns {_COLUMNS}, got others")
    scores = [SliceScore(*row) for row in content["scores"]]
    return Finished(scores, Throughput(**content["throughput"]))


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()
