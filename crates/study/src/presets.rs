//! Studies that come with the program.

/// A study known by name.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// As on the command line.
    pub name: &'static str,
    /// What it asks, in a line.
    pub about: &'static str,
    /// The study file.
    pub text: &'static str,
}

/// All, in the order in which they are listed to people.
pub const PRESETS: [Preset; 5] = [
    Preset {
        name: "lenet-tune",
        about: "the best LeNet of at most 44,426 parameters in 10 epochs: 100 trials",
        text: include_str!("../presets/lenet-tune.toml"),
    },
    Preset {
        name: "kernel-sizes",
        about: "the tutorial's question: 5×5 convolutions or two of 3×3 for each",
        text: include_str!("../presets/kernel-sizes.toml"),
    },
    Preset {
        name: "epochs",
        about: "the tutorial's question: 10, 20, 50 or 100 epochs",
        text: include_str!("../presets/epochs.toml"),
    },
    Preset {
        name: "zoph",
        about: "architecture search after Zoph & Le 2016: four to eight layers with skips, 40 minutes",
        text: include_str!("../presets/zoph.toml"),
    },
    Preset {
        name: "lenet-space",
        about: "architecture search in a small space around LeNet: 200 children",
        text: include_str!("../presets/lenet-space.toml"),
    },
];

#[cfg(test)]
mod tests {
    use spec::StudySpec;

    use super::*;
    use crate::{Template, space};

    #[test]
    fn every_preset_is_a_study_whose_trials_can_be_made() {
        let load = |name: &str| Err(format!("no file {name}").into());
        for Preset { name, text, .. } in PRESETS {
            let spec = StudySpec::from_toml(text).unwrap();
            assert_eq!(spec.name, name);
            let space = space(&spec).unwrap();
            let template = Template::new(&spec, &load).unwrap().unwrap();
            for pick in 0..4 {
                let point = space.fill(|_, dimension| match &dimension.domain {
                    spec::Domain::Float(float) => spec::ParamValue::Float(float.low),
                    spec::Domain::Int(int) => spec::ParamValue::Int(int.high),
                    spec::Domain::Categorical(all) => spec::ParamValue::Category(pick % all.len()),
                });
                let file = template.run_file(&space.assignment(&point), &load).unwrap();
                file.resolve(|name| Err::<spec::NetworkSpec, _>(format!("no file {name}"))).unwrap();
            }
        }
    }
}
