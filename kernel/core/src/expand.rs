//! Messages to pairs of field elements: `hash_to_field` of RFC 9380 §5.2 and §5.3.1.
//!
//! `expand_message_xmd` with SHA-512 gives 96 bytes a message, 48 for each element. The state of
//! SHA-512 after the padding block and the common prefix is computed once for all messages.

use crate::sha512::{Beginning, Digest, WAYS};
use crate::{Engine, KernelError, Pair};

const BLOCK_BYTES: usize = 128;
const DIGEST_BYTES: usize = 64;
/// L of §8.5: 128 bits more than p has, so that the reduction shows no bias.
const ELEMENT_BYTES: usize = 48;
const LENGTH: [u8; 2] = [0, 2 * ELEMENT_BYTES as u8];

/// How many messages are expanded at once.
pub(crate) const TOGETHER: usize = WAYS;

/// SHA-512 fed with what all messages have in common, and what follows each.
pub(crate) struct Expander {
    begun: Beginning,
    empty: Beginning,
    dst_prime: Vec<u8>,
}

impl Expander {
    /// `dst` has 1 to 255 bytes; a longer one would have to be hashed first (§5.3.3).
    pub(crate) fn new(prefix: &[u8], dst: &[u8]) -> Result<Self, KernelError> {
        let length = u8::try_from(dst.len()).ok().filter(|length| *length > 0);
        let length = length.ok_or(KernelError::Lengths("a DST has 1 to 255 bytes"))?;
        Ok(Self {
            begun: Beginning::of(&[&[0; BLOCK_BYTES], prefix].concat()),
            empty: Beginning::of(&[]),
            dst_prime: [dst, &[length]].concat(),
        })
    }

    /// Returns the two elements, canonical, of prefix ‖ message, for each message.
    pub(crate) fn pairs(&self, engine: &Engine, messages: &[&[u8]; TOGETHER]) -> [Pair; TOGETHER] {
        let dst: &[u8] = &self.dst_prime;
        let ends = messages.map(|message| [message, &LENGTH, &[0], dst]);
        let first = self.begun.digests(engine, &ends);
        let second = self.continued(engine, &first, 1);
        let mut mixed = first;
        for (mixed, second) in mixed.iter_mut().zip(&second) {
            mixed.iter_mut().zip(second).for_each(|(one, other)| *one ^= other);
        }
        let third = self.continued(engine, &mixed, 2);
        std::array::from_fn(|i| {
            let mut uniform = [0; 2 * DIGEST_BYTES];
            uniform[..DIGEST_BYTES].copy_from_slice(&second[i]);
            uniform[DIGEST_BYTES..].copy_from_slice(&third[i]);
            [0, 1].map(|i| reduce(std::array::from_fn(|byte| uniform[i * ELEMENT_BYTES + byte])))
        })
    }

    fn continued(&self, engine: &Engine, before: &[Digest; WAYS], number: u8) -> [Digest; WAYS] {
        let number = [number];
        let ends = before.each_ref().map(|digest| [&digest[..], &number, &self.dst_prime]);
        self.empty.digests(engine, &ends)
    }
}

/// Reduces 384 bits, big endian, modulo p = 2²⁵⁵ − 19 to 32 bytes, little endian.
fn reduce(mut bytes: [u8; ELEMENT_BYTES]) -> [u8; 32] {
    bytes.reverse();
    let word = |i: usize| {
        u64::from_le_bytes(std::array::from_fn(|byte| *bytes.get(8 * i + byte).unwrap_or(&0)))
    };
    let mut low: [u64; 4] = std::array::from_fn(word);
    // 2²⁵⁶ = 38 mod p, and the words above it are two.
    let over = add(&mut low, std::array::from_fn(|i| u128::from(word(4 + i)) * 38));
    let over = over << 1 | take_top_bit(&mut low);
    add(&mut low, [u128::from(over) * 19, 0, 0, 0]);
    // Now below 2p. At least p is what reaches 2²⁵⁵ with 19 more.
    let mut more = low;
    add(&mut more, [19, 0, 0, 0]);
    let excess = take_top_bit(&mut more);
    add(&mut low, [u128::from(excess) * 19, 0, 0, 0]);
    take_top_bit(&mut low);
    let mut out = [0; 32];
    for (bytes, word) in out.chunks_exact_mut(8).zip(low) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    out
}

/// Adds `terms`, each below 2⁷¹, to the words of a number, and returns what it is over 2²⁵⁶.
fn add(number: &mut [u64; 4], terms: [u128; 4]) -> u64 {
    let mut carry = 0;
    for (word, term) in number.iter_mut().zip(terms) {
        carry += u128::from(*word) + term;
        *word = carry as u64;
        carry >>= 64;
    }
    carry as u64
}

fn take_top_bit(number: &mut [u64; 4]) -> u64 {
    let bit = number[3] >> 63;
    number[3] &= u64::MAX >> 1;
    bit
}
