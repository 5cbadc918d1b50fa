"""Scores, curves and images as one HTML page; formatting only, nothing is computed anew."""

from mrirecon.report.content import ReportContent, ReportSection, ReportTestSet
from mrirecon.report.write import render_report, write_report

__all__ = [
    "ReportContent",
    "ReportSection",
    "ReportTestSet",
    "render_report",
    "write_report",
]
