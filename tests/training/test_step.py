"""One step: who learns from what, in which order."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from small_run import CONFIG, DISCRIMINATOR, GENERATOR, SAMPLING
from torch import Tensor

from mrirecon.data import Measurement, SliceDataset, SliceStore, simulate
from mrirecon.losses import LossConfig, discriminator_loss, generator_loss
from mrirecon.models import Generator, PatchDiscriminator, ReconResNet
from mrirecon.training import TrainingConfig, TrainingState, make_state, training_step
from mrirecon.training.precision import network_dtype
from mrirecon.training.state import compile_networks

CPU = torch.device("cpu")


@pytest.fixture
def measurement(store: Path) -> Measurement:
    with SliceStore(store) as opened:
        batch = next(SliceDataset(opened, "train").batches(2))
        return simulate(batch, SAMPLING, seed=1, epoch=0)


def new_state(config: TrainingConfig) -> TrainingState:
    return make_state(Generator(GENERATOR), PatchDiscriminator(DISCRIMINATOR), config, CPU)


def weights(network: torch.nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_loss_is_the_weighted_sum_of_its_terms(measurement: Measurement) -> None:
    losses = LossConfig(l1=2.0, ssim=0.5, network=3.0, adversarial=0.25)
    config = replace(CONFIG, losses=losses)
    terms = training_step(new_state(config), measurement, config)
    expected = 2.0 * terms["l1"] + 0.5 * terms["ssim"] + 0.25 * terms["adversarial"]
    expected += 3.0 * terms["network"]
    assert terms["network"] != terms["l1"]
    torch.testing.assert_close(terms["loss"], expected)
    assert not any(term.requires_grad for term in terms.values())


def test_step_updates_every_network(measurement: Measurement) -> None:
    state = new_state(CONFIG)
    assert state.discriminator is not None
    before = [weights(n) for n in (state.generator, state.average, state.discriminator)]
    training_step(state, measurement, CONFIG)
    after = [weights(n) for n in (state.generator, state.average, state.discriminator)]
    assert not any(torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert not torch.equal(after[0], after[1])


@pytest.mark.parametrize("kind", ["hinge", "least-squares", "wasserstein"])
def test_discriminator_learns_from_its_own_loss_alone(measurement: Measurement, kind: Any) -> None:
    config = replace(CONFIG, losses=LossConfig(adversarial=1e6, adversarial_kind=kind))
    state = new_state(config)
    discriminator = state.discriminator
    assert discriminator is not None
    twin = copy.deepcopy(discriminator)
    torch.manual_seed(3)
    fake = state.generator(measurement.zero_filled, measurement.mask).trained.detach()
    real, judged = twin(torch.cat([measurement.target, fake])).halves()
    discriminator_loss(real.logits, judged.logits, kind=kind).backward()
    torch.manual_seed(3)
    training_step(state, measurement, config)
    for got, expected in zip(discriminator.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(got.grad, expected.grad)


def test_generator_is_judged_by_the_updated_discriminator(measurement: Measurement) -> None:
    config = replace(CONFIG, discriminator_learning_rate=0.1)
    state = new_state(config)
    for group in state.discriminator_optimizer.param_groups:  # type: ignore[union-attr]
        group["lr"] = 0.1
    torch.manual_seed(3)
    fake = state.generator(measurement.zero_filled, measurement.mask).trained.detach()
    torch.manual_seed(3)
    terms = training_step(state, measurement, config)
    assert state.discriminator is not None
    # In evaluation mode spectral norm is that of the last forward pass, which judged `fake`.
    logits = state.discriminator.eval()(fake).logits
    torch.testing.assert_close(terms["adversarial"], generator_loss(logits, kind="hinge"))
    assert (terms["logit_fake"] + terms["adversarial"]).abs() > 1e-3


def test_adversarial_term_waits_for_its_start(measurement: Measurement) -> None:
    config = replace(CONFIG, losses=LossConfig(adversarial_start=1))
    state = new_state(config)
    assert state.discriminator is not None
    before = weights(state.discriminator)
    assert set(training_step(state, measurement, config)) == {"l1", "ssim", "loss"}
    assert torch.equal(weights(state.discriminator), before)
    state.step = 1
    assert "adversarial" in training_step(state, measurement, config)


def test_penalties_and_further_terms_join_the_sums(measurement: Measurement) -> None:
    losses = LossConfig(
        adversarial_kind="wasserstein",
        adversarial=0.5,
        charbonnier=0.25,
        frequency=0.125,
        feature_matching=2.0,
        gradient_penalty=10.0,
        r1=3.0,
    )
    config = replace(CONFIG, losses=losses)
    terms = training_step(new_state(config), measurement, config)
    of_generator = terms["l1"] + terms["ssim"] + 0.5 * terms["adversarial"]
    of_generator += 0.25 * terms["charbonnier"] + 0.125 * terms["frequency"]
    of_generator += 2.0 * terms["feature_matching"]
    torch.testing.assert_close(terms["loss"], of_generator)
    of_discriminator = terms["logit_fake"] - terms["logit_real"]
    of_discriminator += 10.0 * terms["gradient_penalty"] + 3.0 * terms["r1"]
    torch.testing.assert_close(terms["discriminator"], of_discriminator)


def test_a_conditional_discriminator_of_several_scales_learns(measurement: Measurement) -> None:
    config = replace(CONFIG, losses=replace(CONFIG.losses, feature_matching=1.0, r1=1.0))
    judges = PatchDiscriminator(replace(DISCRIMINATOR, conditional=True, n_scales=2))
    state = make_state(Generator(GENERATOR), judges, config, CPU)
    before = weights(judges)
    training_step(state, measurement, config)
    assert not torch.equal(weights(judges), before)
    assert all(parameter.grad is not None for parameter in judges.parameters())


def test_discriminator_is_updated_as_often_as_asked(measurement: Measurement) -> None:
    config = replace(CONFIG, losses=replace(CONFIG.losses, discriminator_steps=3))
    state = new_state(config)
    training_step(state, measurement, config)
    assert state.discriminator is not None
    assert state.discriminator_optimizer is not None
    moments = state.discriminator_optimizer.state[next(state.discriminator.parameters())]
    assert moments["step"] == 3


def test_a_wasserstein_loss_needs_a_bounded_discriminator() -> None:
    config = replace(CONFIG, losses=LossConfig(adversarial_kind="wasserstein"))
    free = PatchDiscriminator(replace(DISCRIMINATOR, spectral_norm=False))
    with pytest.raises(ValueError, match=r"^losses.gradient_penalty: expected above 0 or a"):
        make_state(Generator(GENERATOR), free, config, CPU)
    penalised = replace(config, losses=replace(config.losses, gradient_penalty=10.0))
    make_state(Generator(GENERATOR), free, penalised, CPU)


def test_a_penalised_discriminator_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What torch.compile makes has no second derivative."""
    compiled: list[type] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, mode: compiled.append(type(self)))
    for losses in (CONFIG.losses, replace(CONFIG.losses, r1=1.0)):
        compile_networks(new_state(CONFIG), losses, cuda_graphs=False)
    assert compiled == [ReconResNet, PatchDiscriminator, ReconResNet]


