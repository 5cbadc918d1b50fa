"""Tables for a paper: read again, escaped, and compiled where there is a TeX."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from evaluation_cases import make_dataset, make_evaluation

from mrirecon.evaluation import Evaluation, aggregate
from mrirecon.report.paper_tables import (
    escape_latex,
    escape_markdown,
    render_latex,
    render_markdown,
    write_paper_tables,
)

HOSTILE = r"50%_of {a} \input{/etc/passwd} #1 $x^2$ ~<b>|&" + "\n\\end{table}"


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return make_evaluation(make_dataset(tmp_path_factory.mktemp("store")))


def table_rows(markdown: str) -> list[list[str]]:
    """Cells of a Markdown table's rows, its two heading rows left out."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [re.split(r" \| ", line.removeprefix("| ").removesuffix(" |")) for line in lines[2:]]


def test_markdown_holds_means_with_intervals_and_the_best_in_bold(scored: Evaluation) -> None:
    text = render_markdown([("lines, 4x", scored)])
    statistics = aggregate(scored.scores)
    rows = table_rows(text)
    assert len(rows) == len(scored.methods)
    best = max(scored.methods, key=lambda method: statistics[method]["ssim"].mean)
    for row, method in zip(rows, scored.methods, strict=True):
        mean = f"{statistics[method]['ssim'].mean:.4f}"
        assert row[-3].startswith(f"**{mean}**" if method == best else mean)
        assert re.search(r"\\\[0\.\d{4}, 0\.\d{4}\\\]$", row[-3])
    assert rows[0][0] == "lines, 4x"
    assert "protocol per\\_slice" in text
    assert "of the mean over 2 subjects" in text


def test_latex_has_the_same_rows_between_the_lines_of_booktabs(scored: Evaluation) -> None:
    text = render_latex([("lines, 4x", scored), ("lines, 8x", scored)])
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 1  # of one test set
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    assert body.count(r"\midrule") == 2  # below the heading, and between the samplings
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 1 + 2 * len(scored.methods)
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {4}
    assert text.count(r"\textbf{") == 2 * 3  # samplings, metrics
    assert r"protocol per\_slice" in text


def test_test_sets_and_protocols_get_tables_of_their_own(scored: Evaluation) -> None:
    other = replace(scored, name="knees")
    assert render_latex([("4x", scored), ("4x", other)]).count(r"\begin{tabular}") == 2


def test_one_subject_has_no_interval(tmp_path: Path) -> None:
    one = make_evaluation(make_dataset(tmp_path, names=("anna",)))
    text = render_markdown([("4x", one)])
    assert "one subject, hence no interval" in text
    assert "[" not in "".join(cell for row in table_rows(text) for cell in row)


@pytest.mark.parametrize("sign", list("&%$#_{}"))
def test_signs_of_latex_are_escaped(sign: str) -> None:
    assert escape_latex(f"a{sign}b") == f"a\\{sign}b"


def test_a_backslash_is_text_in_both() -> None:
    assert escape_latex("\\end{x}") == r"\textbackslash{}end\{x\}"
    assert escape_markdown("\\a *b* <i>\nc") == r"\\a \*b\* \<i\> c"


def test_hostile_names_stay_on_their_line(scored: Evaluation) -> None:
    hostile = replace(scored, name=HOSTILE)
    latex, markdown = (render([(HOSTILE, hostile)]) for render in (render_latex, render_markdown))
    assert latex.count(r"\end{table}") == 1
    assert r"\input{/etc" not in latex
    assert {len(row) for row in table_rows(markdown)} == {5}


def test_latex_compiles_where_there_is_a_tex(scored: Evaluation, tmp_path: Path) -> None:
    """Without a TeX the braces and environments are counted, which a broken escape upsets."""
    write_paper_tables(tmp_path, [(HOSTILE, replace(scored, name=HOSTILE)), ("4x", scored)])
    text = (tmp_path / "tables.tex").read_text("utf-8")
    for environment in ("table", "tabular"):
        assert text.count(f"\\begin{{{environment}}}") == text.count(f"\\end{{{environment}}}") == 2
    bare = re.sub(r"\\[\\{}]", "", text)
    assert bare.count("{") == bare.count("}")
    tex = shutil.which("pdflatex")
    if tex is None:
        return
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{booktabs}"
        "\\begin{document}\\input{tables}\\end{document}\n"
    )
    ran = subprocess.run(
        [tex, "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-2000:]
    assert (tmp_path / "paper.pdf").stat().st_size > 10_000
