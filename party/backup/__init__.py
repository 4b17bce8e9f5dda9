"""Backing a party up while it works, and restoring it so that nothing is spent twice.

A backup is one file (`archive`): a copy of the store at one moment (`copying`), the files beside
it, a signed list of both, and the keys, sealed under a passphrase, or not in it at all. Restoring
(`restoring`) verifies the log and what lies beside it, and holds the log against what others have
seen of it. What the party spent after the backup is unknown to it afterwards, and a counterpart
that gains by it would not tell; so budgets whose window had begun stay closed until it renews, and
no session or request of before goes on (docs/decisions/0047-a-backup-does-not-spend-again.md).
"""
