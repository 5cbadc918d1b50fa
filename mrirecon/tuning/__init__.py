"""Search the configuration that validates best."""

from mrirecon.tuning.pictures import draw_study
from mrirecon.tuning.rates import RateSearch, draw_rates, search_rates
from mrirecon.tuning.space import Choice, Range, Space, read_space
from mrirecon.tuning.study import Report, RunTrial, Tuned, tune

__all__ = [
    "Choice",
    "Range",
    "RateSearch",
    "Report",
    "RunTrial",
    "Space",
    "Tuned",
    "draw_rates",
    "draw_study",
    "read_space",
    "search_rates",
    "tune",
]
