//! Every tier against the portable one, and the checks around them, at the sizes where lanes and
//! blocks end.

use commonground_kernel_core::{
    Column, Engine, KernelError, Messages, Point, Scalar, Threads, Tier, hash, raise,
};
use sha2::{Digest, Sha512};

const SIZES: [usize; 9] = [0, 1, 7, 8, 9, 255, 256, 257, 1_025];

fn engines() -> impl Iterator<Item = Engine> {
    Tier::available().map(|tier| Engine::named(tier.name()).expect("an available tier"))
}

fn portable() -> Engine {
    Engine::named("portable").expect("runs anywhere")
}

/// Returns bytes that look random and are the same in every run.
fn noise(name: &str, number: usize) -> [u8; 32] {
    let digest = Sha512::new().chain_update(name).chain_update(number.to_le_bytes()).finalize();
    std::array::from_fn(|i| digest[i])
}

fn below_p(mut point: Point) -> Point {
    point[31] &= 0x7f;
    if point[31] == 0x7f {
        point[30] = 0;
    }
    point
}

/// Returns p + `more`, or p − −`more`.
fn near_p(more: i8) -> Point {
    let mut point = [0xff; 32];
    point[0] = 0xed_u8.wrapping_add_signed(more);
    point[31] = 0x7f;
    point
}

fn power_of_two(bit: usize) -> Point {
    let mut point = [0; 32];
    point[bit / 8] = 1 << (bit % 8);
    point
}

/// Returns 2^`bit` − 1.
fn ones(bit: usize) -> Point {
    std::array::from_fn(|i| match bit.saturating_sub(8 * i) {
        0 => 0,
        left @ 1..8 => (1 << left) - 1,
        _ => 0xff,
    })
}

/// Returns canonical points where arithmetic breaks first, those of low order among them.
fn edges() -> Vec<Point> {
    let mut points: Vec<_> = (1..=20).map(|less| near_p(-less)).collect();
    points.extend((0..255).map(power_of_two));
    points.extend((0..255).map(ones));
    points.extend([
        // Of order 8, both.
        [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f,
            0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16,
            0x5f, 0x49, 0xb8, 0x00,
        ],
        [
            0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83,
            0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd,
            0xd0, 0x9f, 0x11, 0x57,
        ],
    ]);
    points
}

fn raised(engine: &Engine, points: &[Point], scalar: &[u8; 32], threads: usize) -> Vec<Point> {
    let mut out = vec![[0xaa; 32]; points.len()];
    let scalar = Scalar::clamped(scalar);
    raise(engine, points, &scalar, &mut out, Threads::or_all(threads)).expect("canonical");
    out
}

#[test]
fn tiers_raise_alike_at_every_size() {
    for size in SIZES {
        let points: Vec<_> = (0..size).map(|i| below_p(noise("point", i))).collect();
        let scalar = noise("scalar", size);
        let expected = raised(&portable(), &points, &scalar, 1);
        for engine in engines() {
            for threads in [1, 2, 0] {
                let got = raised(&engine, &points, &scalar, threads);
                assert!(got == expected, "{:?}, {size} points", engine.tier());
            }
        }
    }
}

#[test]
fn tiers_raise_edges_alike() {
    let edges = edges();
    for scalar in [[0; 32], [0xff; 32], ones(128), noise("scalar", 0)] {
        let expected = raised(&portable(), &edges, &scalar, 1);
        for engine in engines() {
            let got = raised(&engine, &edges, &scalar, 1);
            assert!(got == expected, "{:?}", engine.tier());
        }
    }
}

#[test]
fn low_order_is_counted_and_disturbs_no_neighbour() {
    let scalar = noise("scalar", 1);
    let low = [[0; 32], power_of_two(0), near_p(-1)];
    for engine in engines() {
        for size in SIZES {
            let honest: Vec<_> = (0..size).map(|i| below_p(noise("honest", i))).collect();
            let mut points = honest.clone();
            points.iter_mut().step_by(3).enumerate().for_each(|(i, point)| *point = low[i % 3]);
            let mut out = vec![[0; 32]; size];
            let clamped = Scalar::clamped(&scalar);
            let zeros = raise(&engine, &points, &clamped, &mut out, Threads::ONE);
            assert_eq!(zeros, Ok(size.div_ceil(3)));
            let expected = raised(&engine, &honest, &scalar, 1);
            for (i, image) in out.iter().enumerate() {
                let whole = if i % 3 == 0 { [0; 32] } else { expected[i] };
                assert!(*image == whole, "{:?}, {size} points", engine.tier());
            }
        }
    }
}

#[test]
fn points_that_are_not_canonical_are_counted_and_none_is_raised() {
    let mut points: Vec<_> = (0..300).map(|i| below_p(noise("point", i))).collect();
    points[0] = near_p(0);
    points[256] = near_p(18);
    points[299][31] |= 0x80;
    for engine in engines() {
        let mut out = vec![[7; 32]; points.len()];
        let scalar = Scalar::clamped(&[1; 32]);
        let refused = raise(&engine, &points, &scalar, &mut out, Threads::or_all(2));
        assert_eq!(refused, Err(KernelError::NotCanonical(3)));
        assert!(out.iter().all(|image| *image == [7; 32]), "something was written");
    }
}

#[test]
fn tags_are_the_first_half_of_images() {
    let points: Vec<_> = (0..257).map(|i| below_p(noise("point", i))).collect();
    for engine in engines() {
        let mut tags = vec![[0; 16]; points.len()];
        let scalar = Scalar::clamped(&[1; 32]);
        let zeros = raise(&engine, &points, &scalar, &mut tags, Threads::or_all(2));
        assert_eq!(zeros, Ok(0));
        let images = raised(&engine, &points, &[1; 32], 1);
        assert!(tags.iter().zip(&images).all(|(tag, image)| tag[..] == image[..16]));
    }
}

#[test]
fn tiers_hash_alike_at_every_size() {
    for size in SIZES {
        let data: Vec<_> = (0..size).flat_map(|i| noise("message", i)).collect();
        let offsets: Vec<i32> = (0..=size).map(|i| 32 * i32::try_from(i).unwrap()).collect();
        let hashed = |engine: &Engine, threads| {
            let mut out = vec![[0; 32]; size];
            let column = Column::new(&data, &offsets).expect("a column");
            let messages = Messages { messages: column, prefix: b"session", dst: b"test" };
            hash(engine, &messages, &mut out, Threads::or_all(threads)).expect("hashed");
            out
        };
        let expected = hashed(&portable(), 1);
        for engine in engines() {
            for threads in [1, 2, 0] {
                assert!(hashed(&engine, threads) == expected, "{:?}, {size}", engine.tier());
            }
        }
    }
}

#[test]
fn a_tier_that_is_not_here_is_refused_by_naming_those_that_are() {
    for name in ["", "IFMA", "avx512", "portable ", "\0"] {
        let error = Engine::named(name).err().expect("refused");
        assert_eq!(error, KernelError::NoSuchTier);
        assert!(error.to_string().contains("portable"));
    }
}
