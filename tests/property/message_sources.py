"""Every message that the sources mark, and the catalogues of a language.

Run it (`make messages`) to print what a catalogue lacks, as entries to be filled in.
"""

import ast
import sys
from collections import Counter
from pathlib import Path
from string import Formatter

from babel.messages.extract import extract
from babel.messages.pofile import read_po

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("audit", "client", "commonground", "party", "privacy", "psi", "reports", "server")
KEYWORDS = {"_": None, "message": None, "messages": (1, 2)}
TEXTS = {"_": 1, "message": 1, "language": 1, "messages": 2}
"""How many texts a call of this name begins with; `language` is that of a visit."""


def marked():
    """Return each message of the sources with the file that has it."""
    found = {}
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*")):
            if path.suffix in READERS and "/v1/" not in path.as_posix():
                for name in READERS[path.suffix](path):
                    found.setdefault(name, path.relative_to(REPOSITORY))
    return found


def _in_python(path):
    """Yield what Python marks, also within a call that is marked itself, which Babel skips."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            is_method = isinstance(node.func, ast.Attribute)
            name = node.func.attr if is_method else getattr(node.func, "id", None)
            if name not in TEXTS or is_method != (name == "language"):
                continue
            texts = [getattr(one, "value", None) for one in node.args[: TEXTS[name]]]
            if texts and all(isinstance(one, str) for one in texts):
                yield texts[0] if len(texts) == 1 else tuple(texts)


def _in_template(path):
    with path.open("rb") as source:
        options = {"encoding": "utf-8"}
        for _, name, _, _ in extract("jinja2.ext:babel_extract", source, KEYWORDS, options=options):
            yield name


READERS = {".py": _in_python, ".jinja": _in_template}


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
