"""The `mrirecon` command: each sub-command is a thin call of the package."""

from mrirecon.cli.app import main

__all__ = ["main"]
