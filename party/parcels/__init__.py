"""Sealed parcels: two parties of a session talk by way of a third (docs/protocol.md, Transport).

The party in the middle dials both and carries what one has for the other. It can neither read nor
alter it, and can keep nothing from either but all that comes after.
"""
