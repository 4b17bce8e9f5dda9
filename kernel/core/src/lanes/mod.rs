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

pub(crate) use crate::secret::{SecretBits, wipe_stack};
pub(crate) use field::{Compiled, Field};
pub(crate) use fraction::Fraction;
pub(crate) use ladder::ladder;
pub(crate) use power::square_times;
pub(crate) use twin::Twin;

use crate::scalar::Scalars;
use crate::{Pair, Point};
use elligator::map_pairs;
use fraction::divide;

/// Raises a block, at most `N` vectors; see [`crate::tier::RaiseBlock`].
#[inline(always)]
pub(crate) fn raise_block<F: Compiled, const N: usize>(
    f: F,
    points: &[Point],
    scalars: Scalars<'_>,
    out: &mut [Point],
) {
    let mut fractions = [Fraction::zero(f); N];
    let fractions = &mut fractions[..points.len().div_ceil(F::LANES)];
    for (vector, points) in points.chunks(F::LANES).enumerate() {
        let scalars = scalars.of_lanes(vector * F::LANES, F::LANES);
        fractions[vector] = f.ladder(&f.load(points.iter()), &scalars);
    }
    divide::<F, N>(f, fractions, out);
}

/// Maps a block of pairs of field elements, at most `N` vectors; see [`crate::tier::MapBlock`].
#[inline(always)]
pub(crate) fn map_block<F: Compiled, const N: usize>(f: F, pairs: &[Pair], out: &mut [Point]) {
    let mut fractions = [Fraction::zero(f); N];
    let fractions = &mut fractions[..pairs.len().div_ceil(F::LANES)];
    for (fraction, pairs) in fractions.iter_mut().zip(pairs.chunks(F::LANES)) {
        let u0 = f.load(pairs.iter().map(|[u0, _]| u0));
        let u1 = f.load(pairs.iter().map(|[_, u1]| u1));
        *fraction = map_pairs(f, [u0, u1]);
    }
    divide::<F, N>(f, fractions, out);
}
