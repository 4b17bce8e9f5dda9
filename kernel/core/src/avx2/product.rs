//! Products and squares of ten limbs, as functions of their own.
//!
//! Sixteen registers hold the ten columns of a product and little else, so the operands stay in
//! memory, and each row's products are made from there. Left to itself the compiler keeps operands
//! in registers and spills columns, which takes a fifth longer. Inlined, the ladder's nine products
//! leave the instruction cache, and the compiler takes them apart.

use super::field::{Factor, LIMBS, Product};
use super::vector::{Avx2, V};
use core::arch::asm;

/// Returns x·y.
#[inline(never)]
#[target_feature(enable = "avx2")]
pub(super) fn multiply(f: Avx2, x: &Factor, y: &Factor) -> Product {
    let y19 = f.nineteen_times(&y.0);
    let (x, y, y19) = (in_memory(&x.0), in_memory(&y.0), in_memory(&y19));
    let mut z = [f.splat(0); LIMBS];
    f.add_row::<0>(&mut z, x, y, y19);
    f.add_row::<1>(&mut z, x, y, y19);
    f.add_row::<2>(&mut z, x, y, y19);
    f.add_row::<3>(&mut z, x, y, y19);
    f.add_row::<4>(&mut z, x, y, y19);
    f.add_row::<5>(&mut z, x, y, y19);
    f.add_row::<6>(&mut z, x, y, y19);
    f.add_row::<7>(&mut z, x, y, y19);
    f.add_row::<8>(&mut z, x, y, y19);
    f.add_row::<9>(&mut z, x, y, y19);
    f.tighten(z)
}

/// Returns x².
#[inline(never)]
#[target_feature(enable = "avx2")]
pub(super) fn square(f: Avx2, x: &Factor) -> Product {
    let x19 = f.nineteen_times(&x.0);
    let (x, x19) = (in_memory(&x.0), in_memory(&x19));
    let mut z = [f.splat(0); LIMBS];
    f.add_square_row::<0>(&mut z, x, x19);
    f.add_square_row::<1>(&mut z, x, x19);
    f.add_square_row::<2>(&mut z, x, x19);
    f.add_square_row::<3>(&mut z, x, x19);
    f.add_square_row::<4>(&mut z, x, x19);
    f.add_square_row::<5>(&mut z, x, x19);
    f.add_square_row::<6>(&mut z, x, x19);
    f.add_square_row::<7>(&mut z, x, x19);
    f.add_square_row::<8>(&mut z, x, x19);
    f.add_square_row::<9>(&mut z, x, x19);
    f.tighten(z)
}

impl Avx2 {
    #[inline(always)]
    fn nineteen_times(self, x: &[V; LIMBS]) -> [V; LIMBS] {
        let (mut z, nineteen) = (*x, self.hide(self.splat(19)));
        for limb in &mut z[1..] {
            *limb = self.hide(self.multiply32(*limb, nineteen));
        }
        z
    }

    /// Adds row `I` of the product x·y to its columns; `y19` is 19·y.
    #[inline(always)]
    fn add_row<const I: usize>(
        self,
        columns: &mut [V; LIMBS],
        x: &[V; LIMBS],
        y: &[V; LIMBS],
        y19: &[V; LIMBS],
    ) {
        let twice = self.hide(self.add64(x[I], x[I]));
        for j in 0..LIMBS {
            let left = if I % 2 == 1 && j % 2 == 1 { twice } else { x[I] };
            let right = if I + j < LIMBS { y[j] } else { y19[j] };
            let k = (I + j) % LIMBS;
            columns[k] = self.add64(columns[k], self.multiply32(left, right));
        }
        self.in_registers(columns);
    }

    /// Adds row `I` of x² to its columns, without what earlier rows have; `x19` is 19·x.
    #[inline(always)]
    fn add_square_row<const I: usize>(
        self,
        columns: &mut [V; LIMBS],
        x: &[V; LIMBS],
        x19: &[V; LIMBS],
    ) {
        let twice = self.hide(self.add64(x[I], x[I]));
        let four_times = self.hide(self.add64(twice, twice));
        for j in I..LIMBS {
            let left = match (I == j, I % 2 == 1 && j % 2 == 1) {
                (true, false) => x[I],
                (true, true) | (false, false) => twice,
                (false, true) => four_times,
            };
            let right = if I + j < LIMBS { x[j] } else { x19[j] };
            let k = (I + j) % LIMBS;
            columns[k] = self.add64(columns[k], self.multiply32(left, right));
        }
        self.in_registers(columns);
    }
}

/// Returns the same limbs, of which the compiler knows only that they are in memory.
#[inline(always)]
fn in_memory(limbs: &[V; LIMBS]) -> &[V; LIMBS] {
    let mut address: *const [V; LIMBS] = limbs;
    // SAFETY: no instruction is executed, so the address is still that of the borrowed limbs.
    unsafe {
        asm!("/* {0} */", inout(reg) address, options(nostack, preserves_flags));
        &*address
    }
}
