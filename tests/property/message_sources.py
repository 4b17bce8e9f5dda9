"""Every message that the sources mark, and the catalogues of a language.

Run it (`make messages`) to print what a catalogue lacks, as entries to be filled in.
"""

import sys
from collections import Counter
from pathlib import Path
from string import Formatter

from babel.messages.extract import extract
from babel.messages.pofile import read_po

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("audit", "client", "commonground", "party", "privacy", "psi", "reports", "server")
KEYWORDS = {"_": None, "message": None, "messages": (1, 2)}
METHODS = {".py": "python", ".jinja": "jinja2.ext:babel_extract"}


def marked():
    """Return each message of the sources with the file that has it."""
    found = {}
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*")):
            if path.suffix in METHODS and "/v1/" not in path.as_posix():
                with path.open("rb") as source:
                    for _, name, _, _ in extract(
                        METHODS[path.suffix], source, KEYWORDS, options={"encoding": "utf-8"}
                    ):
                        found.setdefault(name, path.relative_to(REPOSITORY))
    return found


def catalogues(code="zh"):
    """Return the catalogues of a language by their file names."""
    found = {}
    for path in sorted((REPOSITORY / "languages" / code).glob("*.po")):
        with path.open("rb") as source:
            found[path.name] = read_po(source, locale=code, abort_invalid=True)
    return found


def entries(code="zh"):
    """Return all entries of a language, and how often each is there."""
    every = [one for catalogue in catalogues(code).values() for one in catalogue if one.id]
    return {one.id: one for one in every}, Counter(one.id for one in every)


def placeholders(text):
    """Return the names in braces."""
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def forms(one):
    """Return a message or its two forms as a tuple."""
    return one if isinstance(one, tuple) else (one,)


def quoted(text):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def blank(name):
    """Return an entry that waits for its translation."""
    one, *many = forms(name)
    lines = [f"msgid {quoted(one)}", *(f"msgid_plural {quoted(each)}" for each in many)]
    return "\n".join([*lines, 'msgstr[0] ""' if many else 'msgstr ""', ""])


def main():
    there, _ = entries()
    sources = marked()
    for name, path in sources.items():
        if name not in there:
            print(f"# {path}\n{blank(name)}")
    for name in there.keys() - sources.keys():
        print(f"# not in the sources any more:\n{blank(name)}", file=sys.stderr)


if __name__ == "__main__":
    main()
