"""Fixtures of the trainer's tests."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit

import pytest
import torch
from small_run import make_store


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Compute with one thread: faster on small images, and equal in every process."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared volume of seven slices."""
    return make_store(tmp_path_factory.mktemp("store"))


@pytest.fixture
def full_disk() -> Callable[[int], AbstractContextManager[None]]:
    """Return a context in which the system refuses to let a file grow over a number of bytes."""

    @contextmanager
    def limit(size: int) -> Iterator[None]:
        before = getrlimit(RLIMIT_FSIZE)
        setrlimit(RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            setrlimit(RLIMIT_FSIZE, before)

    return limit
