//! Every instruction set against one lane of `f32`, bit by bit, and the functions against `f64`.

use lanes::{GROUP, Isa, Lane, WithLane, pack_bytes};

/// Numbers of all kinds: a walk through the bit patterns, then the special ones.
fn numbers(start: u32, n: usize) -> Vec<f32> {
    let specials = [0.0, -0.0, 1.0, -1.0, 0.5, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1e-40, f32::MAX];
    let walk = (0..n as u32).map(|i| f32::from_bits(start.wrapping_add(i.wrapping_mul(0x9E37_79B9))));
    let small = (0..n as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 8.4e6 - 1.0);
    walk.chain(small).chain(specials.into_iter().cycle().skip(start as usize % 7).take(22)).collect()
}

/// All operations on lane vectors of `a`, `b`, `c`, one result after the other.
struct AllOperations<'a>(&'a [f32], &'a [f32], &'a [f32]);

impl WithLane for AllOperations<'_> {
    type Output = Vec<f32>;
    fn run<V: Lane<Scalar = f32>>(self) -> Vec<f32> {
        all_operations::<V>(self.0, self.1, self.2)
    }
}

const N_OPERATIONS: usize = 15;

fn all_operations<V: Lane<Scalar = f32>>(a: &[f32], b: &[f32], c: &[f32]) -> Vec<f32> {
    let n = a.len();
    let mut out = vec![0.0; N_OPERATIONS * n];
    for i in (0..n).step_by(V::LANES) {
        let (x, y, z) = (V::load(&a[i..]), V::load(&b[i..]), V::load(&c[i..]));
        let normal = x.max(V::splat(1e-37));
        let results: [V; N_OPERATIONS] = [
            x + y,
            x - y,
            x * y,
            x / y,
            x.mul_add(y, z),
            x.max(y),
            V::select_gt(x, y, y, z),
            V::select_eq(x, y, z, x),
            x.exp(),
            V::select_gt(V::splat(f32::MAX), normal, normal, V::splat(2.0)).ln(),
            x.sqrt(),
            x.tanh(),
            x.erf(),
            x.sigmoid(),
            V::splat(a[0]),
        ];
        for (op, result) in results.into_iter().enumerate() {
            result.store(&mut out[op * n + i..]);
        }
    }
    out
}

#[test]
fn every_instruction_set_computes_what_one_lane_computes() {
    let n = 4096;
    let (a, b, c) = (numbers(1, n), numbers(77, n), numbers(12_345, n));
    let len = a.len() / GROUP * GROUP;
    let want = all_operations::<f32>(&a[..len], &b[..len], &c[..len]);
    for isa in Isa::available() {
        let got = isa.run(AllOperations(&a[..len], &b[..len], &c[..len]));
        for (i, (g, w)) in got.iter().zip(&want).enumerate() {
            let same = g.to_bits() == w.to_bits() || (g.is_nan() && w.is_nan());
            assert!(same, "{isa}: operation {}, value {}: {g:e} and {w:e}", i / len, i % len);
        }
    }
}

/// Whether the vectors' registers are their lanes in the same order, to read and to write, and compute the same.
struct Registers<'a>(&'a [f32]);

impl WithLane for Registers<'_> {
    type Output = ();
    fn run<V: Lane<Scalar = f32>>(self) {
        assert_eq!(V::REGISTERS * V::Register::LANES, V::LANES);
        let mut vectors: Vec<V> = self.0.chunks_exact(V::LANES).map(V::load).collect();
        assert_eq!(V::Register::as_scalars(V::registers(&vectors)), self.0);
        for register in V::registers_mut(&mut vectors) {
            *register = *register + V::Register::splat(1.0);
        }
        let moved: Vec<f32> = self.0.iter().map(|x| x + 1.0).collect();
        assert_eq!(V::as_scalars(&vectors), moved);
        // Of a vector that is none.
        V::prefetch(&vectors, vectors.len() + 1);
        let all = all_operations::<V>(self.0, &moved, self.0);
        assert_eq!(all_operations::<V::Register>(self.0, &moved, self.0), all);
    }
}

#[test]
fn a_vector_is_its_registers() {
    let numbers: Vec<f32> = (1..=8 * GROUP as u16).map(|i| f32::from(i) / 16.0).collect();
    for isa in Isa::available() {
        isa.run(Registers(&numbers));
    }
}

/// The distance in units of `want`'s last place.
fn ulps(got: f32, want: f64) -> f64 {
    let ulp = f64::from(f32::from_bits((want.abs() as f32).to_bits() + 1)) - f64::from(want.abs() as f32);
    (f64::from(got) - want).abs() / ulp
}

#[test]
fn exp_and_ln_are_accurate_to_two_ulps() {
    for i in -87_000..88_700 {
        let x = i as f32 * 1e-3;
        assert!(ulps(Lane::exp(x), f64::from(x).exp()) <= 2.0, "exp({x})");
    }
    for i in 1..200_000 {
        for x in [i as f32 * 1e-5, i as f32 * 0.37, i as f32 * 1e30] {
            assert!(ulps(Lane::ln(x), f64::from(x).ln()) <= 2.0, "ln({x})");
        }
    }
    assert_eq!(Lane::exp(-200.0f32), 0.0);
    assert_eq!(Lane::exp(200.0f32), f32::INFINITY);
    assert_eq!(Lane::exp(0.0f32), 1.0);
    assert_eq!(Lane::ln(1.0f32), 0.0);
    assert!(Lane::exp(f32::NAN).is_nan());
}

