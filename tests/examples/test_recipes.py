"""The recipes of examples/recipes: each is read, built, and trains."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from network_cases import measure, smooth_images
from safetensors.torch import save_file
from vgg_cases import vgg_tensors

from mrirecon.classical import Encoding
from mrirecon.config import load_config
from mrirecon.data import Measurement
from mrirecon.models import Generator, PatchDiscriminator
from mrirecon.training import make_state, training_step

RECIPES = sorted((Path(__file__).parents[2] / "examples" / "recipes").glob("*.yaml"))


def test_there_is_a_recipe_for_each_model_of_the_first_version() -> None:
    kinds = {load_config(recipe).generator.network.kind for recipe in RECIPES}
    assert kinds >= {"reconresnet", "dual_domain", "deblurgan"}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_trains_every_network_it_names(recipe: Path, tmp_path: Path) -> None:
    save_file(vgg_tensors(19, n_blocks=3), tmp_path / "vgg19.safetensors")
    config = load_config(recipe)
    losses = replace(config.training.losses, adversarial_start=0)
    if losses.perceptual > 0:
        losses = replace(losses, perceptual_weights=str(tmp_path / "vgg19.safetensors"))
    training = replace(config.training, losses=losses, precision="float32")
    target = smooth_images(2, (40, 40))
    encoding = Encoding((torch.arange(40) - 20).abs() < 6)
    measured = measure(target.to(torch.complex64), encoding)
    measurement = Measurement(target, encoding.sampled, measured)
    generator, judges = Generator(config.generator), PatchDiscriminator(config.discriminator)
    state = make_state(generator, judges, training, torch.device("cpu"))
    for _ in range(2):  # the last layer starts at zero, and lets nothing through to the others
        terms = training_step(state, measurement, training)
    assert all(term.isfinite() for term in terms.values())
    assert all(parameter.grad is not None for parameter in generator.parameters())
    assert any((parameter.grad != 0).any() for parameter in generator.parameters())
    assert ("adversarial" in terms) == (losses.adversarial > 0)


def test_a_gan_starts_from_every_weight_of_its_twin() -> None:
    """`--init-from` takes what has name and shape alike; the recipes promise that all has."""
    of = {recipe.stem: load_config(recipe) for recipe in RECIPES}
    for gan, twin in (
        ("unrolled_gan", "unrolled_points"),
        ("unrolled_golden_gan", "unrolled_golden"),
    ):
        assert of[gan].generator == of[twin].generator
        assert of[gan].undersampling == of[twin].undersampling
        assert of[gan].training.losses.adversarial > 0
        assert of[twin].training.losses.adversarial == 0
