//! Plain advertising ids: 32 hex digits, with the four hyphens of a UUID or without any.

use super::is_repetitive;

const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Returns the id in lower case with hyphens, where it is a plain one and no placeholder.
pub(super) fn normalised(text: &[u8]) -> Option<[u8; 36]> {
    if is_repetitive(text) {
        return None;
    }
    let mut id = [b'-'; 36];
    if text.len() == id.len() {
        id.copy_from_slice(text);
    } else {
        let digits: &[u8; 32] = text.try_into().ok()?;
        let mut digits = digits.iter();
        for (place, byte) in id.iter_mut().enumerate() {
            if !HYPHENS.contains(&place) {
                *byte = *digits.next()?;
            }
        }
    }
    id.make_ascii_lowercase();
    let fits = |(place, byte): (usize, &u8)| {
        if HYPHENS.contains(&place) { *byte == b'-' } else { byte.is_ascii_hexdigit() }
    };
    id.iter().enumerate().all(fits).then_some(id)
}
