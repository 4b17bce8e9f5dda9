//! Tests of a tier's map: pairs of field elements where the formulas have their exceptions.

use crate::tier::{BLOCK, MapBlock};
use crate::{Pair, Point, portable};
use num_bigint::BigUint;

fn p() -> BigUint {
    (BigUint::from(1u8) << 255u32) - 19u8
}

fn bytes(number: &BigUint) -> [u8; 32] {
    let mut element = [0; 32];
    let digits = (number % p()).to_bytes_le();
    element[..digits.len()].copy_from_slice(&digits);
    element
}

/// Returns elements that look random: powers of 3.
fn element(i: u32) -> BigUint {
    BigUint::from(3u8).modpow(&BigUint::from(i + 200), &p())
}

/// Returns 1/(2u), whose point is the opposite of u's.
fn opposite(u: &BigUint) -> BigUint {
    (u * 2u8).modpow(&(p() - 2u8), &p())
}

/// Equal points are doubled, opposite ones give infinity, and u = 0 gives points of low order.
fn pairs() -> Vec<Pair> {
    let mut pairs = Vec::new();
    for i in 0..BLOCK as u32 {
        let (u, zero) = (element(i), BigUint::ZERO);
        let other = match i % 9 {
            0 => u.clone(),
            1 => p() - &u,
            2 => opposite(&u),
            3 => p() - opposite(&u),
            4 => zero.clone(),
            5 => p() - 1u8,
            _ => element(7 * i),
        };
        pairs.push([bytes(&u), bytes(&other)]);
        pairs.push([bytes(&other), bytes(&u)]);
        pairs.push([bytes(&zero), bytes(&BigUint::from(i))]);
    }
    pairs
}

/// Tests a tier's map against the portable one.
pub(crate) fn exceptions_are_mapped_as_by_the_portable_tier(map: MapBlock) {
    let pairs = pairs();
    let mut infinities = 0;
    for size in [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 255, 256] {
        for pairs in pairs.chunks(size.max(1)).take(4) {
            let pairs = &pairs[..size.min(pairs.len())];
            let (mut expected, mut got) = ([[0; 32]; BLOCK], [[0xaa; 32]; BLOCK]);
            portable::map_block(pairs, &mut expected[..pairs.len()]);
            // SAFETY: the test that calls this has found the tier's features.
            unsafe { map(pairs, &mut got[..pairs.len()]) };
            assert!(got[..pairs.len()] == expected[..pairs.len()], "{size} pairs");
            assert!(got[pairs.len()..].iter().all(|rest| *rest == [0xaa; 32]), "{size} pairs");
            infinities += expected[..pairs.len()].iter().filter(|point| is_zero(point)).count();
        }
    }
    assert!(infinities > 100, "opposite points were among them");
}

fn is_zero(point: &Point) -> bool {
    *point == [0; 32]
}
