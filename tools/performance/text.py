"""Numbers and tables as they are written in Markdown."""

from collections.abc import Iterable


def ms(value: float | None) -> str:
    """Write milliseconds with three digits, never with an exponent."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ratio(value: float | None) -> str:
    """Write how many times: two digits behind the point below ten."""
    if value is None:
        return ""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def comma(value: float) -> str:
    """Write a count of images a second; nothing for none."""
    return "" if not value else f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """Write a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
