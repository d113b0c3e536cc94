//! Training pictures into lanes, changed at random on the way.

use data::{Augment, AugmentStreams, Dataset, Mix, Normalization, mix_bytes};
use lanes::{GROUP, Lane};
use nn::{Loss, Mode, Plan, Targets, Workspace};
use rand_chacha::ChaCha8Rng;
use spec::{AugmentSpec, MixupSpec, Seed};

use crate::pictures::pack_pictures;

/// What is learned from, and how it is changed.
#[derive(Clone, Copy)]
pub(crate) struct Lessons<'a> {
    plan: &'a Plan,
    data: &'a Dataset,
    normalization: &'a Normalization,
    augment: Augment,
    mixup: Option<MixupSpec>,
}

/// Where the random numbers of an epoch come from.
pub(crate) struct EpochStreams {
    augment: AugmentStreams,
    dropout: ChaCha8Rng,
}

impl EpochStreams {
    /// The seed's streams `augment/EPOCH` and so on, and `dropout/EPOCH`. Named by seed and epoch, so that a run that goes
    /// on has nothing to remember.
    pub(crate) fn new(seed: Seed, epoch: usize) -> Self {
        let dropout = seed.stream(&format!("dropout/{epoch}"));
        Self { augment: AugmentStreams::new(seed, epoch), dropout }
    }
}

/// The samples of a step.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    /// Which of the training samples.
    pub(crate) samples: &'a [u32],
    /// Which step of the epoch, from 0.
    pub(crate) step: usize,
    pub(crate) streams: &'a EpochStreams,
}

/// Some samples of a batch: all of it, those of a shard, or a lane group.
#[derive(Clone, Copy)]
pub(crate) struct Group<'a> {
    samples: &'a [u32],
    /// With mixup: for each sample its partner and its own share.
    mixed: Option<(&'a [u32], &'a [f32])>,
    streams: &'a EpochStreams,
}

/// Scratch for one lane group.
pub(crate) struct Seat<V: Lane> {
    pub(crate) workspace: Workspace<V>,
    /// Changed pictures, one for each lane, and one for a partner; empty where none is changed.
    pixels: Vec<u8>,
}

impl<'a> Lessons<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        data: &'a Dataset,
        normalization: &'a Normalization,
        augment: &AugmentSpec,
    ) -> Self {
        let mixup = augment.mixup;
        Self { plan, data, normalization, augment: Augment::new(augment, data.shape), mixup }
    }

    pub(crate) fn seat<V: Lane>(&self) -> Seat<V> {
        let n_pixels: usize = self.data.shape.iter().product();
        let n_pictures = if self.changes_nothing() { 0 } else { GROUP + 1 };
        let workspace = Workspace::new(self.plan, Mode::Training);
        Seat { workspace, pixels: vec![0; n_pictures * n_pixels] }
    }

    fn changes_nothing(&self) -> bool {
        self.augment.is_identity() && self.mixup.is_none()
    }

    /// Draws the partners of a batch into `mix`.
    pub(crate) fn draw_partners(&self, batch: &Batch<'_>, mix: &mut Mix) {
        if let Some(mixup) = &self.mixup {
            mix.draw(mixup, &batch.streams.augment, batch.step, batch.samples);
        }
    }

    /// The batch with what `mix` has drawn for it.
    pub(crate) fn whole<'b>(&self, batch: &Batch<'b>, mix: &'b Mix) -> Group<'b> {
        let mixed = self.mixup.map(|_| (mix.partners(), mix.shares()));
        Group { samples: batch.samples, mixed, streams: batch.streams }
    }

    /// Pictures and random numbers of a lane group.
    pub(crate) fn load<V: Lane<Scalar = f32>>(&self, group: Group<'_>, seat: &mut Seat<V>) {
        let Seat { workspace, pixels } = seat;
        let n_pixels: usize = self.data.shape.iter().product();
        let mut pictures: [&[u8]; GROUP] = [&[]; GROUP];
        if self.changes_nothing() {
            for (picture, &sample) in pictures.iter_mut().zip(group.samples) {
                *picture = self.data.image(sample as usize);
            }
        } else {
            self.change(group, pixels);
            for (picture, changed) in pictures.iter_mut().zip(pixels.chunks_exact(n_pixels)) {
                *picture = changed;
            }
        }
        let n = group.samples.len();
        pack_pictures(self.plan, self.data.shape, self.normalization, &pictures[..n], workspace);
        workspace.set_live(n);
        if self.plan.is_random() {
            workspace.set_streams(&group.streams.dropout, group.samples.iter().map(|&s| u64::from(s)));
        }
    }

    /// Writes each picture of the group to its place in `pixels`.
    fn change(&self, group: Group<'_>, pixels: &mut [u8]) {
        let n_pixels: usize = self.data.shape.iter().product();
        let (pictures, partner_pixels) = pixels.split_at_mut(GROUP * n_pixels);
        let apply = |sample: u32, to: &mut [u8]| {
            let mut stream = group.streams.augment.sample(sample);
            self.augment.apply(self.data.image(sample as usize), &mut stream, to);
        };
        for (l, (&sample, picture)) in
            group.samples.iter().zip(pictures.chunks_exact_mut(n_pixels)).enumerate()
        {
            apply(sample, picture);
            if let Some((partners, shares)) = group.mixed {
                apply(partners[l], partner_pixels);
                mix_bytes(picture, partner_pixels, shares[l]);
            }
        }
    }

    /// What the samples' losses are to be divided by.
    pub(crate) fn total_weight(&self, all: Group<'_>, loss: &Loss<f32>) -> f64 {
        let label = |sample: u32| self.data.labels[sample as usize];
        let weight = |(l, &sample): (usize, &u32)| {
            let mixed = all.mixed.map(|(partners, shares)| (label(partners[l]), f64::from(shares[l])));
            loss.sample_weight(label(sample), mixed)
        };
        all.samples.iter().enumerate().map(weight).sum()
    }

    /// Calls `with` with the classes of a lane group.
    pub(crate) fn with_targets<T>(&self, group: Group<'_>, with: impl FnOnce(Targets<'_, f32>) -> T) -> T {
        let labels = |samples: &[u32]| {
            let mut labels = [0; GROUP];
            for (label, &sample) in labels.iter_mut().zip(samples) {
                *label = self.data.labels[sample as usize];
            }
            labels
        };
        let n = group.samples.len();
        let own = labels(group.samples);
        let others = group.mixed.map(|(partners, shares)| (labels(partners), shares));
        let mixed = others.as_ref().map(|(others, shares)| (&others[..n], *shares));
        with(Targets { labels: &own[..n], mixed })
    }
}

impl<'a> Group<'a> {
    /// Cut into pieces of `len` samples, the last one shorter.
    pub(crate) fn pieces(self, len: usize) -> impl Iterator<Item = Group<'a>> {
        let Group { samples, mixed, streams } = self;
        samples.chunks(len).enumerate().map(move |(idx, samples)| {
            let range = idx * len..idx * len + samples.len();
            let mixed = mixed.map(|(partners, shares)| (&partners[range.clone()], &shares[range]));
            Group { samples, mixed, streams }
        })
    }
}
