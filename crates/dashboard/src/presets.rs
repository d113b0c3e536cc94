//! `/api/presets` and `/api/data`: what a run can be started from.

use std::path::Path;

use axum::extract::State;
use axum::response::Response;
use data::{KNOWN_SETS, KnownSet, Places, Source};
use nn::Plan;
use spec::{NetworkSpec, PRESETS, Preset, recipe};

use crate::answer;
use crate::error::DashboardError;
use crate::state::Shared;
use crate::wire::{DataJson, PresetJson};
use crate::work::light;

/// `GET /api/presets`
pub(crate) async fn presets() -> Result<Response, DashboardError> {
    light(|| {
        let presets: Result<Vec<_>, DashboardError> = PRESETS.iter().map(preset_json).collect();
        Ok(answer::json(&presets?))
    })
    .await
}

/// With the run file that trains it, its network in place.
fn preset_json(preset: &Preset) -> Result<PresetJson, DashboardError> {
    let Preset { name, about, source, .. } = *preset;
    let file = recipe(name).ok_or_else(|| DashboardError::no(format!("recipe for {name}")))?;
    let spec = file.resolve(|path| Err::<NetworkSpec, _>(format!("{path} is not looked for")))?;
    let parameters = Plan::compile(&spec.network)?.n_parameters();
    Ok(PresetJson { name, about, source, parameters, toml: spec.to_toml()? })
}

/// `GET /api/data`
pub(crate) async fn data_sets(State(shared): State<Shared>) -> Result<Response, DashboardError> {
    let state = shared.clone();
    let is_ready = move |known: &KnownSet| {
        let places = (state.places)(Path::new(known.name)).ok();
        let places = places.map(|places| Places { url: None, ..places });
        places.is_some_and(|places| Source::open(&places, &mut |_| {}).is_ok())
    };
    let work = move || {
        let sets = KNOWN_SETS.iter();
        let sets = sets.map(|set| DataJson { name: set.name, about: set.title, ready: is_ready(set) });
        Ok(answer::json(&sets.collect::<Vec<_>>()))
    };
    shared.worker.run(work).await
}
