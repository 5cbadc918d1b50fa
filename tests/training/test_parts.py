"""A batch in parts: gradients that add up, parts of several samplings, and less memory."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small_run import DISCRIMINATOR, PLAIN, PLAIN_GENERATOR, SAMPLING, small_run
from torch import Tensor

from mrirecon.data import RawBatch, SliceDataset, SliceStore, simulate, simulate_parts
from mrirecon.models import Generator, PatchDiscriminator
from mrirecon.sampling import MixtureConfig, SamplingConfig, TrajectoryConfig
from mrirecon.training import (
    TrainingConfig,
    TrainingState,
    last_checkpoint,
    make_state,
    read_records,
    training_step,
)

CPU = torch.device("cpu")
EPS = torch.finfo(torch.float32).eps
UNNORMED = replace(DISCRIMINATOR, spectral_norm=False)  # its iterations count forward passes
MIXTURE = MixtureConfig(
    (SAMPLING, SamplingConfig("random_2d", acceleration=3.0)),
    (TrajectoryConfig(n_readouts=12, n_samples=48), TrajectoryConfig(n_readouts=9, n_samples=48)),
)


@pytest.fixture
def batch(store: Path) -> RawBatch:
    with SliceStore(store) as opened:
        return next(SliceDataset(opened, "train").batches(6))


def new_state(config: TrainingConfig) -> TrainingState:
    torch.manual_seed(0)
    return make_state(Generator(PLAIN_GENERATOR), PatchDiscriminator(UNNORMED), config, CPU)


def gradients(state: TrainingState) -> dict[str, Tensor]:
    assert state.discriminator is not None
    networks = {"generator": state.generator, "discriminator": state.discriminator}
    return {
        f"{owner}.{name}": parameter.grad
        for owner, network in networks.items()
        for name, parameter in network.named_parameters()
        if parameter.grad is not None
    }


@pytest.mark.parametrize("sizes", [(6,), (3, 3), (1, 4, 1)])
def test_parts_give_the_gradients_and_terms_of_the_whole(
    batch: RawBatch, sizes: tuple[int, ...]
) -> None:
    whole, cut = new_state(PLAIN), new_state(PLAIN)
    expected = training_step(whole, simulate(batch, SAMPLING, seed=1), PLAIN)
    measured = []
    for first, size in zip(torch.tensor((0, *sizes)).cumsum(0).tolist(), sizes, strict=False):
        part = batch.take(range(first, first + size))
        measured.append(simulate(part, SAMPLING, seed=1))
    assert sum(len(one.target) for one in measured) == 6
    found = training_step(cut, measured, PLAIN)
    assert found.keys() == expected.keys()
    for name, term in expected.items():
        torch.testing.assert_close(found[name], term, rtol=32 * EPS, atol=32 * EPS)
    wanted, got = gradients(whole), gradients(cut)
    assert wanted.keys() == got.keys()
    for name, gradient in wanted.items():
        # Sums in another order; what cancels is compared with the largest of its tensor. The
        # generator's is asked of a discriminator whose Adam step divided by a tiny gradient.
        tolerance = (1e-3 if name.startswith("generator") else 1e-4) * float(gradient.abs().max())
        torch.testing.assert_close(got[name], gradient, rtol=0, atol=tolerance + EPS)


def test_accumulated_batches_train_as_a_large_one(store: Path, tmp_path: Path) -> None:
    config = replace(PLAIN, steps=4, learning_rate=1e-4)
    runs = {}
    for name, batch_size, accumulate in (("large", 6, 1), ("small", 2, 3)):
        run = tmp_path / name
        sized = replace(config, batch_size=batch_size, accumulate=accumulate)
        small_run(
            store,
            run,
            sized,
            generator_config=PLAIN_GENERATOR,
            discriminator_config=UNNORMED,
        )
        runs[name] = [r for r in read_records(run / "metrics.jsonl") if "loss" in r]
    for expected, found in zip(runs["large"], runs["small"], strict=True):
        assert found["loss"] == pytest.approx(expected["loss"], rel=1e-5)
        assert found["l1"] == pytest.approx(expected["l1"], rel=1e-5)


def test_dropout_is_the_same_both_times_an_image_is_made(batch: RawBatch) -> None:
    """The discriminator's fake image and the generator's are one, or it would judge another."""
    config = replace(PLAIN, losses=replace(PLAIN.losses, adversarial_kind="wasserstein"))
    network = replace(PLAIN_GENERATOR.network, dropout=0.5)
    judges = PatchDiscriminator(DISCRIMINATOR)
    generator = Generator(replace(PLAIN_GENERATOR, network=network))
    torch.nn.init.normal_(generator.network.to_image.weight)  # which starts at 0
    state = make_state(generator, judges, config, CPU)
    seen: list[Tensor] = []
    state.generator.register_forward_hook(lambda _module, _inputs, out: seen.append(out.trained))
    parts = [simulate(batch.take(range(n, n + 3)), SAMPLING, seed=1) for n in (0, 3)]
    torch.manual_seed(5)
    training_step(state, parts, config)
    assert len(seen) == 4
    for first, again in ((0, 2), (1, 3)):
        assert torch.equal(seen[first], seen[again])
    assert not torch.equal(seen[0], seen[1])


def test_a_mixture_comes_in_parts_that_hold_every_slice_once(batch: RawBatch) -> None:
    parts = simulate_parts(batch, MIXTURE, seed=2, epoch=1)
    assert len(parts) > 1
    numbers = {"volumes": batch.volumes, "slices": batch.slices, "seed": 2, "epoch": 1}
    chosen = MIXTURE.choose(**numbers)  # type: ignore[arg-type]
    whole = simulate(batch, SAMPLING, seed=2).target
    order = [torch.from_numpy(chosen < 2).nonzero()[:, 0]]
    order += [torch.from_numpy(chosen == n).nonzero()[:, 0] for n in (2, 3)]
    assert torch.equal(torch.cat([part.target for part in parts]), whole[torch.cat(order)])
    for part in parts:
        assert part.nufft is None or part.nufft.coords.shape[-2] in (12 * 48, 9 * 48)


def test_a_slice_off_the_grid_has_no_mask(batch: RawBatch) -> None:
    with pytest.raises(ValueError, match=r"^slices: expected patterns on the grid alone, got \d"):
        simulate(batch, MIXTURE, seed=2)


def test_a_run_of_masks_and_trajectories_resumes_to_the_same_numbers(
    store: Path, tmp_path: Path
) -> None:
    config = replace(PLAIN, steps=4, batch_size=3, schedule="constant")
    small_run(store, tmp_path / "whole", config, sampling=MIXTURE)
    small_run(store, tmp_path / "cut", replace(config, steps=2), sampling=MIXTURE)
    small_run(store, tmp_path / "cut", config, sampling=MIXTURE, resume=True)
    paths = [last_checkpoint(tmp_path / name / "checkpoints") for name in ("whole", "cut")]
    expected, found = (load_file(path / "model.safetensors") for path in paths if path)
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def bytes_kept(state: TrainingState, batch: RawBatch) -> int:
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        state.generator(
            *[getattr(simulate(batch, SAMPLING, seed=1), n) for n in ("zero_filled", "mask")]
        )
    return sum(kept.values())


def test_recomputed_blocks_keep_less_and_give_the_same_gradient(batch: RawBatch) -> None:
    network = replace(PLAIN_GENERATOR.network, n_blocks=6, dropout=0.3)
    kept, found = [], []
    for recompute in (False, True):
        config = replace(PLAIN, recompute=recompute)
        torch.manual_seed(0)
        generator = Generator(replace(PLAIN_GENERATOR, network=network))
        torch.nn.init.normal_(generator.network.to_image.weight, std=0.02)
        state = make_state(generator, PatchDiscriminator(UNNORMED), config, CPU)
        kept.append(bytes_kept(state, batch))
        torch.manual_seed(1)
        training_step(state, simulate(batch, SAMPLING, seed=1), config)
        found.append(gradients(state))
    assert kept[1] < 0.7 * kept[0]
    for name, gradient in found[0].items():
        assert torch.equal(found[1][name], gradient), name


def test_float16_scales_losses_and_resumes_exactly(store: Path, tmp_path: Path) -> None:
    config = replace(PLAIN, steps=4, precision="float16", schedule="constant")
    small_run(store, tmp_path / "whole", config)
    small_run(store, tmp_path / "cut", replace(config, steps=2))
    small_run(store, tmp_path / "cut", config, resume=True)
    paths = [last_checkpoint(tmp_path / name / "checkpoints") for name in ("whole", "cut")]
    for file in ("model.safetensors", "optimizer.safetensors"):
        expected, found = (load_file(path / file) for path in paths if path)
        assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    states = [(path / "state.json").read_text() for path in paths if path]
    assert states[0] == states[1] and '"scale": ' in states[0]
