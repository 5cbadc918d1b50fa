"""What to sample: the description of an undersampling mask, checked when it is made."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from mrirecon.sampling.checks import expect

Strategy = Literal[
    "equispaced",
    "every_nth",
    "random",
    "variable_density",
    "gaussian",
    "fastmri_random",
    "fastmri_equispaced",
    "fastmri_equispaced_fraction",
    "fastmri_magic",
    "fastmri_magic_fraction",
    "random_2d",
    "variable_density_2d",
    "gaussian_2d",
    "poisson_disc",
    "radial",
    "golden_angle",
]
Axis = Literal["cols", "rows"]
Extent = Literal["run", "volume", "slice"]
CalibrationShape = Literal["square", "disc"]

RADIAL_STRATEGIES = ("radial", "golden_angle")
POINT_STRATEGIES = ("random_2d", "variable_density_2d", "gaussian_2d", "poisson_disc")
FASTMRI_STRATEGIES = tuple(name for name in get_args(Strategy) if name.startswith("fastmri_"))
WHOLE_SPACINGS = ("every_nth", "fastmri_equispaced", "fastmri_magic")
IRREGULAR_STRATEGIES = (
    "random",
    "variable_density",
    "gaussian",
    "fastmri_random",
    *POINT_STRATEGIES,
)


@dataclass(frozen=True)
class SamplingConfig:
    """Describe the sampling of k-space; `make_mask` turns it into a mask.

    Attributes:
        strategy: lines along one axis: `equispaced` (equal gaps, fractional where the
            acceleration needs it), `every_nth` (a whole line spacing, as parallel imaging plays
            it), `random`, `variable_density`, `gaussian`, and the five of the fastMRI package, bit
            for bit (`fastmri_random`, ...); points of a plane: `random_2d`, `variable_density_2d`,
            `gaussian_2d`, `poisson_disc` (none closer than the density's distance, inside the
            ellipse that touches the edges); spokes on the Cartesian grid: `radial` (equal angles),
            `golden_angle`.
        acceleration: at least 1; size of the axis or plane over the number of measured lines or
            samples. The nearest that the grid allows is made, and the measured value reported.
            For `every_nth` it is the line spacing, a whole number: the calibration lines come on
            top, so that the measured acceleration is lower. For fastMRI's kinds it is what that
            package takes, and the measured one differs as it does there.
        calibration: fully sampled lines, or side of the square in samples, at the centre.
            None takes 4 % of the axis (10 lines of 256), at most half of all measured samples, and
            for fastMRI's kinds 32 % over the acceleration, as its challenges do;
            spokes need none, since they all cross the centre.
        calibration_shape: `square`, or `disc` of diameter `calibration`, for points of a plane.
        power: exponent, at least 0, of the density (1 - r)^power of `variable_density`,
            `variable_density_2d` and `poisson_disc`, at distance r from the centre, r = 0 to 1;
            more crowds the centre.
        width: standard deviation, above 0, of the density exp(-r^2 / (2 width^2)) of `gaussian`
            and `gaussian_2d`; less crowds the centre.
        partial_fourier: fraction of the lines, above 0.5 to 1, that may be measured; the first
            ones of the axis are left out. The acceleration stays that of all lines.
        axis: axis of phase encoding, along which whole lines are skipped.
        offset: [lines] before the first line, or [degrees] of the first spoke; None draws it
            from the seed.
        per: what shares one mask: the whole `run`, a `volume` in one epoch, or nothing (`slice`:
            every slice in every epoch has its own).

    Examples:
        >>> from mrirecon.sampling import SamplingConfig
        >>> SamplingConfig("variable_density", acceleration=4, power=3).strategy
        'variable_density'
    """

    strategy: Strategy = "variable_density"
    acceleration: float = 4.0
    calibration: int | None = None
    calibration_shape: CalibrationShape = "square"
    power: float = 2.0
    width: float = 0.25
    partial_fourier: float = 1.0
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
        return self.strategy not in (*POINT_STRATEGIES, *RADIAL_STRATEGIES)

    def _check_choices(self) -> None:
        _expect_choice("strategy", self.strategy, get_args(Strategy))
        _expect_choice("calibration_shape", self.calibration_shape, get_args(CalibrationShape))
        _expect_choice("axis", self.axis, get_args(Axis))
        _expect_choice("per", self.per, get_args(Extent))

    def _check_numbers(self) -> None:
        # Each comparison is written so that NaN fails it.
        expect("acceleration", 1 <= self.acceleration < math.inf, "at least 1", self.acceleration)
        expect("power", 0 <= self.power < math.inf, "at least 0", self.power)
        expect("width", 0 < self.width < math.inf, "above 0", self.width)
        fraction = self.partial_fourier
        expect("partial_fourier", 0.5 < fraction <= 1, "above 0.5, at most 1", fraction)
        if self.calibration is not None:
            expect("calibration", self.calibration >= 0, "at least 0", self.calibration)
        if self.offset is not None:
            expect("offset", 0 <= self.offset < math.inf, "at least 0", self.offset)

    def _check_combinations(self) -> None:
        name = self.strategy
        if name in WHOLE_SPACINGS:
            whole = float(self.acceleration).is_integer()
            expect("acceleration", whole, f"a whole spacing for {name}", self.acceleration)
        if name in RADIAL_STRATEGIES:
            wanted = f"0 or none for {name}, whose spokes all cross the centre"
            expect("calibration", not self.calibration, wanted, self.calibration)
        if not self.is_line_mask:
            wanted = f"cols for {name}, which is no line mask"
            expect("axis", self.axis == "cols", wanted, self.axis)
        if name not in POINT_STRATEGIES:
            wanted = f"square for {name}, since a disc needs points of a plane"
            expect("calibration_shape", self.calibration_shape == "square", wanted, "disc")
        if not self.is_line_mask or name in FASTMRI_STRATEGIES:
            wanted = f"1 for {name}, which leaves no lines out at one edge"
            expect("partial_fourier", self.partial_fourier == 1, wanted, self.partial_fourier)
        self._check_offset()

    def _check_offset(self) -> None:
        if self.offset is None:
            return
        wanted = f"none for {self.strategy}, which has no first line"
        expect("offset", self.strategy not in IRREGULAR_STRATEGIES, wanted, self.offset)
        if self.is_line_mask:
            whole = float(self.offset).is_integer()
            expect("offset", whole, "a whole number of lines", self.offset)


def _expect_choice(name: str, got: str, choices: tuple[str, ...]) -> None:
    expect(name, got in choices, f"one of {', '.join(choices)}", got)
