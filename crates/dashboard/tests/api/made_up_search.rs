//! Architecture searches that nobody ran: children of a planted table, with all that a search leaves behind. The browser's
//! test has them too.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use spec::{Category, Direction, Domain, NetworkSpec, Param, ParamValue, StudySpec, TrialRecord, TrialState};
use store::Store;
use study::Template;

/// Children of a step.
const STEP: usize = 8;
/// Children that have run folders; the network of a later one is what its decisions say.
const N_FOLDERS: u64 = 100;
/// Milliseconds from one child to the next.
const PACE_MS: i64 = 1500;

const DECISIONS: [(&str, [i64; 4]); 5] = [
    ("filter_height", [1, 3, 5, 7]),
    ("filter_width", [1, 3, 5, 7]),
    ("stride_height", [1, 2, 3, 4]),
    ("stride_width", [1, 2, 3, 4]),
    ("filters", [8, 16, 24, 36]),
];
const DEPTHS: [i64; 3] = [2, 3, 4];

/// How children are made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// By a sampler that learns and logs its steps.
    Learned,
    /// Each from a better one.
    Evolved,
}

impl How {
    fn sampler(self) -> &'static str {
        match self {
            Self::Learned => "controller",
            Self::Evolved => "evolution",
        }
    }
}

/// A search in a folder of its own, and its children.
pub(crate) struct MadeUp {
    how: How,
    /// Of the generator.
    state: u64,
    pub(crate) children: Vec<TrialRecord>,
    /// The first child of each network.
    known: BTreeMap<String, u64>,
    /// Different networks up to each child.
    n_unique: Vec<usize>,
}

impl MadeUp {
    pub(crate) fn new(how: How) -> Self {
        Self { how, state: 1, children: Vec::new(), known: BTreeMap::new(), n_unique: Vec::new() }
    }

    /// Makes the folder with `n` children.
    pub(crate) fn begin(how: How, studies: &Path, name: &str, n: usize) -> Self {
        let dir = studies.join(name);
        fs::create_dir_all(&dir).unwrap();
        let file = file(name, how);
        fs::write(dir.join("study.toml"), &file).unwrap();
        let mut search = Self::new(how);
        search.grow(n);
        let store = Store::create_or_open(dir.join("study.db")).unwrap();
        let mut attributes = BTreeMap::from([
            ("danlu:objectives".to_owned(), json!(["validation_accuracy"])),
            ("danlu:file".to_owned(), json!(file)),
        ]);
        attributes.extend(search.logs(0));
        let study = store.create_study(name, &[Direction::Maximize], &attributes).unwrap();
        store.import(study, &search.children).unwrap();
        search.write_folders(&dir, 0);
        search
    }

    /// Adds `n` children to the store, and the log of the steps that are whole.
    pub(crate) fn go_on(&mut self, dir: &Path, name: &str, n: usize) {
        let first = self.children.len();
        self.grow(n);
        let store = Store::open(dir.join("study.db")).unwrap();
        let study = store.find_study(name).unwrap().unwrap();
        store.import(study, &self.children[first..]).unwrap();
        for (key, log) in self.logs(first / STEP) {
            store.set_study_user_attribute(study, &key, &log).unwrap();
        }
        self.write_folders(dir, first);
    }

    fn grow(&mut self, n: usize) {
        for _ in 0..n {
            let child = self.child();
            self.children.push(child);
        }
    }

    /// Of the whole steps from `first` on, as attributes of the study.
    fn logs(&self, first: usize) -> Vec<(String, Value)> {
        let n_steps = if self.how == How::Learned { self.children.len() / STEP } else { 0 };
        (first..n_steps).map(|step| (format!("danlu:step:{step:06}"), self.log(step))).collect()
    }

