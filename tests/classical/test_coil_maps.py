import math

import pytest
import torch
from torch import Tensor

from mrirecon.classical import coil_maps, espirit_maps, ring_coil_maps, walsh_maps
from mrirecon.classical.eigenvectors import dominant_eigenvectors
from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.ops import combine_coils, expand_coils

SHAPE = (24, 27)


def true_maps(
    coils: int = 8, shape: tuple[int, int] = SHAPE, dtype: torch.dtype = torch.complex128
) -> Tensor:
    """Maps of 3 x 3 samples in k-space, scaled to a sum of squares of 1: (1, coils, rows, cols).

    Coil images of such maps before scaling, whatever the object, have k-space patches in a space
    smaller than the patches, so that ESPIRiT is exact.
    """
    spectrum = torch.zeros(1, coils, *shape, dtype=torch.complex128)
    rows, cols = (slice(n // 2 - 1, n // 2 + 2) for n in shape)
    spectrum[:, :, rows, cols] = torch.randn(1, coils, 3, 3, dtype=torch.complex128)
    return ifft_centred(spectrum).to(dtype)


def norm(maps: Tensor) -> Tensor:
    return torch.linalg.vector_norm(maps, dim=1, keepdim=True)


def make(shape: tuple[int, int] = SHAPE, batch: int = 1) -> tuple[Tensor, Tensor]:
    """K-space of a random object seen by true maps, and those maps scaled."""
    maps = torch.cat([true_maps(shape=shape) for _ in range(batch)])
    kspace = fft_centred(expand_coils(torch.randn(batch, 1, *shape, dtype=maps.dtype), maps))
    return kspace, maps / norm(maps)


def agreement(maps: Tensor, expected: Tensor) -> Tensor:
    """|<maps, expected>| at each pixel: 1 if they agree but for a common phase."""
    return combine_coils(maps, expected).abs()


@pytest.mark.parametrize(
    ("shape", "calibration"), [(SHAPE, 16), ((25, 20), (16, 20)), ((20, 33), (20, 15))]
)
def test_espirit_recovers_maps_of_few_samples_exactly(
    shape: tuple[int, int], calibration: int | tuple[int, int]
) -> None:
    kspace, expected = make(shape, batch=2)
    for dtype in (torch.complex128, torch.complex64):
        maps = espirit_maps(
            kspace.to(dtype),
            calibration=calibration,
            kernel_size=5,
            threshold=1e-5,
            crop=0.0,
            n_iterations=200,
        )
        assert maps.dtype == dtype
        # Where the second eigenvalue is close to 1, 200 iterations leave some of its vector; in
        # complex64 the projection has the error of singular vectors, eps / threshold.
        bound = 1e-6 if dtype == torch.complex128 else 1e-2
        assert (agreement(maps, expected.to(dtype)) - 1).abs().max() < bound


def test_espirit_maps_are_zero_outside_the_object_and_of_norm_one_inside() -> None:
    shape = (40, 40)
    place = torch.stack(torch.meshgrid(*(torch.arange(n) - n // 2 for n in shape), indexing="ij"))
    radius = place.square().sum(0).sqrt()
    raw = true_maps(shape=shape)
    image = torch.where(radius < 10, 1 + torch.rand(shape), 0).to(raw.dtype)[None, None]
    noise = 1e-3 * torch.randn_like(raw)
    maps = espirit_maps(fft_centred(expand_coils(image, raw)) + noise, calibration=20)
    is_kept = maps.abs().sum(1)[0] > 0
    assert is_kept[radius < 9].all()
    assert not is_kept[radius > 15].any()
    eps = torch.finfo(torch.float64).eps
    torch.testing.assert_close(
        norm(maps)[0, 0][is_kept], torch.ones_like(radius[is_kept]).double(), rtol=0, atol=20 * eps
    )
    # Noise of 0.1 % moves the maps by a few per cent where the coils are weak.
    inside = agreement(maps, raw / norm(raw))[0, 0][radius < 9]
    assert inside.min() > 1 - 0.05**2


def test_an_image_combined_with_espirit_maps_is_nearly_real() -> None:
    """The maps take the phase of the blurred image; a virtual coil's would have poles."""
    raw = true_maps(shape=(32, 32))
    phase = torch.exp(1j * torch.linspace(0, 3, 32)).to(raw.dtype)
    image = (1 + torch.rand(32, 32)) * phase[:, None] * phase
    kspace = fft_centred(expand_coils(image[None, None], raw))
    maps = espirit_maps(kspace, calibration=16, kernel_size=5, threshold=1e-4, crop=0.0)
    combined = combine_coils(ifft_centred(kspace), maps)
    inner = combined[..., 4:-4, 4:-4]  # at the edges the blur folds over
    assert inner.angle().abs().max() < 0.5
    assert inner.angle().abs().mean() < 0.1


def test_a_slice_has_the_same_maps_in_any_batch() -> None:
    kspace, _ = make(batch=3)
    images = ifft_centred(kspace)
    for estimate, data in ((espirit_maps, kspace), (walsh_maps, images)):
        together, alone = estimate(data), estimate(data[1:2])
        assert torch.equal(together[1:2], alone)


def test_maps_do_not_depend_on_the_parts_they_are_computed_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kspace, _ = make()
    whole = [espirit_maps(kspace), walsh_maps(ifft_centred(kspace))]
    monkeypatch.setattr(coil_maps, "_CHUNK_BYTES", 5 * 8**2 * SHAPE[1] * 16)  # 5 rows
    parts = [espirit_maps(kspace), walsh_maps(ifft_centred(kspace))]
    for a, b in zip(whole, parts, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-9)  # rounding, grown by 30 iterations


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_walsh_recovers_constant_maps_exactly(dtype: torch.dtype) -> None:
    vector = torch.randn(2, 5, 1, 1, dtype=dtype)
    image = torch.randn(2, 1, *SHAPE, dtype=dtype)
    maps = walsh_maps(expand_coils(image, vector.expand(2, 5, *SHAPE).contiguous()))
    expected = (vector / norm(vector)).expand(2, 5, *SHAPE).contiguous()
    # Rounding of window sums of products, 49 terms.
    torch.testing.assert_close(
        agreement(maps, expected),
        torch.ones(2, 1, *SHAPE, dtype=dtype.to_real()),
        rtol=0,
        atol=49 * torch.finfo(dtype).eps,
    )


def test_walsh_follows_smooth_maps_and_gives_zero_for_nothing() -> None:
    raw = true_maps(shape=(64, 64))
    image = 1 + torch.rand(1, 1, 64, 64, dtype=torch.float64)
    coil_images = expand_coils(image.to(raw.dtype), raw)
    coil_images[..., :20, :20] = 0
    maps = walsh_maps(coil_images, window=5)
    assert torch.all(maps[..., :18, :18] == 0)
    # Over 5 pixels of 64 the maps of 3 samples turn by up to 2 pi 2 / 64 from the centre.
    good = agreement(maps, raw / norm(raw))[..., 22:, 22:]
    assert good.min() > 1 - (2 * math.pi * 2 / 64) ** 2


@pytest.mark.parametrize("n_turns", [0, 8])
def test_maps_do_not_depend_on_the_phase_of_the_object(n_turns: int) -> None:
    """Eight turns move its k-space two thirds of the way to the edge of the central 24 samples.

    Walsh's maps of images blurred to that centre had spoiled CG-SENSE of a measured spiral.
    """
    shape = (96, 96)
    expected = ring_coil_maps(8, shape)
    row, col = torch.meshgrid(*[torch.linspace(-1, 1, n) for n in shape], indexing="ij")
    magnitude = ((row**2 + col**2 < 0.5) * (1 + 0.5 * torch.cos(9 * row)))[None, None]
    image = torch.polar(magnitude, (torch.pi * n_turns * col).expand_as(magnitude))
    coil_images = expand_coils(image, expected)
    for maps in (espirit_maps(fft_centred(coil_images), crop=0.0), walsh_maps(coil_images)):
        good = agreement(maps, expected)[magnitude > 0]
        assert good.min() > 0.98  # the maps turn across a kernel or window, as without a phase


def test_dominant_eigenvectors_are_those_of_lapack() -> None:
    root = torch.randn(4, 4, 5, 6, dtype=torch.complex128)
    per_pixel = root.permute(2, 3, 0, 1) @ root.permute(2, 3, 0, 1).mH  # (rows, cols, 4, 4)
    start = torch.randn(1, 4, 5, 6, dtype=torch.complex128)
    pairs = dominant_eigenvectors(per_pixel.permute(2, 3, 0, 1), start, n_iterations=2000)
    values, vectors = torch.linalg.eigh(per_pixel)
    torch.testing.assert_close(pairs.values[0, 0], values[..., -1])
    expected = vectors[..., -1].permute(2, 0, 1)[None]
    torch.testing.assert_close(agreement(pairs.vectors, expected), torch.ones_like(pairs.values))
    along = combine_coils(pairs.vectors, start)  # real and positive: the phase of the start
    assert along.imag.abs().max() < 1e-9
    assert along.real.min() > 0


def test_refuses_a_centre_with_missing_samples() -> None:
    kspace, _ = make()
    holes = kspace.clone()
    holes[:, 0] = 0  # one coil may be broken
    holes[:, :, 12, 13] = 0  # one sample may be 0 by chance
    espirit_maps(holes, calibration=16)
    for line in (holes[:, :, :, 13], holes[:, :, 12]):
        before = line.clone()
        line.zero_()
        with pytest.raises(ValueError, match="calibration: expected a fully measured centre of 16"):
            espirit_maps(holes, calibration=(16, 12))
        line.copy_(before)
    holes = kspace.clone()
    holes[..., 10:14, 10:14] = 0
    with pytest.raises(ValueError, match="got 16 of 144 missing"):
        espirit_maps(holes, calibration=12)
    kspace[0, 0, 12, 13] = math.nan
    with pytest.raises(ValueError, match="kspace: expected finite samples, got NaN or Inf"):
        espirit_maps(kspace, calibration=16)


KSPACE = torch.ones(1, 2, 24, 24, dtype=torch.complex64)


@pytest.mark.parametrize(
    ("kspace", "options", "text"),
    [
        (KSPACE.real, {}, "kspace: expected complex (batch, coils, rows, cols), got torch.float32"),
        (KSPACE[0], {}, "kspace: expected complex (batch, coils, rows, cols), got torch.complex64"),
        (KSPACE, {"calibration": 25}, "calibration: expected 1 to (rows, cols) = (24, 24), got 25"),
        (KSPACE, {"calibration": (24,)}, "calibration: expected 1 to (rows, cols) = (24, 24)"),
        (KSPACE, {"kernel_size": 25}, "kernel_size: expected 1 to 24, the calibration, got 25"),
        (KSPACE, {"threshold": 1.5}, "threshold: expected 0 to 1, got 1.5"),
        (KSPACE, {"crop": -0.5}, "crop: expected 0 to 1, got -0.5"),
        (KSPACE, {"n_iterations": 0}, "n_iterations: expected 1 or more, got 0"),
    ],
)
def test_espirit_rejects_wrong_arguments_by_name(
    kspace: Tensor, options: dict[str, int | float], text: str
) -> None:
    with pytest.raises(ValueError) as error:
        espirit_maps(kspace, **options)
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("images", "options", "text"),
    [
        (KSPACE[0], {}, "coil_images: expected complex (batch, coils, rows, cols)"),
        (KSPACE, {"window": 4}, "window: expected an odd number, 1 or more, got 4"),
        (KSPACE, {"n_iterations": 0}, "n_iterations: expected 1 or more, got 0"),
    ],
)
def test_walsh_rejects_wrong_arguments_by_name(
    images: Tensor, options: dict[str, int], text: str
) -> None:
    with pytest.raises(ValueError) as error:
        walsh_maps(images, **options)
    assert text in str(error.value)
