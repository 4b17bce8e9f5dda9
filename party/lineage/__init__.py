"""Where a result comes from, and where it went: told to others as events, and read from the log.

`event` says one session in the words of OpenLineage 2; `book` makes the event in the transaction
that it is about, with its digest in the log; `delivery` writes it to a file and, where the party's
settings name one, to a server. `graph` reads the whole way, from sources to exports, out of the
log. Nothing here counts people.
"""
