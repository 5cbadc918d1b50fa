import dataclasses

import pytest
import torch
from strategy_cases import NAMES, SCAN, small_comparison, smooth_image

from mrirecon.evaluation import (
    RECONSTRUCTIONS,
    Slab,
    StrategyResult,
    compare_strategies,
    explain_choice,
    explain_result,
    rank_strategies,
)
from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.metrics import get_protocol, score_volume
from mrirecon.ops import apply_mask
from mrirecon.sampling import (
    CLINICAL_3T,
    SamplingConfig,
    ScannerProfile,
    SlabConfig,
    Undersampling,
    make_mask,
)

PROTOCOL = get_protocol("per_slice")


def compare(
    candidates: dict[str, Undersampling],
    image: torch.Tensor | None = None,
    *,
    noise_std: float = 0.0,
    phase: float = 0.0,
    profile: ScannerProfile = CLINICAL_3T,
) -> list[StrategyResult]:
    return compare_strategies(
        candidates,
        smooth_image() if image is None else image,
        acquisition=SCAN,
        profile=profile,
        protocol=PROTOCOL,
        noise_std=noise_std,
        phase=phase,
    )


def test_full_sampling_gives_the_image_back() -> None:
    (result,) = compare({"full": SamplingConfig("equispaced", 1.0)})
    assert result.scores["zero-filled"].ssim == pytest.approx(1, abs=1e-6)
    assert result.scores["SENSE"].psnr > 55  # its regularisation of 1e-3 darkens the image
    assert result.noise == pytest.approx(1, abs=0.03)
    assert result.side_lobes.peak < 1e-9


def test_zero_filled_scores_are_those_of_the_mask() -> None:
    config = SamplingConfig("random", 3.0)
    (result,) = compare({"random": config})
    image = smooth_image() / smooth_image().max()
    kspace = fft_centred(image.to(torch.complex64))
    zero_filled = ifft_centred(apply_mask(kspace, make_mask(config, (40, 48), seed=0))).abs()
    expected = score_volume(zero_filled[None], image[None], data_range=1.0, protocol=PROTOCOL)
    assert result.scores["zero-filled"] == pytest.approx(expected, rel=1e-4)


def test_partial_fourier_without_a_prior_is_homodyne_whatever_the_phase() -> None:
    """All lines of three quarters: zeros in place of the others would blur the image."""
    partial = SamplingConfig("equispaced", 4 / 3, partial_fourier=0.75)
    (result,) = compare({"partial": partial}, phase=1.0)
    (without,) = compare({"partial": partial})
    assert result.scores["zero-filled"].psnr > 35
    assert without.scores["zero-filled"].psnr > result.scores["zero-filled"].psnr


def test_noise_has_the_deviation_asked_for() -> None:
    flat = torch.ones(64, 64)
    (result,) = compare({"full": SamplingConfig("equispaced", 1.0)}, flat, noise_std=0.01)
    error = result.images["zero-filled"] - 1  # the real part alone, to first order
    assert float(error.std()) == pytest.approx(0.01, rel=0.05)


def test_every_result_is_whole_and_playable_ones_come_first() -> None:
    results = small_comparison()
    assert sorted(result.name for result in results) == sorted(NAMES)
    assert results[-1].name == "poisson_disc"
    assert not results[-1].feasibility.is_playable
    ssims = [result.best_score.ssim for result in results[:-1]]
    assert ssims == sorted(ssims, reverse=True)
    for result in results:
        assert set(result.scores) == set(result.images) == set(RECONSTRUCTIONS)
        assert result.mask.shape == result.spread.shape == (40, 48)
        assert result.best_score.ssim > result.scores["zero-filled"].ssim
        assert 0 < result.side_lobes.rms < result.side_lobes.peak < 1
        assert 0.5 < result.noise < 8


def test_the_choice_is_told_with_its_reason() -> None:
    results = small_comparison()
    best, second, points = results[0], results[1], results[-1]
    text = explain_choice(results)
    assert text.startswith(f"{best.name}: SSIM {best.best_score.ssim:.3f} with {best.best_method}")
    assert "the highest of the 3 that clinical_3t can play, in 0.1" in text
    assert f"next is {second.name} with {second.best_score.ssim:.3f}" in text
    if points.best_score.ssim > best.best_score.ssim:
        assert "poisson_disc would reach" in text
    assert "3-D scan" in explain_choice([points])
    assert explain_choice([points]).startswith("clinical_3t can play none of them. poisson_disc: ")


def test_a_better_strategy_that_cannot_be_played_is_told() -> None:
    *playable, points = small_comparison()
    better = dataclasses.replace(
        points, scores={name: score._replace(ssim=0.999) for name, score in points.scores.items()}
    )
    text = explain_choice(rank_strategies([better, *playable]))
    assert "poisson_disc would reach 0.999, but points of a plane need a 3-D scan" in text


def test_a_choice_that_takes_longer_names_the_best_of_the_quick_ones() -> None:
    best, second = small_comparison()[:2]
    slow = dataclasses.replace(best.feasibility, n_excitations=3 * best.feasibility.n_excitations)
    text = explain_choice([dataclasses.replace(best, feasibility=slow), second])
    assert f"or less the best is {second.name} with {second.best_score.ssim:.3f}." in text
    assert "or less" not in explain_choice([best, second])


def test_zero_filling_is_no_reconstruction_to_choose_by() -> None:
    result = small_comparison()[0]
    perfect = result.scores | {"zero-filled": result.scores["zero-filled"]._replace(ssim=1.0)}
    assert dataclasses.replace(result, scores=perfect).best_method == result.best_method


