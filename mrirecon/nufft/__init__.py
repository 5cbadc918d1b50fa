"""The non-uniform fast Fourier transform."""

from mrirecon.nufft.density import density_compensation, ramp_density
from mrirecon.nufft.operator import Nufft
from mrirecon.nufft.plan import Gridding

__all__ = ["Gridding", "Nufft", "density_compensation", "ramp_density"]
