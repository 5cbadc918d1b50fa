"""A small report, and a page read as a browser reads it, for the tests of pages."""

import json
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from evaluation_cases import CPU, SAMPLING, make_dataset, make_evaluation, make_reconstructors
from playwright.sync_api import Page as BrowserPage

from mrirecon.evaluation import collect_examples
from mrirecon.report import ReportContent, ReportSection, ReportTestSet
from mrirecon.sampling import Undersampling

OpenPage = Callable[..., BrowserPage]
"""Opens a file in the browser, with the options of Playwright's `new_context`."""
HOSTILE = "\"'><img src=x onerror=alert(1)></option></script><script>alert('x')</script>"
"""It closes attributes, options and scripts, and runs a script in two ways."""
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Collects tags, the addresses that a page asks for, and its text; checks the nesting."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.targets: set[str] = set()
        self.text = ""
        self.scripts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [v for k, v in attrs if k in ("src", "href", "srcset", "data") and v]
        self.targets |= {f"#{v}" for k, v in attrs if k == "id"}
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["script"]:
            self.scripts.append(data)
        else:
            self.text += data


def make_content(
    folder: Path,
    *,
    subject: str = "anna",
    protocol: str = "per_slice",
    n_sections: int = 1,
    sampling: Undersampling = SAMPLING,
) -> ReportContent:
    dataset = make_dataset(folder, names=(subject, "bert"))
    evaluation = make_evaluation(dataset, protocol=protocol, sampling=sampling)
    examples = collect_examples(
        make_reconstructors(), dataset, evaluation, batch_size=4, device=CPU
    )
    log = folder / "metrics.jsonl"
    lines = [json.dumps({"step": step, "generator_l1": 1 / step}) for step in range(1, 60)]
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    section = ReportSection(
        title="lines, 2.5x",
        description="A small network.",
        test_sets=[ReportTestSet(evaluation, examples)],
        metrics_log=log,
        configuration="sampling:\n  strategy: random\n",
    )
    return ReportContent(
        title="A report",
        introduction="What was done.",
        sections=[section] * n_sections,
        command="mrirecon evaluate runs/small",
        seed=5,
        versions={"torch": "2.13.0"},
        created="today",
    )


def make_hostile(content: ReportContent) -> ReportContent:
    """Put hostile text wherever a report holds text of a person or of a file."""
    section = content.sections[0]
    test_set = section.test_sets[0]
    evaluation = replace(test_set.evaluation, name=HOSTILE, description=HOSTILE)
    return replace(
        content,
        title=HOSTILE,
        introduction=HOSTILE,
        command=HOSTILE,
        versions={HOSTILE: HOSTILE},
        created=HOSTILE,
        sections=[
            replace(
                section,
                title=HOSTILE,
                description=HOSTILE,
                configuration=HOSTILE,
                test_sets=[replace(test_set, evaluation=evaluation)],
            )
        ],
    )
