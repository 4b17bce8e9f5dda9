"""Taking people who have withdrawn off a list that is out (docs/protocol.md, Suppression)."""
