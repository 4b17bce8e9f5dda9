//! Field elements with operators, for formulas where a carry more or less does not count.

use super::field::Compiled;
use std::ops::{Add, Mul, Neg, Sub};

/// A vector of elements, always carried.
#[derive(Clone, Copy)]
pub(super) struct Number<F: Compiled> {
    field: F,
    pub(super) factor: F::Factor,
}

impl<F: Compiled> Number<F> {
    #[inline(always)]
    pub(super) fn new(field: F, factor: F::Factor) -> Self {
        Self { field, factor }
    }

    #[inline(always)]
    pub(super) fn square(self) -> Self {
        Self { factor: self.field.square_times(&self.factor, 1), ..self }
    }

    /// Returns self·k, where k < 2¹⁹.
    #[inline(always)]
    pub(super) fn scale(self, k: u32) -> Self {
        let zero = self.field.minuend(&self.field.constant([0; 4]));
        let scaled = self.field.add_scaled(&zero, &self.factor, k);
        Self { factor: self.field.carry(scaled), ..self }
    }

    #[inline(always)]
    pub(super) fn equals(self, other: Self) -> F::Mask {
        (self - other).is_zero()
    }

    #[inline(always)]
    pub(super) fn is_zero(self) -> F::Mask {
        self.field.is_zero(&self.factor)
    }

    #[inline(always)]
    pub(super) fn is_odd(self) -> F::Mask {
        self.field.is_odd(&self.factor)
    }

    /// Returns `yes` where the mask says yes, and `no` elsewhere.
    #[inline(always)]
    pub(super) fn select(mask: F::Mask, yes: Self, no: Self) -> Self {
        let factor = no.field.select(mask, &yes.factor, &no.factor);
        Self { factor, ..no }
    }
}

impl<F: Compiled> Mul for Number<F> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self { factor: self.field.times(&self.factor, &other.factor), ..self }
    }
}

impl<F: Compiled> Add for Number<F> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let (x, y) = (self.field.minuend(&self.factor), self.field.product(&other.factor));
        Self { factor: self.field.carry(self.field.add(&x, &y)), ..self }
    }
}

impl<F: Compiled> Sub for Number<F> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        let (x, y) = (self.field.minuend(&self.factor), self.field.product(&other.factor));
        Self { factor: self.field.carry(self.field.subtract(&x, &y)), ..self }
    }
}

impl<F: Compiled> Neg for Number<F> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self { factor: self.field.constant([0; 4]), ..self } - self
    }
}
