//! Digests in plain writing: hex of any case, or base64 of either alphabet, padded or not.
//!
//! Base64 must be canonical, since its case carries bits: bits beyond the last byte are zero,
//! padding is complete or absent, and the two alphabets are not mixed.

use super::is_repetitive;

/// Returns the `N` bytes that a text writes, where it is plain and no placeholder.
pub(super) fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if is_repetitive(text) {
        return None;
    }
    if is_hex(text) { from_hex(text) } else { from_base64(text) }
}

/// Looks at every byte, without a way out, so that the compiler makes vectors of it.
fn is_hex(text: &[u8]) -> bool {
    text.iter().fold(true, |so_far, byte| so_far & byte.is_ascii_hexdigit())
}

/// Reads hex digits, which `is_hex` has seen to be such.
fn from_hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = hex_value(digits[0]) << 4 | hex_value(digits[1]);
    }
    Some(bytes)
}

/// Returns the value of a hex digit: a letter of either case is 1 to 6 in its lower bits.
fn hex_value(digit: u8) -> u8 {
    (digit & 0xf) + 9 * (digit >> 6)
}

fn from_base64<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let characters = (4 * N).div_ceil(3);
    let (body, padding) = text.split_at_checked(characters)?;
    let complete = padding.len() == characters.next_multiple_of(4) - characters;
    let standard = body.iter().any(|byte| matches!(byte, b'+' | b'/'));
    let url_safe = body.iter().any(|byte| matches!(byte, b'-' | b'_'));
    if !(padding.is_empty() || complete && padding.iter().all(|byte| *byte == b'='))
        || standard && url_safe
    {
        return None;
    }
    let mut bytes = [0; N];
    let mut out = bytes.iter_mut();
    let (mut held, mut bits) = (0_u32, 0);
    for character in body {
        held = held << 6 | base64_value(*character)?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            *out.next()? = (held >> bits) as u8;
            held &= (1 << bits) - 1;
        }
    }
    (held == 0).then_some(bytes)
}

fn base64_value(character: u8) -> Option<u32> {
    let value = match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(value.into())
}
