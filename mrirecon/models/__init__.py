"""Networks, each with the frozen configuration that describes it."""

from mrirecon.models.cnn import Cnn, CnnConfig
from mrirecon.models.consistency import (
    blend_measurement,
    descend_to_measurement,
    enforce_measurement,
    measurement_misfit,
    measurement_residual,
)
from mrirecon.models.deblurgan import DeblurGan, DeblurGanConfig
from mrirecon.models.discriminator import (
    Judgement,
    PatchDiscriminator,
    PatchDiscriminatorConfig,
)
from mrirecon.models.dual_domain import DualDomain, DualDomainConfig
from mrirecon.models.export import export_generator
from mrirecon.models.generator import Generator, GeneratorConfig, Reconstruction, make_consistent
from mrirecon.models.kinds import describe_kind
from mrirecon.models.networks import NetworkConfig, make_network
from mrirecon.models.ready import ready_for_use
from mrirecon.models.reconresnet import ReconResNet, ReconResNetConfig
from mrirecon.models.rrdb_unet import RrdbUNet, RrdbUNetConfig
from mrirecon.models.unet import UNet, UNetConfig
from mrirecon.models.unrolled import Unrolled, UnrolledConfig

__all__ = [
    "Cnn",
    "CnnConfig",
    "DeblurGan",
    "DeblurGanConfig",
    "DualDomain",
    "DualDomainConfig",
    "Generator",
    "GeneratorConfig",
    "Judgement",
    "NetworkConfig",
    "PatchDiscriminator",
    "PatchDiscriminatorConfig",
    "ReconResNet",
    "ReconResNetConfig",
    "Reconstruction",
    "RrdbUNet",
    "RrdbUNetConfig",
    "UNet",
    "UNetConfig",
    "Unrolled",
    "UnrolledConfig",
    "blend_measurement",
    "descend_to_measurement",
    "describe_kind",
    "enforce_measurement",
    "export_generator",
    "make_consistent",
    "make_network",
    "measurement_misfit",
    "measurement_residual",
    "ready_for_use",
]
