"""Networks, each with the frozen configuration that describes it."""

from mrirecon.models.discriminator import PatchDiscriminator, PatchDiscriminatorConfig
from mrirecon.models.generator import Generator, GeneratorConfig, Reconstruction, make_consistent
from mrirecon.models.reconresnet import ReconResNet, ReconResNetConfig

__all__ = [
    "Generator",
    "GeneratorConfig",
    "PatchDiscriminator",
    "PatchDiscriminatorConfig",
    "ReconResNet",
    "ReconResNetConfig",
    "Reconstruction",
    "make_consistent",
]