    /// Folders of runs for the children from `first` on.
    fn write_folders(&self, dir: &Path, first: usize) {
        let load = |name: &str| panic!("there is no network called {name}");
        let spec = StudySpec::from_toml(&fs::read_to_string(dir.join("study.toml")).unwrap()).unwrap();
        let template = Template::new(&spec, &load).unwrap().unwrap();
        for child in self.children[first..].iter().take_while(|child| child.number < N_FOLDERS) {
            let values = child.params.iter().map(|(name, param)| (name.clone(), param.value)).collect();
            let file = template.run_file(&values, &load).unwrap();
            let whole = file.resolve(|name| Err::<NetworkSpec, _>(name.to_owned())).unwrap();
            let run = dir.join(format!("trials/{:04}", child.number));
            fs::create_dir_all(&run).unwrap();
            fs::write(run.join("run.toml"), whole.to_toml().unwrap()).unwrap();
        }
    }

    fn child(&mut self) -> TrialRecord {
        let number = self.children.len() as u64;
        let parent = self.parent();
        let mut params = BTreeMap::new();
        match parent {
            Some(parent) => {
                params.clone_from(&self.children[parent].params);
                self.mutate(&mut params);
            }
            None => self.draw(&mut params),
        }
        let network: Vec<_> =
            params.iter().map(|(name, param)| format!("{name} {:?}", param.value)).collect();
        let first = *self.known.entry(network.concat()).or_insert(number);
        self.n_unique.push(self.known.len());
        let duplicate = (first != number).then(|| ("danlu:duplicate_of".to_owned(), json!(first)));
        let noise = (self.uniform() - 0.5) * 0.01;
        let (value, parameters) = worth(&params);
        let mut user_attributes = BTreeMap::from([
            ("danlu:parameters".to_owned(), json!(parameters)),
            ("danlu:multiply_adds".to_owned(), json!(parameters * 230)),
            ("danlu:seconds".to_owned(), json!(1.4)),
        ]);
        user_attributes.extend(duplicate);
        user_attributes.extend(parent.map(|parent| ("danlu:parent".to_owned(), json!(parent))));
        let started_ms = 1_790_000_000_000 + PACE_MS * number as i64;
        let state = if number % 37 == 36 {
            TrialState::Failed
        } else {
            TrialState::Complete { values: vec![value + noise] }
        };
        TrialRecord {
            number,
            state,
            params,
            intermediate: BTreeMap::from([(1, value - 0.05), (2, value + noise)]),
            started_ms: Some(started_ms),
            completed_ms: Some(started_ms + PACE_MS - 100),
            user_attributes,
            system_attributes: BTreeMap::new(),
        }
    }

    /// The best of ten of the last fifty.
    fn parent(&mut self) -> Option<usize> {
        let n = self.children.len();
        if self.how == How::Learned || n < 50 {
            return None;
        }
        let sample: Vec<usize> = (0..10).map(|_| n - 1 - self.below(50)).collect();
        let value = |idx: &usize| self.children[*idx].state.complete_values().map_or(0.0, |values| values[0]);
        sample.into_iter().max_by(|a, b| value(a).total_cmp(&value(b)))
    }

    fn mutate(&mut self, params: &mut BTreeMap<String, Param>) {
        let names: Vec<String> = params.keys().filter(|name| *name != "layers").cloned().collect();
        let name = &names[self.below(names.len())];
        let param = params.get_mut(name).unwrap();
        let Domain::Categorical(all) = &param.domain else { panic!("{name} has no choices") };
        param.value = ParamValue::Category(self.below(all.len()));
    }

    /// With time the sampler becomes sure of some choices.
    fn draw(&mut self, params: &mut BTreeMap<String, Param>) {
        let certainty = match self.how {
            How::Learned => (self.children.len() as f64 / 600.0).min(0.9),
            How::Evolved => 0.0,
        };
        let mut choose = |n: usize, good: usize| {
            if self.uniform() < certainty { good } else { self.below(n) }
        };
        let depth = choose(3, 1);
        params.insert("layers".into(), categorical(DEPTHS.iter().map(|&n| Category::Int(n)), depth));
        for layer in 0..DEPTHS[depth] as usize {
            for from in 0..layer {
                let no_and_yes = [false, true].map(Category::Bool);
                let chosen = choose(2, usize::from(from + 1 == layer));
                params.insert(format!("{layer}.from.{from}"), categorical(no_and_yes, chosen));
            }
            for (idx, (name, values)) in DECISIONS.iter().enumerate() {
                let good = [1, 2, 0, 0, 3][idx];
                let choices = values.iter().map(|&value| Category::Int(value));
                params.insert(format!("{layer}.{name}"), categorical(choices, choose(4, good)));
            }
        }
    }

