"""From image files to batches of undersampled k-space."""

from mrirecon.data.augment import AugmentationConfig, augment
from mrirecon.data.dataset import RawBatch, SliceDataset
from mrirecon.data.findings import Finding, Inspection, SubjectReport
from mrirecon.data.inspection import inspect_source
from mrirecon.data.leakage import LookAlike
from mrirecon.data.low_resolution import low_resolution_phase, self_calibrated_maps
from mrirecon.data.prepare import Prepared, prepare
from mrirecon.data.prepare_config import PrepareConfig
from mrirecon.data.prepared_subject import LeftOut
from mrirecon.data.readers import (
    SPLITS,
    ArrayOptions,
    ChannelError,
    SliceAxis,
    Source,
    Split,
    Subject,
    read_source,
    write_nifti_like,
)
from mrirecon.data.simulate import Measurement, simulate, simulate_parts
from mrirecon.data.simulation_config import SimulationConfig
from mrirecon.data.store import SliceStore
from mrirecon.data.store_file import StoredSubject

__all__ = [
    "SPLITS",
    "ArrayOptions",
    "AugmentationConfig",
    "ChannelError",
    "Finding",
    "Inspection",
    "LeftOut",
    "LookAlike",
    "Measurement",
    "PrepareConfig",
    "Prepared",
    "RawBatch",
    "SimulationConfig",
    "SliceAxis",
    "SliceDataset",
    "SliceStore",
    "Source",
    "Split",
    "StoredSubject",
    "Subject",
    "SubjectReport",
    "augment",
    "inspect_source",
    "low_resolution_phase",
    "prepare",
    "read_source",
    "self_calibrated_maps",
    "simulate",
    "simulate_parts",
    "write_nifti_like",
]
