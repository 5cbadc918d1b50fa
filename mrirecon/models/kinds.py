"""Configurations that are one of several kinds, told apart by the key `kind` in a file."""

from typing import Any

from pydantic import BeforeValidator


def kind_if_missing(kind: str) -> BeforeValidator:
    """Return what takes a mapping without a `kind` for one of that kind, when a file is read.

    Runs saved before there were several kinds have no such key, and a file need not name what it
    does not change.
    """

    def add_kind(values: Any) -> Any:
        if isinstance(values, dict) and "kind" not in values:
            return {"kind": kind, **values}
        return values

    return BeforeValidator(add_kind)


def describe_kind(config: Any) -> str:
    """Say in a phrase what a configuration describes: its kind, then its options."""
    options = [(name, value) for name, value in vars(config).items() if name != "kind"]
    return f"{config.kind} ({', '.join(_describe_option(*option) for option in options)})"


def _describe_option(name: str, value: Any) -> str:
    words = name.removeprefix("n_").replace("_", " ")
    return f"{words} {describe_kind(value) if hasattr(value, 'kind') else value}"
