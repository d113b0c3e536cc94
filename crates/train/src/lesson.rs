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

/// A lane group of a batch.
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

    /// The batch cut into pieces of `len` samples, which is a multiple of a lane group, with what `mix` has drawn for it.
    pub(crate) fn pieces<'b>(
        &self,
        batch: &Batch<'b>,
        mix: &'b Mix,
        len: usize,
    ) -> impl Iterator<Item = Group<'b>> + use<'b> {
        let (samples, streams) = (batch.samples, batch.streams);
        let mixed = self.mixup.map(|_| (mix.partners(), mix.shares()));
        (0..samples.len()).step_by(len).map(move |start| {
            let range = start..samples.len().min(start + len);
            let mixed = mixed.map(|(partners, shares)| (&partners[range.clone()], &shares[range.clone()]));
            Group { samples: &samples[range], mixed, streams }
        })
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
    /// Cut into lane groups.
    pub(crate) fn lane_groups(self) -> impl Iterator<Item = Group<'a>> {
        let Group { samples, mixed, streams } = self;
        samples.chunks(GROUP).enumerate().map(move |(idx, samples)| {
            let range = idx * GROUP..idx * GROUP + samples.len();
            let mixed = mixed.map(|(partners, shares)| (&partners[range.clone()], &shares[range.clone()]));
            Group { samples, mixed, streams }
        })
    }
}

#[cfg(test)]
mod tests {
    use lanes::{Isa, WithLane};
    use spec::{ErasingSpec, NetworkSpec};

    use super::*;

    /// The seat's input after loading each lane group, `[C·H·W][lane]`, and its targets.
    struct LoadTask<'a>(Lessons<'a>, Batch<'a>);

    /// Pixels, labels, other labels and shares of a lane group.
    type Loaded = (Vec<f32>, Vec<u8>, Option<(Vec<u8>, Vec<f32>)>);

    impl WithLane for LoadTask<'_> {
        type Output = Vec<Loaded>;
        fn run<V: Lane<Scalar = f32>>(self) -> Vec<Loaded> {
            let Self(lessons, batch) = self;
            let (mut seat, mut mix) = (lessons.seat::<V>(), Mix::default());
            lessons.draw_partners(&batch, &mut mix);
            let groups: Vec<_> = lessons.pieces(&batch, &mix, GROUP).collect();
            let mut load = |group: Group<'_>| {
                lessons.load(group, &mut seat);
                let pixels = V::as_scalars(seat.workspace.input_mut(lessons.plan)).to_vec();
                lessons.with_targets(group, |targets| {
                    let mixed = targets.mixed.map(|(others, shares)| (others.to_vec(), shares.to_vec()));
                    (pixels, targets.labels.to_vec(), mixed)
                })
            };
            groups.into_iter().map(&mut load).collect()
        }
    }

    fn data() -> Dataset {
        Dataset {
            name: "some".into(),
            shape: [2, 3, 4],
            images: (0..40 * 24).map(|idx| (idx * idx % 251) as u8).collect(),
            labels: (0..40).map(|idx| idx % 2).collect(),
            classes: ["a", "b"].map(String::from).to_vec(),
            sha256: String::new(),
        }
    }

    /// A sample's pixels after its changes, worked out from the crate `data` alone.
    fn changed(spec: &AugmentSpec, data: &Dataset, sample: u32) -> Vec<u8> {
        let mut out = vec![0; 24];
        let mut stream = AugmentStreams::new(Seed(1), 3).sample(sample);
        Augment::new(spec, data.shape).apply(data.image(sample as usize), &mut stream, &mut out);
        out
    }

    #[test]
    fn each_lane_has_its_changed_picture_and_its_labels() {
        let text = "name = \"n\"\ninput = [2, 3, 4]\nclasses = 2\n\
                    node = [{ layer = \"flatten\" }, { layer = { linear = { out_features = 2 } } }]";
        let plan = Plan::compile(&NetworkSpec::from_toml(text).unwrap()).unwrap();
        let (data, normalization) = (data(), Normalization { scale: vec![1.0], shift: vec![0.0] });
        let erasing = Some(ErasingSpec::default());
        let mixup = Some(MixupSpec { alpha: 1.0 });
        let none = AugmentSpec::default();
        let changes = AugmentSpec { shift: 1, horizontal_flip: 0.5, rotation: 20.0, erasing, mixup: None };
        let samples: Vec<u32> = (0..20).map(|idx| 39 - 2 * idx as u32 % 40).collect();
        let streams = EpochStreams::new(Seed(1), 3);
        for spec in [none, AugmentSpec { mixup, ..none }, changes, AugmentSpec { mixup, ..changes }] {
            let lessons = Lessons::new(&plan, &data, &normalization, &spec);
            let batch = Batch { samples: &samples, step: 5, streams: &streams };
            let mut mix = Mix::default();
            spec.mixup.iter().for_each(|mixup| mix.draw(mixup, &streams.augment, 5, &samples));
            let groups = Isa::detect().run(LoadTask(lessons, batch));
            assert_eq!(groups.len(), 2);
            for (idx, &sample) in samples.iter().enumerate() {
                let (pixels, labels, mixed) = &groups[idx / GROUP];
                let lane = idx % GROUP;
                let mut want = changed(&spec, &data, sample);
                assert_eq!(labels[lane], data.labels[sample as usize]);
                if spec.mixup.is_some() {
                    let (partner, share) = (mix.partners()[idx], mix.shares()[idx]);
                    mix_bytes(&mut want, &changed(&spec, &data, partner), share);
                    let (others, shares) = mixed.as_ref().unwrap();
                    assert_eq!((others[lane], shares[lane]), (data.labels[partner as usize], share));
                }
                let got: Vec<f32> = (0..24).map(|pixel| pixels[pixel * GROUP + lane]).collect();
                assert_eq!(got, want.iter().map(|&byte| f32::from(byte)).collect::<Vec<_>>(), "{spec:?}");
            }
            assert!((4..GROUP).all(|dead| groups[1].0[dead] == 0.0), "lanes without a sample");
        }
    }
}
