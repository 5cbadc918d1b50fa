"""What a training run does, apart from its data, its sampling and its networks."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal, get_args

from mrirecon.data import AugmentationConfig, SimulationConfig
from mrirecon.losses import LossConfig
from mrirecon.sampling import CurriculumConfig

Precision = Literal["float32", "bfloat16", "auto"]
Schedule = Literal["halfway", "cosine", "constant"]

MAY_CHANGE_ON_RESUME = frozenset(
    {
        "steps",
        "log_every",
        "validate_every",
        "checkpoint_every",
        "keep_checkpoints",
        "patience",
        "compile",
        "tensorboard",
    }
)
"""Options that a resumed run may set anew; more steps stretch the schedule of the learning rate."""


@dataclass(frozen=True)
class TrainingConfig:
    """Options of `train`; the optimiser is Adam for both networks.

    Attributes:
        steps: updates of the generator in all.
        batch_size: slices in a step, on each of the processes that train together; the slices
            left over at the end of an epoch are left out.
        seed: of dropout, data order, masks and noise; with the step it fixes every random number.
        learning_rate: of the generator.
        discriminator_learning_rate: of the discriminator.
        schedule: "halfway": both rates are divided by 10 after half the steps, as in the
            ReconResNet paper; "cosine": they fall to 0 along half a cosine; "constant".
        gradient_clip: largest Euclidean norm of a network's gradient, above which it is shortened
            to it; None never does.
        warmup_steps: steps over which both rates rise from 0, linearly.
        losses: weights of the generator's loss terms.
        curriculum: whether more is sampled in the first steps than in the last.
        augmentation: how training slices are varied before they are undersampled.
        ema_decay: per step, of the averaged weights that are validated and saved as the result;
            lower in the first steps, so that the average forgets the untrained network.
        precision: of the networks' arithmetic: "bfloat16" by autocast, weights stay float32;
            "auto" takes it where the processor multiplies it, where a step measured up to 1.9
            times as fast, and float32 elsewhere, where it would be emulated.
        channels_last: memory order of images and weights. Convolutions are faster so, and most of
            all with "bfloat16" (benchmarks/bench_training.py).
        compile: compile both networks by torch.compile: on the CPU a tenth faster, after minutes.
        simulation: noise that is added to k-space, and phase and coils that magnitudes are given.
        log_every: steps between writes of the loss log; every step has its line.
        validate_every: steps between validations; the last step has one too.
        checkpoint_every: steps between checkpoints; the last step has one too.
        keep_checkpoints: newest checkpoints that stay on disk, beside the one validated best.
        best_by: score of the validation, higher is better, by which that one is chosen.
        patience: validations in a row without a better score after which the run ends; None goes
            on to the last step.
        tensorboard: also write the log, and pictures of a few validation slices, for TensorBoard.
    """

    steps: int = 100_000
    batch_size: int = 4
    seed: int = 0
    learning_rate: float = 1e-4
    discriminator_learning_rate: float = 1e-4
    schedule: Schedule = "halfway"
    gradient_clip: float | None = None
    warmup_steps: int = 0
    losses: LossConfig = field(default_factory=LossConfig)
    curriculum: CurriculumConfig = field(default_factory=CurriculumConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    ema_decay: float = 0.999
    precision: Precision = "float32"
    channels_last: bool = False
    compile: bool = False
    simulation: SimulationConfig = field(default_factory=SimulationConfig)
    log_every: int = 10
    validate_every: int = 1000
    checkpoint_every: int = 1000
    keep_checkpoints: int = 2
    best_by: str = "ssim"
    patience: int | None = None
    tensorboard: bool = False

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "log_every", "validate_every", "checkpoint_every"):
            _expect(name, getattr(self, name) >= 1, "1 or more", getattr(self, name))
        if self.gradient_clip is not None:
            _expect("gradient_clip", self.gradient_clip > 0, "above 0", self.gradient_clip)
        if self.patience is not None:
            _expect("patience", self.patience >= 1, "1 or more", self.patience)
        _expect("keep_checkpoints", self.keep_checkpoints >= 1, "1 or more", self.keep_checkpoints)
        for name in ("seed", "warmup_steps"):
            _expect(name, getattr(self, name) >= 0, "0 or more", getattr(self, name))
        for name in ("learning_rate", "discriminator_learning_rate"):
            rate = getattr(self, name)
            _expect(name, 0 < rate < math.inf, "a finite number above 0", rate)
        _expect("ema_decay", 0 <= self.ema_decay < 1, "a number in [0, 1)", self.ema_decay)
        for name, choices in (("precision", Precision), ("schedule", Schedule)):
            wanted = "one of " + ", ".join(get_args(choices))
            _expect(name, getattr(self, name) in get_args(choices), wanted, getattr(self, name))

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain values for JSON."""
        return asdict(self)


def _expect(name: str, holds: bool, wanted: str, got: object) -> None:
    if not holds:
        raise ValueError(f"{name}: expected {wanted}, got {got}")
