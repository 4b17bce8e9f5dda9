//! The tier for any processor: curve25519-dalek raises, fiat-crypto's field maps.
//!
//! Both are constant-time by construction; every other tier is tested against this one.

mod elligator;
mod field;

use crate::{Point, Scalar};
use curve25519_dalek::MontgomeryPoint;

pub(crate) use elligator::map_block;

/// Raises each point; see [`crate::tier::RaiseBlock`].
pub(crate) fn raise_block(points: &[Point], scalar: &Scalar, out: &mut [Point]) {
    for (image, point) in out.iter_mut().zip(points) {
        *image = MontgomeryPoint(*point).mul_clamped(*scalar.as_bytes()).to_bytes();
    }
}
