"""Scores, curves and images as one HTML page; formatting only, nothing is computed anew."""

from mrirecon.report.content import ReportContent, ReportSection, ReportTestSet
from mrirecon.report.inspection_page import render_inspection, write_inspection
from mrirecon.report.paper_tables import write_paper_tables
from mrirecon.report.strategies_page import render_strategies, write_strategies
from mrirecon.report.write import render_report, write_report

__all__ = [
    "ReportContent",
    "ReportSection",
    "ReportTestSet",
    "render_inspection",
    "render_report",
    "render_strategies",
    "write_inspection",
    "write_paper_tables",
    "write_report",
    "write_strategies",
]
