"""What a training run does, apart from its data, its sampling and its networks."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal, get_args

from mrirecon.data import AugmentationConfig, SimulationConfig
from mrirecon.losses import LossConfig
from mrirecon.sampling import CurriculumConfig

Precision = Literal["float32", "bfloat16", "float16", "auto"]
Schedule = Literal["halfway", "cosine", "constant"]
OnDivergence = Literal["roll_back", "stop"]

_COUNTS = (
    "steps",
    "batch_size",
    "accumulate",
    "log_every",
    "validate_every",
    "checkpoint_every",
    "keep_checkpoints",
)
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
        batch_size: slices computed at once, on each of the processes that train together; the
            slices left over at the end of an epoch are left out.
        accumulate: batches in a step, whose gradients are added up before the update: as one of
            all their slices, in the memory of one. With a discriminator the generator then
            computes each image twice.
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
        frozen: parts of the generator that stay as they are, by the beginning of their
            parameters' names: `network.encoder`.
        precision: of the networks' arithmetic: "bfloat16" by autocast, weights stay float32;
            "auto" takes it where the processor multiplies it, where a step measured up to 1.9
            times as fast, and float32 elsewhere, where it would be emulated; "float16" with scaled
            losses, for GPUs without bfloat16.
        channels_last: memory order of images and weights. Convolutions are faster so, and most of
            all with "bfloat16" (`mrirecon bench training`).
        compile: compile both networks by torch.compile: on the CPU a tenth faster, after minutes.
        cuda_graphs: compile them so that a GPU is handed each pass as one graph, which saves the
            time of launching its kernels one by one.
        recompute: keep the input of each of the generator's blocks alone for the backward pass,
            and compute the rest again: less memory, about a third more time.
        simulation: noise that is added to k-space, and phase and coils that magnitudes are given.
        log_every: steps between writes of the loss log; every step has its line.
        validate_every: steps between validations; the last step has one too.
        checkpoint_every: steps between checkpoints; the last step has one too.
        keep_checkpoints: newest checkpoints that stay on disk, beside the one validated best.
        best_by: score of the validation, higher is better, by which that one is chosen.
        patience: validations in a row without a better score after which the run ends; None goes
            on to the last step.
        explosion: a loss this many times the median of the 50 before it is one that diverged, as
            is one that is not finite; None takes any finite loss.
        on_divergence: "roll_back": go on from the last checkpoint with half the learning rates,
            once; "stop". The batch is kept in a file in both cases.
        tensorboard: also write the log, and pictures of a few validation slices, for TensorBoard.
    """

    steps: int = 100_000
    batch_size: int = 4
    accumulate: int = 1
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
    frozen: tuple[str, ...] = ()
    precision: Precision = "float32"
    channels_last: bool = False
    compile: bool = False
    cuda_graphs: bool = False
    recompute: bool = False
    simulation: SimulationConfig = field(default_factory=SimulationConfig)
    log_every: int = 10
    validate_every: int = 1000
    checkpoint_every: int = 1000
    keep_checkpoints: int = 2
    best_by: str = "ssim"
    patience: int | None = None
    explosion: float | None = 1e4
    on_divergence: OnDivergence = "roll_back"
    tensorboard: bool = False

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        for name in _COUNTS:
            _expect(name, getattr(self, name) >= 1, "1 or more", getattr(self, name))
        if self.explosion is not None:
            _expect("explosion", self.explosion > 1, "above 1", self.explosion)
        if self.gradient_clip is not None:
            _expect("gradient_clip", self.gradient_clip > 0, "above 0", self.gradient_clip)
        if self.patience is not None:
            _expect("patience", self.patience >= 1, "1 or more", self.patience)
        for name in ("seed", "warmup_steps"):
            _expect(name, getattr(self, name) >= 0, "0 or more", getattr(self, name))
        for name in ("learning_rate", "discriminator_learning_rate"):
            rate = getattr(self, name)
            _expect(name, 0 < rate < math.inf, "a finite number above 0", rate)
        _expect("ema_decay", 0 <= self.ema_decay < 1, "a number in [0, 1)", self.ema_decay)
        named = (("precision", Precision), ("schedule", Schedule), ("on_divergence", OnDivergence))
        for name, choices in named:
            wanted = "one of " + ", ".join(get_args(choices))
            _expect(name, getattr(self, name) in get_args(choices), wanted, getattr(self, name))

    @property
    def slices_per_step(self) -> int:
        """Slices in a step, on each process."""
        return self.batch_size * self.accumulate

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain values for JSON."""
        return asdict(self)


def _expect(name: str, holds: bool, wanted: str, got: object) -> None:
    if not holds:
        raise ValueError(f"{name}: expected {wanted}, got {got}")
