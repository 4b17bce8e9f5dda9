//! The tier for any processor: curve25519-dalek raises, fiat-crypto's field maps.
//!
//! Both are constant-time by construction; every other tier is tested against this one.

mod elligator;
mod field;

use crate::scalar::Scalars;
use crate::secret::wipe_stack;
use crate::sha512::{Block, States, WAYS};
use crate::{Point, Scalar};
use curve25519_dalek::MontgomeryPoint;

pub(crate) use elligator::map_block;

/// Words of 64 bits: more than the stack that dalek's functions take, which is a few kilobytes.
const WIPED: usize = 2048;

/// Raises each point; see [`crate::tier::RaiseBlock`].
pub(crate) fn raise_block(points: &[Point], scalars: Scalars<'_>, out: &mut [Point]) {
    for (index, (image, point)) in out.iter_mut().zip(points).enumerate() {
        let scalar = match scalars {
            Scalars::One(scalar) => scalar,
            Scalars::Each(scalars) => &scalars[index],
        };
        *image = MontgomeryPoint(*point).mul_bits_be(scalar.bits()).to_bytes();
    }
    wipe_stack::<WIPED>();
}

/// Raises the base point to each scalar, by dalek's table.
pub(crate) fn public_block(scalars: &[Scalar], out: &mut [Point]) {
    for (image, scalar) in out.iter_mut().zip(scalars) {
        *image = MontgomeryPoint::mul_base_clamped(*scalar.as_bytes()).to_bytes();
    }
    wipe_stack::<WIPED>();
}

/// Takes one block more into each state that has one; see [`crate::sha512::Compress`].
pub(crate) fn compress(states: &mut States, blocks: &[Option<&Block>; WAYS]) {
    for (way, block) in blocks.iter().enumerate() {
        if let Some(block) = block {
            let mut state = states.each_ref().map(|word| word[way]);
            sha2::block_api::compress512(&mut state, &[**block]);
            states.iter_mut().zip(state).for_each(|(words, word)| words[way] = word);
        }
    }
}
