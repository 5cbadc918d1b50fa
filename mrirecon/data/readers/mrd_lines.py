"""Cartesian lines of an MRD file put into k-space, slice by slice or as a block of 3-D encoding.

Format: Inati et al. 2017, DOI 10.1002/mrm.26089. Rows are the readout, cols the first and depth the
second phase encoding, each with its centre at n // 2; what was not measured stays 0.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import torch
from numpy.typing import NDArray

from mrirecon.data.readers.measured import Kspace
from mrirecon.data.readers.mrd_epi import LinePhase, find_line_phase
from mrirecon.data.readers.mrd_header import Encoding
from mrirecon.data.readers.mrd_heads import Heads, is_reversed
from mrirecon.data.readers.mrd_samples import read_lines
from mrirecon.data.readers.subject import require_believable_size
from mrirecon.fourier import ifft_centred

MOST_EMPTY = 64
"""Places of the grid for each measured line at most; more is no undersampling but a damaged
header, for which no memory is taken."""


class Block(NamedTuple):
    """K-space of a slice or of all partitions."""

    kspace: Kspace
    """(depth, coils, rows, cols)."""
    was_measured: NDArray[np.bool_]
    """(depth, rows, cols)."""


@dataclass(frozen=True)
class Lines:
    """Cartesian acquisitions of one volume."""

    path: Path
    table: h5py.Dataset
    heads: Heads
    """Of the images."""
    corrections: Heads
    """Lines that tell the phase between the directions of EPI."""
    encoding: Encoding

    @property
    def n_coils(self) -> int:
        """Receive coils."""
        return int(self.heads["head"]["active_channels"][0])

    @property
    def is_3d(self) -> bool:
        """Whether there is a second phase encoding."""
        return self.encoding.encoded[2] > 1

    @property
    def notes(self) -> tuple[str, ...]:
        """What one should know of lines read backwards."""
        backwards = is_reversed(self.heads)
        if not backwards.any() or backwards.all() or len(self.corrections):
            return ()
        return (
            "lines were read in two directions (EPI), without lines that tell the phase between "
            "them: images may have ghosts",
        )

    def require_placeable(self) -> None:
        """Refuse what would be placed wrongly.

        Raises:
            ValueError: the text names the file, what was expected and what came.
        """
        require_one_kind(self.path, self.heads)
        if self.encoding.is_ramp_sampled:
            raise ValueError(
                f"{self.path}: expected lines sampled on the plateau of the gradient (EPI), got "
                "samples from its ramps too"
            )
        sizes, limits = self.encoding.encoded, self.encoding
        require_within(self.path, self.heads, 1, sizes[1], limits.phase_limits)
        require_within(self.path, self.heads, 2, sizes[2], limits.second_limits)
        n_slices = len(np.unique(self.heads["head"]["idx"]["slice"]))
        require_believable_size(self.path, n_slices * sizes[2], self.n_coils, *sizes[:2])
        if n_slices > 1 and self.is_3d:
            raise ValueError(f"{self.path}: expected one slab of 3-D encoding, got {n_slices}")
        if n_slices * sizes[1] * sizes[2] > MOST_EMPTY * len(self.heads):
            raise ValueError(
                f"{self.path}: expected at least one line in {MOST_EMPTY}, got {len(self.heads)} "
                f"of {n_slices * sizes[1] * sizes[2]}"
            )

    def place(self, slice_number: int | None = None) -> Block:
        """Put the lines of a slice into k-space; lines measured several times are averaged.

        Args:
            slice_number: by the counter of the file; None for all, where there is one.
        """
        heads, corrections = self.heads, self.corrections
        if slice_number is not None:
            heads = heads[heads["head"]["idx"]["slice"] == slice_number]
            corrections = corrections[corrections["head"]["idx"]["slice"] == slice_number]
        n_rows, n_cols, depth = self.encoding.encoded
        phase = self._line_phase(heads, corrections, n_rows)
        kspace = np.zeros((depth, n_cols, self.n_coils, n_rows), np.complex64)
        counts = np.zeros((depth, n_cols, 1, n_rows), np.int32)
        for line in read_lines(self.path, self.table, heads):
            index = line.head["idx"]
            col = int(index["kspace_encode_step_1"]) + n_cols // 2 - self.encoding.phase_limits[2]
            plane = int(index["kspace_encode_step_2"]) + depth // 2 - self.encoding.second_limits[2]
            samples, reach = fit_readout(self.path, line.samples, line.centre, n_rows)
            if phase is not None and line.is_reversed:
                samples = phase.correct(samples)
            kspace[plane, col] += samples
            counts[plane, col, :, reach] += 1
        kspace /= np.maximum(counts, 1)
        was_measured = (counts[:, :, 0] > 0).transpose(0, 2, 1)
        return Block(np.ascontiguousarray(kspace.transpose(0, 2, 3, 1)), was_measured)

    def _line_phase(self, heads: Heads, corrections: Heads, n_rows: int) -> LinePhase | None:
        backwards = is_reversed(heads)
        if not len(corrections) or backwards.all() or not backwards.any():
            return None
        lines = [
            (fit_readout(self.path, line.samples, line.centre, n_rows)[0], line.is_reversed)
            for line in read_lines(self.path, self.table, corrections)
        ]
        return find_line_phase(self.path, lines)


def transform_partitions(block: Block) -> Kspace:
    """Turn the second phase encoding into slices, (depth, coils, rows, cols)."""
    slices: Kspace = ifft_centred(torch.from_numpy(block.kspace), dims=(0,)).numpy()
    return slices


def transform_readout(block: Block) -> Kspace:
    """Turn the readout into slices whose k-space has both phase encodings.

    Returns:
        (rows, coils, depth, cols).
    """
    along = ifft_centred(torch.from_numpy(block.kspace), dims=(2,))
    planes: Kspace = along.permute(2, 1, 0, 3).contiguous().numpy()
    return planes


def fit_readout(path: Path, samples: Kspace, centre: int, n_rows: int) -> tuple[Kspace, slice]:
    """Put a line's centre at n_rows // 2.

    Turned around, a line may reach a place beyond the grid; that sample is left out.

    Returns:
        (coils, n_rows), 0 where not measured, and the part that was.

    Raises:
        ValueError: the line does not fit.
    """
    count = samples.shape[1]
    start = n_rows // 2 - centre
    if start < 0 or start + count > n_rows + 1:
        raise ValueError(
            f"{path}: expected {n_rows} samples of a line at most, about their centre, got "
            f"{count} with centre {centre}"
        )
    reach = slice(start, min(start + count, n_rows))
    fitted = np.zeros((len(samples), n_rows), np.complex64)
    fitted[:, reach] = samples[:, : reach.stop - reach.start]
    return fitted, reach


def require_one_kind(path: Path, heads: Heads) -> None:
    """Refuse acquisitions that differ in coils or encoding.

    Raises:
        ValueError: they do.
    """
    head = heads["head"]
    if any(len(np.unique(head[name])) > 1 for name in ("active_channels", "encoding_space_ref")):
        raise ValueError(f"{path}: expected one encoding and number of coils, got several")


def require_within(
    path: Path, heads: Heads, step: int, size: int, limits: tuple[int, int, int]
) -> None:
    """Refuse lines (step 1) or partitions (step 2) outside of the grid.

    Args:
        path: named in the error.
        heads: of acquisitions.
        step: of phase encoding, 1 or 2.
        size: of the grid.
        limits: (first, last, centre) of the counter.

    Raises:
        ValueError: a counter leads out.
    """
    first, last, centre = limits
    places = heads["head"]["idx"][f"kspace_encode_step_{step}"].astype(np.int64)
    shift = size // 2 - centre
    if places.min() + shift < 0 or places.max() + shift >= size:
        noun = "lines" if step == 1 else "partitions"
        raise ValueError(
            f"{path}: expected {noun} within {size} about their centre {centre}, got "
            f"{places.min()} to {places.max()} (header: {first} to {last})"
        )
