"""Watch the balance of generator and discriminator, and say when one of them has lost."""

import math
from collections import deque
from collections.abc import Iterable

from mrirecon.losses import AdversarialKind
from mrirecon.training.log import Record

WINDOW = 50  # steps of the running means; a single batch of a few images says little
_GUESSING = 0.55  # share of images told apart; a guess tells half of them
_MARGIN = {"hinge": 2.0, "least-squares": 1.0}
"""Between the logits that a discriminator aims at for real and for fake images. Wasserstein's has
no aim, and its gradient does not vanish where it wins."""
_WINNING = 0.4  # of the margin, on average: much of an image is background, the same in both
_ADVICE = {
    "blind": (
        "the discriminator guesses, so that the generator learns nothing from it: unless its "
        "images are perfect, raise discriminator_learning_rate or the discriminator's width"
    ),
    "winning": (
        "the discriminator is so sure that the generator learns little from it: lower "
        "discriminator_learning_rate, or raise losses.r1 or losses.gradient_penalty"
    ),
}


class BalanceMonitor:
    """Follow running means of what the discriminator tells apart, and of how far.

    Args:
        kind: of the adversarial loss.
        records: of the steps before, so that a resumed run warns as one that was never stopped.
    """

    def __init__(self, kind: AdversarialKind, records: Iterable[Record] = ()) -> None:
        self._sure = _WINNING * _MARGIN.get(kind, math.inf)
        self._recent: deque[tuple[float, float]] = deque(maxlen=WINDOW)
        self._state = "even"
        for record in records:
            self.update(record)

    def update(self, record: Record) -> str | None:
        """Take the record of a step.

        Args:
            record: its terms by name; one without those of a discriminator changes nothing.

        Returns:
            A warning, in one line, at the step where the means of the last `WINDOW` steps begin
            to tell of a lost game; otherwise None.
        """
        if "separation" not in record:
            return None
        self._recent.append((record["separation"], record["logit_real"] - record["logit_fake"]))
        if len(self._recent) < WINDOW:
            return None
        share, gap = (sum(values) / WINDOW for values in zip(*self._recent, strict=True))
        before, self._state = self._state, self._judge(share, gap)
        if self._state in (before, "even"):
            return None
        return (
            f"over {WINDOW} steps {100 * share:.0f} % of the images were told apart, by "
            f"{gap:.2g} on average: {_ADVICE[self._state]}"
        )

    def _judge(self, share: float, gap: float) -> str:
        if gap > self._sure:
            return "winning"
        return "blind" if share < _GUESSING else "even"
