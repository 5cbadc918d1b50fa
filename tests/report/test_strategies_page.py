import base64
import hashlib
import re
from pathlib import Path

from strategy_cases import NAMES, small_comparison, smooth_image

from mrirecon.metrics import get_protocol
from mrirecon.report import render_strategies, write_strategies


def page(title: str = "Sampling of a disc") -> str:
    return render_strategies(
        small_comparison(),
        target=smooth_image(),
        title=title,
        protocol=get_protocol("per_slice"),
        noise_std=0.002,
        phase=1.0,
    )


def test_the_page_has_a_row_and_pictures_of_every_strategy() -> None:
    text = page()
    for name in NAMES:
        assert f'<a href="#{name}">{name}</a>' in text
        assert f'<h3 id="{name}">' in text
    assert text.count("data:image/png;base64,") == 1 + 5 * len(NAMES)
    assert text.count('<tr class="unplayable">') == 1
    assert "points of a plane need a 3-D scan" in text


def test_the_table_holds_the_numbers_that_it_is_sorted_by() -> None:
    best = small_comparison()[0]
    rows = re.findall(r"<tr.*?</tr>", page().split("<tbody>")[1], flags=re.DOTALL)
    values = re.findall(r'data-value="([^"]+)">([^<]+)<', rows[0])
    assert len(values) == 12
    assert float(values[0][0]) == best.feasibility.scan_time
    assert values[4][1] == f"{best.scores['total variation'].ssim:.3f}"
    assert all(float(value) == float(value) for value, _ in values)


def test_the_best_score_of_each_kind_is_marked_once() -> None:
    text = page()
    assert text.count('class="number best"') == 6
    best = max(result.scores["SENSE"].psnr for result in small_comparison())
    assert f'<td class="number best" data-value="{best}">{best:.1f}</td>' in text


def test_only_its_own_script_may_run() -> None:
    text = page()
    (script,) = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "http" not in text.replace("http-equiv", "")


def test_names_are_escaped_and_equal_results_give_equal_pages() -> None:
    assert "<b>" not in page("a <b> & c").split("<header>")[1].split("</header>")[0]
    assert "a &lt;b&gt; &amp; c" in page("a <b> & c")
    assert page() == page()


def test_the_page_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    write_strategies(
        path,
        small_comparison(),
        target=smooth_image(),
        title="Sampling of a disc",
        protocol=get_protocol("per_slice"),
        noise_std=0.002,
        phase=1.0,
    )
    assert path.read_text("utf-8") == page()
    assert [file.name for file in path.parent.iterdir()] == ["page.html"]
