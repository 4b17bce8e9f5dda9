//! What keeps a scalar out of branches, and out of memory once it has been used.

#[cfg(target_arch = "x86_64")]
use core::arch::asm;
use core::hint::black_box;
use core::mem::MaybeUninit;
use zeroize::Zeroize;

/// A bit of each lane, lane 0 the lowest. The compiler cannot branch on them, for it is never shown
/// where they come from.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct SecretBits(u64);

#[cfg(target_arch = "x86_64")]
impl SecretBits {
    /// Takes the bits of up to eight lanes.
    #[inline(always)]
    pub(crate) fn new(bits: u8) -> Self {
        let mut bits = u64::from(bits);
        // SAFETY: no instruction is executed. For all that the compiler knows the register
        // changes, so it cannot turn what is computed from it into a branch on the scalar.
        unsafe {
            asm!("/* {0} */", inout(reg) bits, options(pure, nomem, nostack, preserves_flags));
        }
        Self(bits)
    }

    /// Returns the bits, all others 0.
    #[inline(always)]
    pub(crate) fn get(self) -> u64 {
        self.0
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
