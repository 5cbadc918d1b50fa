import pytest
import torch
from torch import Tensor

from mrirecon.classical import (
    compress_coils,
    compress_coils_geometric,
    prewhiten,
    root_sum_of_squares,
)
from mrirecon.fourier import fft_centred, ifft_centred

COMPLEX = [torch.complex64, torch.complex128]


def covariance(samples: Tensor) -> Tensor:
    """(coils, n) -> (coils, coils)"""
    return samples @ samples.mH / samples.shape[1]


def correlated_noise(n: int, dtype: torch.dtype = torch.complex128) -> Tensor:
    mixing = torch.randn(5, 5, dtype=dtype) + 2 * torch.eye(5)
    return 1e-3 * mixing @ torch.randn(5, n, dtype=dtype)


@pytest.mark.parametrize("dtype", COMPLEX)
def test_whitened_noise_has_the_covariance_one(dtype: torch.dtype) -> None:
    noise = correlated_noise(400, dtype)
    white = prewhiten(noise[None], noise)[0]
    expected = torch.eye(5, dtype=dtype)
    # The factor's error grows with the covariance's condition, below 1e3 here.
    bound = 1e3 * torch.finfo(dtype).eps
    torch.testing.assert_close(covariance(white), expected, rtol=0, atol=bound)


def test_whitening_is_one_matrix_for_every_sample_of_a_batch() -> None:
    noise = correlated_noise(400)
    kspace = torch.randn(2, 5, 3, 6, 7, dtype=noise.dtype)
    white = prewhiten(kspace, noise)
    matrix = prewhiten(torch.eye(5, dtype=noise.dtype)[None], noise)[0]
    torch.testing.assert_close(white, torch.einsum("ij,bjdrc->bidrc", matrix, kspace))


@pytest.mark.parametrize("dtype", COMPLEX)
def test_compression_keeps_the_energy_of_the_largest_components(dtype: torch.dtype) -> None:
    kspace = (
        torch.randn(2, 6, 5, 9, dtype=dtype) * torch.tensor([9.0, 1, 5, 1, 3, 1])[:, None, None]
    )
    energies = torch.linalg.svdvals(kspace.flatten(2)).square()  # falling
    for n_coils in (1, 4, 6):
        compressed = compress_coils(kspace, n_coils)
        assert compressed.shape == (2, n_coils, 5, 9)
        result = compressed.abs().square().sum((2, 3))
        torch.testing.assert_close(result, energies[:, :n_coils], rtol=2e-5, atol=0)


def test_coils_of_low_rank_are_compressed_without_loss_and_stay_uncorrelated() -> None:
    sources = torch.randn(1, 3, 8, 9, dtype=torch.complex128)
    mixing = torch.randn(7, 3, dtype=torch.complex128)
    kspace = torch.einsum("cs,bsrk->bcrk", mixing, sources)
    compressed = compress_coils(kspace, 3)
    torch.testing.assert_close(root_sum_of_squares(compressed), root_sum_of_squares(kspace))
    matrix = covariance(compressed[0].flatten(1))
    off_diagonal = matrix - matrix.diagonal().diag()
    assert off_diagonal.abs().max() < 1e-12 * matrix.abs().max()


def ring_kspace(rows: int = 24, cols: int = 20, n_coils: int = 6) -> Tensor:
    """Make k-space (1, coils, rows, cols) of a full frame seen by coils on a ring around it."""
    row, col = torch.meshgrid(
        torch.linspace(-1, 1, rows, dtype=torch.float64),
        torch.linspace(-1, 1, cols, dtype=torch.float64),
        indexing="ij",
    )
    angles = torch.arange(n_coils)[:, None, None] * 2 * torch.pi / n_coils
    distance = (row - 1.5 * angles.cos()) ** 2 + (col - 1.5 * angles.sin()) ** 2
    images = torch.exp(-distance) * torch.exp(1j * (angles + row * angles.sin()))
    return fft_centred(images[None])


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("readout", [-2, 3])
def test_geometric_compression_keeps_the_most_energy_of_each_place(
    dtype: torch.dtype, readout: int
) -> None:
    kspace = torch.randn(2, 5, 9, 8, dtype=dtype)
    compressed = compress_coils_geometric(kspace, 2, readout=readout)
    other = 3 if readout == -2 else 2
    energies = ifft_centred(compressed, dims=(readout,)).abs().square().sum((1, other))
    profiles = ifft_centred(kspace, dims=(readout,)).movedim(readout, 1).flatten(3)
    expected = torch.linalg.svdvals(profiles).square()[..., :2].sum(-1)
    torch.testing.assert_close(energies, expected, rtol=2e-5, atol=0)


