//! RFC 7748 §5.2 and RFC 9380 J.4.1, on every tier that this processor runs.

use commonground_kernel_core::{
    Column, Engine, Messages, Point, Scalar, Threads, Tier, hash, hash_and_raise, raise,
};

fn engines() -> impl Iterator<Item = Engine> {
    Tier::available().map(|tier| Engine::named(tier.name()).expect("an available tier"))
}

fn bytes(hex: &str) -> [u8; 32] {
    std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("hex"))
}

fn raise_one(engine: &Engine, scalar: &[u8; 32], point: &Point) -> Point {
    let mut out = [[0; 32]];
    let scalar = Scalar::clamped(scalar);
    raise(engine, &[*point], &scalar, &mut out, Threads::ONE).expect("a canonical point");
    out[0]
}

#[test]
fn first_vector_of_rfc_7748() {
    let scalar = bytes("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
    let point = bytes("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
    let image = bytes("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
    for engine in engines() {
        assert_eq!(raise_one(&engine, &scalar, &point), image, "{:?}", engine.tier());
    }
}

#[test]
fn a_thousand_iterations_of_rfc_7748() {
    let image = bytes("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
    for engine in engines() {
        assert_eq!(iterate(&engine, 1_000), image, "{:?}", engine.tier());
    }
}

#[test]
#[ignore = "minutes: cargo test --release -- --ignored"]
fn a_million_iterations_of_rfc_7748() {
    let image = bytes("7c3911e0ab2586fd864497297e575e6f3bc601c0883c30df5f4dd2d24f665424");
    for engine in engines() {
        assert_eq!(iterate(&engine, 1_000_000), image, "{:?}", engine.tier());
    }
}

fn iterate(engine: &Engine, times: usize) -> [u8; 32] {
    let mut scalar = [0; 32];
    scalar[0] = 9;
    let mut point = scalar;
    for _ in 0..times {
        let image = raise_one(engine, &scalar, &point);
        // RFC 7748 ignores the top bit that a scalar may have when it becomes a point; ours is an
        // image, which has none.
        (scalar, point) = (image, scalar);
    }
    scalar
}

const DST: &[u8] = b"QUUX-V01-CS02-with-curve25519_XMD:SHA-512_ELL2_RO_";

fn vectors() -> [(String, Point); 5] {
    let point = |hex| {
        let mut point = bytes(hex);
        point.reverse();
        point
    };
    [
        (String::new(), point("2de3780abb67e861289f5749d16d3e217ffa722192d16bbd9d1bfb9d112b98c0")),
        (
            "abc".to_owned(),
            point("2b4419f1f2d48f5872de692b0aca72cc7b0a60915dd70bde432e826b6abc526d"),
        ),
        (
            "abcdef0123456789".to_owned(),
            point("68ca1ea5a6acf4e9956daa101709b1eee6c1bb0df1de3b90d4602382a104c036"),
        ),
        (
            format!("q128_{}", "q".repeat(128)),
            point("096e9c8bae6c06b554c1ee69383bb0e82267e064236b3a30608d4ed20b73ac5a"),
        ),
        (
            format!("a512_{}", "a".repeat(512)),
            point("1bc61845a138e912f047b5e70ba9606ba2a447a4dade024c8ef3dd42b7bbc5fe"),
        ),
    ]
}

/// Joins the messages, each from its byte `from` on, into a column's buffers.
fn column(messages: &[(String, Point)], from: usize) -> (Vec<u8>, Vec<i64>) {
    let mut data = Vec::new();
    let mut offsets = vec![0];
    for (message, _) in messages {
        data.extend_from_slice(&message.as_bytes()[from..]);
        offsets.push(i64::try_from(data.len()).expect("short"));
    }
    (data, offsets)
}

#[test]
fn hashes_of_rfc_9380() {
    let vectors = vectors();
    let (data, offsets) = column(&vectors, 0);
    let messages = Column::new(&data, &offsets).expect("a column");
    for engine in engines() {
        let mut out = [[0; 32]; 5];
        let messages = Messages { messages, prefix: b"", dst: DST };
        hash(&engine, &messages, &mut out, Threads::ONE).expect("hashed");
        assert_eq!(out, vectors.each_ref().map(|(_, point)| *point), "{:?}", engine.tier());
    }
}

#[test]
fn a_prefix_is_part_of_each_message() {
    let [_, abc, _, _, _] = vectors();
    let (data, offsets) = column(std::slice::from_ref(&abc), 2);
    let messages = Column::new(&data, &offsets).expect("a column");
    for engine in engines() {
        let mut out = [[0; 32]];
        let messages = Messages { messages, prefix: b"ab", dst: DST };
        hash(&engine, &messages, &mut out, Threads::ONE).expect("hashed");
        assert_eq!(out, [abc.1], "{:?}", engine.tier());
    }
}

#[test]
fn hash_and_raise_is_hash_then_raise() {
    let vectors = vectors();
    let (data, offsets) = column(&vectors, 0);
    let messages = Column::new(&data, &offsets).expect("a column");
    let scalar = [7; 32];
    for engine in engines() {
        let mut out = [[0; 32]; 5];
        let messages = Messages { messages, prefix: b"", dst: DST };
        let clamped = Scalar::clamped(&scalar);
        hash_and_raise(&engine, &messages, &clamped, &mut out, Threads::ONE).expect("raised");
        let expected = vectors.each_ref().map(|(_, point)| raise_one(&engine, &scalar, point));
        assert_eq!(out, expected, "{:?}", engine.tier());
    }
}
