//! The bounds that `field.rs` names.

use super::field::{BIAS, Factor, LIMBS, Minuend, Product, Sum};
use super::vector::Ifma;
use crate::lanes::bounds::{bytes_are_canonical, limbs, operations_keep_their_bounds};
use crate::lanes::pairs::exceptions_are_mapped_as_by_the_portable_tier;
use num_bigint::BigUint;
use std::ops::Range;

fn factor_bounds(limb: usize) -> Range<u64> {
    if limb == 4 { 0..(1 << 47) + (1 << 12) } else { 0..u64::MAX }
}

fn minuend_bounds(limb: usize) -> Range<u64> {
    BIAS[limb]..BIAS[limb] + (1 << 56)
}

/// Limbs 0 to 3 of a factor count modulo 2⁵².
fn factor_number(limbs: &[u64]) -> BigUint {
    let low = |(k, limb): (usize, &u64)| if k < 4 { limb & ((1 << 52) - 1) } else { *limb };
    number(&limbs.iter().enumerate().map(low).collect::<Vec<_>>())
}

fn number(limbs: &[u64]) -> BigUint {
    limbs.iter().rev().fold(BigUint::ZERO, |number, limb| (number << 52u32) + limb)
}

limbs!(Ifma, Factor, Factor, factor_bounds, factor_number);
limbs!(Ifma, Product, Product, |_| 0..(1 << 56) - (1 << 9), number);
limbs!(Ifma, Minuend, Minuend, minuend_bounds, number);
limbs!(Ifma, Sum, Sum, |_| 0..1 << 63, number);

#[test]
fn operations_agree_with_big_integers_at_their_bounds() {
    if let Some(f) = Ifma::detect() {
        operations_keep_their_bounds(f, LIMBS);
    }
}

#[test]
fn bytes_agree_with_big_integers() {
    if let Some(f) = Ifma::detect() {
        bytes_are_canonical(f, LIMBS);
    }
}

#[test]
fn pairs_with_exceptions_are_mapped_alike() {
    if Ifma::detect().is_some() {
        exceptions_are_mapped_as_by_the_portable_tier(super::map_block);
    }
}
