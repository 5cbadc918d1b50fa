"""What a simulated scan adds to an image before it is undersampled."""

import math
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class SimulationConfig:
    """How a fully sampled image becomes what coils measure; the defaults add nothing.

    Attributes:
        noise_std: standard deviation of the complex Gaussian noise of k-space, of its real and of
            its imaginary part, in each coil; the brightest pixel of the volume has 1.
        snr: the same as a signal-to-noise ratio, instead: the mean magnitude of the slice where it
            reaches a tenth of the volume's maximum (that tenth, where none does), over
            `noise_std`. The transform is orthonormal and coils are combined by maps of sum |map|^2
            = 1, so that it is also the ratio in the fully sampled image, before its magnitude is
            taken.
        phase: of a magnitude image: root mean square of a smooth random phase, about a random
            constant [rad]; 0 leaves the phase 0. Measured images have their own.
        n_coils: of a magnitude image: coils on a ring around the object, see `ring_coil_maps`.
            Measured images have their own.
    """

    noise_std: float = 0.0
    snr: float | None = None
    phase: float = 0.0
    n_coils: int = 1

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse what no scan has.

        Raises:
            ValueError: a value is out of range, or noise is given twice.
        """
        for name in ("noise_std", "phase"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        if self.snr is not None and not 0 < self.snr < math.inf:
            raise ValueError(f"snr: expected a finite number above 0, got {self.snr}")
        if self.snr is not None and self.noise_std > 0:
            raise ValueError(f"snr: expected none beside noise_std, got {self.snr}")
        if self.n_coils < 1:
            raise ValueError(f"n_coils: expected 1 or more, got {self.n_coils}")

    @property
    def has_noise(self) -> bool:
        """Whether noise is added."""
        return self.noise_std > 0 or self.snr is not None
