"""A progress bar for a training run."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class TrainingProgress:
    """Show step, losses, images per second and time left; nothing where there is no terminal.

    Args:
        steps: in all.
        done: steps that were done before.
        is_shown: tell anything at all; of several processes one does.
        console: where to draw.
    """

    def __init__(
        self, steps: int, done: int, *, is_shown: bool = True, console: Console | None = None
    ) -> None:
        console = console or Console(stderr=True, quiet=not is_shown)
        self._progress = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("training", total=steps, completed=done, text="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def tell(self, text: str) -> None:
        """Print a line above the bar, also where there is no terminal."""
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def update(self, step: int, terms: dict[str, float], images_per_second: float) -> None:
        """Show the state after a step."""
        losses = "  ".join(f"{name} {value:.4g}" for name, value in terms.items())
        self._progress.update(
            self._task, completed=step, text=f"{images_per_second:.1f} images/s  {losses}"
        )
