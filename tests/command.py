"""What a command line printed, for the tests of commands."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """Output and exit status of a command."""

    status: int
    out: str
    err: str


Command = Callable[..., Result]
