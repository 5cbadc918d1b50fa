"""What a step is handed: a batch of raw slices, varied and undersampled."""

from mrirecon.data import Measurement, RawBatch, augment, simulate_parts
from mrirecon.sampling import MixtureConfig, Undersampling
from mrirecon.training.config import TrainingConfig
from mrirecon.training.schedule import sampling_at, step_seed


def measure_batch(
    batch: RawBatch,
    sampling: Undersampling | MixtureConfig,
    config: TrainingConfig,
    *,
    step: int,
    epoch: int,
) -> list[Measurement]:
    """Vary a batch, cut it into `config.accumulate` pieces, and undersample each.

    All of it is a function of the seed, the step and the epoch. A piece of a mixture comes in as
    many parts as it has ways to measure.

    Args:
        batch: on the device that is to compute.
        sampling: of the run.
        config: of the run.
        step: steps done before.
        epoch: that the batch is from.

    Returns:
        One measurement or several, for `training_step`.
    """
    varied = augment(batch, config.augmentation, seed=step_seed(config.seed, step))
    eased = sampling_at(step, sampling, config)
    size, n_slices = config.batch_size, len(varied.volumes)
    pieces = [varied]
    if size < n_slices:
        pieces = [varied.take(range(n_slices)[n : n + size]) for n in range(0, n_slices, size)]
    return [
        part
        for piece in pieces
        for part in simulate_parts(
            piece, eased, seed=config.seed, epoch=epoch, simulation=config.simulation
        )
    ]
