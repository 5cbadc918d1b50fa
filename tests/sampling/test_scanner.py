"""Scanner profiles and acquisitions: what is read, what is refused and how it is said."""

from pathlib import Path

import pytest

from mrirecon.sampling import CLINICAL_3T, PROFILES, AcquisitionConfig, ScannerProfile, load_profile

OWN = """
name: own
field_strength: 0.55
max_gradient: 26e-3
max_slew: 45
max_samples: 4096
"""


def test_profiles_are_found_by_name() -> None:
    assert list(PROFILES) == ["clinical_1_5t", "clinical_3t"]
    assert load_profile("clinical_3t") is CLINICAL_3T


def test_a_profile_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(OWN)
    expected = ScannerProfile("own", 0.55, max_gradient=0.026, max_slew=45.0, max_samples=4096)
    assert load_profile(path) == expected == load_profile(str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected keys and values, got NoneType"),
        ("- 3", "expected keys and values, got list"),
        ("a: [", "expected YAML, got while parsing"),
        (OWN + "slew: 3", "slew: expected one of name, field_strength, .*, got an unknown key"),
        ("name: own", "field_strength: expected a value, got none"),
        (OWN + "min_dwell: fast", "min_dwell: expected a valid number, .*, got 'fast'"),
        (OWN + "min_dwell: .nan", "min_dwell: expected above 0, got nan"),
        (OWN + "max_samples: 1.5", "max_samples: expected a valid integer, .*, got 1.5"),
        (OWN.replace("26e-3", "26"), r"max_gradient: expected above 0 and at most 1 T/m, got 26"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"^{path}: {message}"):
        load_profile(path)


def test_an_unknown_name_says_which_are_known() -> None:
    expected = "^scanner: expected one of clinical_1_5t, clinical_3t or a YAML file, got 'prisma'$"
    with pytest.raises(ValueError, match=expected):
        load_profile("prisma")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ""}, "name: expected some text, got none"),
        ({"field_strength": 0.0}, "field_strength: expected above 0, got 0.0"),
        ({"max_slew": 200e3}, "max_slew: expected above 0 and at most 2000 T/m/s, got 200000.0"),
        ({"max_gradient": float("nan")}, "max_gradient: expected above 0 .*, got nan"),
        ({"gradient_raster": -1e-5}, "gradient_raster: expected above 0, got -1e-05"),
        ({"max_samples": 0}, "max_samples: expected 1 or more, got 0"),
    ],
)
def test_a_profile_refuses_limits_of_no_scanner(arguments: dict[str, object], message: str) -> None:
    given = {"name": "own", "field_strength": 1.5, "max_gradient": 0.03, "max_slew": 100}
    with pytest.raises(ValueError, match=f"^{message}$"):
        ScannerProfile(**given | arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"repetition_time": 0.0}, "repetition_time: expected above 0, got 0.0"),
        ({"dwell_time": float("nan")}, "dwell_time: expected above 0, got nan"),
        ({"slab_thickness": float("inf")}, "slab_thickness: expected above 0, got inf"),
        ({"field_of_view": (0.2, -0.2)}, r"field_of_view: expected \(rows, cols\) in m, .*"),
        ({"field_of_view": (0.2,)}, r"field_of_view: expected \(rows, cols\) in m, .*"),
        ({"n_partitions": 0}, "n_partitions: expected 1 or more, got 0"),
        ({"n_averages": 0}, "n_averages: expected 1 or more, got 0"),
        ({"readouts_per_excitation": -1}, "readouts_per_excitation: expected 1 or more, got -1"),
        ({"excitation_time": -1.0}, "excitation_time: expected at least 0, got -1.0"),
    ],
)
def test_an_acquisition_refuses_what_cannot_be(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        AcquisitionConfig(**arguments)  # type: ignore[arg-type]
