"""What docstrings show: each of their examples runs and prints what stands there."""

import doctest
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch

from mrirecon.data import SliceDataset, SliceStore, prepare
from mrirecon.losses import LossConfig
from mrirecon.models import Generator, GeneratorConfig, UNetConfig
from mrirecon.sampling import SamplingConfig
from mrirecon.training import TrainingConfig, train

PACKAGE = Path(__file__).parents[1] / "mrirecon"
DEMANDED = ("ops", "fourier", "nufft", "nufft.units", "metrics")
"""Of each function, and of each class with methods, that these export an example is demanded."""
OTHERS = (
    "",
    "classical",
    "config",
    "data",
    "data.readers",
    "evaluation.statistics",
    "losses",
    "models",
    "sampling",
    "training",
)
CPU = torch.device("cpu")


def exports(name: str) -> dict[str, Any]:
    """Give what a package exports, by its name there; of a module without a list its functions."""
    module = importlib.import_module(f"mrirecon.{name}".rstrip("."))
    own = [n for n, x in vars(module).items() if getattr(x, "__module__", "") == module.__name__]
    names = getattr(module, "__all__", [n for n in own if not n.startswith("_")])
    return {f"{name}.{n}".lstrip("."): getattr(module, n) for n in names}


def documented(item: Any) -> dict[str, str]:
    """Give the docstrings of a function, or of a class and its public methods."""
    if not (inspect.isclass(item) or inspect.isroutine(item)):
        return {}
    parts = {"": item}
    if inspect.isclass(item):
        parts |= {f".{n}": x for n, x in vars(item).items() if not n.startswith("_")}
    return {n: inspect.getdoc(x) or "" for n, x in parts.items() if callable(x)}


PUBLIC = {name: item for package in (*DEMANDED, *OTHERS) for name, item in exports(package).items()}
EXAMPLES = {  # by docstring, since one object may be exported twice
    doc: name + part
    for name, item in PUBLIC.items()
    for part, doc in documented(item).items()
    if ">>>" in doc
}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make what examples read: scans, a store of them, and a run trained on that."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "scans").mkdir()
    rows, cols = np.mgrid[-1:1:32j, -1:1:32j]
    for number in range(10):
        texture = np.random.default_rng(number).uniform(0.5, 1, (8, 32, 32))
        head = np.where(rows**2 + 1.4 * cols**2 < 0.8, 1000 * texture, 0).astype(np.int16)
        image = nibabel.Nifti1Image(head.transpose(1, 2, 0), np.eye(4))
        nibabel.save(image, folder / "scans" / f"head{number}.nii")
    prepare(folder / "scans", folder / "store.h5")
    config = TrainingConfig(steps=1, batch_size=2, losses=LossConfig(adversarial=0))
    generator = Generator(GeneratorConfig(UNetConfig(width=4, n_levels=1), "after"))
    with SliceStore(folder / "store.h5") as store:
        slices = SliceDataset(store, "train")
        train(folder / "run", generator, None, slices, SamplingConfig(), config, device=CPU)
    return folder


@pytest.mark.parametrize("doc", EXAMPLES, ids=EXAMPLES.get)
def test_an_example_prints_what_it_shows(
    doc: str, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace)
    example = doctest.DocTestParser().get_doctest(doc, {}, EXAMPLES[doc], None, 0)
    told: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(example, out=told.append)
    assert result.attempted > 0
    assert result.failed == 0, "".join(told)


@pytest.mark.parametrize("package", DEMANDED)
def test_what_a_user_meets_first_has_an_example(package: str) -> None:
    without = [
        name
        for name, item in exports(package).items()
        if is_called(item) and ">>>" not in "".join(documented(item).values())
    ]
    assert without == []


def is_called(item: Any) -> bool:
    """Tell functions, and classes that do something, from what only holds values."""
    methods: Callable[[Any], bool] = inspect.isroutine
    if not inspect.isclass(item):
        return methods(item)
    return any(methods(x) and not n.startswith("_") for n, x in vars(item).items())


def test_no_example_is_left_out() -> None:
    written = sum(path.read_text().count("Examples:\n") for path in PACKAGE.rglob("*.py"))
    assert written == len(EXAMPLES) > 0
