"""Which files of a report's page and charts are wanted, and writing them: whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from languages import ENGLISH, Language, LanguageError, language, message
from party.errors import PartyError

if TYPE_CHECKING:
    from client.page.source import Source
    from reports.rendering import Rendering

HTML_SUFFIXES = (".html", ".htm")
PNG_SUFFIXES = (".png",)


@dataclass(frozen=True)
class PageFiles:
    """Where a page and a picture of its charts are to go, None for none, and in which language.

    Without a language they are in English.
    """

    html: Path | None = None
    png: Path | None = None
    language: str | None = None

    @property
    def paths(self) -> list[tuple[Path, tuple[str, ...], str]]:
        """The files that are wanted: path, the endings that it may have, and the option's name."""
        forms = ((self.html, HTML_SUFFIXES, "--html"), (self.png, PNG_SUFFIXES, "--png"))
        return [(path, endings, option) for path, endings, option in forms if path is not None]

    @property
    def wanted(self) -> bool:
        """Whether there is anything to write."""
        return self.html is not None or self.png is not None

    def require_writable(self) -> None:
        """Refuse what could not be written, before anything is spent.

        Raises:
            PartyError: another ending, no such folder or language, no page that a language could be
                of, a picture that no font here has the letters for, or the extra is not installed.
        """
        spoken = self._language()
        if self.language is not None and not self.wanted:
            raise PartyError(
                message("a language is that of a page: say where it is to go, with --html")
            )
        for path, suffixes, _ in self.paths:
            if path.suffix not in suffixes:
                raise PartyError(
                    message(
                        "{path}: write to a file that ends in {suffixes}",
                        path=path,
                        suffixes=", ".join(suffixes),
                    )
                )
            if not path.absolute().parent.is_dir():
                raise PartyError(
                    message(
                        "{path} cannot be written: there is no folder {parent}",
                        path=path,
                        parent=path.parent,
                    )
                )
        if self.wanted:
            from client.page.drawing import require_charts, require_fonts

            require_charts()
            if self.png is not None:
                require_fonts(spoken)

    def write(
        self, rendering: Rendering, sources: Callable[[], list[Source]], owner: str
    ) -> list[Path]:
        """Write what is wanted over what is there, and return the paths.

        Raises:
            PartyError: as `require_writable`, or there is no chart to draw.
        """
        self.require_writable()
        spoken, written = self._language(), []
        if self.html is not None:
            from client.page.document import page_of

            _write(self.html, page_of(rendering, sources(), owner, spoken).encode())
            written.append(self.html)
        if self.png is not None:
            from client.page.figures import png_of

            _write(self.png, png_of(rendering, spoken))
            written.append(self.png)
        return written

    def _language(self) -> Language:
        try:
            return language(self.language or ENGLISH.code)
        except LanguageError as error:
            raise PartyError(str(error)) from None


NO_PAGES: Final = PageFiles()


def _write(path: Path, data: bytes) -> None:
    """Put bytes into a file that appears whole; what is in the way is replaced."""
    from party.durable import settle

    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_bytes(data)
        settle(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise PartyError(
            message(
                "{path} cannot be written: {strerror}",
                path=path,
                strerror=error.strerror,
            )
        ) from None
