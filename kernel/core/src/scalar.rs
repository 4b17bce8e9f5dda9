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

    /// Returns the bytes, for dalek's table.
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What the points of a block are raised to.
#[derive(Clone, Copy)]
pub(crate) enum Scalars<'a> {
    /// All to one scalar.
    One(&'a Scalar),
    /// Each to its own: as many as there are points.
    Each(&'a [Scalar]),
}

impl Scalars<'_> {
    /// Returns the bits for the points from `first` on, one a lane.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn of_lanes(&self, first: usize, lanes: usize) -> LaneBits {
        match self {
            Self::One(scalar) => LaneBits::same(scalar),
            Self::Each(scalars) => LaneBits::of(scalars.iter().skip(first).take(lanes)),
        }
    }
}

/// The scalars of up to sixteen lanes, bit by bit: bit l of word i is bit i of lane l's scalar.
#[cfg(target_arch = "x86_64")]
#[derive(ZeroizeOnDrop)]
pub(crate) struct LaneBits([u16; 256]);

#[cfg(target_arch = "x86_64")]
impl LaneBits {
    fn same(scalar: &Scalar) -> Self {
        Self(std::array::from_fn(|i| u16::from(scalar.0[i / 8] >> (i % 8) & 1).wrapping_neg()))
    }

    fn of<'a>(scalars: impl Iterator<Item = &'a Scalar>) -> Self {
        let mut words = [0; 256];
        for (lane, scalar) in scalars.enumerate() {
            for (byte, words) in scalar.0.iter().zip(words.as_chunks_mut::<8>().0) {
                for (bit, word) in words.iter_mut().enumerate() {
                    *word |= u16::from(byte >> bit & 1) << lane;
                }
            }
        }
        Self(words)
    }

    /// Returns the bits of that index, which is public, for eight lanes from `first` on.
    #[inline(always)]
    pub(crate) fn eight(&self, index: usize, first: usize) -> u8 {
        (self.0[index] >> first) as u8
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scalar(hidden)")
    }
}
