//! Hashes behind a prefix, against the same bytes hashed at once.

use commonground_kernel_core::{Column, Threads, hash_behind};
use sha2::{Digest, Sha256};

#[test]
fn a_prefix_is_hashed_before_each_value() {
    let data: Vec<u8> = (0..9_000_u32).map(|i| (i * 7 % 251) as u8).collect();
    let lengths = [0, 1, 32, 55, 56, 63, 64, 65, 119, 120];
    let ends = lengths.iter().cycle().scan(3, |end, length| {
        *end += *length;
        (*end <= 9_000).then_some(*end)
    });
    let offsets: Vec<i64> = std::iter::once(3).chain(ends).collect();
    let column = Column::new(&data, &offsets).expect("a column");
    for width in [0, 1, 55, 64, 65, 200] {
        let (prefix, mut found) = (&data[..width], vec![[0; 32]; column.len()]);
        hash_behind(prefix, column, &mut found, Threads::or_all(2)).expect("hashes");
        for (i, hash) in found.iter().enumerate() {
            let value = column.get(i).expect("a value");
            let expected: [u8; 32] = Sha256::digest([prefix, value].concat()).into();
            assert_eq!(*hash, expected, "value {i} behind {width} bytes");
        }
    }
}

#[test]
fn more_values_than_a_thread_takes_stand_in_their_places() {
    let offsets: Vec<i64> = (0..=10_000).collect();
    let data: Vec<u8> = (0..10_000_u32).map(|i| (i % 253) as u8).collect();
    let column = Column::new(&data, &offsets).expect("a column");
    let mut found = vec![[0; 32]; 10_000];
    hash_behind(b"\0", column, &mut found, Threads::or_all(2)).expect("hashes");
    for (byte, hash) in data.iter().zip(found) {
        assert_eq!(hash, <[u8; 32]>::from(Sha256::digest([0, *byte])));
    }
}

#[test]
fn an_output_of_another_length_is_refused() {
    let column = Column::new(b"ab", &[0_i64, 1, 2]).expect("a column");
    assert!(hash_behind(b"", column, &mut [[0; 32]; 3], Threads::ONE).is_err());
}
