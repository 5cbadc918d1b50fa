"""One YAML file describes a run; it is checked as a whole before anything starts."""

from collections.abc import Sequence
from dataclasses import is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, Self, get_args, get_origin, get_type_hints

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from mrirecon.files import atomic_path
from mrirecon.models import GeneratorConfig, PatchDiscriminatorConfig
from mrirecon.sampling import MixtureConfig, SamplingConfig, TrajectoryConfig, Undersampling
from mrirecon.training import TrainingConfig

_RENAMED = {
    "training.noise_std": "training.simulation.noise_std",
    "sampling.density": "sampling.strategy",
}
"""Keys that configurations of runs made before may have, and what they are called now."""


class RunConfig(BaseModel):
    """What a training run is: data, undersampling, models, optimisation.

    Attributes:
        store: slice store made by `mrirecon prepare`; relative to the working folder.
        sampling: how k-space is undersampled on the grid.
        trajectory: how it is undersampled off the grid, instead; None for on it.
        mixture: several ways at once, instead of one; None for one.
        generator: the network and its data consistency.
        discriminator: the network it is trained against.
        training: losses, optimiser, length and logging.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    store: Path
    sampling: SamplingConfig = SamplingConfig()
    trajectory: TrajectoryConfig | None = None
    mixture: MixtureConfig | None = None
    generator: GeneratorConfig = GeneratorConfig()
    discriminator: PatchDiscriminatorConfig = PatchDiscriminatorConfig()
    training: TrainingConfig = TrainingConfig()

    @property
    def undersampling(self) -> Undersampling | MixtureConfig:
        """What is measured: by the mixture or along the trajectory if any, else by the sampling."""
        return self.mixture or self.trajectory or self.sampling

    @model_validator(mode="after")
    def _refuse_both(self) -> Self:
        has_sampling = self.sampling != SamplingConfig()
        if self.trajectory is not None and has_sampling:
            raise ValueError("trajectory: expected none beside a sampling on the grid, got both")
        if self.mixture is not None and (has_sampling or self.trajectory is not None):
            beside = "sampling" if has_sampling else "trajectory"
            raise ValueError(f"mixture: expected none beside a {beside}, got both")
        return self


def load_config(path: Path | None, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a configuration and apply overrides to it.

    Args:
        path: YAML file; None starts from the defaults.
        overrides: "key.key=value" each, the value as YAML, applied in order.

    Raises:
        ValueError: the file is no YAML mapping, or a key is unknown or has a wrong value; the
            message names file and key.
        OSError: the file cannot be read.

    Examples:
        >>> from mrirecon.config import load_config
        >>> config = load_config(None, ["store=store.h5", "training.steps=500"])
        >>> config.training.steps, config.sampling.strategy
        (500, 'variable_density')
    """
    values = _read_yaml(path) if path else {}
    for override in overrides:
        _apply_override(values, override)
    return parse_config(values, name=str(path) if path else "configuration")


def parse_config(values: dict[str, Any], *, name: str) -> RunConfig:
    """Check a mapping; `name` stands before each error.

    Raises:
        ValueError: a key is unknown, missing or has a wrong value.
    """
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        problems = [_describe(dict(problem)) for problem in error.errors()]
        raise ValueError(f"{name}: {'; '.join(problems)}") from None


def config_to_yaml(config: RunConfig) -> str:
    """Return the full configuration, defaults included, as YAML."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def save_config(config: RunConfig, path: Path) -> None:
    """Write the full configuration, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(config_to_yaml(config), encoding="utf-8")


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected YAML, got {' '.join(str(error).split())}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ValueError(f"{path}: expected keys and values, got {type(values).__name__}")
    return values


def _apply_override(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ValueError(f"--set: expected key=value, got {override!r}")
    *parents, last = key.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise ValueError(f"--set {key}: {parent} has no keys below it")
    values[last] = yaml.safe_load(text)


def _describe(problem: dict[str, Any]) -> str:
    """Say one problem with the key's full name, and what was meant if a key is misspelt."""
    path, known = _follow([part for part in problem["loc"] if isinstance(part, str)])
    key = ".".join(path)
    if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        if key in _RENAMED:
            return f"unknown key {key}, which is {_RENAMED[key]} now"
        close = get_close_matches(path[-1], known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
        return f"unknown key {key} ({hint})"
    if problem["type"] in ("missing", "missing_argument"):
        return f"missing key {key}"
    if problem["type"] == "union_tag_invalid":
        context = problem["ctx"]
        return f"{key}.kind: expected {context['expected_tags']}, got {context['tag']!r}"
    message = problem["msg"].removeprefix("Value error, ")
    return (
        f"{key}: {message}, got {problem['input']!r}"
        if "got" not in message
        else (f"{key}.{message}" if key else message)
    )


def _follow(location: list[str]) -> tuple[list[str], list[str]]:
    """Follow pydantic's location of a problem: which keys, and which the last had beside it.

    Where a configuration is of several kinds, the kind stands in the location between the keys.
    """
    path, known, levels = [], [], [RunConfig]
    for part in location:
        of_kind = [level for level in levels if getattr(level, "kind", None) == part]
        if len(levels) > 1 and of_kind:
            levels = of_kind
            continue
        hints = get_type_hints(levels[0]) if levels else {}
        known = sorted(name for name, hint in hints.items() if get_origin(hint) is not ClassVar)
        path.append(part)
        levels = _classes(hints.get(part))
    return path, known


def _classes(hint: Any) -> list[Any]:
    """Return the configurations that a key may hold."""
    return [member for member in get_args(hint) or [hint] if is_dataclass(member)]
