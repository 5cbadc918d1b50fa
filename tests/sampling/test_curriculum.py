import pytest

from mrirecon.sampling import (
    CurriculumConfig,
    MixtureConfig,
    SamplingConfig,
    TrajectoryConfig,
    ease_sampling,
    make_mask,
)


def test_ease_falls_to_one_over_its_share_of_the_steps() -> None:
    curriculum = CurriculumConfig(ease=16, share=0.5)
    eases = [curriculum.ease_at(done / 100) for done in range(101)]
    assert eases[0] == 16
    assert eases[25] == pytest.approx(4)  # half of the way, in the logarithm
    assert eases[49] > 1
    assert eases[50:] == [1.0] * 51
    assert eases == sorted(eases, reverse=True)
    assert len(set(eases)) == 9  # eight stages, and the end


def test_without_ease_nothing_changes() -> None:
    sampling = SamplingConfig(acceleration=4)
    assert ease_sampling(sampling, CurriculumConfig().ease_at(0.0)) == sampling


def test_accelerations_are_divided_and_readouts_multiplied() -> None:
    lines, plane = SamplingConfig(acceleration=4), SamplingConfig("random_2d", acceleration=9)
    assert ease_sampling(lines, 2) == SamplingConfig(acceleration=2)
    spokes = ease_sampling(TrajectoryConfig(n_readouts=30), 1.5)
    assert spokes == TrajectoryConfig(n_readouts=45)
    mixture = MixtureConfig((lines, plane), weights=(1.0, 2.0))
    assert ease_sampling(mixture, 3) == MixtureConfig(
        (SamplingConfig(acceleration=4 / 3), SamplingConfig("random_2d", acceleration=3)),
        weights=(1.0, 2.0),
    )


@pytest.mark.parametrize(
    "sampling",
    [
        SamplingConfig(acceleration=4),
        SamplingConfig("every_nth", acceleration=5),
        SamplingConfig("fastmri_magic", acceleration=4),
        SamplingConfig("radial", acceleration=4),
        SamplingConfig("poisson_disc", acceleration=1.4),
        SamplingConfig(acceleration=2, partial_fourier=0.75),
    ],
)
def test_the_most_there_is_can_be_drawn(sampling: SamplingConfig) -> None:
    """An ease of 100 would ask for more samples than k-space has."""
    eased = ease_sampling(sampling, 100)
    assert isinstance(eased, SamplingConfig)
    shape = (64, 64)
    n_eased = int(make_mask(eased, shape, seed=1).sum())
    assert n_eased >= int(make_mask(sampling, shape, seed=1).sum())


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"ease": 0.5}, "ease: expected at least 1, got 0.5"),
        ({"ease": float("nan")}, "ease: expected at least 1, got nan"),
        ({"share": 0.0}, "share: expected above 0, at most 1, got 0.0"),
        ({"share": 1.5}, "share: expected above 0, at most 1, got 1.5"),
    ],
)
def test_numbers_that_make_no_curriculum_are_refused(options: dict[str, float], text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        CurriculumConfig(**options)
