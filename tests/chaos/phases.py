"""Where a session is, found from outside by the files in the parties' session folders."""

from party.wire.exchanges import EXCHANGES
from psi.legs import CROSSTABS, MATCH

PHASES = ("opening", "agreement", "sets", "answers", "ending")
DONE = len(PHASES)
TABLES = {"match": MATCH, "crosstab": CROSSTABS[2], "three": CROSSTABS[3]}
HELLO, NONCE, COSIGNATURE = (EXCHANGES[index].field for index in (0, 2, -1))


def phase_of(kind, asker, peers, folders):
    """Return the number of the phase; `folders` are the session folders of all, the asker's too.

    opening: people are read, and greetings go out. agreement: commitments and nonces. sets: points
    that their owners have raised. answers: what others have raised, keys, and the release.
    ending: transcripts, and the logs' cosignatures.
    """
    said = _names([folders[asker]])
    for number, field in enumerate((HELLO, NONCE)):
        if not all(f"heard-{peer}-{field}" in said for peer in peers):
            return number
    names = _names(folders.values())
    steps = TABLES[kind].steps
    raised = [index for index, step in enumerate(steps) if getattr(step, "hop", 1) > 0]
    if not any(_begun(names, index) for index in raised):
        return 2
    if not all(f"{index:02d}.digest" in names for index in range(len(steps))):
        return 3
    return 4 if not all(f"heard-{peer}-{COSIGNATURE}" in said for peer in peers) else DONE


def _begun(names, index):
    return any(f"{index:02d}.{part}" in names for part in ("part-header", "digest"))


def _names(folders):
    return {path.name for folder in folders if folder.is_dir() for path in folder.iterdir()}
