//! The tier for AVX-512 IFMA: eight lanes, and two vectors at a time but in the ladder.

mod bytes;
#[expect(clippy::needless_range_loop, reason = "formulas name limbs by their index")]
mod field;
mod sha512;
#[cfg(test)]
mod tests;
mod vector;

use crate::lanes::{self, Compiled, Field, Fraction, Twin, wipe_stack};
use crate::scalar::{LaneBits, Scalars};
use crate::tier::BLOCK;
use crate::{Pair, Point};
pub(crate) use sha512::compress;
use std::hint::black_box;
pub(crate) use vector::Ifma;

/// Two vectors of eight lanes.
type Lanes = Twin<Ifma>;
type Factor = <Lanes as Field>::Factor;

/// How many vectors a block has.
const VECTORS: usize = BLOCK / Lanes::LANES;

/// Words of 64 bits: more than the stack that raising a block takes.
const WIPED: usize = 6656;

/// Raises each point; see [`crate::tier::RaiseBlock`].
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn raise_block(points: &[Point], scalars: Scalars<'_>, out: &mut [Point]) {
    let raise: unsafe fn(&[Point], Scalars<'_>, &mut [Point]) = raise;
    // SAFETY: it has the target features of this function. It must not be inlined, for the stack
    // that is wiped is what it has left.
    unsafe { black_box(raise)(points, scalars, out) };
    wipe_stack::<WIPED>();
}

#[inline(never)]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn raise(points: &[Point], scalars: Scalars<'_>, out: &mut [Point]) {
    lanes::raise_block::<_, VECTORS>(proof(), points, scalars, out);
}

/// Maps each pair; see [`crate::tier::MapBlock`].
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn map_block(pairs: &[Pair], out: &mut [Point]) {
    lanes::map_block::<_, VECTORS>(proof(), pairs, out);
}

/// Returns the proof of the features, which who calls this has vouched for.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn proof() -> Lanes {
    // SAFETY: nobody reaches a function with these target features but where they were detected.
    Twin(unsafe { Ifma::assume() })
}

// By pointers that the compiler does not see through: it drops `inline(never)` where there are
// target features, and what the check of the machine code looks for are these functions.
impl Compiled for Lanes {
    fn times(self, x: &Factor, y: &Factor) -> Factor {
        let times: unsafe fn(Self, &Factor, &Factor) -> Factor = times;
        // SAFETY: `self` is the proof of the features.
        unsafe { black_box(times)(self, x, y) }
    }

    fn square_times(self, x: &Factor, times: usize) -> Factor {
        let square_times: unsafe fn(Self, &Factor, usize) -> Factor = square_times;
        // SAFETY: `self` is the proof of the features.
        unsafe { black_box(square_times)(self, x, times) }
    }

    /// One vector after the other: a step has products enough that wait for no other.
    fn ladder(self, u: &Factor, scalars: &LaneBits) -> Fraction<Self> {
        let ladder: unsafe fn(Ifma, &field::Factor, &LaneBits, usize) -> Fraction<Ifma> = ladder;
        // SAFETY: `self` is the proof of the features.
        let first = unsafe { black_box(ladder)(self.0, &u[0], scalars, 0) };
        // SAFETY: as above.
        let second = unsafe { black_box(ladder)(self.0, &u[1], scalars, Ifma::LANES) };
        Fraction {
            numerator: [first.numerator, second.numerator],
            denominator: [first.denominator, second.denominator],
        }
    }
}

#[inline(never)]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn times(f: Lanes, x: &Factor, y: &Factor) -> Factor {
    f.carry(f.multiply(x, y))
}

#[inline(never)]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn square_times(f: Lanes, x: &Factor, times: usize) -> Factor {
    lanes::square_times(f, x, times)
}

#[inline(never)]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn ladder(f: Ifma, u: &field::Factor, scalars: &LaneBits, first: usize) -> Fraction<Ifma> {
    lanes::ladder(f, u, scalars, first)
}
