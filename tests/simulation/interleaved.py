"""Somebody else's step between two steps of what is tested."""

from party import occupied
from party.errors import InUse


def doing(monkeypatch, module, name, first):
    """Let `first` happen each time before a function of a module does its work."""
    work = getattr(module, name)

    def both(*given, **named):
        first()
        return work(*given, **named)

    monkeypatch.setattr(module, name, both)


def meanwhile(monkeypatch, owner, name, other):
    """Let `other` be done just before the next call of a step, as by another process.

    Where the other would wait until the first has ended, it gives up at once, as the first cannot
    go on before it. Return a list of what it was told then.
    """
    step, told = getattr(owner, name), []

    def stepped(*args, **options):
        monkeypatch.setattr(owner, name, step)
        with monkeypatch.context() as patch:
            patch.setattr(occupied, "PATIENCE_SECONDS", 0.0)
            try:
                other()
            except InUse as error:
                told.append(str(error))
        return step(*args, **options)

    monkeypatch.setattr(owner, name, stepped)
    return told
