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
    if text.iter().all(u8::is_ascii_hexdigit) { from_hex(text) } else { from_base64(text) }
}

fn from_hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = hex_digit(digits[0])? << 4 | hex_digit(digits[1])?;
    }
    Some(bytes)
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| value.try_into().ok())
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
