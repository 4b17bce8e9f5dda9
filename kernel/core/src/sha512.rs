//! SHA-512 (FIPS 180-4) of up to eight messages at once, from a common beginning.

use crate::Engine;

/// How many messages are hashed at once.
pub(crate) const WAYS: usize = 8;
pub(crate) const DIGEST_BYTES: usize = 64;
const BLOCK_BYTES: usize = 128;
const LENGTH_BYTES: usize = size_of::<u128>();

pub(crate) type Block = [u8; BLOCK_BYTES];
pub(crate) type Digest = [u8; DIGEST_BYTES];

/// The states of all messages, word by word: a vector tier's eight lanes.
pub(crate) type States = [[u64; WAYS]; 8];

/// A tier's compression function: one block more for each message that has one.
///
/// Unsafe to call on a processor without the features that the tier is compiled for.
pub(crate) type Compress = unsafe fn(states: &mut States, blocks: &[Option<&Block>; WAYS]);

/// §5.3.5.
const INITIAL: [u64; 8] = [
    0x6a09e667f3bcc908,
    0xbb67ae8584caa73b,
    0x3c6ef372fe94f82b,
    0xa54ff53a5f1d36f1,
    0x510e527fade682d1,
    0x9b05688c2b3e6c1f,
    0x1f83d9abfb41bd6b,
    0x5be0cd19137e2179,
];

/// §4.2.3.
pub(crate) const ROUND_CONSTANTS: [u64; 80] = [
    0x428a2f98d728ae22,
    0x7137449123ef65cd,
    0xb5c0fbcfec4d3b2f,
    0xe9b5dba58189dbbc,
    0x3956c25bf348b538,
    0x59f111f1b605d019,
    0x923f82a4af194f9b,
    0xab1c5ed5da6d8118,
    0xd807aa98a3030242,
    0x12835b0145706fbe,
    0x243185be4ee4b28c,
    0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f,
    0x80deb1fe3b1696b1,
    0x9bdc06a725c71235,
    0xc19bf174cf692694,
    0xe49b69c19ef14ad2,
    0xefbe4786384f25e3,
    0x0fc19dc68b8cd5b5,
    0x240ca1cc77ac9c65,
    0x2de92c6f592b0275,
    0x4a7484aa6ea6e483,
    0x5cb0a9dcbd41fbd4,
    0x76f988da831153b5,
    0x983e5152ee66dfab,
    0xa831c66d2db43210,
    0xb00327c898fb213f,
    0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2,
    0xd5a79147930aa725,
    0x06ca6351e003826f,
    0x142929670a0e6e70,
    0x27b70a8546d22ffc,
    0x2e1b21385c26c926,
    0x4d2c6dfc5ac42aed,
    0x53380d139d95b3df,
    0x650a73548baf63de,
    0x766a0abb3c77b2a8,
    0x81c2c92e47edaee6,
    0x92722c851482353b,
    0xa2bfe8a14cf10364,
    0xa81a664bbc423001,
    0xc24b8b70d0f89791,
    0xc76c51a30654be30,
    0xd192e819d6ef5218,
    0xd69906245565a910,
    0xf40e35855771202a,
    0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8,
    0x1e376c085141ab53,
    0x2748774cdf8eeb99,
    0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63,
    0x4ed8aa4ae3418acb,
    0x5b9cca4f7763e373,
    0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc,
    0x78a5636f43172f60,
    0x84c87814a1f0ab72,
    0x8cc702081a6439ec,
    0x90befffa23631e28,
    0xa4506cebde82bde9,
    0xbef9a3f7b2c67915,
    0xc67178f2e372532b,
    0xca273eceea26619c,
    0xd186b8c721c0c207,
    0xeada7dd6cde0eb1e,
    0xf57d4f7fee6ed178,
    0x06f067aa72176fba,
    0x0a637dc5a2c898a6,
    0x113f9804bef90dae,
    0x1b710b35131c471b,
    0x28db77f523047d84,
    0x32caab7b40c72493,
    0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6,
    0x597f299cfc657e2a,
    0x5fcb6fab3ad6faec,
    0x6c44198c4a475817,
];

/// What all messages begin with: the state after its whole blocks, and the bytes behind them.
pub(crate) struct Beginning {
    state: [u64; 8],
    rest: Vec<u8>,
    bytes: usize,
}

impl Beginning {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let (blocks, rest) = bytes.as_chunks();
        let mut state = INITIAL;
        sha2::block_api::compress512(&mut state, blocks);
        Self { state, rest: rest.to_vec(), bytes: bytes.len() }
    }

    /// Returns the digest of the beginning and each of `ends`, which are given in parts.
    pub(crate) fn digests<const PARTS: usize>(
        &self,
        engine: &Engine,
        ends: &[[&[u8]; PARTS]; WAYS],
    ) -> [Digest; WAYS] {
        let mut states = self.state.map(|word| [word; WAYS]);
        for number in 0.. {
            let blocks = ends.each_ref().map(|parts| self.block(parts, number));
            if blocks.iter().all(Option::is_none) {
                break;
            }
            engine.compress(&mut states, &blocks.each_ref().map(Option::as_ref));
        }
        std::array::from_fn(|way| {
            let mut digest = [0; DIGEST_BYTES];
            for (bytes, word) in digest.chunks_exact_mut(8).zip(&states) {
                bytes.copy_from_slice(&word[way].to_be_bytes());
            }
            digest
        })
    }

    /// Returns a block of the rest, the parts and §5.1.2's padding, if there are so many.
    fn block(&self, parts: &[&[u8]], number: usize) -> Option<Block> {
        let end: usize = parts.iter().map(|part| part.len()).sum();
        let blocks = (self.rest.len() + end + 1 + LENGTH_BYTES).div_ceil(BLOCK_BYTES);
        let start = number * BLOCK_BYTES;
        let mut block = [0; BLOCK_BYTES];
        let mut position = 0;
        for part in [&self.rest[..]].iter().chain(parts).chain(&[&[0x80][..]]) {
            let source = part.get(start.saturating_sub(position)..).unwrap_or_default();
            let target = block.get_mut(position.saturating_sub(start)..).unwrap_or_default();
            target.iter_mut().zip(source).for_each(|(target, source)| *target = *source);
            position += part.len();
        }
        if number + 1 == blocks {
            let bits = 8 * (self.bytes as u128 + end as u128);
            block[BLOCK_BYTES - LENGTH_BYTES..].copy_from_slice(&bits.to_be_bytes());
        }
        (number < blocks).then_some(block)
    }
}
