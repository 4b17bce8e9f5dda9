//! A scalar each: RFC 7748 §6.1, and what raising one point at a time gives.

use commonground_kernel_core::{
    Engine, KernelError, Point, Scalar, Threads, Tier, public_points, raise, raise_to_each,
};

fn bytes(hex: &str) -> [u8; 32] {
    std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("hex"))
}

fn base() -> Point {
    std::array::from_fn(|i| if i == 0 { 9 } else { 0 })
}

/// Some scalars, with top and low bits that clamping changes.
fn scalars(count: usize) -> Vec<[u8; 32]> {
    (0..count).map(|i| std::array::from_fn(|k| (i * 37 + k * 101 + i * k) as u8)).collect()
}

fn one_by_one(point: &Point, scalars: &[[u8; 32]]) -> Vec<Point> {
    let engine = Engine::named("portable").expect("everywhere");
    let raised = |scalar| {
        let mut out = [[0; 32]];
        let scalar = Scalar::clamped(scalar);
        raise(&engine, &[*point], &scalar, &mut out, Threads::ONE).expect("canonical");
        out[0]
    };
    scalars.iter().map(raised).collect()
}

fn engines() -> impl Iterator<Item = Engine> {
    Tier::available().map(|tier| Engine::named(tier.name()).expect("an available tier"))
}

#[test]
fn public_keys_and_the_shared_secret_of_rfc_7748() {
    let private = [
        bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
        bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
    ];
    let expected = [
        bytes("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
        bytes("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
    ];
    let secret = bytes("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    for engine in engines() {
        let mut public = [[0; 32]; 2];
        public_points(&engine, &private, &mut public, Threads::ONE).expect("as many");
        assert_eq!(public, expected);
        for (point, private) in [(&public[1], &private[..1]), (&public[0], &private[1..])] {
            let mut shared = [[0; 32]];
            assert_eq!(raise_to_each(&engine, point, private, &mut shared, Threads::ONE), Ok(0));
            assert_eq!(shared[0], secret);
        }
    }
}

#[test]
fn images_are_those_of_one_point_at_a_time() {
    let point = one_by_one(&base(), &[[3; 32]])[0];
    for count in [0, 1, 2, 7, 8, 9, 15, 16, 17, 255, 256, 257, 530] {
        let scalars = scalars(count);
        let expected = [one_by_one(&base(), &scalars), one_by_one(&point, &scalars)];
        for (engine, threads) in engines().flat_map(|engine| [1, 3, 0].map(|n| (engine, n))) {
            let (tier, threads) = (engine.tier().name(), Threads::or_all(threads));
            let mut out = vec![[1; 32]; count];
            public_points(&engine, &scalars, &mut out, threads).expect("as many");
            assert!(out == expected[0], "{tier}: {count} public points");
            let zeros = raise_to_each(&engine, &point, &scalars, &mut out, threads);
            assert_eq!(zeros, Ok(0));
            assert!(out == expected[1], "{tier}: {count} images");
        }
    }
}

#[test]
fn a_point_of_low_order_gives_zeros_that_are_counted() {
    let mut one = [0; 32];
    one[0] = 1;
    for engine in engines() {
        let mut out = [[7; 32]; 270];
        let zeros = raise_to_each(&engine, &one, &scalars(270), &mut out, Threads::or_all(2));
        assert_eq!(zeros, Ok(270));
        assert_eq!(out, [[0; 32]; 270]);
    }
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    for engine in engines() {
        let mut out = [[7; 32]; 2];
        let too_few = public_points(&engine, &scalars(3), &mut out, Threads::ONE);
        assert_eq!(too_few, Err(KernelError::Lengths("one image a scalar")));
        let refused = raise_to_each(&engine, &[0xff; 32], &scalars(2), &mut out, Threads::ONE);
        assert_eq!(refused, Err(KernelError::NotCanonical(1)));
        assert_eq!(out, [[7; 32]; 2]);
    }
}
