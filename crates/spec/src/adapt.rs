//! A network made to fit a data set.

use crate::{LayerSpec, NetworkSpec};

impl NetworkSpec {
    /// The same layers for pictures of the shape `input` (channels, rows, columns) and so many classes: the last
    /// linear layer gives as many numbers as there are classes. It is for networks that people ask for by name; what
    /// they wrote into a file is not changed. Whether the layers fit the shape is for whoever compiles it to see.
    pub fn adapted(mut self, input: [usize; 3], classes: usize) -> Self {
        let last = self.nodes.iter_mut().rev().find_map(|node| match &mut node.layer {
            LayerSpec::Linear(linear) => Some(linear),
            _ => None,
        });
        if let Some(linear) = last {
            linear.out_features = classes;
        }
        Self { input, classes, ..self }
    }
}

#[cfg(test)]
mod tests {
    use crate::{LayerSpec, PRESETS, preset};

    #[test]
    fn presets_take_any_shape_and_classes() {
        for name in PRESETS {
            let original = preset(name).unwrap();
            let adapted = original.clone().adapted([3, 32, 32], 47);
            adapted.validate().unwrap();
            assert_eq!((adapted.input, adapted.classes), ([3, 32, 32], 47));
            let Some(LayerSpec::Linear(last)) = adapted.nodes.last().map(|node| &node.layer) else {
                panic!("{name} does not end with a linear layer")
            };
            assert_eq!(last.out_features, 47);
            let n_changed = adapted.nodes.iter().zip(&original.nodes).filter(|(new, old)| new != old).count();
            assert_eq!(n_changed, 1, "{name}");
            assert_eq!(adapted.adapted(original.input, original.classes), original);
        }
    }
}
