"""Measure every method's images on the device, and read the scores once at the end."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from mrirecon.data import SliceDataset
from mrirecon.evaluation.checks import ALIGNMENTS, check_images
from mrirecon.evaluation.methods import MethodName
from mrirecon.evaluation.reconstruct import ReconstructedBatch
from mrirecon.evaluation.scores import IMAGE, SliceScore
from mrirecon.metrics import Protocol, measure_slices, slice_ranges
from mrirecon.sampling import acceleration

DATA_RANGE = 1.0  # simulated targets are divided by their volume's maximum


class _Numbers(NamedTuple):
    """`SliceMeasures` of one slice, on the host."""

    ssim: float
    squared_error: float
    target_energy: float
    difference: float
    n_pixels: float
    uqi: float
    ms_ssim: float


@dataclass(frozen=True)
class MeasuredBatch:
    """What was measured on one batch, still on the device.

    Attributes:
        volumes: as in `ReconstructedBatch`, also `slices`.
        accelerations: of each slice's mask.
        data_range: (batch,) float64.
        values: float64, (measures, batch), of each method and region.
        checks: of each method, see `check_images`.
    """

    volumes: list[int]
    slices: list[int]
    accelerations: list[float]
    data_range: Tensor
    values: dict[tuple[MethodName, str], Tensor]
    checks: dict[MethodName, Tensor]


@torch.inference_mode()
def measure_batch(
    batch: ReconstructedBatch, protocol: Protocol, regions: Mapping[str, Tensor] | None = None
) -> MeasuredBatch:
    """Measure each image of a batch, without waiting for the device.

    Args:
        batch: the images.
        protocol: how to score.
        regions: bool, (batch, rows, cols), of each region to score beside the whole image.
    """
    target = batch.target
    by_slice = protocol.range_of == "slice"
    ranges = slice_ranges(target) if by_slice else target.new_full(target.shape[:1], DATA_RANGE)
    values, checks = {}, {}
    parts: dict[str, Tensor | None] = {IMAGE: None, **(regions or {})}
    for method, image in batch.images.items():
        for name, inside in parts.items():
            measures = measure_slices(
                image, target, data_range=ranges, protocol=protocol, region=inside
            )
            values[method, name] = torch.stack([measure.double() for measure in measures])
        found = check_images(image, target, batch.measurement)
        checks[method] = torch.stack([column.double() for column in found])
    return MeasuredBatch(
        batch.volumes,
        batch.slices,
        [acceleration(mask) for mask in batch.masks.cpu()],
        ranges.double(),
        values,
        checks,
    )


def read_scores(measured: MeasuredBatch, dataset: SliceDataset) -> Iterator[SliceScore]:
    """Fetch a batch's measures from the device and score each slice by each method and region.

    Raises:
        ValueError: a method made NaN or Inf; the message names method, subject and slice.
    """
    ranges = measured.data_range.tolist()
    columns = {key: values.tolist() for key, values in measured.values.items()}
    checks = {method: values.tolist() for method, values in measured.checks.items()}
    for place, (volume, number) in enumerate(zip(measured.volumes, measured.slices, strict=True)):
        subject = dataset.store.subjects[volume].name
        for (method, region), rows in columns.items():
            measures = _Numbers(*(row[place] for row in rows))
            if not math.isfinite(measures.squared_error):
                raise ValueError(
                    f"{method}: expected finite images, got NaN or Inf in subject {subject!r}, "
                    f"slice {number}"
                )
            if not measures.n_pixels:
                continue
            residual, invented, change, alignment = (row[place] for row in checks[method])
            yield SliceScore(
                subject=subject,
                slice=number,
                method=method,
                ssim=measures.ssim,
                squared_error=measures.squared_error,
                target_energy=measures.target_energy,
                n_pixels=round(measures.n_pixels),
                region=region,
                data_range=ranges[place],
                difference=measures.difference,
                uqi=_asked(measures.uqi),
                ms_ssim=_asked(measures.ms_ssim),
                acceleration=measured.accelerations[place],
                residual=_asked(residual),
                invented=_asked(invented),
                change=_asked(change),
                alignment=ALIGNMENTS[round(alignment)],
            )


def _asked(value: float) -> float | None:
    return None if math.isnan(value) else value
