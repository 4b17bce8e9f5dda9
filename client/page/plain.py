"""A page without charts: a template, the common style, a language.

Every text is escaped by the template engine, because names and labels come from a counterpart.
"""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files

from languages import Language


def render(template: str, language: Language, **values: object) -> str:
    """Return the page that a template of this folder makes; a name that it misses is an error."""
    from jinja2 import Environment, StrictUndefined

    engine = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    folder = files("client.page")
    return engine.from_string(folder.joinpath(template).read_text(encoding="utf-8")).render(
        _=language,
        style=folder.joinpath("page.css").read_text(encoding="utf-8"),
        fonts=", ".join(f'"{name}"' for name in language.fonts),
        version=version("commonground"),
        **values,
    )
