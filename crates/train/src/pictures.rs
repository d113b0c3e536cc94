//! Pictures from a data set into lanes, and whether they fit the network.

use data::{Dataset, Normalization};
use lanes::{GROUP, Lane, pack_bytes};
use nn::{Plan, Workspace};

use crate::TrainError;

/// Fills the workspace with a lane group of a data set's pictures; at most as many as there are lanes.
pub(crate) fn pack<V: Lane<Scalar = f32>>(
    plan: &Plan,
    dataset: &Dataset,
    normalization: &Normalization,
    samples: impl ExactSizeIterator<Item = usize>,
    workspace: &mut Workspace<V>,
) {
    let n = samples.len();
    let mut pictures: [&[u8]; GROUP] = [&[]; GROUP];
    for (picture, sample) in pictures.iter_mut().zip(samples) {
        *picture = dataset.image(sample);
    }
    pack_pictures(plan, dataset.shape, normalization, &pictures[..n], workspace);
}

/// Fills the workspace with a lane group of pictures of `shape`; at most as many as there are lanes.
pub(crate) fn pack_pictures<V: Lane<Scalar = f32>>(
    plan: &Plan,
    shape: [usize; 3],
    normalization: &Normalization,
    pictures: &[&[u8]],
    workspace: &mut Workspace<V>,
) {
    let (n, input) = (pictures.len(), workspace.input_mut(plan));
    let [n_channels, height, width] = shape;
    // One entry for all channels is one run over all of them.
    let plane_len = if normalization.is_uniform() { n_channels * height * width } else { height * width };
    for (channel, plane) in input.chunks_exact_mut(plane_len).enumerate() {
        let (scale, shift) = normalization.channel(channel);
        let mut planes: [&[u8]; GROUP] = [&[]; GROUP];
        for (samples, picture) in planes.iter_mut().zip(pictures) {
            *samples = &picture[channel * plane_len..(channel + 1) * plane_len];
        }
        pack_bytes(&planes[..n], scale, shift, plane);
    }
}

/// Pictures and labels must be what the network takes; [`crate::train`] and [`crate::evaluate`] check it too.
pub fn check_fit(plan: &Plan, dataset: &Dataset) -> Result<(), TrainError> {
    let name = || dataset.name.clone();
    if plan.input() != dataset.shape {
        return Err(TrainError::InputShape { name: name(), network: plan.input(), data: dataset.shape });
    }
    if plan.classes() != dataset.classes.len() {
        let (network, data) = (plan.classes(), dataset.classes.len());
        return Err(TrainError::Classes { name: name(), network, data });
    }
    let n_values: usize = dataset.shape.iter().product();
    let (n_images, n_labels) = (dataset.images.len() / n_values, dataset.labels.len());
    if n_images != n_labels || n_images == 0 || !dataset.images.len().is_multiple_of(n_values) {
        return Err(TrainError::Lengths { name: name(), n_bytes: dataset.images.len(), n_values, n_labels });
    }
    match dataset.labels.iter().position(|&label| usize::from(label) >= plan.classes()) {
        Some(idx) => Err(TrainError::Label { name: name(), idx, label: dataset.labels[idx] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use lanes::{Isa, WithLane};
    use nn::Mode;
    use spec::NetworkSpec;

    use super::*;

    /// The workspace's input after packing, `[C·H·W][lane]`.
    struct PackTask<'a>(&'a Plan, &'a Dataset, &'a Normalization);

    impl WithLane for PackTask<'_> {
        type Output = Vec<f32>;
        fn run<V: Lane<Scalar = f32>>(self) -> Vec<f32> {
            let Self(plan, dataset, normalization) = self;
            let mut workspace = Workspace::<V>::new(plan, Mode::Inference);
            pack(plan, dataset, normalization, 0..dataset.len(), &mut workspace);
            V::as_scalars(workspace.input_mut(plan)).to_vec()
        }
    }

    #[test]
    fn each_channel_has_its_numbers() {
        let text = "version = 1\nname = \"n\"\ninput = [3, 5, 4]\nclasses = 2\n\
                    node = [{ layer = \"flatten\" }, { layer = { linear = { out_features = 2 } } }]";
        let plan = Plan::compile(&NetworkSpec::from_toml(text).unwrap()).unwrap();
        let dataset = Dataset {
            name: "two".into(),
            shape: [3, 5, 4],
            images: (0..120).collect(),
            labels: vec![0, 1],
            classes: ["a", "b"].map(String::from).to_vec(),
            sha256: String::new(),
        };
        let each = Normalization { scale: vec![1.0, 0.5, 2.0], shift: vec![0.0, -1.0, 3.0] };
        for normalization in [each, Normalization { scale: vec![0.25], shift: vec![1.0] }] {
            let lanes = Isa::detect().run(PackTask(&plan, &dataset, &normalization));
            for (idx, values) in lanes.chunks_exact(GROUP).enumerate() {
                for (lane, &value) in values.iter().enumerate() {
                    let is_live = lane < dataset.len();
                    let expected =
                        if is_live { normalization.apply(idx / 20, dataset.image(lane)[idx]) } else { 0.0 };
                    assert_eq!(value, expected, "value {idx} of sample {lane}");
                }
            }
        }
    }
}
