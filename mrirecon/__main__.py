"""`python -m mrirecon` is `mrirecon`, for launchers that take a module."""

from mrirecon.cli import main

main()
