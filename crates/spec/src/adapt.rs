//! A network made to fit a data set.

use crate::{LayerSpec, NetworkSpec};

impl NetworkSpec {
    /// The same layers for pictures of the shape `input` (channels, rows, columns) and so many classes: the last node, if
    /// it is a linear layer, gives as many numbers as there are classes, and if it is an `rbf`, keeps as many of its codes; it
    /// has no more than it has. It is for networks that people ask for by name; what they wrote into a file is not changed.
    /// Whether the layers fit the shape is for whoever compiles it to see.
    pub fn adapted(mut self, input: [usize; 3], classes: usize) -> Self {
        match self.nodes.last_mut().map(|node| &mut node.layer) {
            Some(LayerSpec::Linear(linear)) => linear.out_features = classes,
            Some(LayerSpec::Rbf(rbf)) => rbf.codes.truncate(classes),
            _ => {}
        }
        Self { input, classes, ..self }
    }
}

#[cfg(test)]
mod tests {
    use crate::{LayerSpec, PRESETS, preset};

    #[test]
    fn presets_take_any_shape_and_classes() {
        for name in PRESETS.map(|preset| preset.name) {
            let original = preset(name).unwrap();
            let adapted = original.clone().adapted([3, 32, 32], 7);
            adapted.validate().unwrap();
            assert_eq!((adapted.input, adapted.classes), ([3, 32, 32], 7));
            let n_outputs = match adapted.nodes.last().map(|node| &node.layer) {
                Some(LayerSpec::Linear(last)) => last.out_features,
                Some(LayerSpec::Rbf(last)) => last.codes.len(),
                _ => panic!("{name} ends with neither a linear layer nor codes"),
            };
            assert_eq!(n_outputs, 7);
            let n_changed = adapted.nodes.iter().zip(&original.nodes).filter(|(new, old)| new != old).count();
            assert_eq!(n_changed, 1, "{name}");
        }
    }
}
