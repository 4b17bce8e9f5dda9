//! What keeps a scalar out of branches, and out of memory once it has been used.

#[cfg(target_arch = "x86_64")]
use core::arch::asm;
use core::hint::black_box;
use core::mem::MaybeUninit;
use zeroize::Zeroize;

/// A bit that the compiler cannot branch on, for it is never shown where the bit comes from.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct SecretBit(u64);

#[cfg(target_arch = "x86_64")]
impl SecretBit {
    /// Takes 0 or 1.
    #[inline(always)]
    pub(crate) fn new(bit: u8) -> Self {
        let mut bit = u64::from(bit);
        // SAFETY: no instruction is executed. For all that the compiler knows the register
        // changes, so it cannot turn what is computed from it into a branch on the scalar.
        unsafe {
            asm!("/* {0} */", inout(reg) bit, options(pure, nomem, nostack, preserves_flags));
        }
        Self(bit)
    }

    /// Returns all ones for 1, and 0 for 0.
    #[inline(always)]
    pub(crate) fn all_ones(self) -> u64 {
        self.0.wrapping_neg()
    }
}

/// Overwrites the dead stack frames of the functions that worked with a scalar.
///
/// What they spill lies where only the compiler knows. `WORDS` words of 64 bits are more than the
/// frames take, which `kernel/checks` verifies of the vector tiers in the compiled code.
#[inline(never)]
pub(crate) fn wipe_stack<const WORDS: usize>() {
    let mut dead = [const { MaybeUninit::<u64>::uninit() }; WORDS];
    dead.zeroize();
    black_box(&dead);
}
