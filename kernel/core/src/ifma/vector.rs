//! Eight 64-bit lanes and the few instructions that the field needs.

use core::arch::x86_64::*;

/// One limb of eight elements.
pub(super) type V = __m512i;

/// Lanes that answer yes.
pub(super) type Lanes = __mmask8;

/// The proof that this processor has AVX-512 F, DQ and IFMA.
#[derive(Clone, Copy)]
pub(crate) struct Ifma(());

impl Ifma {
    /// Returns the proof where the processor has the features.
    pub(crate) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512ifma");
        found.then_some(Self(()))
    }

    /// Returns the proof without looking.
    ///
    /// # Safety
    /// [`Ifma::detect`] has returned the proof in this process.
    #[inline(always)]
    pub(super) unsafe fn assume() -> Self {
        Self(())
    }

    #[inline(always)]
    pub(super) fn splat(self, x: u64) -> V {
        // SAFETY: `self` proves AVX-512 F.
        unsafe { _mm512_set1_epi64(x.cast_signed()) }
    }

    #[inline(always)]
    pub(super) fn load_lanes(self, x: [u64; 8]) -> V {
        // SAFETY: `self` proves AVX-512 F, and the array is 64 readable bytes.
        unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
    }

    #[inline(always)]
    pub(super) fn store_lanes(self, x: V) -> [u64; 8] {
        let mut lanes = [0; 8];
        // SAFETY: `self` proves AVX-512 F, and the array is 64 writable bytes.
        unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), x) };
        lanes
    }

    #[inline(always)]
    pub(super) fn add64(self, x: V, y: V) -> V {
        // SAFETY: `self` proves AVX-512 F.
        unsafe { _mm512_add_epi64(x, y) }
    }

    #[inline(always)]
    pub(super) fn sub64(self, x: V, y: V) -> V {
        // SAFETY: `self` proves AVX-512 F.
        unsafe { _mm512_sub_epi64(x, y) }
    }

    #[inline(always)]
    pub(super) fn and(self, x: V, y: V) -> V {
        // SAFETY: `self` proves AVX-512 F.
        unsafe { _mm512_and_si512(x, y) }
    }

    #[inline(always)]
    pub(super) fn or(self, x: V, y: V) -> V {
        // SAFETY: `self` proves AVX-512 F.
        unsafe { _mm512_or_si512(x, y) }
    }

    #[inline(always)]
    pub(super) fn shift_right<const BITS: u32>(self, x: V) -> V {
        // SAFETY: `self` proves AVX-512 F.
        unsafe { _mm512_srli_epi64::<BITS>(x) }
    }

    #[inline(always)]
    pub(super) fn shift_left<const BITS: u32>(self, x: V) -> V {
        // SAFETY: `self` proves AVX-512 F.
        unsafe { _mm512_slli_epi64::<BITS>(x) }
    }

    /// Returns sum + the low 52 bits of x·y, where x and y are read modulo 2⁵².
    #[inline(always)]
    pub(super) fn add_low(self, sum: V, x: V, y: V) -> V {
        // SAFETY: `self` proves AVX-512 IFMA.
        unsafe { _mm512_madd52lo_epu64(sum, x, y) }
    }

    /// Returns sum + the high 52 bits of x·y, where x and y are read modulo 2⁵².
    #[inline(always)]
    pub(super) fn add_high(self, sum: V, x: V, y: V) -> V {
        // SAFETY: `self` proves AVX-512 IFMA.
        unsafe { _mm512_madd52hi_epu64(sum, x, y) }
    }

    /// Says where no bit of y is set in x.
    #[inline(always)]
    pub(super) fn none_set(self, x: V, y: V) -> Lanes {
        // SAFETY: `self` proves AVX-512 F.
        unsafe { _mm512_testn_epi64_mask(x, y) }
    }

    /// Returns `yes` in the lanes of the mask, and `no` elsewhere.
    #[inline(always)]
    pub(super) fn blend(self, mask: Lanes, yes: V, no: V) -> V {
        // SAFETY: `self` proves AVX-512 F.
        unsafe { _mm512_mask_blend_epi64(mask, no, yes) }
    }
}
