//! Sorting and finding against what the standard library does in a line, whatever a peer sends.

use commonground_kernel_core::{Row, Threads, find, sort_order};
use std::collections::HashMap;
use std::hash::Hash;

/// Returns rows whose bytes look random; `spread` says how many of the first are.
fn rows<const N: usize>(count: usize, seed: u64, spread: usize) -> Vec<[u8; N]> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (state >> 56) as u8
    };
    (0..count).map(|_| std::array::from_fn(|i| if i < N - spread { 7 } else { next() })).collect()
}

fn check_sort<R: Row + Ord>(rows: &[R]) {
    let mut expected: Vec<i64> = (0..i64::try_from(rows.len()).unwrap()).collect();
    expected.sort_by_key(|i| rows[usize::try_from(*i).unwrap()]);
    for threads in [1, 2, 0] {
        let mut order = vec![-7; rows.len()];
        sort_order(rows, &mut order, Threads::or_all(threads)).expect("sorted");
        assert!(order == expected, "{} rows", rows.len());
    }
}

fn check_find<R: Row + Eq + Hash>(wanted: &[R], rows: &[R]) {
    let mut first = HashMap::new();
    for (place, row) in (0_i64..).zip(rows) {
        first.entry(*row).or_insert(place);
    }
    let expected: Vec<_> = wanted.iter().map(|row| first.get(row).copied().unwrap_or(-1)).collect();
    for threads in [1, 2, 0] {
        let mut places = vec![-7; wanted.len()];
        find(wanted, rows, &mut places, Threads::or_all(threads)).expect("found");
        assert!(places == expected, "{} in {}", wanted.len(), rows.len());
    }
}

#[test]
fn rows_are_sorted_bytewise() {
    for count in [0, 1, 2, 255, 4_096, 20_000] {
        check_sort(&rows::<16>(count, 1, 16));
        check_sort(&rows::<32>(count, 2, 32));
    }
}

#[test]
fn rows_that_a_peer_put_into_one_bucket_are_sorted_too() {
    check_sort(&rows::<16>(20_000, 3, 2));
    check_sort(&rows::<32>(20_000, 4, 17));
    check_sort(&[[9; 16]; 5_000]);
}

#[test]
fn rows_are_found_where_they_stand() {
    let held = rows::<16>(20_000, 5, 16);
    let mut wanted = rows::<16>(7_000, 6, 16);
    wanted.extend_from_slice(&held[3_000..9_000]);
    check_find(&wanted, &held);
    check_find(&held, &wanted);
    check_find(&wanted, &[]);
    check_find(&[], &held);
    check_find(&held[..1], &held);
    let points = rows::<32>(9_000, 7, 32);
    check_find(&points[4_000..], &points[..5_000]);
}

#[test]
fn rows_that_differ_in_their_last_bytes_are_told_apart() {
    let held = rows::<16>(9_000, 8, 2);
    check_find(&rows::<16>(5_000, 9, 2), &held);
    let held = rows::<32>(9_000, 10, 1);
    check_find(&rows::<32>(500, 11, 1), &held);
}

#[test]
fn an_output_of_another_length_is_refused() {
    let held = rows::<16>(10, 12, 16);
    assert!(sort_order(&held, &mut [0; 9], Threads::ONE).is_err());
    assert!(find(&held, &held, &mut [0; 11], Threads::ONE).is_err());
}
