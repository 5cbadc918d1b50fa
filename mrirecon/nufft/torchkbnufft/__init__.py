"""The NUFFT under the names, arguments, layouts and scales of the package torchkbnufft.

Scripts written for torchkbnufft run on `Nufft` after changing their import:
`import mrirecon.nufft.torchkbnufft as tkbn`. Trajectories are in radians per pixel, (ndim,
samples) or (batch, ndim, samples), and wrap around; images are (batch, coils, *im_size), complex
or real with a last axis of 2. With norm=None transforms are plain sums; norm="ortho" divides by the
root of the grid's number of points, as torchkbnufft does.

Arguments that describe torchkbnufft's interpolation (`numpoints`, `table_oversamp`, `kbwidth`,
`order`) change nothing in transforms, whose error `accuracy` sets instead; torchkbnufft's is about
7e-4 by default.
"""

from mrirecon.nufft.torchkbnufft.density import calc_density_compensation_function
from mrirecon.nufft.torchkbnufft.toeplitz import ToepNufft, calc_toeplitz_kernel
from mrirecon.nufft.torchkbnufft.transforms import KbNufft, KbNufftAdjoint

__all__ = [
    "KbNufft",
    "KbNufftAdjoint",
    "ToepNufft",
    "calc_density_compensation_function",
    "calc_toeplitz_kernel",
]