/// Every 499th `f32` from 2⁻⁴⁰ to 128, with both signs.
fn magnitudes() -> impl Iterator<Item = f32> {
    let range = 2f32.powi(-40).to_bits()..128f32.to_bits();
    range.step_by(499).flat_map(|bits| [f32::from_bits(bits), -f32::from_bits(bits)])
}

#[test]
fn tanh_erf_and_sigmoid_are_accurate_to_a_few_ulps() {
    for x in magnitudes() {
        let wide = f64::from(x);
        assert!(ulps(Lane::tanh(x), wide.tanh()) <= 3.0, "tanh({x:e}): {}", Lane::tanh(x));
        assert!(ulps(Lane::erf(x), libm::erf(wide)) <= 6.0, "erf({x:e}): {}", Lane::erf(x));
        let sigmoid = 1.0 / (1.0 + (-wide).exp());
        assert!(x < -87.0 || ulps(Lane::sigmoid(x), sigmoid) <= 3.0, "sigmoid({x:e}): {}", Lane::sigmoid(x));
        assert!(Lane::tanh(x).abs() <= 1.0 && Lane::erf(x).abs() <= 1.0);
    }
}

#[test]
fn limits_are_exact_and_nan_passes() {
    for x in [10.0, 1e3, f32::MAX, f32::INFINITY] {
        assert_eq!([Lane::tanh(x), Lane::erf(x)], [1.0; 2], "{x}");
        assert_eq!([Lane::tanh(-x), Lane::erf(-x)], [-1.0; 2], "-{x}");
    }
    for x in [89.0, 1e30, f32::INFINITY] {
        assert_eq!([Lane::sigmoid(x), Lane::sigmoid(-x)], [1.0, 0.0], "{x}");
    }
    assert_eq!([Lane::tanh(0.0f32), Lane::erf(0.0f32), Lane::sigmoid(0.0f32)], [0.0, 0.0, 0.5]);
    for result in [Lane::tanh(f32::NAN), Lane::erf(f32::NAN), Lane::sigmoid(f32::NAN)] {
        assert!(result.is_nan());
    }
}

struct Sum<'a>(&'a [f32]);

impl WithLane for Sum<'_> {
    type Output = f32;
    fn run<V: Lane<Scalar = f32>>(self) -> f32 {
        V::load(self.0).sum()
    }
}

#[test]
fn sums_run_by_halves() {
    let x: Vec<f32> = (0..GROUP).map(|i| 1.0 / (i as f32 + 3.0)).collect();
    let mut tree = x.clone();
    while tree.len() > 1 {
        let half = tree.len() / 2;
        tree = (0..half).map(|i| tree[i] + tree[i + half]).collect();
    }
    for isa in Isa::available() {
        assert_eq!(isa.run(Sum(&x)).to_bits(), tree[0].to_bits(), "{isa}");
    }
}

struct Sums<'a>(&'a [f32]);

impl WithLane for Sums<'_> {
    type Output = [[f32; GROUP]; 2];
    fn run<V: Lane<Scalar = f32>>(self) -> Self::Output {
        let mut vectors = [V::zero(); GROUP];
        let mut one_by_one = [0.0; GROUP];
        for (i, x) in self.0.chunks_exact(GROUP).enumerate() {
            vectors[i] = V::load(x);
            one_by_one[i] = vectors[i].sum();
        }
        [V::sums(vectors), one_by_one]
    }
}

#[test]
fn sums_of_sixteen_vectors_are_those_of_each() {
    let x: Vec<f32> = (0..GROUP * GROUP).map(|i| 1.0 / (i as f32 + 3.0)).collect();
    for isa in Isa::available() {
        let [at_once, one_by_one] = isa.run(Sums(&x));
        assert_eq!(at_once.map(f32::to_bits), one_by_one.map(f32::to_bits), "{isa}");
    }
}

struct Pack<'a>(&'a [&'a [u8]], usize);

impl WithLane for Pack<'_> {
    type Output = Vec<f32>;
    fn run<V: Lane<Scalar = f32>>(self) -> Vec<f32> {
        let mut out = vec![V::splat(9.0); self.1];
        pack_bytes(self.0, 1.0 / 255.0, 0.25, &mut out);
        V::as_scalars(&out).to_vec()
    }
}

#[test]
fn packing_transposes_and_clears_the_lanes_without_a_sample() {
    let len = 151;
    let samples: Vec<Vec<u8>> = (0..13).map(|l| (0..len).map(|i| (l * 31 + i * 7) as u8).collect()).collect();
    let refs: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    for isa in Isa::available() {
        let packed = isa.run(Pack(&refs, len));
        for i in 0..len {
            for l in 0..GROUP {
                let want = samples.get(l).map_or(0.0, |s| f32::from(s[i]) * (1.0 / 255.0) + 0.25);
                assert_eq!(packed[i * GROUP + l], want, "{isa}: byte {i}, lane {l}");
            }
        }
    }
}

#[test]
fn an_unknown_instruction_set_is_refused_with_what_there_is() {
    assert_eq!(Isa::named("plain").map(|isa| isa.name()), Ok("plain"));
    let message = Isa::named("mmx").expect_err("mmx is not supported").to_string();
    assert!(message.contains("`mmx`") && message.contains("plain"), "{message}");
}
