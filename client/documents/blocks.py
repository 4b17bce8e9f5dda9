"""A document as a list of blocks, and its two forms: Markdown and one page of HTML.

Names, labels and references come from counterparts, so every text is escaped in both forms.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, TypeAlias

from languages import Language

_MARKUP: Final = re.compile(r"[\\`*_\[\]#|~$]|^[-+]|(?<=^\d)[.)]|(?<=^\d\d)[.)]")
"""What begins markup anywhere, and what begins a list where a line does."""


_MOST_LETTERS: Final = 32
"""The longest word for which a column is wide enough."""


@dataclass(frozen=True)
class Heading:
    """The beginning of a part."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """A sentence or more."""

    text: str


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    texts: Sequence[str]


@dataclass(frozen=True)
class Facts:
    """Lines of a name and what is so."""

    lines: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Rows:
    """A table; `empty` is said in the place of one without rows."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: str


@dataclass(frozen=True)
class Question:
    """What only people can answer: left open, to be filled in."""

    text: str


Block: TypeAlias = Heading | Paragraph | Points | Facts | Rows | Question


@dataclass(frozen=True)
class Document:
    """A document: its file's stem, its title, what it is in a line, and its blocks."""

    stem: str
    title: str
    about: str
    blocks: Sequence[Block]


def to_markdown(document: Document, _: Language) -> str:
    """Return the document as Markdown (CommonMark with tables)."""
    parts = [f"# {_plain(document.title)}", _plain(document.about)]
    for block in document.blocks:
        match block:
            case Heading(text):
                parts.append(f"## {_plain(text)}")
            case Paragraph(text):
                parts.append(_plain(text))
            case Points(texts):
                parts.append("\n".join(f"- {_plain(text)}" for text in texts))
            case Facts(lines):
                head = (_("What"), _("As agreed or recorded"))
                parts.append(_table(head, lines))
            case Rows(head, rows, empty):
                parts.append(_table(head, rows) if rows else _plain(empty))
            case Question(text):
                parts.append(f"> **{_plain(_('To be filled in'))}** {_plain(text)}\n>\n> …")
    return "\n\n".join(parts) + "\n"


def to_html(document: Document, _: Language) -> str:
    """Return the document as one page that loads nothing and runs nothing."""
    style = files("client.page").joinpath("page.css").read_text(encoding="utf-8")
    body = "\n".join(_html(document.blocks, _))
    title, about = html.escape(document.title), html.escape(document.about)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!DOCTYPE html>\n<html lang="{_.tag}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{title}</title>\n<style>\n{style}\n{_style(_)}</style>\n</head>\n<body>\n"
        f'<header>\n<h1>{title}</h1>\n<p class="about">{about}</p>\n</header>\n'
        f"<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _style(_: Language) -> str:
    fonts = ", ".join(f'"{font}"' for font in _.fonts)
    return f"body {{ font-family: system-ui, {fonts}, sans-serif; }}\n{_STYLE}"


_STYLE: Final = """\
td, th { min-width: 5.5rem; text-align: left; white-space: normal; overflow-wrap: normal; }
td.long { min-width: 16rem; overflow-wrap: anywhere; }
th + td.long { min-width: 8rem; }
.open { margin: 1rem 0; padding: .6rem 1rem 3rem; border: 1px dashed var(--soft); }
"""


def _html(blocks: Sequence[Block], _: Language) -> Iterator[str]:
    for block in blocks:
        match block:
            case Heading(text):
                yield f"<h2>{html.escape(text)}</h2>"
            case Paragraph(text):
                yield f"<p>{html.escape(text)}</p>"
            case Points(texts):
                items = "".join(f"<li>{html.escape(text)}</li>" for text in texts)
                yield f"<ul>{items}</ul>"
            case Facts(lines):
                cells = "".join(
                    f'<tr><th scope="row">{html.escape(name)}</th>{_cell(said)}</tr>'
                    for name, said in lines
                )
                yield f'<div class="scroll"><table><tbody>{cells}</tbody></table></div>'
            case Rows(head, rows, empty):
                yield _html_table(head, rows) if rows else f"<p>{html.escape(empty)}</p>"
            case Question(text):
                title = html.escape(_("To be filled in"))
                yield f'<p class="open"><strong>{title}</strong> {html.escape(text)}</p>'


def _html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)
    lines = "".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{top}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _cell(text: str) -> str:
    """Write a cell; a word that fits in no column, such as a digest, may break anywhere."""
    is_long = any(len(word) > _MOST_LETTERS for word in text.split())
    kind = ' class="long"' if is_long else ""
    return f"<td{kind}>{html.escape(text)}</td>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top, *below = ([_plain(cell) for cell in row] for row in (head, *rows))
    lines = [top, ["---"] * len(head), *below]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Return a text of one line in which Markdown sees no markup, and HTML no tag."""
    escaped = _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
