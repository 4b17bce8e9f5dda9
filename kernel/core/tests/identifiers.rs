//! Plain identifiers: what is taken, what is left, and what its digest is.

use commonground_kernel_core::{Column, Form, Hashed, KernelError, Threads, digest};
use sha2::{Digest, Sha256};

fn read<H: Hashed>(form: Form, values: &[&str]) -> Vec<Option<H>> {
    let data = values.concat();
    let ends = values.iter().scan(0, |end, value| {
        *end += i32::try_from(value.len()).unwrap();
        Some(*end)
    });
    let offsets: Vec<i32> = std::iter::once(0).chain(ends).collect();
    let column = Column::new(data.as_bytes(), &offsets).expect("a column");
    let (mut digests, mut taken) = (vec![H::default(); values.len()], vec![7; values.len()]);
    digest(form, column, &mut digests, &mut taken, Threads::or_all(2)).expect("digests");
    digests.into_iter().zip(taken).map(|(digest, taken)| (taken == 1).then_some(digest)).collect()
}

fn sha256(text: &str) -> Option<[u8; 32]> {
    Some(Sha256::digest(text).into())
}

#[test]
fn addresses_are_hashed_in_lower_case() {
    let values = ["A.b+c@D.Example", "a@b", "a@b..c", "a@b.c ", "\"a\"@b.c", "", "a@b.c@d.e"];
    let expected = [sha256("a.b+c@d.example"), None, None, None, None, None, None];
    assert_eq!(read(Form::Email, &values), expected);
}

#[test]
fn advertising_ids_get_their_hyphens() {
    let plain = "123e4567-e89b-12d3-a456-426614174000";
    let upper = plain.to_uppercase();
    let bare = plain.replace('-', "");
    let some = plain.replacen('-', "", 1);
    let zeros = "0".repeat(32);
    let values = [plain, &upper, &bare, &some, &zeros, &plain[..35]];
    let expected = [sha256(plain), sha256(plain), sha256(plain), None, None, None];
    assert_eq!(read(Form::Maid, &values), expected);
}

#[test]
fn digests_are_decoded_from_hex_and_canonical_base64() {
    let values = [
        "000102030405060708090a0b0c0d0eFF",
        "AAECAwQFBgcICQoLDA0O/w",
        "AAECAwQFBgcICQoLDA0O_w==",
        "AAECAwQFBgcICQoLDA0O/w=",
        "AAECAwQFBgcICQoLDA0O/x",
        "000102030405060708090a0b0c0d0eF",
        "aaaaaaaaaaaaaaaaAAAAAAAAAAAAAAAA",
    ];
    let mut bytes: [u8; 16] = std::array::from_fn(|i| i.try_into().unwrap());
    bytes[15] = 0xff;
    let taken = Some(bytes);
    assert_eq!(read(Form::Digest, &values), [taken, taken, taken, None, None, None, None]);
}

#[test]
fn offsets_that_fall_or_leave_the_data_are_refused() {
    for offsets in [&[][..], &[0, 4], &[2, 1], &[-1, 2], &[0, 3, 2, 3], &[i64::MAX, i64::MAX]] {
        assert_eq!(Column::new(b"abc", offsets).err(), Some(KernelError::Offsets), "{offsets:?}");
    }
    let slice = Column::new(b"abc", &[1_i64, 1, 3]).expect("a slice");
    assert_eq!(
        (slice.get(0), slice.get(1), slice.get(2)),
        (Some(&b""[..]), Some(&b"bc"[..]), None)
    );
}

#[test]
fn unknown_forms_and_other_lengths_are_refused() {
    assert_eq!(Form::named("phone"), Err(KernelError::NoSuchForm));
    let column = Column::new(b"ab", &[0_i64, 1, 2]).expect("a column");
    let mut digests = [[0; 32]; 1];
    assert!(digest(Form::Text, column, &mut digests, &mut [0; 2], Threads::ONE).is_err());
    assert!(digest(Form::Text, column, &mut [[0; 16]; 2], &mut [0; 3], Threads::ONE).is_err());
}
