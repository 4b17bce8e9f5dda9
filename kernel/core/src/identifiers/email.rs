//! Plain e-mail addresses: `_PLAIN` of `psi/emails.py`, without anything to trim.

/// The longest address read here; longer ones are rare, and `psi` reads them.
const LONGEST: usize = 320;
const LONGEST_DOMAIN: usize = 253;
const LONGEST_LABEL: usize = 63;

/// Hands the address in lower case to `then`, where it is a plain one.
pub(super) fn normalised<T>(text: &[u8], then: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let mut buffer = [0; LONGEST];
    let lowered = buffer.get_mut(..text.len())?;
    lowered.copy_from_slice(text);
    lowered.make_ascii_lowercase();
    let at = lowered.iter().position(|byte| *byte == b'@')?;
    let (local, domain) = (&lowered[..at], &lowered[at + 1..]);
    let plain = !local.is_empty() && local.iter().all(is_local) && is_domain(domain);
    plain.then(|| then(lowered))
}

fn is_local(byte: &u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'@')
}

fn is_domain(domain: &[u8]) -> bool {
    let labels = domain.split(|byte| *byte == b'.');
    domain.len() <= LONGEST_DOMAIN
        && labels.clone().count() >= 2
        && labels.into_iter().all(is_label)
}

/// Says whether a label is its own A-label: hyphens inside, and none at places three and four.
fn is_label(label: &[u8]) -> bool {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let (Some(first), Some(last)) = (label.first(), label.last()) else { return false };
    label.len() <= LONGEST_LABEL
        && *first != b'-'
        && *last != b'-'
        && label.get(2..4) != Some(b"--")
        && label.iter().all(inside)
}
