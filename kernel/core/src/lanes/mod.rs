//! What the vector tiers share: X25519 and the hash's map, written once for any [`Field`].
//!
//! A tier gives the arithmetic and its number of lanes. Everything here is inlined into the
//! tier's own functions, which are compiled for its instructions.

#[cfg(test)]
pub(crate) mod bounds;
mod elligator;
mod field;
mod fraction;
mod ladder;
mod number;
#[cfg(test)]
pub(crate) mod pairs;
mod power;
mod twin;

pub(crate) use crate::secret::{SecretBit, wipe_stack};
pub(crate) use field::{Compiled, Field};
pub(crate) use fraction::Fraction;
pub(crate) use ladder::ladder;
pub(crate) use power::square_times;
pub(crate) use twin::Twin;

use crate::{Pair, Point, Scalar};
use elligator::map_pairs;
use fraction::divide;

/// Raises points, `N` vectors to an inversion; see [`crate::tier::RaiseBlock`].
#[inline(always)]
pub(crate) fn raise_block<F: Compiled, const N: usize>(
    f: F,
    points: &[Point],
    scalar: &Scalar,
    out: &mut [Point],
) {
    let together = N * F::LANES;
    for (points, out) in points.chunks(together).zip(out.chunks_mut(together)) {
        let mut fractions = [Fraction::zero(f); N];
        let fractions = &mut fractions[..points.len().div_ceil(F::LANES)];
        for (fraction, points) in fractions.iter_mut().zip(points.chunks(F::LANES)) {
            *fraction = f.ladder(&f.load(points.iter()), scalar);
        }
        divide::<F, N>(f, fractions, out);
    }
}

/// Maps pairs of field elements, `N` vectors to an inversion; see [`crate::tier::MapBlock`].
#[inline(always)]
pub(crate) fn map_block<F: Compiled, const N: usize>(f: F, pairs: &[Pair], out: &mut [Point]) {
    let together = N * F::LANES;
    for (pairs, out) in pairs.chunks(together).zip(out.chunks_mut(together)) {
        let mut fractions = [Fraction::zero(f); N];
        let fractions = &mut fractions[..pairs.len().div_ceil(F::LANES)];
        for (fraction, pairs) in fractions.iter_mut().zip(pairs.chunks(F::LANES)) {
            let u0 = f.load(pairs.iter().map(|[u0, _]| u0));
            let u1 = f.load(pairs.iter().map(|[_, u1]| u1));
            *fraction = map_pairs(f, [u0, u1]);
        }
        divide::<F, N>(f, fractions, out);
    }
}
