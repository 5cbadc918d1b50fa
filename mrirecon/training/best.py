"""Which validation was the best one, and how many have passed since."""

from collections.abc import Iterable, Mapping

from mrirecon.training.log import Record


class BestScore:
    """Follow one score over the validations of a run; higher is better.

    Its state is a function of the log, so that a resumed run decides as one that never stopped.

    Args:
        name: of the score, as `validate` returns it.
        patience: validations without a better one after which the run has had enough; None: any.
        records: of the log so far.
    """

    step: int | None
    """Steps done at the best validation; None before the first."""

    def __init__(self, name: str, patience: int | None, records: Iterable[Record]) -> None:
        self.step = None
        self._name = name
        self._patience = patience
        self._value = 0.0
        self._since = 0
        for record in records:
            if f"validation.{name}" in record:
                self._compare(record["step"], record[f"validation.{name}"])

    def update(self, step: int, scores: Mapping[str, float]) -> bool:
        """Take note of a validation.

        Args:
            step: steps done.
            scores: that `validate` returned.

        Returns:
            Whether it is the best so far.

        Raises:
            ValueError: it has no score of that name.
        """
        if self._name not in scores:
            there = ", ".join(scores) or "none"
            raise ValueError(
                f"best_by: expected a score of the validation ({there}), got {self._name!r}"
            )
        return self._compare(step, scores[self._name])

    @property
    def is_exhausted(self) -> bool:
        """Whether patience has run out."""
        return self._patience is not None and self._since >= self._patience

    def _compare(self, step: int, value: float) -> bool:
        if self.step is None or value > self._value:
            self.step, self._value, self._since = step, value, 0
            return True
        self._since += 1
        return False
