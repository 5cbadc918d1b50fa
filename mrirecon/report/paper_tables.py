"""The scores as tables for a paper: Markdown, and LaTeX with booktabs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from mrirecon.evaluation import METRICS, Evaluation
from mrirecon.files import atomic_path
from mrirecon.report.tables import METRIC_LABELS, Cell, Table, image_subjects, score_table

MARKDOWN, LATEX = "tables.md", "tables.tex"
_MARKDOWN_SPECIAL = "\\`*_{}[]<>#|~$"
_LATEX_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "\N{MINUS SIGN}": "$-$",
    "\N{EN DASH}": "--",
    "\N{INFINITY}": r"$\infty$",
} | {sign: f"\\{sign}" for sign in "&%$#_{}"}

Titled = tuple[str, Evaluation]


@dataclass(frozen=True)
class _Group:
    """The samplings of one test set, which make one table: their titles and scores."""

    name: str
    caption: str
    tables: Sequence[tuple[str, Table]]


def write_paper_tables(folder: Path, evaluations: Sequence[Titled]) -> None:
    """Write tables.md and tables.tex: a table for each test set, a row for each method.

    Args:
        folder: where to write them.
        evaluations: each with the title of its sampling.

    Raises:
        OSError: a file cannot be written.
    """
    for name, render in ((MARKDOWN, render_markdown), (LATEX, render_latex)):
        with atomic_path(folder / name) as temporary:
            temporary.write_text(render(evaluations), encoding="utf-8")


def render_markdown(evaluations: Sequence[Titled]) -> str:
    """Make the Markdown of `write_paper_tables`; equal scores give equal text."""
    parts = []
    for group in _group(evaluations):
        lines = [f"**{escape_markdown(group.name)}.** {escape_markdown(group.caption)}", ""]
        headings = ["sampling", "method", *(METRIC_LABELS[metric] for metric in METRICS)]
        lines += [_markdown_row(headings), _markdown_row(["---", "---", *["---:"] * len(METRICS)])]
        rows = _rows(group, escape_markdown, "**{}**".format)
        parts.append("\n".join([*lines, *map(_markdown_row, rows)]) + "\n")
    return "\n".join(parts)


def render_latex(evaluations: Sequence[Titled]) -> str:
    """Make the LaTeX of `write_paper_tables`, for a document that loads booktabs."""
    parts = [f"% \\usepackage{{booktabs}}, \\input{{{LATEX.removesuffix('.tex')}}}\n"]
    for number, group in enumerate(_group(evaluations), start=1):
        headings = ["Sampling", "Method", *(escape_latex(METRIC_LABELS[m]) for m in METRICS)]
        rows = _rows(group, escape_latex, r"\textbf{{{}}}".format)
        starts = [place for place, row in enumerate(rows) if row[0]]
        blocks = [rows[a:b] for a, b in pairwise([*starts, len(rows)])]
        body = "\n\\midrule\n".join("\n".join(map(_latex_row, block)) for block in blocks)
        parts.append(
            "\\begin{table}\n\\centering\n"
            f"\\caption{{{escape_latex(f'{group.name}. {group.caption}')}}}\n"
            f"\\label{{tab:scores-{number}}}\n"
            f"\\begin{{tabular}}{{ll{'r' * len(METRICS)}}}\n\\toprule\n"
            f"{_latex_row(headings)}\n\\midrule\n{body}\n\\bottomrule\n"
            "\\end{tabular}\n\\end{table}\n"
        )
    return "\n".join(parts)


def escape_markdown(text: str) -> str:
    """Keep a text from being read as Markdown or HTML, on one line."""
    line = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in _MARKDOWN_SPECIAL else sign for sign in line)


def escape_latex(text: str) -> str:
    """Keep a text from being read as commands, on one line; signs that no font has are dropped."""
    line = " ".join(text.split())
    return "".join(_LATEX_SPECIAL.get(sign, sign) for sign in line if sign.isprintable())


def _group(evaluations: Sequence[Titled]) -> list[_Group]:
    found: dict[tuple[str, str], list[Titled]] = {}
    for title, evaluation in evaluations:
        found.setdefault((evaluation.name, evaluation.protocol.name), []).append(
            (title, evaluation)
        )
    return [
        _Group(
            name=own[0][1].name,
            caption=_caption(own[0][1]),
            tables=[(title, score_table(evaluation)) for title, evaluation in own],
        )
        for own in found.values()
    ]


def _caption(evaluation: Evaluation) -> str:
    n = len({score.subject for score in image_subjects(evaluation)})
    interval = (
        f"in brackets the 95 % bootstrap interval (BCa) of the mean over {n} subjects"
        if n > 1
        else "one subject, hence no interval"
    )
    return (
        f"Mean scores by the protocol {evaluation.protocol.name} "
        f"({evaluation.protocol.statement.rstrip('.')}); {interval}. Best mean of a sampling in "
        f"bold. {evaluation.kspace_statement}"
    )


def _rows(
    group: _Group, escape: Callable[[str], str], embolden: Callable[[str], str]
) -> list[list[str]]:
    """Lay out a group's rows; the sampling stands in its first row alone."""
    rows = []
    for title, table in group.tables:
        for place, row in enumerate(table.rows):
            cells = [_write_cell(row.cells[metric], escape, embolden) for metric in METRICS]
            rows.append([escape(title) if place == 0 else "", escape(row.method), *cells])
    return rows


def _write_cell(cell: Cell, escape: Callable[[str], str], embolden: Callable[[str], str]) -> str:
    mean = embolden(escape(cell.mean)) if cell.is_best else escape(cell.mean)
    interval = f"[{cell.interval.replace(' to ', ', ')}]" if cell.interval else ""
    return f"{mean} {escape(interval)}".rstrip()


def _markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _latex_row(cells: Sequence[str]) -> str:
    return f"{' & '.join(cells)} \\\\"
