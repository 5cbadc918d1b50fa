"""What is made ready before the first step: frozen parts, blocks, compiled networks."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small_run import GENERATOR, PLAIN, small_run

from mrirecon.losses import LossConfig
from mrirecon.models import CnnConfig, Generator, GeneratorConfig, UNetConfig, UnrolledConfig
from mrirecon.models.unrolled import make_refinement
from mrirecon.training import last_checkpoint, make_state
from mrirecon.training.state import compile_networks, freeze, recompute_blocks

CPU = torch.device("cpu")
ALONE = replace(PLAIN, losses=LossConfig(adversarial=0.0))


def test_frozen_parts_stay_as_they_are_and_the_run_resumes(store: Path, tmp_path: Path) -> None:
    config = replace(ALONE, steps=4, schedule="constant", frozen=("network.encoder",))
    torch.manual_seed(0)
    first = Generator(GENERATOR).state_dict()
    small_run(store, tmp_path / "whole", config)
    small_run(store, tmp_path / "cut", replace(config, steps=2))
    small_run(store, tmp_path / "cut", config, resume=True)
    paths = [last_checkpoint(tmp_path / name / "checkpoints") for name in ("whole", "cut")]
    expected, found = (load_file(path / "model.safetensors") for path in paths if path)
    for name, weight in first.items():
        trained = expected[f"generator.{name}"]
        assert torch.equal(trained, found[f"generator.{name}"])
        assert torch.equal(trained, weight) == name.startswith("network.encoder"), name


def test_a_part_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match=r"^frozen: expected names of parts \(network.encoder, "):
        freeze(Generator(GENERATOR), ("network.enc",))
    with pytest.raises(ValueError, match=r"^frozen: expected some parameters to be left to learn"):
        freeze(Generator(GENERATOR), ("network",))


@pytest.mark.parametrize("network", [UnrolledConfig(), UNetConfig(), GENERATOR.network])
def test_every_network_of_blocks_can_be_recomputed(network: UnrolledConfig | UNetConfig) -> None:
    generator = Generator(GeneratorConfig(network))
    names = [name for name, _ in generator.named_parameters()]
    recompute_blocks(generator.network)
    assert [name for name, _ in generator.named_parameters()] == names
    image = torch.rand(1, 1, 32, 32, dtype=torch.complex64)
    generator(image, torch.ones(32, dtype=torch.bool)).network.sum().backward()


def test_a_network_without_blocks_cannot_be_recomputed() -> None:
    with pytest.raises(ValueError, match=r"^recompute: expected a network made of blocks, got Cnn"):
        recompute_blocks(make_refinement(CnnConfig(), n_channels=2))


def test_cuda_graphs_need_a_gpu() -> None:
    state = make_state(Generator(GENERATOR), None, ALONE, CPU)
    with pytest.raises(ValueError, match=r"^cuda_graphs: expected a CUDA device, got cpu$"):
        compile_networks(state, ALONE.losses, cuda_graphs=True)
