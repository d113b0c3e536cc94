//! How fast memory comes and goes, by the size of what is in use.

use lanes::{Lane, Stream, zeros};
use nn::Work;

use super::fastest;

/// Bytes a second that simple loops at best move as a layer does, in place or from buffers to another, with as many bytes
/// in use: the level of cache where the layer finds them bounds these too.
pub(super) fn bandwidth<V: Lane<Scalar = f32>>(work: Work) -> f64 {
    let streams: &[Stream] =
        if work.n_held < work.n_moved { &[Stream::Double] } else { &[Stream::Add, Stream::Copy] };
    streams.iter().map(|&stream| of_stream::<V>(stream, work.n_held)).fold(0.0, f64::max)
}

fn of_stream<V: Lane<Scalar = f32>>(stream: Stream, n_held: usize) -> f64 {
    let n = (n_held / size_of::<V>() / stream.n_buffers()).max(1);
    let mut memory: Vec<V> = zeros(stream.n_buffers() * (n + GAP));
    let mut buffers: Vec<_> = memory.chunks_exact_mut(n + GAP).map(|buffer| &mut buffer[..n]).collect();
    // Several rounds a call, as small buffers take less time than the call.
    let rounds = (CALL_BYTES / n_held).max(1) as u64;
    let mut n_moved = 0;
    let seconds = fastest(|| n_moved = stream.run(&mut buffers, rounds));
    n_moved as f64 / seconds
}

/// Vectors between the buffers, so that they do not lie whole pages apart, where they would share the sets of a cache.
const GAP: usize = 9;
const CALL_BYTES: usize = 1 << 18;
