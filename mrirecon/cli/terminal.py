"""The terminal: one console, and the bar of work that counts items."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

console = Console()


def say(text: str) -> None:
    """Print a line as it is: no markup, no colours, no wrapping of paths."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def progress_bar(description: str) -> Progress:
    """Return a bar for work that counts items; it shows nothing where output is no terminal."""
    return Progress(
        TextColumn(description),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
