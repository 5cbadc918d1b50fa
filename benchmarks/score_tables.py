"""Write the tables of scores in README.md and docs/quality.md from benchmarks/results/*.json.

A table stands between `<!-- NAME: ... -->` and `<!-- end of NAME -->`; tests/test_readme.py fails
where it is not what the files give.

Usage: python benchmarks/score_tables.py
"""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULT, GAN = "network + data consistency", "GAN"
CLASSICAL = {"total variation": "total variation", "l1-wavelet": "wavelets", "SENSE": "SENSE"}
MASKS = {"variable_density": "1-D lines", "variable_density_2d": "2-D points"}
ORDINALS = ("first", "second", "third", "fourth")
Json = dict[str, Any]


def read(name: str) -> Json:
    """Read a file of benchmarks/results."""
    path = ROOT / "benchmarks" / "results" / f"{name}.json"
    content: Json = json.loads(path.read_text(encoding="utf-8"))
    return content


def table(*rows: list[str]) -> str:
    """Join rows, the first of which is the head."""
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])


def pair(scores: Json, digits: int = 2) -> str:
    """Show SSIM and PSNR, from values or from their summaries."""
    ssim, psnr = (s["mean"] if isinstance(s, dict) else s for s in scores.values())
    return f"{ssim:.3f} / {psnr:.{digits}f}"


def quality(result: Json) -> str:
    """Introduce and show the scores of the best classical method and of the network."""
    rows = [["sampling", "zero-filled", "best classical method", "unrolled network", "trained for"]]
    for number, sampling in enumerate(result["samplings"]):
        methods = sampling["methods"]
        best = max(CLASSICAL, key=lambda name: methods[name]["psnr_db"]["mean"])
        minutes = f"{sampling['training']['cpu_minutes']:.1f}"
        rows.append(
            [
                sampling["title"],
                pair(next(iter(methods.values()))),
                f"{pair(methods[best])} ({CLASSICAL[best]})",
                f"**{pair(methods[RESULT])}**",
                f"{minutes}, from the {ORDINALS[number - 1]}"
                if number
                else f"{minutes} minutes on one core",
            ]
        )
    seen, everybody = result["subjects"]["val"], sum(result["subjects"].values())
    return (
        f"FLAIR slices of {seen} patients it never saw, from a public set of {everybody} "
        "([details, commands, intervals](docs/quality.md)). Mean SSIM / PSNR in\ndB, protocol "
        f"`{result['protocol']}`; all methods know that the image is real, and the classical ones "
        f"have their best regularisation:\n\n{table(*rows)}"
    )


def intervals(result: Json) -> str:
    """Show every method with intervals and the worst patient, for docs/quality.md."""
    columns = ["worst SSIM", "least gain", "worst PSNR", "least gain"]
    rows = [["sampling", "method", "SSIM", "PSNR [dB]", *columns]]
    names = {RESULT: "**unrolled CNN**", GAN: "**its GAN**"}
    for sampling in result["samplings"]:
        title = sampling["title"]
        for method, scores in sampling["methods"].items():
            shown = [(scores["ssim"], ".3f"), (scores["psnr_db"], ".2f")]
            means = [f"{s['mean']:{f}} ({s['low']:{f}} to {s['high']:{f}})" for s, f in shown]
            worst = [
                text for s, f in shown for text in (f"{s['worst']:{f}}", f"{s['least_gain']:+{f}}")
            ]
            rows.append([title, names.get(method, method), *means, *worst])
            title = ""
    return table(*rows)


def demo(result: Json) -> str:
    """Introduce and show the scores of `make demo`."""
    tests = result["tests"]
    methods = list(tests[0]["methods"])
    beside, other = result["beside"]["largest_difference"], result["beside"]["threads"]
    rows = [["mask", "test set", *methods]]
    for test in tests:
        values = [pair(test["methods"][method], 1) for method in methods]
        mask = f"{MASKS[test['strategy']]}, {test['acceleration']:g}x"
        rows.append([mask, test["name"], *values[:-1], f"**{values[-1]}**"])
    return (
        f"`make demo` trains two small GANs ({round(result['parameters'], -3):,} parameters, "
        f"{result['steps']} steps of {result['batch_size']} slices) on slices of the MNI T1 "
        f"template and scores\nthem on a held-out slab of it ({tests[0]['n_slices']} slices) and "
        f"on single people. After the set-up it took {result['cpu_minutes']:.1f} minutes of "
        f"one CPU core\n(`OMP_NUM_THREADS={result['threads']}`; {other} threads add in another "
        f"order, and the last column differs by {pair(beside[RESULT], 1)} at most, the network "
        f"alone by {pair(beside['network'], 1)}).\nMean SSIM / PSNR in dB, protocol "
        f"`{tests[0]['protocol']}`:\n\n{table(*rows)}"
    )


BLOCKS = {
    "README.md": {"quality": lambda: quality(read("quality")), "demo": lambda: demo(read("demo"))},
    "docs/quality.md": {"quality": lambda: intervals(read("quality"))},
}
"""What each page holds, by the name in its marker."""


def filled(page: str) -> str:
    """Give a page's text with its tables as the result files have them.

    Raises:
        ValueError: a marker is missing.
    """
    text = (ROOT / page).read_text(encoding="utf-8")
    for name, make in BLOCKS[page].items():
        block = re.compile(rf"(<!-- {name}: [^>]*-->\n).*?(\n<!-- end of {name} -->)", re.DOTALL)
        if len(block.findall(text)) != 1:
            raise ValueError(f"{page}: expected one block <!-- {name}: ... -->, and its end")
        made = make()
        text = block.sub(lambda found: found[1] + made + found[2], text)  # noqa: B023
    return text


def main() -> None:
    """Write the pages."""
    for page in BLOCKS:
        (ROOT / page).write_text(filled(page), encoding="utf-8")


if __name__ == "__main__":
    main()
