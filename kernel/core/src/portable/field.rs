//! Arithmetic modulo p = 2²⁵⁵ − 19: fiat-crypto's, which is proved correct, with operators.

// The crate's names are those of its proofs.
use fiat_crypto::curve25519_64 as fiat;
use std::ops::{Add, Mul, Neg, Sub};

/// An element of the field, carried: ready to be added, subtracted or multiplied.
#[derive(Clone, Copy)]
pub(crate) struct Element(fiat::fiat_25519_tight_field_element);

/// 1 for yes and 0 for no, chosen from without a branch.
pub(crate) type Choice = u8;

const EMPTY: fiat::fiat_25519_tight_field_element = fiat::fiat_25519_tight_field_element([0; 5]);

impl Element {
    pub(crate) const ZERO: Self = Self::from_limbs([0; 5]);
    pub(crate) const ONE: Self = Self::from_limbs([1, 0, 0, 0, 0]);

    /// Takes limbs of 51 bits, least significant first.
    pub(crate) const fn from_limbs(limbs: [u64; 5]) -> Self {
        Self(fiat::fiat_25519_tight_field_element(limbs))
    }

    /// Reads 32 bytes, little endian, below 2²⁵⁵.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut element = EMPTY;
        fiat::fiat_25519_from_bytes(&mut element, bytes);
        Self(element)
    }

    /// Writes the one representative below p.
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        fiat::fiat_25519_to_bytes(&mut bytes, &self.0);
        bytes
    }

    pub(crate) fn square(self) -> Self {
        let mut out = EMPTY;
        fiat::fiat_25519_carry_square(&mut out, &self.relaxed());
        Self(out)
    }

    pub(crate) fn double(self) -> Self {
        self + self
    }

    /// Returns self^(2^times).
    fn square_times(self, times: usize) -> Self {
        (0..times).fold(self, |power, _| power.square())
    }

    /// Returns self^(2²⁵⁰ − 1) and self¹¹, which both exponents below start from.
    fn power_250(self) -> (Self, Self) {
        let x2 = self.square();
        let x9 = self * x2.square_times(2);
        let x11 = x9 * x2;
        let bits5 = x11.square() * x9;
        let bits10 = bits5.square_times(5) * bits5;
        let bits20 = bits10.square_times(10) * bits10;
        let bits40 = bits20.square_times(20) * bits20;
        let bits50 = bits40.square_times(10) * bits10;
        let bits100 = bits50.square_times(50) * bits50;
        let bits200 = bits100.square_times(100) * bits100;
        (bits200.square_times(50) * bits50, x11)
    }

    /// Returns self^((p − 5)/8) = self^(2²⁵² − 3).
    pub(crate) fn power_p58(self) -> Self {
        self.power_250().0.square_times(2) * self
    }

    /// Returns 1/self, and 0 for 0: self^(p − 2) = self^(2²⁵⁵ − 21).
    pub(crate) fn invert(self) -> Self {
        let (power, x11) = self.power_250();
        power.square_times(5) * x11
    }

    pub(crate) fn is_zero(self) -> Choice {
        let any = self.to_bytes().iter().fold(0, |any, byte| any | byte);
        (u16::from(any).wrapping_sub(1) >> 15) as Choice
    }

    pub(crate) fn equals(self, other: Self) -> Choice {
        (self - other).is_zero()
    }

    pub(crate) fn is_odd(self) -> Choice {
        self.to_bytes()[0] & 1
    }

    /// Returns `one` where `choice` is 1, else `other`.
    pub(crate) fn select(choice: Choice, one: Self, other: Self) -> Self {
        let mut limbs = [0; 5];
        fiat::fiat_25519_selectznz(&mut limbs, choice, &other.0.0, &one.0.0);
        Self::from_limbs(limbs)
    }

    fn relaxed(self) -> fiat::fiat_25519_loose_field_element {
        let mut out = fiat::fiat_25519_loose_field_element([0; 5]);
        fiat::fiat_25519_relax(&mut out, &self.0);
        out
    }

    fn carried(loose: &fiat::fiat_25519_loose_field_element) -> Self {
        let mut out = EMPTY;
        fiat::fiat_25519_carry(&mut out, loose);
        Self(out)
    }
}

impl Mul for Element {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let mut out = EMPTY;
        fiat::fiat_25519_carry_mul(&mut out, &self.relaxed(), &other.relaxed());
        Self(out)
    }
}

impl Add for Element {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let mut out = fiat::fiat_25519_loose_field_element([0; 5]);
        fiat::fiat_25519_add(&mut out, &self.0, &other.0);
        Self::carried(&out)
    }
}

impl Sub for Element {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        let mut out = fiat::fiat_25519_loose_field_element([0; 5]);
        fiat::fiat_25519_sub(&mut out, &self.0, &other.0);
        Self::carried(&out)
    }
}

impl Neg for Element {
    type Output = Self;

    fn neg(self) -> Self {
        Self::ZERO - self
    }
}