def test_without_an_adversarial_term_there_is_no_discriminator(measurement: Measurement) -> None:
    config = replace(CONFIG, losses=LossConfig(ssim=0.0, adversarial=0.0))
    state = make_state(Generator(GENERATOR), None, config, CPU)
    assert set(training_step(state, measurement, config)) == {"l1", "loss"}


def test_an_adversarial_term_needs_a_discriminator() -> None:
    with pytest.raises(ValueError, match=r"^discriminator: expected one, since losses.adversarial"):
        make_state(Generator(GENERATOR), None, CONFIG, CPU)


def test_step_reads_no_number_from_the_device(
    measurement: Measurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each such reading makes a GPU wait for the CPU and the CPU for the GPU."""

    def refuse(*_: object) -> NoReturn:
        raise AssertionError("the step waited for the device")

    state = new_state(CONFIG)
    for name in ("item", "tolist", "__float__", "__bool__", "__int__", "numpy", "cpu"):
        monkeypatch.setattr(Tensor, name, refuse)
    training_step(state, measurement, CONFIG)


@pytest.mark.parametrize(
    "options",
    [{"precision": "bfloat16"}, {"channels_last": True}],
    ids=["bfloat16", "channels_last"],
)
def test_fast_options_give_nearly_the_same_losses(
    measurement: Measurement, options: dict[str, Any]
) -> None:
    all_terms = []
    for config in (CONFIG, replace(CONFIG, **options)):
        torch.manual_seed(0)
        state = new_state(config)
        torch.manual_seed(1)
        training_step(state, measurement, config)
        torch.manual_seed(2)
        all_terms.append(training_step(state, measurement, config))
    for name, expected in all_terms[0].items():
        # bfloat16 rounds to 2**-8 of a value near 1; a few of them add up.
        torch.testing.assert_close(all_terms[1][name], expected, rtol=0.05, atol=4 * 2**-8)


@pytest.mark.parametrize(
    ("precision", "capabilities", "expected"),
    [
        ("auto", {"avx512_f": True, "avx512_bf16": False}, False),
        ("auto", {"avx512_bf16": True}, True),
        ("auto", {"bf16": True, "neon": True}, True),
        ("float32", {"avx512_bf16": True}, False),
        ("bfloat16", {"avx512_bf16": False}, True),
    ],
)
def test_auto_precision_follows_the_processor(
    precision: Any,
    capabilities: dict[str, bool],
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert (network_dtype(precision, CPU) == torch.bfloat16) is expected


def test_one_sample_can_be_learnt_by_heart(measurement: Measurement) -> None:
    losses = LossConfig(l1=1.0, ssim=0.0, adversarial=0.0)
    config = replace(CONFIG, losses=losses)
    network = replace(GENERATOR.network, width=8, dropout=0.0)
    state = make_state(Generator(replace(GENERATOR, network=network)), None, config, CPU)
    for group in state.generator_optimizer.param_groups:
        group["lr"] = 3e-3
    history = [training_step(state, measurement, config)["l1"].item() for _ in range(200)]
    assert history[-1] < 0.2 * history[0]
