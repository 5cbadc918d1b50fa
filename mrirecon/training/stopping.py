"""End a training run in good order when the system or the user asks it to stop."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

_SIGNALS = (signal.SIGTERM, signal.SIGINT)  # a cluster's time limit, Ctrl-C


class TrainingStopped(KeyboardInterrupt):
    """A signal stopped the run, after its last step was saved.

    Attributes:
        signal_number: of the signal.
        step: steps done and saved.
    """

    def __init__(self, signal_number: int, step: int) -> None:
        name = signal.Signals(signal_number).name
        super().__init__(f"stopped by {name} after step {step}, which is saved; go on by --resume")
        self.signal_number = signal_number
        self.step = step


class StopRequest:
    """Notice SIGTERM and SIGINT while a step is going on, instead of being torn out of it.

    A second signal acts at once, as without this. Outside the main thread, where Python handles
    no signals, nothing is noticed.
    """

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self._before: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.getsignal(number) for number in _SIGNALS}
            for number in _SIGNALS:
                signal.signal(number, self._notice)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def _notice(self, number: int, _frame: FrameType | None) -> None:
        self.signal_number = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
