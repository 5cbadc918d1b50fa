"""A trained generator is taken out of a run by one call, and starts another one."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_run import CONFIG, GENERATOR, small_run

import mrirecon
from mrirecon.models import Generator
from mrirecon.training import last_checkpoint, load_generator, start_from


@pytest.fixture(scope="module")
def run(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four steps whose best validation came after step 2."""
    folder = tmp_path_factory.mktemp("run") / "run"
    config = replace(CONFIG, steps=4, validate_every=2, best_by="s")
    small_run(store, folder, config, score=lambda step: -step)
    return folder


def test_load_takes_the_best_checkpoint_of_a_run(run: Path) -> None:
    found = mrirecon.load(run).state_dict()
    best = load_generator(run / "checkpoints" / "step_000002").state_dict()
    assert all(torch.equal(found[name], best[name]) for name in best)
    last = last_checkpoint(run / "checkpoints")
    assert last is not None and last.name == "step_000004"
    newest = mrirecon.load(str(last)).state_dict()
    assert not all(torch.equal(newest[name], best[name]) for name in best)


def test_a_loaded_generator_reconstructs(run: Path) -> None:
    generator = mrirecon.load(run)
    mask = torch.zeros(20, dtype=torch.bool)
    mask[::3] = True
    image = generator(torch.rand(2, 1, 24, 20, dtype=torch.complex64), mask).output
    assert image.shape == (2, 1, 24, 20)
    assert not image.requires_grad


def test_a_folder_without_a_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="expected a run with a checkpoint, found none"):
        mrirecon.load(tmp_path)


def test_fine_tuning_starts_from_equal_weights(run: Path) -> None:
    generator = Generator(GENERATOR)
    told = start_from(generator, run)
    expected = mrirecon.load(run).state_dict()
    assert all(torch.equal(tensor, expected[n]) for n, tensor in generator.state_dict().items())
    assert told == f"{len(expected)} of {len(expected)} tensors start from {run}"
    assert all(parameter.requires_grad for parameter in generator.parameters())


def test_what_does_not_fit_starts_anew_and_is_named(run: Path) -> None:
    deeper = Generator(replace(GENERATOR, network=replace(GENERATOR.network, n_blocks=2)))
    told = start_from(deeper, run)
    assert "; new: network." in told
    wider = Generator(replace(GENERATOR, network=replace(GENERATOR.network, width=6)))
    alike = start_from(wider, run)  # PReLU's single slopes have no width
    assert "tensors start from" in alike


def test_the_package_names_what_it_lacks() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = mrirecon.lode


def test_strict_weights_are_all_alike_or_refused(run: Path) -> None:
    start_from(Generator(GENERATOR), run, strict=True)
    wider = replace(GENERATOR, network=replace(GENERATOR.network, n_blocks=2))
    generator = Generator(wider)
    before = [parameter.clone() for parameter in generator.parameters()]
    with pytest.raises(ValueError, match=r"every weight alike, got others: network.blocks"):
        start_from(generator, run, strict=True)
    assert all(torch.equal(*pair) for pair in zip(before, generator.parameters(), strict=True))
