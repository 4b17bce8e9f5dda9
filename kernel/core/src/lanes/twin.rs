//! Two vectors side by side: while one waits for a product, the other multiplies.

use super::field::Field;
use crate::Point;
use crate::secret::SecretBits;

/// A field whose vectors are pairs of vectors of `F`.
#[derive(Clone, Copy)]
pub(crate) struct Twin<F>(pub(crate) F);

/// Two products.
#[derive(Clone, Copy)]
pub(crate) struct Products<P>([P; 2]);

/// Two minuends.
#[derive(Clone, Copy)]
pub(crate) struct Minuends<M>([M; 2]);

/// Two sums.
#[derive(Clone, Copy)]
pub(crate) struct Sums<S>([S; 2]);

impl<P, S: From<P>> From<Products<P>> for Sums<S> {
    #[inline(always)]
    fn from(Products([x, y]): Products<P>) -> Self {
        Self([x.into(), y.into()])
    }
}

impl<M, S: From<M>> From<Minuends<M>> for Sums<S> {
    #[inline(always)]
    fn from(Minuends([x, y]): Minuends<M>) -> Self {
        Self([x.into(), y.into()])
    }
}

impl<F: Field> Field for Twin<F> {
    const LANES: usize = 2 * F::LANES;

    type Factor = [F::Factor; 2];
    type Product = Products<F::Product>;
    type Minuend = Minuends<F::Minuend>;
    type Sum = Sums<F::Sum>;
    type Mask = [F::Mask; 2];

    #[inline(always)]
    fn constant(self, words: [u64; 4]) -> Self::Factor {
        [self.0.constant(words); 2]
    }

    #[inline(always)]
    fn load<'a>(self, mut points: impl Iterator<Item = &'a Point>) -> Self::Factor {
        [self.0.load(points.by_ref().take(F::LANES)), self.0.load(points)]
    }

    #[inline(always)]
    fn store(self, x: &Self::Factor, out: &mut [Point]) {
        let (first, second) = out.split_at_mut(out.len().min(F::LANES));
        self.0.store(&x[0], first);
        self.0.store(&x[1], second);
    }

    #[inline(always)]
    fn multiply(self, x: &Self::Factor, y: &Self::Factor) -> Self::Product {
        Products([self.0.multiply(&x[0], &y[0]), self.0.multiply(&x[1], &y[1])])
    }

    #[inline(always)]
    fn multiply_to_minuend(self, x: &Self::Factor, y: &Self::Factor) -> Self::Minuend {
        let first = self.0.multiply_to_minuend(&x[0], &y[0]);
        Minuends([first, self.0.multiply_to_minuend(&x[1], &y[1])])
    }

    #[inline(always)]
    fn square(self, x: &Self::Factor) -> Self::Product {
        Products([self.0.square(&x[0]), self.0.square(&x[1])])
    }

    #[inline(always)]
    fn square_to_minuend(self, x: &Self::Factor) -> Self::Minuend {
        Minuends([self.0.square_to_minuend(&x[0]), self.0.square_to_minuend(&x[1])])
    }

    #[inline(always)]
    fn product(self, x: &Self::Factor) -> Self::Product {
        Products([self.0.product(&x[0]), self.0.product(&x[1])])
    }

    #[inline(always)]
    fn minuend(self, x: &Self::Factor) -> Self::Minuend {
        Minuends([self.0.minuend(&x[0]), self.0.minuend(&x[1])])
    }

    #[inline(always)]
    fn add(self, x: &Self::Minuend, y: &Self::Product) -> Self::Sum {
        Sums([self.0.add(&x.0[0], &y.0[0]), self.0.add(&x.0[1], &y.0[1])])
    }

    #[inline(always)]
    fn subtract(self, x: &Self::Minuend, y: &Self::Product) -> Self::Sum {
        Sums([self.0.subtract(&x.0[0], &y.0[0]), self.0.subtract(&x.0[1], &y.0[1])])
    }

    #[inline(always)]
    fn add_scaled(self, x: &Self::Minuend, y: &Self::Factor, k: u32) -> Self::Sum {
        Sums([self.0.add_scaled(&x.0[0], &y[0], k), self.0.add_scaled(&x.0[1], &y[1], k)])
    }

    #[inline(always)]
    fn carry(self, x: impl Into<Self::Sum>) -> Self::Factor {
        let Sums([first, second]) = x.into();
        [self.0.carry(first), self.0.carry(second)]
    }

    #[inline(always)]
    fn mask(self, bits: SecretBits) -> Self::Mask {
        [self.0.mask(bits); 2]
    }

    #[inline(always)]
    fn is_zero(self, x: &Self::Factor) -> Self::Mask {
        [self.0.is_zero(&x[0]), self.0.is_zero(&x[1])]
    }

    #[inline(always)]
    fn is_odd(self, x: &Self::Factor) -> Self::Mask {
        [self.0.is_odd(&x[0]), self.0.is_odd(&x[1])]
    }

    #[inline(always)]
    fn either(self, x: Self::Mask, y: Self::Mask) -> Self::Mask {
        [self.0.either(x[0], y[0]), self.0.either(x[1], y[1])]
    }

    #[inline(always)]
    fn select(self, mask: Self::Mask, yes: &Self::Factor, no: &Self::Factor) -> Self::Factor {
        [self.0.select(mask[0], &yes[0], &no[0]), self.0.select(mask[1], &yes[1], &no[1])]
    }
}