@pytest.mark.parametrize(
    ("peak", "text"),
    [
        (0.7, "copies of the anatomy, up to 70% as bright"),
        (0.3, "side lobes up to 30%: streaks rather than copies"),
        (0.05, "side lobes up to 5%: aliasing looks like noise"),
    ],
)
def test_side_lobes_are_put_into_words(peak: float, text: str) -> None:
    result = small_comparison()[0]
    lobes = dataclasses.replace(result.side_lobes, peak=peak)
    assert explain_result(dataclasses.replace(result, side_lobes=lobes)) == text


def test_long_readouts_are_told() -> None:
    result = small_comparison()[0]
    slow = dataclasses.replace(result.feasibility, readout_time=8e-3)
    assert "readouts of 8 ms blur" in explain_result(
        dataclasses.replace(
            result,
            feasibility=slow,
            side_lobes=dataclasses.replace(result.side_lobes, peak=0.05),
        )
    )


def test_progress_names_each_candidate() -> None:
    seen: list[tuple[int, str]] = []
    config = SamplingConfig("random", 3.0)
    compare_strategies(
        {"a": config, "b": config},
        smooth_image(),
        acquisition=SCAN,
        profile=CLINICAL_3T,
        protocol=PROTOCOL,
        progress=lambda done, name: seen.append((done, name)),
    )
    assert seen == [(0, "a"), (1, "b")]


@pytest.mark.parametrize(
    ("image", "got"),
    [
        (torch.ones(3, 32, 32), r"\(rows, cols\), each at least 16, got \(3, 32, 32\)"),
        (torch.ones(8, 32), r"\(rows, cols\), each at least 16, got \(8, 32\)"),
        (torch.zeros(32, 32), r"finite magnitudes, 0 or more, not all 0, got 0 to 0"),
        (torch.full((32, 32), -1.0), r"finite magnitudes, 0 or more, not all 0, got -1 to -1"),
        (torch.full((32, 32), float("nan")), r"finite magnitudes, .*, got nan to nan"),
    ],
)
def test_what_is_no_image_is_refused(image: torch.Tensor, got: str) -> None:
    with pytest.raises(ValueError, match=f"^image: expected {got}$"):
        compare({"random": SamplingConfig("random")}, image)


def test_no_candidates_and_negative_noise_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^candidates: expected at least one, got none$"):
        compare({})
    with pytest.raises(ValueError, match=r"^noise_std: expected 0 or more, got -0\.1$"):
        compare({"random": SamplingConfig("random")}, noise_std=-0.1)


def test_a_candidate_that_does_not_fit_is_named() -> None:
    text = r"^many: calibration: expected at most 48, the size of the image's axis, got 64$"
    with pytest.raises(ValueError, match=text):
        compare({"many": SamplingConfig("random", calibration=64)})


def test_a_candidate_that_does_not_fit_may_be_left_out() -> None:
    errors: dict[str, ValueError] = {}
    results = compare_strategies(
        {"many": SamplingConfig("random", calibration=64), "some": SamplingConfig("random")},
        smooth_image(),
        acquisition=SCAN,
        profile=CLINICAL_3T,
        protocol=PROTOCOL,
        on_error=errors.__setitem__,
    )
    assert [result.name for result in results] == ["some"]
    assert list(errors) == ["many"]


@pytest.mark.parametrize(("kind", "n_spokes"), [("stack_of_stars", 60), ("kooshball", 480)])
def test_slabs_are_reconstructed_in_3d_and_judged_by_their_slice(kind: str, n_spokes: int) -> None:
    """More than fully sampled: about the image again, of the slice and not of another one."""
    depth, index = 8, 5
    brightness = torch.linspace(0.2, 1, depth)[:, None, None]
    volume = smooth_image() * brightness
    acquisition = dataclasses.replace(SCAN, n_partitions=depth, slab_thickness=0.016)
    (result,) = compare_strategies(
        {kind: SlabConfig(kind, n_spokes, 96)},  # type: ignore[arg-type]
        volume[index],
        slab=Slab(volume, index),
        acquisition=acquisition,
        profile=CLINICAL_3T,
        protocol=PROTOCOL,
    )
    assert result.scores["total variation"].ssim > 0.9
    target = volume[index] / volume[index].max()
    inside = target > 0.5
    ratio = float(result.images["SENSE"][inside].mean() / target[inside].mean())
    # Brightness changes by 0.11 of 0.77 from slice to slice.
    assert ratio == pytest.approx(1, abs=0.05)
    assert result.summary.scan_time_factor < 1
    assert result.mask.shape == result.spread.shape == target.shape


def test_a_slab_needs_a_volume_of_as_many_slices_as_partitions() -> None:
    candidates = {"kooshball": SlabConfig("kooshball", 8, 32)}
    image = smooth_image()
    arguments = {"profile": CLINICAL_3T, "protocol": PROTOCOL}
    slab = dataclasses.replace(SCAN, n_partitions=4)
    with pytest.raises(ValueError, match=r"^kooshball: slab: expected a volume for kooshball"):
        compare_strategies(candidates, image, acquisition=slab, **arguments)  # type: ignore[arg-type]
    few = Slab(image.expand(3, -1, -1), 1)
    with pytest.raises(ValueError, match=r"^slab: expected \(4, 40, 48\) and one of its slices"):
        compare_strategies(candidates, image, slab=few, acquisition=slab, **arguments)  # type: ignore[arg-type]
