"""The non-uniform fast Fourier transform."""

from mrirecon.nufft.density import density_compensation, ramp_density
from mrirecon.nufft.gridding import Gridding
from mrirecon.nufft.operator import Nufft
from mrirecon.nufft.voronoi import voronoi_density

__all__ = ["Gridding", "Nufft", "density_compensation", "ramp_density", "voronoi_density"]
