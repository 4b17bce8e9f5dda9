//! Scalars: what points are raised to, clamped as in RFC 7748 §5, and wiped when dropped.

use std::fmt;
use zeroize::ZeroizeOnDrop;

/// 32 clamped bytes, little endian: a multiple of 8 from 2²⁵⁴ to 2²⁵⁵ − 8.
#[derive(ZeroizeOnDrop)]
pub struct Scalar([u8; 32]);

impl Scalar {
    /// Clamps 32 bytes. The caller wipes its own copy.
    pub fn clamped(bytes: &[u8; 32]) -> Self {
        let mut scalar = Self(*bytes);
        scalar.0[0] &= 0xf8;
        scalar.0[31] = scalar.0[31] & 0x7f | 0x40;
        scalar
    }

    /// Returns the bits below 2²⁵⁵, the highest first, for dalek's ladder.
    ///
    /// Dalek's own scalar would leave copies behind.
    pub(crate) fn bits(&self) -> impl Iterator<Item = bool> + Clone {
        (0..255).rev().map(|bit| self.0[bit / 8] >> (bit % 8) & 1 == 1)
    }

    /// Returns the bytes, for a tier's ladder.
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scalar(hidden)")
    }
}
