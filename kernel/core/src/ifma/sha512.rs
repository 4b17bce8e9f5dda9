//! SHA-512's compression function in eight lanes (FIPS 180-4, §6.4.2).

use crate::sha512::{Block, ROUND_CONSTANTS, States, WAYS};
use core::arch::x86_64::*;

/// A truth table of `vpternlogq`: x ^ y ^ z.
const PARITY: i32 = 0x96;
/// y where x is set, z elsewhere.
const CHOICE: i32 = 0xca;
/// What two of three agree on.
const MAJORITY: i32 = 0xe8;

/// Takes one block more into each state that has one; see [`crate::sha512::Compress`].
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn compress(states: &mut States, blocks: &[Option<&Block>; WAYS]) {
    let mut before = [_mm512_setzero_si512(); 8];
    for (before, state) in before.iter_mut().zip(&*states) {
        *before = load(state);
    }
    let mut words = read(blocks);
    let mut after = before;
    for (index, constants) in ROUND_CONSTANTS.as_chunks::<16>().0.iter().enumerate() {
        if index > 0 {
            for t in 0..16 {
                words[t] = next_word(&words, t);
            }
        }
        for t in 0..16 {
            let constant = _mm512_set1_epi64(constants[t].cast_signed());
            after = round(after, _mm512_add_epi64(words[t], constant));
        }
    }
    let taken = lanes_with_block(blocks);
    for ((state, before), after) in states.iter_mut().zip(before).zip(after) {
        let sum = _mm512_mask_add_epi64(before, taken, before, after);
        // SAFETY: the array is 64 writable bytes.
        unsafe { _mm512_storeu_si512(state.as_mut_ptr().cast(), sum) };
    }
}

/// Returns the working variables after one round; `word` is W_t + K_t.
#[inline]
#[target_feature(enable = "avx512f")]
fn round([a, b, c, d, e, f, g, h]: [__m512i; 8], word: __m512i) -> [__m512i; 8] {
    let choice = _mm512_ternarylogic_epi64::<CHOICE>(e, f, g);
    let first = sum4(h, rotations::<14, 18, 41>(e), choice, word);
    let majority = _mm512_ternarylogic_epi64::<MAJORITY>(a, b, c);
    let second = _mm512_add_epi64(rotations::<28, 34, 39>(a), majority);
    [_mm512_add_epi64(first, second), a, b, c, _mm512_add_epi64(d, first), e, f, g]
}

/// Returns W_t, which takes the place of W_(t−16).
#[inline]
#[target_feature(enable = "avx512f")]
fn next_word(words: &[__m512i; 16], t: usize) -> __m512i {
    let (old, new) = (words[(t + 1) % 16], words[(t + 14) % 16]);
    let small0 = _mm512_ternarylogic_epi64::<PARITY>(
        _mm512_ror_epi64::<1>(old),
        _mm512_ror_epi64::<8>(old),
        _mm512_srli_epi64::<7>(old),
    );
    let small1 = _mm512_ternarylogic_epi64::<PARITY>(
        _mm512_ror_epi64::<19>(new),
        _mm512_ror_epi64::<61>(new),
        _mm512_srli_epi64::<6>(new),
    );
    sum4(words[t % 16], small0, words[(t + 9) % 16], small1)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn rotations<const A: i32, const B: i32, const C: i32>(x: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<PARITY>(
        _mm512_ror_epi64::<A>(x),
        _mm512_ror_epi64::<B>(x),
        _mm512_ror_epi64::<C>(x),
    )
}

#[inline]
#[target_feature(enable = "avx512f")]
fn sum4(w: __m512i, x: __m512i, y: __m512i, z: __m512i) -> __m512i {
    _mm512_add_epi64(_mm512_add_epi64(w, x), _mm512_add_epi64(y, z))
}

/// Returns the sixteen big-endian words of each block, lane by lane; 0 where there is none.
#[inline]
#[target_feature(enable = "avx512f")]
fn read(blocks: &[Option<&Block>; WAYS]) -> [__m512i; 16] {
    let mut words = [[0; WAYS]; 16];
    for (lane, block) in blocks.iter().enumerate() {
        let (chunks, _) = block.unwrap_or(&[0; 128]).as_chunks();
        for (word, bytes) in words.iter_mut().zip(chunks) {
            word[lane] = u64::from_be_bytes(*bytes);
        }
    }
    let mut vectors = [_mm512_setzero_si512(); 16];
    for (vector, word) in vectors.iter_mut().zip(&words) {
        *vector = load(word);
    }
    vectors
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(lanes: &[u64; WAYS]) -> __m512i {
    // SAFETY: the array is 64 readable bytes.
    unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }
}

fn lanes_with_block(blocks: &[Option<&Block>; WAYS]) -> __mmask8 {
    blocks.iter().rev().fold(0, |mask, block| mask << 1 | u8::from(block.is_some()))
}
