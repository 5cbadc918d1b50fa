"""The loader's suite, beyond that its ways agree: what it leaves behind, and who did the work."""

import gc
import multiprocessing
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from mrirecon.bench import Setup
from mrirecon.bench.machine import Neighbours
from mrirecon.bench.suites import loader
from mrirecon.bench.suites.loader_ways import Places, WholeBatches
from mrirecon.bench.suites.noise_store import noise_store


def test_the_store_goes_with_the_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (case,) = loader.cases(Setup(small=True))
    problem = case.make()
    ways = [make() for make in problem.ways.values()]
    assert len(list(tmp_path.glob("*/store.h5"))) == 1
    del problem, ways
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_there_is_no_loader_to_time_on_a_gpu() -> None:
    assert list(loader.cases(Setup(torch.device("cuda")))) == []


@pytest.mark.parametrize("n_workers", [0, 1, 2])
def test_workers_share_batches_and_keep_their_order(n_workers: int) -> None:
    store = noise_store(n_volumes=2, per_volume=4, size=16)
    whole = WholeBatches(Places.of(store, loader.SAMPLING), batch_size=3)
    batches = list(DataLoader(whole, batch_size=None, num_workers=n_workers))
    assert [len(batch.target) for batch in batches] == [3, 3, 2]
    images = store.read_rows(range(8)) / store.scales[store.volumes][:, None, None]
    assert torch.equal(torch.cat([batch.target for batch in batches]), torch.from_numpy(images))


def work(seconds: float, is_done: Event, goes: Event) -> None:
    while time.process_time() < seconds:
        pass
    is_done.set()
    goes.wait()


def test_the_work_of_a_child_that_still_runs_is_not_taken_for_a_neighbours() -> None:
    context = multiprocessing.get_context("fork")
    is_done, goes = context.Event(), context.Event()
    before = Neighbours._read()
    child = context.Process(target=work, args=(0.3, is_done, goes))
    child.start()
    is_done.wait()
    after = Neighbours._read()
    goes.set()
    child.join()
    assert before is not None
    assert after is not None
    assert after[2] - before[2] >= 0.3 - 0.02  # clocks that tick every 10 ms
