//! How each preset is trained.

use crate::{NetworkSource, PRESETS, RunFile};

/// Run files of the presets that ask for other numbers than the tutorial's.
const RECIPES: [(&str, &str); 2] = [
    ("lenet-5-1998", include_str!("../recipes/lenet-5-1998.toml")),
    ("brick-100k", include_str!("../recipes/brick-100k.toml")),
];

/// The run file with which the preset of that name is trained, or `None` if there is no such preset: its own, or the
/// defaults of [`crate::TrainSpec`] with its network.
pub fn recipe(name: &str) -> Option<RunFile> {
    let preset = PRESETS.iter().find(|preset| preset.name == name)?;
    let text = RECIPES.iter().find(|(of, _)| *of == name).map(|(_, text)| text);
    Some(match text {
        Some(text) => RunFile::from_toml(text).expect("a test reads every recipe"),
        None => RunFile { network: Some(NetworkSource::Named(preset.name.into())), ..RunFile::default() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_is_a_whole_run_of_its_preset() {
        for preset in PRESETS {
            let file = recipe(preset.name).unwrap();
            let spec = file.resolve(|name| Err::<crate::NetworkSpec, _>(format!("no file {name}"))).unwrap();
            assert_eq!(spec.network, crate::preset(preset.name).unwrap());
        }
        assert!(RECIPES.iter().all(|(name, _)| recipe(name).is_some()));
        assert!(recipe("lenet-6").is_none());
    }
}
