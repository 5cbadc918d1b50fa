"""What to sample: the description of an undersampling mask, checked when it is made."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

Strategy = Literal[
    "equispaced",
    "every_nth",
    "random",
    "variable_density",
    "variable_density_2d",
    "radial",
    "golden_angle",
]
Density = Literal["polynomial", "gaussian"]
Axis = Literal["cols", "rows"]
Extent = Literal["run", "volume", "slice"]
CalibrationShape = Literal["square", "disc"]

RADIAL_STRATEGIES = ("radial", "golden_angle")
PLANE_STRATEGIES = ("variable_density_2d", *RADIAL_STRATEGIES)
REGULAR_STRATEGIES = ("equispaced", "every_nth", *RADIAL_STRATEGIES)


@dataclass(frozen=True)
class SamplingConfig:
    """Describe the sampling of k-space; `make_mask` turns it into a mask.

    Attributes:
        strategy: lines along one axis: `equispaced` (equal gaps, fractional where the
            acceleration needs it), `every_nth` (a whole line spacing, as parallel imaging plays
            it), `random`, `variable_density`; points of a plane: `variable_density_2d`; spokes on
            the Cartesian grid: `radial` (equal angles), `golden_angle`.
        acceleration: at least 1; size of the axis or plane over the number of measured lines or
            samples. The nearest that the grid allows is made, and the measured value reported.
            For `every_nth` it is the line spacing, a whole number: the calibration lines come on
            top, so that the measured acceleration is lower.
        calibration: fully sampled lines, or side of the square in samples, at the centre.
            None takes 4 % of the axis (10 lines of 256), at most half of all measured samples;
            spokes need none, since they all cross the centre.
        calibration_shape: `square`, or `disc` of diameter `calibration`, for points of a plane.
        density: how sampling thins out in variable density, at distance r from the centre, r = 0
            to 1: `polynomial` (1 - r)^power, or `gaussian` exp(-r^2 / (2 width^2)).
        power: exponent of the polynomial density, at least 0; more crowds the centre.
        width: standard deviation of the Gaussian density, above 0; less crowds the centre.
        axis: axis of phase encoding, along which whole lines are skipped.
        offset: [lines] before the first line, or [degrees] of the first spoke; None draws it
            from the seed.
        per: what shares one mask: the whole `run`, a `volume` in one epoch, or nothing (`slice`:
            every slice in every epoch has its own).
    """

    strategy: Strategy = "variable_density"
    acceleration: float = 4.0
    calibration: int | None = None
    calibration_shape: CalibrationShape = "square"
    density: Density = "polynomial"
    power: float = 2.0
    width: float = 0.25
    axis: Axis = "cols"
    offset: float | None = None
    per: Extent = "slice"

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse values and combinations that describe no mask.

        Raises:
            ValueError: "name: expected ..., got ...".
        """
        self._check_choices()
        self._check_numbers()
        self._check_combinations()

    @property
    def is_line_mask(self) -> bool:
        """Whether whole lines are measured or skipped, so that the mask has one axis."""
        return self.strategy not in PLANE_STRATEGIES

    def _check_choices(self) -> None:
        _expect_choice("strategy", self.strategy, get_args(Strategy))
        _expect_choice("calibration_shape", self.calibration_shape, get_args(CalibrationShape))
        _expect_choice("density", self.density, get_args(Density))
        _expect_choice("axis", self.axis, get_args(Axis))
        _expect_choice("per", self.per, get_args(Extent))

    def _check_numbers(self) -> None:
        # Each comparison is written so that NaN fails it.
        _expect("acceleration", 1 <= self.acceleration < math.inf, "at least 1", self.acceleration)
        _expect("power", 0 <= self.power < math.inf, "at least 0", self.power)
        _expect("width", 0 < self.width < math.inf, "above 0", self.width)
        if self.calibration is not None:
            _expect("calibration", self.calibration >= 0, "at least 0", self.calibration)
        if self.offset is not None:
            _expect("offset", 0 <= self.offset < math.inf, "at least 0", self.offset)

    def _check_combinations(self) -> None:
        name = self.strategy
        if name == "every_nth":
            whole = float(self.acceleration).is_integer()
            _expect("acceleration", whole, "a whole spacing for every_nth", self.acceleration)
        if name in RADIAL_STRATEGIES:
            wanted = f"0 or none for {name}, whose spokes all cross the centre"
            _expect("calibration", not self.calibration, wanted, self.calibration)
        if not self.is_line_mask:
            wanted = f"cols for {name}, which is no line mask"
            _expect("axis", self.axis == "cols", wanted, self.axis)
        if name != "variable_density_2d":
            wanted = f"square for {name}, since a disc needs variable_density_2d"
            _expect("calibration_shape", self.calibration_shape == "square", wanted, "disc")
        if self.offset is not None:
            wanted = f"none for {name}, which has no first line"
            _expect("offset", name in REGULAR_STRATEGIES, wanted, self.offset)
        if self.offset is not None and self.is_line_mask:
            whole = float(self.offset).is_integer()
            _expect("offset", whole, "a whole number of lines", self.offset)


def _expect(name: str, holds: bool, wanted: str, got: object) -> None:
    if not holds:
        raise ValueError(f"{name}: expected {wanted}, got {got}")


def _expect_choice(name: str, got: str, choices: tuple[str, ...]) -> None:
    _expect(name, got in choices, f"one of {', '.join(choices)}", got)
