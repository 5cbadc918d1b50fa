"""Undersampling: strategies, their exact making, what they amount to, and what can be played."""

from mrirecon.sampling.candidates import CANDIDATES, make_candidate
from mrirecon.sampling.config import SamplingConfig, Strategy
from mrirecon.sampling.curriculum import CurriculumConfig, ease_sampling
from mrirecon.sampling.fastmri import fastmri_generator, fastmri_lines
from mrirecon.sampling.feasibility import Feasibility, check_coords, check_feasibility
from mrirecon.sampling.masks import STRATEGIES, acceleration, make_mask, mask_batch
from mrirecon.sampling.mixture import (
    MixtureConfig,
    Undersampling,
    named_patterns,
    sampling_title,
)
from mrirecon.sampling.readouts import Readouts
from mrirecon.sampling.scanner import (
    CLINICAL_1_5T,
    CLINICAL_3T,
    PROFILES,
    AcquisitionConfig,
    ScannerProfile,
    load_profile,
)
from mrirecon.sampling.side_lobes import (
    SideLobes,
    mask_spread,
    measure_side_lobes,
    slab_spread,
    trajectory_spread,
)
from mrirecon.sampling.slab_config import SlabConfig, summarise_slab, visited_volume
from mrirecon.sampling.spiral_design import (
    SpiralDesign,
    design_spiral,
    designed_spiral,
    designed_spiral_density,
)
from mrirecon.sampling.summary import MaskSummary, full_mask, summarise
from mrirecon.sampling.trajectories import (
    Order,
    radial_density,
    radial_trajectory,
    spiral_density,
    spiral_trajectory,
)
from mrirecon.sampling.trajectories_3d import (
    kooshball,
    kooshball_density,
    stack_of_stars,
    stack_of_stars_density,
)
from mrirecon.sampling.trajectory_config import (
    TrajectoryConfig,
    TrajectoryKind,
    plan_trajectory,
    summarise_trajectory,
    trajectory_mask,
)

__all__ = [
    "CANDIDATES",
    "CLINICAL_1_5T",
    "CLINICAL_3T",
    "PROFILES",
    "STRATEGIES",
    "AcquisitionConfig",
    "CurriculumConfig",
    "Feasibility",
    "MaskSummary",
    "MixtureConfig",
    "Order",
    "Readouts",
    "SamplingConfig",
    "ScannerProfile",
    "SideLobes",
    "SlabConfig",
    "SpiralDesign",
    "Strategy",
    "TrajectoryConfig",
    "TrajectoryKind",
    "Undersampling",
    "acceleration",
    "check_coords",
    "check_feasibility",
    "design_spiral",
    "designed_spiral",
    "designed_spiral_density",
    "ease_sampling",
    "fastmri_generator",
    "fastmri_lines",
    "full_mask",
    "kooshball",
    "kooshball_density",
    "load_profile",
    "make_candidate",
    "make_mask",
    "mask_batch",
    "mask_spread",
    "measure_side_lobes",
    "named_patterns",
    "plan_trajectory",
    "radial_density",
    "radial_trajectory",
    "sampling_title",
    "slab_spread",
    "spiral_density",
    "spiral_trajectory",
    "stack_of_stars",
    "stack_of_stars_density",
    "summarise",
    "summarise_slab",
    "summarise_trajectory",
    "trajectory_mask",
    "trajectory_spread",
    "visited_volume",
]
