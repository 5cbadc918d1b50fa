"""The networks that a generator can have: one configuration, told apart by its `kind`."""

from typing import Annotated

from pydantic import Field
from torch import nn

from mrirecon.models.deblurgan import DeblurGan, DeblurGanConfig
from mrirecon.models.dual_domain import DualDomain, DualDomainConfig
from mrirecon.models.kinds import kind_if_missing
from mrirecon.models.reconresnet import ReconResNet, ReconResNetConfig
from mrirecon.models.rrdb_unet import RrdbUNet, RrdbUNetConfig
from mrirecon.models.unet import UNet, UNetConfig
from mrirecon.models.unrolled import Unrolled, UnrolledConfig

NetworkConfig = Annotated[
    ReconResNetConfig
    | UNetConfig
    | UnrolledConfig
    | DualDomainConfig
    | DeblurGanConfig
    | RrdbUNetConfig,
    Field(discriminator="kind"),
    kind_if_missing("reconresnet"),
]

_CLASSES: dict[type, type[nn.Module]] = {
    ReconResNetConfig: ReconResNet,
    UNetConfig: UNet,
    UnrolledConfig: Unrolled,
    DualDomainConfig: DualDomain,
    DeblurGanConfig: DeblurGan,
    RrdbUNetConfig: RrdbUNet,
}


def make_network(config: NetworkConfig, *, is_real: bool = False) -> nn.Module:
    """Build the network that a configuration describes, `is_real` for images known to be real.

    Raises:
        ValueError: no configuration of a network, such as that of a part of one.
    """
    if type(config) not in _CLASSES:
        names = ", ".join(kind.__name__ for kind in _CLASSES)
        raise ValueError(f"network: expected one of {names}, got {type(config).__name__}")
    if isinstance(config, UnrolledConfig):
        return Unrolled(config, is_real=is_real)
    if isinstance(config, DualDomainConfig):
        return DualDomain(config, is_real=is_real)
    return _CLASSES[type(config)](config)
