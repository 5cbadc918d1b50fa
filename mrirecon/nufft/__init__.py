"""The non-uniform fast Fourier transform."""

import importlib
from typing import TYPE_CHECKING, Any

from mrirecon.nufft.density import density_compensation, ramp_density
from mrirecon.nufft.gridding import Gridding
from mrirecon.nufft.operator import Nufft

if TYPE_CHECKING:
    from mrirecon.nufft.voronoi import voronoi_density

__all__ = ["Gridding", "Nufft", "density_compensation", "ramp_density", "voronoi_density"]


def __getattr__(name: str) -> Any:
    """Give `voronoi_density`; who only transforms does not wait for scipy."""
    if name == "voronoi_density":
        return importlib.import_module("mrirecon.nufft.voronoi").voronoi_density
    raise AttributeError(f"module 'mrirecon.nufft' has no attribute {name!r}")
