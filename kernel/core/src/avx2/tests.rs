//! The bounds that `field.rs` names.

use super::field::{Factor, LIMBS, Product, Sum};
use super::vector::Avx2;
use crate::lanes::bounds::{bytes_are_canonical, limbs, operations_keep_their_bounds};
use crate::lanes::pairs::exceptions_are_mapped_as_by_the_portable_tier;
use num_bigint::BigUint;
use std::ops::Range;

/// Returns `times` the size of a limb, and 2¹⁶ more.
fn about(times: u64, limb: usize) -> Range<u64> {
    0..(times << (26 - limb % 2)) + (1 << 16)
}

fn number(limbs: &[u64]) -> BigUint {
    let weighed =
        limbs.iter().enumerate().map(|(k, limb)| BigUint::from(*limb) << (51 * k).div_ceil(2));
    weighed.sum()
}

limbs!(Avx2, Factor, Factor, |limb| about(3, limb), number);
limbs!(Avx2, Product, Product, |limb| about(1, limb), number);
limbs!(Avx2, Sum, Sum, |limb| about(3, limb), number);

#[test]
fn operations_agree_with_big_integers_at_their_bounds() {
    if let Some(f) = Avx2::detect() {
        operations_keep_their_bounds(f, LIMBS);
    }
}

#[test]
fn bytes_agree_with_big_integers() {
    if let Some(f) = Avx2::detect() {
        bytes_are_canonical(f, LIMBS);
    }
}

#[test]
fn pairs_with_exceptions_are_mapped_alike() {
    if Avx2::detect().is_some() {
        exceptions_are_mapped_as_by_the_portable_tier(super::map_block);
    }
}
