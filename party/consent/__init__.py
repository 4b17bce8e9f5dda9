"""Records of consent in the party's store: what people were shown, and what they said to it.

People stand in them as salted commitments, after ISO/IEC TS 27560 (docs/consent.md).
"""
