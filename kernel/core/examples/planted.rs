//! Two ladders that betray their scalar, for `kernel/checks/constant_time.py --expect-refusal`.
//!
//! No product code: the names are those that the check looks for. The first has a branch on each
//! bit of the scalar, the second looks up a table by four bits.

use std::hint::black_box;

mod ifma {
    #[inline(never)]
    pub(super) fn ladder(scalar: &[u8; 32]) -> u64 {
        let mut sum = 1;
        for index in 0..256 {
            if scalar[index / 8] >> (index % 8) & 1 == 1 {
                sum = super::black_box(sum * 3);
            }
            sum += 1;
        }
        sum
    }
}

mod avx2 {
    #[inline(never)]
    pub(super) fn ladder(scalar: &[u8; 32], table: &[u64; 16]) -> u64 {
        scalar.iter().map(|byte| table[usize::from(byte & 15)]).sum()
    }
}

fn main() {
    let scalar = black_box([0x5a; 32]);
    println!("{} {}", ifma::ladder(&scalar), avx2::ladder(&scalar, &black_box([1; 16])));
}
