"""The two protocols as pure functions over buffers: no I/O, no clock, no logging.

docs/protocol.md says what they are and which attack each odd rule answers.
"""
