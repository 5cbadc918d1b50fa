"""Map a function over items in processes: results in order, few at a time, none left behind.

The pools of Python's library hold every result that is ready, wait for ever for a process that was
killed, or leave processes behind when their own is killed. Here each process has a pipe of which
nobody else holds an end, so that each side sees when the other has ended.
"""

import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_order(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    n_workers: int,
    *,
    name_of: Callable[[Item], str] = str,
) -> Generator[Result]:
    """Give the function's result for every item, in the order of the items.

    Beside the result that is in use, `n_workers` others at most are made or held. An error comes at
    its item's turn, as from a loop. Close the iterator to end the processes early.

    Args:
        function: can be pickled, as its items and results.
        items: what it is called with.
        n_workers: processes; 1 makes all in this one. More of them import the program's main
            module, which must do nothing on import (`if __name__ == "__main__"`).
        name_of: names the item of which a process died.

    Yields:
        Result of the function.

    Raises:
        Exception: what the function raised; a note tells where.
        ChildProcessError: a process died, as of lack of memory.
    """
    if n_workers == 1 or len(items) < 2:
        yield from map(function, items)
        return
    with _Crew(function, items, min(n_workers, len(items)), name_of) as crew:
        for place in range(len(items)):
            yield crew.result(place)


class _Crew(Generic[Item, Result]):
    """Processes that work on items some places ahead of what is asked for."""

    def __init__(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        n_workers: int,
        name_of: Callable[[Item], str],
    ) -> None:
        self._items, self._name_of = items, name_of
        self._handed_out = 0
        self._done: dict[int, Result | Exception] = {}
        self._busy: dict[Connection, int] = {}
        self._processes = {}
        _start_server()
        for _ in range(n_workers):
            ours, theirs = get_context("forkserver").Pipe()
            process = get_context("forkserver").Process(
                target=_serve, args=(theirs, function), daemon=True
            )
            process.start()
            theirs.close()
            self._processes[ours] = process
        self._idle = list(self._processes)

    def __enter__(self) -> Self:
        """Give the crew."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes, whatever they are at."""
        for connection, process in self._processes.items():
            connection.close()
            process.terminate()
        for process in self._processes.values():
            process.join()

    def result(self, place: int) -> Result:
        """Wait for the result of an item, while every process has something to do."""
        while True:
            self._hand_out(place + len(self._processes) + 1)
            if place in self._done:
                break
            self._collect()
        result = self._done.pop(place)
        if isinstance(result, Exception):
            raise result
        return result

    def _hand_out(self, limit: int) -> None:
        while self._idle and self._handed_out < min(limit, len(self._items)):
            connection = self._idle.pop()
            self._busy[connection] = self._handed_out
            with suppress(BrokenPipeError):  # told of when its result is missing
                connection.send(self._items[self._handed_out])
            self._handed_out += 1

    def _collect(self) -> None:
        for connection in wait(list(self._busy)):
            assert isinstance(connection, Connection)
            place = self._busy.pop(connection)
            try:
                self._done[place] = _receive(connection)
            except (EOFError, ConnectionResetError) as error:
                process = self._processes[connection]
                process.join()
                raise ChildProcessError(
                    f"{self._name_of(self._items[place])}: the process that worked on it died "
                    f"(exit code {process.exitcode}); where memory is short, take fewer (--workers)"
                ) from error
            self._idle.append(connection)


def _start_server() -> None:
    """Start the process that the others are forked from, deaf to Ctrl-C as they are.

    It imports what this one has of the package, which they share then, in memory too.
    """
    forkserver.set_forkserver_preload([name for name in sys.modules if name.startswith("mrirecon")])
    resource_tracker.ensure_running()  # it would let Ctrl-C in again
    with _without_interrupts():
        forkserver.ensure_running()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back; from processes that are started meanwhile, for good."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection, function: Callable[[Item], Result]) -> None:
    """Answer items with results or errors, until the other side closes the pipe."""
    with suppress(EOFError, ConnectionError):
        while True:
            item = connection.recv()
            answer: Result | Exception
            try:
                answer = function(item)
            except Exception as error:
                error.add_note(traceback.format_exc())
                answer = error
            _send(connection, answer)


def _send(connection: Connection, answer: object) -> None:
    """Send arrays one by one behind the rest, so that no copy of all of them is made."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(answer, protocol=5, buffer_callback=buffers.append)
    connection.send((head, len(buffers)))
    for buffer in buffers:
        connection.send_bytes(buffer.raw())


def _receive(connection: Connection) -> Result | Exception:
    head, n_buffers = connection.recv()
    answer: Result | Exception = pickle.loads(
        head, buffers=[connection.recv_bytes() for _ in range(n_buffers)]
    )
    return answer