    fn log(&self, step: usize) -> Value {
        let until = (step + 1) * STEP;
        let values = self.children[until - STEP..until].iter();
        let mut rewards: Vec<f64> = values
            .map(|child| child.state.complete_values().map_or(0.0, |values| values[0].powi(3)))
            .collect();
        rewards.sort_by(f64::total_cmp);
        let left = 1.0 - (until as f64 / 600.0).min(0.9);
        let entropy: Vec<Value> = DECISIONS
            .iter()
            .enumerate()
            .map(|(idx, (name, _))| json!([name, 1.386 * left.powf(0.5 + 0.3 * idx as f64)]))
            .collect();
        json!({
            "step": step, "first_trial": until - STEP, "n_samples": STEP + 1, "n_refused": 1, "n_unique": self.n_unique[until - 1],
            "baseline": if step == 0 { Value::Null } else { json!(0.55 + 0.2 * (1.0 - left)) },
            "rewards": [rewards[0], rewards[2], rewards[4], rewards[6], rewards[7]],
            "gradient_norm": 1.0 + left, "entropy": entropy,
        })
    }

    fn uniform(&mut self) -> f64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        ((self.uniform() * n as f64) as usize).min(n - 1)
    }
}

fn categorical(all: impl IntoIterator<Item = Category>, idx: usize) -> Param {
    Param { domain: Domain::Categorical(all.into_iter().collect()), value: ParamValue::Category(idx) }
}

/// The number that a decision stands for.
fn chosen(params: &BTreeMap<String, Param>, name: &str) -> i64 {
    let param = params.get(name);
    let value = param.and_then(|param| match (&param.domain, param.value) {
        (Domain::Categorical(all), ParamValue::Category(idx)) => Some(&all[idx]),
        _ => None,
    });
    match value {
        Some(&Category::Int(n)) => n,
        Some(&Category::Bool(yes)) => yes.into(),
        _ => 0,
    }
}

/// Accuracy and parameters of the planted table.
fn worth(params: &BTreeMap<String, Param>) -> (f64, i64) {
    let n_layers = chosen(params, "layers");
    let of = |layer: i64, name: &str| chosen(params, &format!("{layer}.{name}"));
    let mut value = 0.80 + 0.01 * n_layers as f64;
    let (mut parameters, mut channels) = (0, 1);
    for layer in 0..n_layers {
        let [height, width, stride_height, stride_width, filters] =
            DECISIONS.map(|(name, _)| of(layer, name));
        value += 0.012 - 0.003 * ((height - 3).abs() + (width - 5).abs()) as f64 / 2.0;
        value -= 0.006 * (stride_height + stride_width - 2) as f64 / n_layers as f64;
        value += 0.0008 * filters as f64 / n_layers as f64;
        parameters += height * width * channels * filters + filters;
        channels = filters;
    }
    (value.min(0.96), parameters + 10 * channels + 10)
}

fn file(name: &str, how: How) -> String {
    let mut text = format!(
        r#"version = 1
name = "{name}"
objectives = ["validation_accuracy"]
sampler = "{}"
budget = {{ trials = 20000 }}
run = {{ epochs = 2 }}

[grammar]
layers = [2, 3, 4]
skips = true
layer = [
  {{ name = "conv", layer = {{ conv2d = {{ out_channels = "$filters", kernel = ["$filter_height", "$filter_width"], stride = ["$stride_height", "$stride_width"], padding = "same" }} }} }},
  {{ name = "norm", layer = "batch_norm2d" }},
  {{ name = "act", layer = "relu" }},
]
head = [
  {{ name = "pool", layer = "global_avg_pool" }},
  {{ name = "flatten", layer = "flatten" }},
  {{ name = "fc", layer = {{ linear = {{ out_features = "$classes" }} }} }},
]
"#,
        how.sampler()
    );
    for (name, values) in DECISIONS {
        write!(text, "[[grammar.decision]]\nname = \"{name}\"\nchoices = {values:?}\n").unwrap();
    }
    text
}
