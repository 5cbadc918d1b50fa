"""What a report tells: plain data that the commands fill and `write_report` only formats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrirecon.evaluation import Evaluation, Example


@dataclass(frozen=True)
class ReportTestSet:
    """A test set's scores and the slices to show of it.

    Attributes:
        evaluation: scores, with the test set's name, description, protocol and sampling.
        examples: slices with their images, as `collect_examples` gives them; at least one, since
            the mask is shown from the first.
    """

    evaluation: Evaluation
    examples: Sequence[Example]

    def __post_init__(self) -> None:
        """Refuse a test set of which nothing can be shown.

        Raises:
            ValueError: no example; the message names the test set.
        """
        if not self.examples:
            name = self.evaluation.name
            raise ValueError(f"examples: expected at least one of {name!r}, got none")


@dataclass(frozen=True)
class ReportSection:
    """One model under one sampling.

    Attributes:
        title: short, for the heading and the overview ("4x lines").
        description: the model, its training and the sampling, in a few sentences.
        test_sets: what it was scored on; at least one.
        metrics_log: metrics.jsonl of the training, for the loss curves; None if there is none.
        configuration: the full configuration as text (YAML).
    """

    title: str
    description: str
    test_sets: Sequence[ReportTestSet]
    metrics_log: Path | None
    configuration: str

    def __post_init__(self) -> None:
        """Refuse a section without scores.

        Raises:
            ValueError: no test set; the message names the section.
        """
        if not self.test_sets:
            raise ValueError(f"test_sets: expected at least one in {self.title!r}, got none")


@dataclass(frozen=True)
class ReportContent:
    """Everything in a report.

    Attributes:
        title: heading of the page.
        introduction: what was asked and done, in a few sentences.
        sections: one for each model or sampling; at least one.
        command: the command that made the report, as it was typed.
        seed: of masks, noise and training.
        versions: version of each piece of software and name of the device, by name.
        created: when, as text; the caller's clock, so that equal content gives equal pages.
    """

    title: str
    introduction: str
    sections: Sequence[ReportSection]
    command: str
    seed: int
    versions: Mapping[str, str]
    created: str

    def __post_init__(self) -> None:
        """Refuse an empty report.

        Raises:
            ValueError: no section.
        """
        if not self.sections:
            raise ValueError("sections: expected at least one, got none")
