//! Writes networks with what this program makes of them, for `tests/pytorch/export_check.py` to hold against PyTorch and
//! onnxruntime: `random_networks FOLDER N SEED`.
//!
//! The networks are the layer cases of `nn`, the presets, all layers in one, some with names that mean something else
//! elsewhere, and N random ones. Each gets a folder with `model.py`, `model.safetensors`, `model.onnx`, and in
//! `expected.safetensors` pictures [n, C, H, W], labels U8 [n], `logits` as in use, and of training `loss`, the gradient
//! `d.NAME` of each parameter and `d_pictures`, all of the sum of losses, and `running.NAME`, the running statistics after
//! the batch; there dropout is left out.

#[path = "../../../nn/tests/cases/mod.rs"]
#[expect(dead_code, reason = "the layers' own tests use more of it")]
mod cases;
mod computed;
#[path = "../../../nn/tests/engine/mod.rs"]
#[expect(dead_code, reason = "the layers' own tests use more of it")]
mod engine;
mod generator;
mod hostile;
mod layers;
mod vocabulary;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use export::{Model, Normalization};
use rand_core::Rng;
use spec::{LayerSpec, LossSpec, MapSpec, NetworkSpec, PRESETS, Seed, preset};

use computed::Computed;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [folder, n, seed] = &args[..] else { return Err("usage: random_networks FOLDER N SEED".into()) };
    let (n, seed) = (n.parse()?, Seed(seed.parse()?));
    for (idx, (title, network, loss)) in cases(n, seed).into_iter().enumerate() {
        let folder = PathBuf::from(folder).join(format!("{idx:03}"));
        // By its title, so that one case more changes none of the others.
        let numbers = Seed(seed.stream(&title).next_u64());
        let computed = Computed::new(&network, loss, numbers).map_err(|error| format!("{title}: {error}"))?;
        write(&folder, &title, &network, &computed).map_err(|error| format!("{title}: {error}"))?;
    }
    Ok(())
}

/// Every network that is checked, with a title and a loss.
fn cases(n: usize, seed: Seed) -> Vec<(String, NetworkSpec, LossSpec)> {
    let cases = cases::cases().into_iter().map(|case| (case.name.to_owned(), case.spec, case.loss));
    let presets = PRESETS.iter().filter_map(|known| preset(known.name));
    let presets = presets.map(|network| (format!("preset {}", network.name), network));
    let named = vocabulary::networks().into_iter().chain(hostile::networks());
    let random = (0..n).map(|idx| generator::random_network(seed, idx));
    let others = named.chain(random).map(|network| (network.name.clone(), network));
    let others = presets.chain(others).map(|(title, network)| {
        let loss = loss(&network);
        (title, network, loss)
    });
    cases.chain(others).collect()
}

/// Radial basis functions have one of their own.
fn loss(network: &NetworkSpec) -> LossSpec {
    match network.nodes.last().map(|node| &node.layer) {
        Some(LayerSpec::Rbf(_)) => LossSpec::Map(MapSpec { rubbish: 2.0 }),
        _ => LossSpec::default(),
    }
}

fn write(
    folder: &Path,
    title: &str,
    network: &NetworkSpec,
    computed: &Computed,
) -> Result<(), Box<dyn Error>> {
    let (scale, shift) = (&computed.scale, &computed.shift);
    let classes: Vec<String> = (0..network.classes).map(|class| format!("class \"{class}\"\\")).collect();
    let model = Model {
        network,
        plan: &computed.plan,
        params: &computed.params,
        normalization: Normalization { scale, shift },
        classes: &classes,
    };
    fs::create_dir_all(folder)?;
    fs::write(folder.join("network.toml"), network.to_toml()?)?;
    fs::write(folder.join("model.py"), export::pytorch(&model)?)?;
    fs::write(folder.join("model.onnx"), export::onnx(&model)?)?;
    let weights = nn::to_safetensors(&computed.plan, &computed.params, &BTreeMap::new())?;
    fs::write(folder.join("model.safetensors"), weights)?;
    fs::write(folder.join("expected.safetensors"), computed.to_safetensors(title)?)?;
    Ok(())
}
