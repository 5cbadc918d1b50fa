"""Whether a run goes on from a checkpoint of its own, made by this version or an older one."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from mrirecon.models import GeneratorConfig, PatchDiscriminatorConfig
from mrirecon.training.config import MAY_CHANGE_ON_RESUME, TrainingConfig

_DEFAULTS: dict[str, dict[str, Any]] = {
    "generator": GeneratorConfig().to_dict(),
    "discriminator": asdict(PatchDiscriminatorConfig()),
    "training": TrainingConfig().to_dict(),
}


def check_same_run(path: Path, saved: dict[str, Any], current: dict[str, Any]) -> None:
    """Compare the configurations of a checkpoint with those of the run that goes on from it.

    Args:
        path: of the checkpoint's description.
        saved: its "generator", "discriminator" (or None) and "training", as plain values.
        current: the run's, alike; may differ in `MAY_CHANGE_ON_RESUME` only.

    Raises:
        ValueError: an option differs; names it, `path` and both values.
    """
    for part in ("generator", "discriminator", "training"):
        old, new = _flatten(saved[part]), _flatten(current[part])
        if saved[part] is not None:  # an option that is newer than the run was at its default
            defaults = _flatten(_DEFAULTS[part])
            old |= {key: defaults.get(key) for key in new.keys() - old.keys()}
        for key in sorted(old.keys() | new.keys()):
            if part == "training" and key in MAY_CHANGE_ON_RESUME:
                continue
            if old.get(key) != new.get(key):
                raise ValueError(
                    f"{part}.{key}: expected {old.get(key)!r} as in {path}, got {new.get(key)!r}"
                )


def _flatten(options: dict[str, Any] | None) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in (options or {}).items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": inner for name, inner in _flatten(value).items()}
        else:
            flat[key] = list(value) if isinstance(value, tuple) else value  # as JSON has it
    return flat
