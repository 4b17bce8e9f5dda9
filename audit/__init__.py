"""Merkle log, signed checkpoints, cosignatures and their verification."""
