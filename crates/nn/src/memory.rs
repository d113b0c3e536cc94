//! Where each buffer lies in one arena, so that what is not alive at the same time shares its place.

use std::ops::Range;

/// A buffer: its length and the steps (first and last, inclusive) during which its contents matter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) len: usize,
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// Steps during which they do so again, computed a second time.
    pub(crate) again: Option<(usize, usize)>,
}

impl Request {
    pub(crate) fn new(len: usize, first: usize, last: usize) -> Self {
        Self { len, first, last, again: None }
    }

    /// The first and the last step of each time.
    pub(crate) fn times(&self) -> impl Iterator<Item = (usize, usize)> {
        [(self.first, self.last)].into_iter().chain(self.again)
    }

    fn alive_with(&self, other: &Request) -> bool {
        self.times().any(|(first, last)| other.times().any(|of| first <= of.1 && of.0 <= last))
    }
}

/// A place for each request; returns the places and the arena's length.
///
/// The largest first, each at the lowest offset that is free during its life: "greedy by size" of Pisarchyk &
/// Lee 2020 (arXiv 2001.03288), within a few per cent of optimal on real networks.
pub(crate) fn place(requests: &[Request]) -> (Vec<Range<usize>>, usize) {
    // What takes no place is in nobody's way.
    let mut order: Vec<usize> = (0..requests.len()).filter(|&idx| requests[idx].len > 0).collect();
    order.sort_by_key(|&idx| std::cmp::Reverse(requests[idx].len));
    let mut places = vec![0..0; requests.len()];
    let mut placed: Vec<usize> = Vec::new();
    for idx in order {
        let mut taken: Vec<Range<usize>> = placed
            .iter()
            .filter(|&&other| requests[idx].alive_with(&requests[other]))
            .map(|&other| places[other].clone())
            .collect();
        taken.sort_by_key(|range| range.start);
        let start = first_gap(&taken, requests[idx].len);
        places[idx] = start..start + requests[idx].len;
        placed.push(idx);
    }
    let arena_len = places.iter().map(|range| range.end).max().unwrap_or(0);
    (places, arena_len)
}

/// The lowest offset at which `len` fits between the taken ranges, which are sorted by their start.
fn first_gap(taken: &[Range<usize>], len: usize) -> usize {
    let mut start = 0;
    for range in taken {
        if start + len <= range.start {
            break;
        }
        start = start.max(range.end);
    }
    start
}

#[cfg(test)]
mod tests {
    use super::{Request, place};

    #[test]
    fn what_is_alive_together_does_not_overlap() {
        let mut state = 7u64;
        let mut random = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % n) as usize
        };
        for _ in 0..200 {
            let requests: Vec<_> = (0..20)
                .map(|_| {
                    let first = random(15);
                    let mut request = Request::new(random(50), first, first + random(6));
                    request.again = (random(3) == 0).then(|| (request.last + 2, request.last + 3));
                    request
                })
                .collect();
            let (places, arena_len) = place(&requests);
            for (i, a) in requests.iter().enumerate() {
                assert!(places[i].len() == a.len && places[i].end <= arena_len);
                for (j, b) in requests.iter().enumerate().skip(i + 1) {
                    let apart = places[i].end <= places[j].start || places[j].end <= places[i].start;
                    assert!(!a.alive_with(b) || apart || a.len == 0 || b.len == 0);
                }
            }
        }
    }

    #[test]
    fn a_chain_needs_no_more_than_its_largest_neighbors() {
        let lens = [5, 40, 10, 30, 2];
        let requests: Vec<_> = lens.iter().enumerate().map(|(i, &len)| Request::new(len, i, i + 1)).collect();
        assert_eq!(place(&requests).1, 50);
    }
}
