"""One HTML page from a template: styles and scripts inside it, and nothing asked for outside."""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

_FOLDER = files("mrirecon.report")


def render_page(
    template: str,
    *,
    title: str,
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    rules: str = "",
    **values: object,
) -> str:
    """Fill a template that extends page.html; equal values give equal text.

    All text is escaped. The page allows itself its own scripts alone, by their hash, and pictures
    inside it; it forbids itself everything from elsewhere.

    Args:
        template: name of a file beside this one.
        title: of the page.
        styles: further files beside this one, after the look that all pages share.
        scripts: the same, run in this order at the end of the page.
        rules: further style rules, made by us.
        values: what the template names.
    """
    script = "\n".join(_read(name) for name in scripts)
    digest = hashlib.sha256(script.encode()).digest()
    return _ENVIRONMENT.get_template(template).render(
        title=title,
        css=Markup("\n".join(_read(name) for name in ("style.css", *styles)) + rules),
        script=Markup(script),
        script_hash=base64.b64encode(digest).decode("ascii"),
        **values,
    )


def _read(name: str) -> str:
    return _FOLDER.joinpath(name).read_text("utf-8")


_ENVIRONMENT = Environment(
    loader=FunctionLoader(_read),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
