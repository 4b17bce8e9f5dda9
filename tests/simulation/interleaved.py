"""Somebody else's step between two steps of what is tested."""


def doing(monkeypatch, module, name, first):
    """Let `first` happen each time before a function of a module does its work."""
    work = getattr(module, name)

    def both(*given, **named):
        first()
        return work(*given, **named)

    monkeypatch.setattr(module, name, both)
