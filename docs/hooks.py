"""What the site does to pages that are also read beside the source."""

import html
import re
from typing import Any

from latex2mathml.converter import convert

_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+([^)#]+)[^)]*\)")
_INLINE = re.compile(r'<span class="arithmatex">\\\((.+?)\\\)</span>', re.DOTALL)
_DISPLAY = re.compile(r'<div class="arithmatex">\s*\\\[(.+?)\\\]\s*</div>', re.DOTALL)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Name files outside docs/ instead of linking to them, since the site does not hold them."""
    return _OUTSIDE.sub(lambda link: _named(link[1], link[2]), markdown)


def on_page_content(content: str, **_: Any) -> str:
    """Turn formulas into MathML, which browsers draw without a script from elsewhere."""
    content = _DISPLAY.sub(lambda found: _formula(found[1], "block"), content)
    return _INLINE.sub(lambda found: _formula(found[1], "inline"), content)


def _named(text: str, path: str) -> str:
    plain = text.strip("`")
    return f"`{path}`" if plain in path else f"{text} (`{path}`)"


def _formula(latex: str, display: str) -> str:
    return str(convert(html.unescape(latex.strip()), display=display))
