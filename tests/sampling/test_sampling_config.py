import pytest

from mrirecon.sampling import SamplingConfig

WRONG = [
    ({"strategy": "spiral"}, "strategy: expected one of equispaced, .*, got spiral"),
    ({"acceleration": 0.5}, "acceleration: expected at least 1, got 0.5"),
    ({"acceleration": float("nan")}, "acceleration: expected at least 1, got nan"),
    ({"acceleration": float("inf")}, "acceleration: expected at least 1, got inf"),
    ({"calibration": -1}, "calibration: expected at least 0, got -1"),
    ({"calibration_shape": "star"}, "calibration_shape: expected one of square, disc, got star"),
    ({"power": -1.0}, "power: expected at least 0, got -1.0"),
    ({"width": 0.0}, "width: expected above 0, got 0.0"),
    ({"partial_fourier": 0.5}, "partial_fourier: expected above 0.5, at most 1, got 0.5"),
    ({"partial_fourier": 1.1}, "partial_fourier: expected above 0.5, at most 1, got 1.1"),
    (
        {"partial_fourier": float("nan")},
        "partial_fourier: expected above 0.5, at most 1, got nan",
    ),
    (
        {"strategy": "poisson_disc", "partial_fourier": 0.75},
        "partial_fourier: expected 1 for poisson_disc, which leaves no lines out .*, got 0.75",
    ),
    (
        {"strategy": "fastmri_magic", "partial_fourier": 0.75},
        "partial_fourier: expected 1 for fastmri_magic, which leaves no lines out .*, got 0.75",
    ),
    ({"axis": "slices"}, "axis: expected one of cols, rows, got slices"),
    ({"per": "patient"}, "per: expected one of run, volume, slice, got patient"),
    ({"strategy": "equispaced", "offset": -1.0}, "offset: expected at least 0, got -1.0"),
    (
        {"strategy": "every_nth", "acceleration": 3.5},
        "acceleration: expected a whole spacing for every_nth, got 3.5",
    ),
    (
        {"strategy": "fastmri_magic", "acceleration": 3.5},
        "acceleration: expected a whole spacing for fastmri_magic, got 3.5",
    ),
    (
        {"strategy": "radial", "calibration": 4},
        "calibration: expected 0 or none for radial, whose spokes all cross the centre, got 4",
    ),
    (
        {"strategy": "golden_angle", "axis": "rows"},
        "axis: expected cols for golden_angle, which is no line mask, got rows",
    ),
    (
        {"strategy": "random", "calibration_shape": "disc"},
        "calibration_shape: expected square for random, since a disc needs points .*, got disc",
    ),
    (
        {"strategy": "gaussian_2d", "offset": 1.0},
        "offset: expected none for gaussian_2d, which has no first line, got 1.0",
    ),
    (
        {"strategy": "random", "offset": 1.0},
        "offset: expected none for random, which has no first line, got 1.0",
    ),
    (
        {"strategy": "equispaced", "offset": 1.5},
        "offset: expected a whole number of lines, got 1.5",
    ),
]


@pytest.mark.parametrize(("options", "text"), WRONG)
def test_wrong_options_are_refused_by_name(options: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        SamplingConfig(**options)  # type: ignore[arg-type]


def test_unknown_keys_are_refused_by_pydantic() -> None:
    from_mapping = pytest.importorskip("pydantic").TypeAdapter(SamplingConfig).validate_python
    assert from_mapping({"strategy": "radial"}) == SamplingConfig(strategy="radial")
    with pytest.raises(ValueError, match="accelaration"):
        from_mapping({"accelaration": 4})
