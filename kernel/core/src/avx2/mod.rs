//! The tier for AVX2: four lanes.

mod bytes;
#[expect(clippy::needless_range_loop, reason = "formulas name limbs by their index")]
mod field;
mod product;
#[cfg(test)]
mod tests;
mod vector;

use crate::lanes::{self, Compiled, Field, Fraction, wipe_stack};
use crate::scalar::{LaneBits, Scalars};
use crate::tier::BLOCK;
use crate::{Pair, Point};
use field::Factor;
use std::hint::black_box;
pub(crate) use vector::Avx2;

/// How many vectors a block has.
const VECTORS: usize = BLOCK / Avx2::LANES;

/// Words of 64 bits: more than the stack that raising a block takes.
const WIPED: usize = 10752;

/// Raises each point; see [`crate::tier::RaiseBlock`].
#[target_feature(enable = "avx2")]
pub(crate) fn raise_block(points: &[Point], scalars: Scalars<'_>, out: &mut [Point]) {
    let raise: unsafe fn(&[Point], Scalars<'_>, &mut [Point]) = raise;
    // SAFETY: it has the target features of this function. It must not be inlined, for the stack
    // that is wiped is what it has left.
    unsafe { black_box(raise)(points, scalars, out) };
    wipe_stack::<WIPED>();
}

#[inline(never)]
#[target_feature(enable = "avx2")]
fn raise(points: &[Point], scalars: Scalars<'_>, out: &mut [Point]) {
    lanes::raise_block::<_, VECTORS>(proof(), points, scalars, out);
}

/// Maps each pair; see [`crate::tier::MapBlock`].
#[target_feature(enable = "avx2")]
pub(crate) fn map_block(pairs: &[Pair], out: &mut [Point]) {
    lanes::map_block::<_, VECTORS>(proof(), pairs, out);
}

/// Returns the proof of the feature, which who calls this has vouched for.
#[inline]
#[target_feature(enable = "avx2")]
fn proof() -> Avx2 {
    // SAFETY: nobody reaches a function with this target feature but where it was detected.
    unsafe { Avx2::assume() }
}

// By pointers that the compiler does not see through: it drops `inline(never)` where there are
// target features, and what the check of the machine code looks for are these functions.
impl Compiled for Avx2 {
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

    fn ladder(self, u: &Factor, scalars: &LaneBits) -> Fraction<Self> {
        let ladder: unsafe fn(Self, &Factor, &LaneBits) -> Fraction<Self> = ladder;
        // SAFETY: `self` is the proof of the features.
        unsafe { black_box(ladder)(self, u, scalars) }
    }
}

#[inline(never)]
#[target_feature(enable = "avx2")]
fn times(f: Avx2, x: &Factor, y: &Factor) -> Factor {
    f.carry(f.multiply(x, y))
}

#[inline(never)]
#[target_feature(enable = "avx2")]
fn square_times(f: Avx2, x: &Factor, times: usize) -> Factor {
    lanes::square_times(f, x, times)
}

#[inline(never)]
#[target_feature(enable = "avx2")]
fn ladder(f: Avx2, u: &Factor, scalars: &LaneBits) -> Fraction<Avx2> {
    lanes::ladder(f, u, scalars, 0)
}
