"""What a scanner can play, and the acquisition that it is asked to play.

Sources: gradients of 30 to 45 mT/m and slew rates up to 200 T/m/s of clinical scanners,
mriquestions.com/gradient-specifications.html and radiopaedia.org/articles/slew-rate, of which the
profiles take cautious values; rasters and samples of the receiver as Pulseq's examples have them,
Layton et al. 2017 (DOI 10.1002/mrm.26235).
"""

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import TypeAdapter, ValidationError

from mrirecon.sampling.checks import expect

PROTON = 42.577478e6  # [Hz/T], gyromagnetic ratio over 2 pi, CODATA 2018


@dataclass(frozen=True)
class ScannerProfile:
    """State the limits of a scanner.

    Attributes:
        name: in messages and tables.
        field_strength: of the magnet, [T].
        max_gradient: [T/m]. This limit and the next hold for the vector of the three axes, so that
            what keeps to them plays at any orientation.
        max_slew: of a gradient, [T/m/s].
        gradient_raster: time between two values of a gradient's waveform, [s].
        min_dwell: shortest time between two samples of a readout, [s].
        max_samples: of one readout.
        gyromagnetic_ratio: of the nucleus over 2 pi, [Hz/T]; protons unless given.
    """

    name: str
    field_strength: float
    max_gradient: float
    max_slew: float
    gradient_raster: float = 10e-6
    min_dwell: float = 1e-6
    max_samples: int = 8192
    gyromagnetic_ratio: float = PROTON

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse limits that no scanner has.

        Raises:
            ValueError: "name: expected ..., got ...".
        """
        if not self.name:
            raise ValueError("name: expected some text, got none")
        for name in ("field_strength", "gradient_raster", "min_dwell", "gyromagnetic_ratio"):
            _expect_positive(name, getattr(self, name))
        # No gradient coil for people comes near these; a value in mT/m or mT/m/s is beyond them.
        for name, most, unit in (("max_gradient", 1, "T/m"), ("max_slew", 2000, "T/m/s")):
            got = getattr(self, name)
            expect(name, 0 < got <= most, f"above 0 and at most {most} {unit}", got)
        _expect_count("max_samples", self.max_samples)


@dataclass(frozen=True)
class AcquisitionConfig:
    """Describe what a scan of one slice, or of one slab in 3-D, repeats.

    Attributes:
        repetition_time: from one excitation to the next, [s].
        dwell_time: between two samples of a readout, [s]: 1 / (pixels x bandwidth per pixel).
        field_of_view: (rows, cols), [m].
        n_partitions: samples along the third axis; 1 is a 2-D scan.
        slab_thickness: extent of the partitions together, [m]; a 2-D scan does not use it.
        n_averages: how often everything is measured.
        readouts_per_excitation: more than 1 is an echo train.
        excitation_time: of the pulse, its gradients and spoilers together, [s].
    """

    repetition_time: float = 10e-3
    dwell_time: float = 10e-6
    field_of_view: tuple[float, float] = (0.256, 0.256)
    n_partitions: int = 1
    slab_thickness: float = 0.16
    n_averages: int = 1
    readouts_per_excitation: int = 1
    excitation_time: float = 2e-3

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse values that describe no acquisition.

        Raises:
            ValueError: "name: expected ..., got ...".
        """
        for name in ("repetition_time", "dwell_time", "slab_thickness"):
            _expect_positive(name, getattr(self, name))
        view = self.field_of_view
        holds = len(view) == 2 and all(0 < extent < math.inf for extent in view)
        expect("field_of_view", holds, "(rows, cols) in m, each above 0", view)
        for name in ("n_partitions", "n_averages", "readouts_per_excitation"):
            _expect_count(name, getattr(self, name))
        time = self.excitation_time
        expect("excitation_time", 0 <= time < math.inf, "at least 0", time)

    @property
    def is_3d(self) -> bool:
        """Whether a slab is excited and encoded along a third axis."""
        return self.n_partitions > 1


def load_profile(name: str | Path) -> ScannerProfile:
    """Find a scanner's profile by its name, or read it from a YAML file.

    Args:
        name: one of `PROFILES`, or the path of a file with the keys of `ScannerProfile`.

    Returns:
        The profile.

    Raises:
        ValueError: neither a known name nor a file, the file is no YAML mapping, or a key is
            unknown, missing or has a wrong value; the message names the file and the key.
        OSError: the file cannot be read.

    Examples:
        >>> from mrirecon.sampling import load_profile
        >>> load_profile("clinical_3t").field_strength
        3.0
    """
    if str(name) in PROFILES:
        return PROFILES[str(name)]
    path = Path(name)
    if not path.is_file():
        known = ", ".join(PROFILES)
        raise ValueError(f"scanner: expected one of {known} or a YAML file, got {str(name)!r}")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected YAML, got {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ValueError(f"{path}: expected keys and values, got {type(values).__name__}")
    try:
        return TypeAdapter(ScannerProfile).validate_python(values)
    except ValidationError as error:
        raise ValueError(f"{path}: {_describe(dict(error.errors()[0]))}") from None


def _describe(problem: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    known = ", ".join(field.name for field in fields(ScannerProfile))
    if problem["type"] == "unexpected_keyword_argument":
        return f"{key}: expected one of {known}, got an unknown key"
    if problem["type"] in ("missing", "missing_argument"):
        return f"{key}: expected a value, got none"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    return f"{key}: expected {problem['msg'].partition('should be ')[2]}, got {problem['input']!r}"


def _expect_positive(name: str, got: float) -> None:
    expect(name, 0 < got < math.inf, "above 0", got)


def _expect_count(name: str, got: int) -> None:
    expect(name, got >= 1, "1 or more", got)


CLINICAL_1_5T = ScannerProfile("clinical_1_5t", 1.5, max_gradient=33e-3, max_slew=120)
CLINICAL_3T = ScannerProfile("clinical_3t", 3.0, max_gradient=40e-3, max_slew=150)
PROFILES = {profile.name: profile for profile in (CLINICAL_1_5T, CLINICAL_3T)}
