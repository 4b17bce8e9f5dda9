"""One organisation: identity, contracts, datasets, store, and the session driver."""
