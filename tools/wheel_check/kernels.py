"""Run by the environment that a wheel was installed into: its kernels, on every SIMD level."""

import sys
from pathlib import Path

import torch

import mrirecon
from mrirecon import native
from mrirecon.ops import apply_mask, ssim
from mrirecon.reference.ssim import ssim as plain_ssim

assert Path(mrirecon.__file__).is_relative_to(sys.prefix), mrirecon.__file__
generator = torch.Generator().manual_seed(0)
target, prediction = torch.rand(2, 3, 40, 40, generator=generator, dtype=torch.float64)
kspace, mask = torch.complex(target, prediction), torch.arange(40) % 3 == 0
coords = 40 * torch.rand(200, 2, generator=generator, dtype=torch.float64) - 20
nufft = mrirecon.Nufft(coords, (40, 40), accuracy=1e-6)

for level in native.simd_levels():
    native.set_simd_level(level)
    torch.testing.assert_close(
        ssim(prediction, target, data_range=1.0, window="uniform"),
        plain_ssim(prediction, target, data_range=1.0, window="uniform"),
    )
    assert torch.equal(apply_mask(kspace, mask), kspace * mask)
    image = kspace[:, None]
    samples = torch.randn(3, 1, 200, dtype=torch.complex128, generator=generator)
    forward, adjoint = torch.vdot(samples.flatten(), nufft(image).flatten()), nufft.adjoint(samples)
    torch.testing.assert_close(forward, torch.vdot(adjoint.flatten(), image.flatten()))
print(f"kernels run on {', '.join(native.simd_levels())}")
