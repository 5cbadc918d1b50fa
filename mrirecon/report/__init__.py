"""Scores, curves and images as one HTML page; formatting only, nothing is computed anew."""

from mrirecon.report.content import ReportContent, ReportSection, ReportTestSet
from mrirecon.report.inspection_page import render_inspection, write_inspection
from mrirecon.report.paper_tables import write_paper_tables
from mrirecon.report.runs_page import best_of, render_runs, validation_row, write_runs
from mrirecon.report.strategies_page import render_strategies, write_strategies
from mrirecon.report.write import render_report, write_report

__all__ = [
    "ReportContent",
    "ReportSection",
    "ReportTestSet",
    "best_of",
    "render_inspection",
    "render_report",
    "render_runs",
    "render_strategies",
    "validation_row",
    "write_inspection",
    "write_paper_tables",
    "write_report",
    "write_runs",
    "write_strategies",
]
