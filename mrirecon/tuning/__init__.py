"""Search the configuration that validates best."""

from mrirecon.tuning.pictures import draw_study
from mrirecon.tuning.space import Choice, Range, Space, read_space
from mrirecon.tuning.study import Report, RunTrial, Tuned, tune

__all__ = [
    "Choice",
    "Range",
    "Report",
    "RunTrial",
    "Space",
    "Tuned",
    "draw_study",
    "read_space",
    "tune",
]
