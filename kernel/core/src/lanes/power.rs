//! Powers with fixed exponents, by the addition chain for 2²⁵⁰ − 1 of curve25519's reference code.

use super::field::{Compiled, Field};

/// Returns x^(2^times).
#[inline(always)]
pub(crate) fn square_times<F: Field>(f: F, x: &F::Factor, times: usize) -> F::Factor {
    let mut power = *x;
    for _ in 0..times {
        power = f.carry(f.square(&power));
    }
    power
}

/// Returns x^(2²⁵⁰ − 1) and x¹¹, which both exponents below start from.
#[inline(always)]
fn power_250<F: Compiled>(f: F, x: &F::Factor) -> (F::Factor, F::Factor) {
    let x2 = f.square_times(x, 1);
    let x9 = f.times(x, &f.square_times(&x2, 2));
    let x11 = f.times(&x9, &x2);
    let bits5 = f.times(&f.square_times(&x11, 1), &x9); // x^(2⁵ − 1)
    let bits10 = f.times(&f.square_times(&bits5, 5), &bits5);
    let bits20 = f.times(&f.square_times(&bits10, 10), &bits10);
    let bits40 = f.times(&f.square_times(&bits20, 20), &bits20);
    let bits50 = f.times(&f.square_times(&bits40, 10), &bits10);
    let bits100 = f.times(&f.square_times(&bits50, 50), &bits50);
    let bits200 = f.times(&f.square_times(&bits100, 100), &bits100);
    (f.times(&f.square_times(&bits200, 50), &bits50), x11)
}

/// Returns 1/x, and 0 for 0: x^(p − 2) = x^(2²⁵⁵ − 21).
#[inline(always)]
pub(crate) fn invert<F: Compiled>(f: F, x: &F::Factor) -> F::Factor {
    let (power, x11) = power_250(f, x);
    f.times(&f.square_times(&power, 5), &x11)
}

/// Returns x^((p − 5)/8) = x^(2²⁵² − 3).
#[inline(always)]
pub(crate) fn power_p58<F: Compiled>(f: F, x: &F::Factor) -> F::Factor {
    let (power, _) = power_250(f, x);
    f.times(&f.square_times(&power, 2), x)
}