def test_geometric_compression_to_all_coils_loses_nothing() -> None:
    kspace = torch.randn(2, 4, 6, 7, 5, dtype=torch.complex128)  # (batch, coils, 3-D)
    for readout in (2, -2, -1):
        compressed = compress_coils_geometric(kspace, 4, readout=readout)
        images = [ifft_centred(k, dims=(-3, -2, -1)) for k in (compressed, kspace)]
        torch.testing.assert_close(root_sum_of_squares(images[0]), root_sum_of_squares(images[1]))


def test_geometric_compression_keeps_more_than_that_of_the_whole() -> None:
    kspace = ring_kspace()
    energy = kspace.abs().square().sum()
    lost = [
        float(1 - compress(kspace, 2).abs().square().sum() / energy)
        for compress in (compress_coils, compress_coils_geometric)
    ]
    assert 0 < lost[1] < 0.4 * lost[0]


def test_geometrically_compressed_coils_stay_as_smooth_as_the_coils() -> None:
    """Without the alignment the virtual coils jump by their phase from place to place."""
    kspace = ring_kspace()
    steps = [
        ifft_centred(k).diff(dim=-2).abs().square().sum().sqrt()
        for k in (kspace, compress_coils_geometric(kspace, 3))
    ]
    assert steps[1] < 1.05 * steps[0]


def test_geometric_compression_leaves_lines_that_were_not_measured_empty() -> None:
    mask = torch.arange(20) % 3 == 0
    full, undersampled = ring_kspace(), ring_kspace() * mask
    compressed = compress_coils_geometric(torch.cat([full, undersampled]), 3)
    assert not compressed[1][..., ~mask].any()
    alone = compress_coils_geometric(undersampled, 3)
    torch.testing.assert_close(compressed[1:], alone)


def test_root_sum_of_squares_is_the_norm_over_the_coils() -> None:
    for images in (torch.randn(2, 4, 5, 6), torch.randn(2, 4, 3, 5, 6, dtype=torch.complex128)):
        expected = torch.linalg.vector_norm(images, dim=1, keepdim=True)
        torch.testing.assert_close(root_sum_of_squares(images), expected)


KSPACE = torch.ones(1, 3, 4, 5, dtype=torch.complex64)
NOISE = torch.randn(3, 50, dtype=torch.complex64)


@pytest.mark.parametrize(
    ("kspace", "noise", "text"),
    [
        (KSPACE.real, NOISE, "kspace: expected complex (batch, coils, ...), got torch.float32"),
        (KSPACE[0, 0], NOISE, "kspace: expected complex (batch, coils, ...), got torch.complex64"),
        (KSPACE, NOISE[:2], "noise: expected (3, more than 3 samples), got (2, 50)"),
        (KSPACE, NOISE[:, :3], "noise: expected (3, more than 3 samples), got (3, 3)"),
        (KSPACE, NOISE.to(torch.complex128), "noise: expected torch.complex64, as kspace, got"),
        (KSPACE, NOISE * torch.tensor([[1], [0], [1]]), "noise: expected linearly independent"),
    ],
)
def test_prewhiten_rejects_wrong_arguments_by_name(
    kspace: Tensor, noise: Tensor, text: str
) -> None:
    with pytest.raises(ValueError) as error:
        prewhiten(kspace, noise)
    assert text in str(error.value)


@pytest.mark.parametrize("n_coils", [0, 4])
def test_compression_rejects_an_impossible_number_of_coils(n_coils: int) -> None:
    for compress in (compress_coils, compress_coils_geometric):
        with pytest.raises(ValueError, match=f"n_coils: expected 1 to 3, got {n_coils}"):
            compress(KSPACE, n_coils)


@pytest.mark.parametrize("readout", [0, 1, 4, -3, -5])
def test_geometric_compression_rejects_a_readout_that_is_no_axis_of_space(readout: int) -> None:
    with pytest.raises(ValueError, match=f"readout: expected a spatial axis .* got {readout}"):
        compress_coils_geometric(KSPACE, 2, readout=readout)
