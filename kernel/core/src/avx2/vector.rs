//! Four 64-bit lanes and the few instructions that the field needs.

use core::arch::asm;
use core::arch::x86_64::*;

/// One limb of four elements; as a mask, all ones in the lanes that answer yes.
pub(crate) type V = __m256i;

/// The proof that this processor has AVX2.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Returns the proof where the processor has the feature.
    pub(crate) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    /// Returns the proof without looking.
    ///
    /// # Safety
    /// [`Avx2::detect`] has returned the proof in this process.
    #[inline(always)]
    pub(super) unsafe fn assume() -> Self {
        Self(())
    }

    #[inline(always)]
    pub(super) fn splat(self, x: u64) -> V {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_set1_epi64x(x.cast_signed()) }
    }

    /// Returns x in a way that tells the compiler nothing about its value.
    ///
    /// Where it knows that a factor is a multiple, it replaces a multiplication of 32 bits, which
    /// is one instruction, by sequences of shifts and additions.
    #[inline(always)]
    pub(super) fn hide(self, x: V) -> V {
        // SAFETY: `self` proves AVX2.
        unsafe { hide(x) }
    }

    /// Has the compiler keep these ten in registers here, and read again afterwards what it has read
    /// from memory before.
    #[inline(always)]
    pub(super) fn in_registers(self, x: &mut [V; 10]) {
        // SAFETY: `self` proves AVX2.
        unsafe { in_registers(x) }
    }

    #[inline(always)]
    pub(super) fn load_lanes(self, x: [u64; 4]) -> V {
        // SAFETY: `self` proves AVX2, and the array is 32 readable bytes.
        unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
    }

    #[inline(always)]
    pub(super) fn store_lanes(self, x: V) -> [u64; 4] {
        let mut lanes = [0; 4];
        // SAFETY: `self` proves AVX2, and the array is 32 writable bytes.
        unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), x) };
        lanes
    }

    #[inline(always)]
    pub(super) fn add64(self, x: V, y: V) -> V {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_add_epi64(x, y) }
    }

    #[inline(always)]
    pub(super) fn sub64(self, x: V, y: V) -> V {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_sub_epi64(x, y) }
    }

    #[inline(always)]
    pub(super) fn and(self, x: V, y: V) -> V {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_and_si256(x, y) }
    }

    #[inline(always)]
    pub(super) fn or(self, x: V, y: V) -> V {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_or_si256(x, y) }
    }

    #[inline(always)]
    pub(super) fn shift_right<const BITS: i32>(self, x: V) -> V {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_srli_epi64::<BITS>(x) }
    }

    #[inline(always)]
    pub(super) fn shift_left<const BITS: i32>(self, x: V) -> V {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_slli_epi64::<BITS>(x) }
    }

    /// Returns x·y, where x and y are read modulo 2³².
    #[inline(always)]
    pub(super) fn multiply32(self, x: V, y: V) -> V {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_mul_epu32(x, y) }
    }

    /// Says where x and y are the same.
    #[inline(always)]
    pub(super) fn equal64(self, x: V, y: V) -> V {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_cmpeq_epi64(x, y) }
    }

    /// Returns `yes` in the lanes of the mask, and `no` elsewhere.
    #[inline(always)]
    pub(super) fn blend(self, mask: V, yes: V, no: V) -> V {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_blendv_epi8(no, yes, mask) }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn hide(mut x: V) -> V {
    // SAFETY: no instruction is executed, and the register exists where there is AVX2.
    unsafe {
        asm!("/* {0} */", inout(ymm_reg) x, options(pure, nomem, nostack, preserves_flags));
    }
    x
}

#[inline]
#[target_feature(enable = "avx2")]
fn in_registers(x: &mut [V; 10]) {
    // SAFETY: no instruction is executed, and the registers exist where there is AVX2.
    unsafe {
        asm!(
            "/* {0} {1} {2} {3} {4} {5} {6} {7} {8} {9} */",
            inout(ymm_reg) x[0],
            inout(ymm_reg) x[1],
            inout(ymm_reg) x[2],
            inout(ymm_reg) x[3],
            inout(ymm_reg) x[4],
            inout(ymm_reg) x[5],
            inout(ymm_reg) x[6],
            inout(ymm_reg) x[7],
            inout(ymm_reg) x[8],
            inout(ymm_reg) x[9],
            options(nostack, preserves_flags)
        );
    }
}
