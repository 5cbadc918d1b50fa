"""`mrirecon reconstruct`: a trained run and one file in, the image in the same kind of file out."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor

from mrirecon.cli.runs import EVALUATION_BATCH, TrainedRun, choose_device, load_run
from mrirecon.cli.sources import (
    AxesOption,
    ChannelOption,
    ContentsOption,
    KeyOption,
    SliceAxisOption,
    array_options,
    slice_axis_of,
)
from mrirecon.cli.terminal import say
from mrirecon.data import ArrayOptions, RawBatch, Subject, read_source, simulate
from mrirecon.data.kspace_file import KSPACE_SUFFIXES, read_kspace
from mrirecon.data.readers.plain_files import IMAGE_SUFFIXES, write_images
from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.models import Generator
from mrirecon.nufft import Nufft
from mrirecon.ops import apply_mask
from mrirecon.sampling import acceleration, make_mask

PHASE_WINDOW = 0.125
"""Width of the central k-space that the image's phase is taken from, over the width of k-space."""


def reconstruct(
    run: Annotated[Path, typer.Argument(help="Folder of a trained run.")],
    source: Annotated[
        Path, typer.Argument(help="Image, volume, folder of one subject, or k-space file.")
    ],
    out: Annotated[Path, typer.Option(help="File to write, of the kind of the source.")],
    channel: ChannelOption = None,
    slice_axis: SliceAxisOption = "axial",
    contents: ContentsOption = None,
    axes: AxesOption = None,
    key: KeyOption = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that exists.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda[:n].")] = "auto",
) -> None:
    """Reconstruct one subject with the run's network and data consistency.

    An image, a NIfTI volume or a DICOM series is undersampled first, as in training, and written
    back with its geometry. Of k-space of one coil (.npy, .npz, .cfl, fastMRI or MRD .h5) samples
    that are not 0 count as measured; full k-space is undersampled by one mask of the run for all
    slices, and the images go to .npy, .cfl, or .h5 with fastMRI's dataset `reconstruction`.
    """
    if not source.exists():
        raise FileNotFoundError(f"{source}: no such file or folder")
    if out.exists() and not overwrite:
        raise FileExistsError(f"{out}: exists already; use --overwrite or another name")
    chosen = choose_device(device)
    trained = load_run(run, chosen)
    arrays = array_options(contents, axes, key)
    if source.suffix in KSPACE_SUFFIXES and contents != "image":
        note = reconstruct_kspace(trained, source, out, chosen, arrays)
    else:
        axis = slice_axis_of(slice_axis)
        subjects = read_source(source, channel=channel, slice_axis=axis, arrays=arrays).subjects
        if len(subjects) != 1:
            names = ", ".join(subject.name for subject in subjects[:3])
            raise ValueError(f"{source}: expected one subject, got {len(subjects)} ({names}, ...)")
        note = reconstruct_subject(trained, subjects[0], out, chosen)
    say(f"{note}; written: {out}")


def reconstruct_subject(
    trained: TrainedRun, subject: Subject, out: Path, device: torch.device
) -> str:
    """Undersample a subject as in training, reconstruct it, and write it in the kind it came."""
    whole = RawBatch.of_volume(subject.read_volume())
    training = trained.config.training

    def measure(first: int, last: int) -> tuple[Tensor, Tensor | Nufft]:
        part = {field.name: getattr(whole, field.name)[first:last] for field in fields(whole)}
        measured = simulate(
            RawBatch(**part).to(device),
            trained.config.undersampling,
            seed=training.seed,
            noise_std=training.noise_std,
        )
        return measured.zero_filled, measured.sampled

    images = _in_batches(trained.generator, measure, len(whole.images))
    subject.write_like((images * whole.scale[0]).numpy(), out)
    return f"{len(images)} slices, undersampled as in training"


def reconstruct_kspace(
    trained: TrainedRun,
    source: Path,
    out: Path,
    device: torch.device,
    arrays: ArrayOptions | None = None,
) -> str:
    """Reconstruct k-space, undersampled as it came or, if it is full, by one mask of the run."""
    if out.suffix not in IMAGE_SUFFIXES:
        names = ", ".join(IMAGE_SUFFIXES)
        raise ValueError(f"--out: expected a name ending in {names}, got {out.name}")
    if trained.config.trajectory is not None:
        raise ValueError(f"{source}: expected an image, since the run was trained off the grid")
    measured = read_kspace(source, arrays)
    if measured.coords is not None or measured.kspace.shape[1] != 1:
        raise ValueError(
            f"{source}: expected Cartesian k-space of one coil, got {tuple(measured.kspace.shape)}"
        )
    shape = (measured.kspace.shape[-2], measured.kspace.shape[-1])
    seed, sampling = trained.config.training.seed, trained.config.sampling
    mask = make_mask(sampling, shape, seed=seed) if measured.mask is None else measured.mask
    kspace = apply_mask(measured.kspace, mask).to(device)
    zero_filled = ifft_centred(kspace)
    scale = zero_filled.abs().amax()
    if scale == 0:
        raise ValueError(f"{source}: expected measured samples, got zeros alone")
    phase = low_resolution_phase(zero_filled)
    images = _in_batches(
        trained.generator,
        lambda first, last: (zero_filled[first:last] / scale, mask.to(device)),
        len(kspace),
        phase=phase,
    )
    volume = (images * scale.cpu()).numpy()
    write_images(out, volume if measured.has_slices else volume[0])
    how = "undersampled by one mask of the run" if measured.mask is None else "as it was measured"
    return f"{len(kspace)} slices, {how} ({acceleration(mask.expand(shape)):.2f}x)"


def low_resolution_phase(image: Tensor) -> Tensor:
    """Return the phase of the image's central k-space, weighted by a Hann window.

    The phase of an MR image is smooth, so that its centre of k-space, which every sampling
    measures, tells it; as in homodyne detection (Noll 1991, DOI 10.1109/42.79473).

    Args:
        image: complex, (..., rows, cols).

    Returns:
        Complex of magnitude 1, same shape; 1 where the image is 0.
    """
    kspace = fft_centred(image)
    for axis in (-2, -1):
        n = kspace.shape[axis]
        distance = (torch.arange(n, device=image.device) - n // 2) / (PHASE_WINDOW * n)
        window = torch.cos(torch.pi / 2 * distance.clamp(-1, 1)).square()
        kspace = kspace * (window[:, None] if axis == -2 else window)
    return torch.polar(torch.ones_like(kspace.real), ifft_centred(kspace).angle())


def _in_batches(
    generator: Generator,
    measure: Callable[[int, int], tuple[Tensor, Tensor | Nufft]],
    n_slices: int,
    phase: Tensor | None = None,
) -> Tensor:
    """Reconstruct slices in batches: float32, (n_slices, rows, cols), on the CPU."""
    images = []
    for first in range(0, n_slices, EVALUATION_BATCH):
        last = min(first + EVALUATION_BATCH, n_slices)
        zero_filled, sampled = measure(first, last)
        with torch.inference_mode():
            part = None if phase is None else phase[first:last]
            images.append(generator(zero_filled, sampled, part).consistent[:, 0].cpu())
    return torch.cat(images)
