//! Samples into lanes.

use crate::{GROUP, Kernel, Lane, Scalar};

/// Writes `scale · byte + shift` of up to [`Lane::LANES`] samples into lanes: `out[i]` holds byte `i` of
/// `samples[l]` in lane `l`. Lanes without a sample become 0.
///
/// Panics if there are more samples than lanes, or if one is shorter than `out`.
pub fn pack_bytes<V: Lane>(samples: &[&[u8]], scale: V::Scalar, shift: V::Scalar, out: &mut [V]) {
    assert!(samples.len() <= V::LANES, "{} samples for {} lanes", samples.len(), V::LANES);
    V::enter(PackBytes { samples, scale, shift, out });
}

struct PackBytes<'a, V: Lane> {
    samples: &'a [&'a [u8]],
    scale: V::Scalar,
    shift: V::Scalar,
    out: &'a mut [V],
}

impl<V: Lane> Kernel for PackBytes<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let whole = if V::LANES == GROUP { self.out.len() / GROUP * GROUP } else { 0 };
        let (blocks, rest) = self.out.split_at_mut(whole);
        for (idx, block) in blocks.as_chunks_mut::<GROUP>().0.iter_mut().enumerate() {
            pack_block(self.samples, idx * GROUP, self.scale, self.shift, block);
        }
        for (i, out) in rest.iter_mut().enumerate() {
            let mut lanes = [V::Scalar::ZERO; GROUP];
            for (lane, sample) in lanes.iter_mut().zip(self.samples) {
                *lane = V::Scalar::from_f64(f64::from(sample[whole + i])) * self.scale + self.shift;
            }
            *out = V::load(&lanes);
        }
    }
}

/// Sixteen bytes of sixteen samples.
#[inline(always)]
fn pack_block<V: Lane>(
    samples: &[&[u8]],
    start: usize,
    scale: V::Scalar,
    shift: V::Scalar,
    out: &mut [V; GROUP],
) {
    let mut bytes = [[0; GROUP]; GROUP];
    let mut live = [V::Scalar::ZERO; GROUP];
    for (l, sample) in samples.iter().enumerate() {
        bytes[l].copy_from_slice(&sample[start..start + GROUP]);
        live[l] = V::Scalar::ONE;
    }
    let (live, scale, shift) = (V::load(&live), V::splat(scale), V::splat(shift));
    let bytes = transpose(bytes);
    for i in 0..GROUP {
        let mut lanes = [V::Scalar::ZERO; GROUP];
        for l in 0..GROUP {
            lanes[l] = V::Scalar::from_u8(bytes[i][l]);
        }
        out[i] = (V::load(&lanes) * scale + shift) * live;
    }
}

/// Rows to columns, by interleaving row i with row i + 8 four times (the perfect shuffle of all 256 bytes).
#[inline(always)]
fn transpose(mut rows: [[u8; GROUP]; GROUP]) -> [[u8; GROUP]; GROUP] {
    for _ in 0..4 {
        let mut next = rows;
        for i in 0..GROUP / 2 {
            let (a, b) = (rows[i], rows[i + GROUP / 2]);
            for j in 0..GROUP / 2 {
                (next[2 * i][2 * j], next[2 * i][2 * j + 1]) = (a[j], b[j]);
                (next[2 * i + 1][2 * j], next[2 * i + 1][2 * j + 1]) = (a[j + 8], b[j + 8]);
            }
        }
        rows = next;
    }
    rows
}
