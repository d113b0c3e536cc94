//! From the values of a trial to the run that they ask for.

use std::collections::BTreeMap;
use std::error::Error;

use search::{Condition, Dimension, Frame, Grammar, Space};
use spec::{
    Assignment, ChoiceSpec, NetworkSpec, Param, ParamValue, ParameterSpec, RetrainSpec, RunFile, StudySpec,
    TrainSpec,
};
use toml::{Table, Value};

use crate::StudyError;
use crate::patch;

/// Share of the training samples that trials are measured on where the study does not say.
const DEFAULT_VALIDATION: f64 = 0.1;

/// Gives the network that a preset's or a file's name stands for.
pub type LoadNetwork<'a> = &'a dyn Fn(&str) -> Result<NetworkSpec, Box<dyn Error + Send + Sync>>;

/// Gives the shape of a data set's samples and its number of classes, by what the run calls it.
pub type FrameOf<'a> = &'a dyn Fn(&str) -> Result<Frame, Box<dyn Error + Send + Sync>>;

/// What the runs of all trials have in common, and where the parameters go.
#[derive(Clone, Debug)]
pub struct Template {
    /// Of the study, and of the networks that a grammar gives.
    name: String,
    base: Table,
    grammar: Option<Grammar>,
    parameters: Vec<ParameterSpec>,
}

/// The space of a study: what its grammar decides, then its parameters.
pub fn space(study: &StudySpec) -> Result<Space, StudyError> {
    let grammar = study.grammar.as_ref().map(Grammar::new).transpose()?;
    space_of(grammar.as_ref(), &study.parameters)
}

/// The values of a grammar's decisions that stand for a network for data of that frame, for [`crate::StudyView::enqueue`]; the
/// error says why it is none of the grammar's.
pub fn encode(
    study: &StudySpec,
    network: &NetworkSpec,
    data: Frame,
) -> Result<BTreeMap<String, Param>, StudyError> {
    let name = || study.name.clone();
    let grammar = study.grammar.as_ref().ok_or_else(|| StudyError::NoGrammar { name: name() })?;
    let grammar = Grammar::new(grammar)?;
    let outside = |source| StudyError::Outside { network: network.name.clone(), name: name(), source };
    let values = grammar.encode(network, data).map_err(outside)?;
    let param = |dimension: &Dimension| {
        let value = *values.get(&dimension.name)?;
        Some((dimension.name.clone(), Param { domain: dimension.domain.clone(), value }))
    };
    Ok(grammar.dimensions().iter().filter_map(param).collect())
}

pub(crate) fn space_of(grammar: Option<&Grammar>, parameters: &[ParameterSpec]) -> Result<Space, StudyError> {
    let mut dimensions: Vec<Dimension> =
        grammar.map_or_else(Vec::new, |grammar| grammar.dimensions().to_vec());
    for parameter in parameters {
        let conditions = parameter.when.iter().map(|(name, labels)| {
            let fault = || StudyError::Condition { parameter: parameter.name.clone(), name: name.clone() };
            let idx = dimensions.iter().position(|earlier| earlier.name == *name).ok_or_else(fault)?;
            let spec::Domain::Categorical(all) = &dimensions[idx].domain else { return Err(fault()) };
            let position = |category| all.iter().position(|one| *one == category).ok_or_else(fault);
            let categories = labels.categories().into_iter().map(position).collect::<Result<_, _>>()?;
            Ok(Condition { dimension: idx, categories })
        });
        let conditions = conditions.collect::<Result<_, _>>()?;
        dimensions.push(Dimension { conditions, ..Dimension::new(&parameter.name, parameter.domain()?) });
    }
    Ok(Space::new(dimensions)?.with_rule(grammar.and_then(Grammar::rule)))
}

impl Template {
    /// Fills in what the study's run does not say, so that every key that a parameter may name is there. `None`: the study
    /// has no run.
    pub fn new(study: &StudySpec, load: LoadNetwork<'_>) -> Result<Option<Self>, StudyError> {
        let Some(run) = &study.run else { return Ok(None) };
        let network = run.get("network").cloned();
        let grammar = study.grammar.as_ref().map(Grammar::new).transpose()?;
        if grammar.is_some() {
            check_no_network(network.is_some(), study)?;
        }
        check_keys(&study.parameters)?;
        space_of(None, &study.retrain.parameters)?;
        check_run_keys(study, run)?;
        let file = RunFile::from_table("table `run`", run.clone())?;
        let whole = file.resolve(|name| load(name))?;
        let validation = whole.validation.or(Some(DEFAULT_VALIDATION));
        let mut base: Table =
            TrainSpec { validation, ..whole }.to_toml()?.parse().expect("was written as TOML");
        // A preset's name stays one, so that it is made to fit the data.
        match network {
            _ if grammar.is_some() => base.remove("network"),
            Some(Value::String(name)) => base.insert("network".into(), Value::String(name)),
            None => base.insert("network".into(), Value::String("lenet".into())),
            Some(_) => None,
        };
        let (name, parameters) = (study.name.clone(), study.parameters.clone());
        Ok(Some(Self { name, base, grammar, parameters }))
    }

    /// Which networks there are, in an architecture search.
    pub fn grammar(&self) -> Option<&Grammar> {
        self.grammar.as_ref()
    }

    /// What the runs call their data, where it does not vary.
    pub fn data(&self) -> &str {
        self.base.get("data").and_then(Value::as_str).unwrap_or_default()
    }

    /// Epochs of a whole trial, where they do not vary.
    pub fn n_epochs(&self) -> u64 {
        self.base["epochs"].as_integer().map_or(1, |n| n as u64)
    }

    /// Whether a parameter or one of its choices says what a key of the run is.
    pub fn varies(&self, key: &str) -> bool {
        self.parameters.iter().flat_map(keys_of).any(|one| one == key)
    }

    /// The run of a trial, as far as it can be told without looking at the data: a grammar's network is made for pictures of
    /// 28 × 28 and ten classes, unless it says itself for what.
    pub fn run_file(&self, values: &Assignment, load: LoadNetwork<'_>) -> Result<RunFile, StudyError> {
        self.run_file_for(values, load, &|_| Ok(Frame::default()))
    }

    /// The run of a trial. Fails where the values do not go together; keys that do not exist are found here too. A grammar's
    /// network is made for what `frame` says of the data.
    pub fn run_file_for(
        &self,
        values: &Assignment,
        load: LoadNetwork<'_>,
        frame: FrameOf<'_>,
    ) -> Result<RunFile, StudyError> {
        let making = Making { template: self, values, load, frame };
        Ok(RunFile::from_table("run of a trial", making.run()?)?)
    }

    /// The run of one of the best trials, trained again: as the study wants that, with one combination of its grid.
    pub fn run_file_again(
        &self,
        values: &Assignment,
        (retrain, combination): (&RetrainSpec, &Assignment),
        load: LoadNetwork<'_>,
        frame: FrameOf<'_>,
    ) -> Result<RunFile, StudyError> {
        let making = Making { template: self, values, load, frame };
        let mut run = making.run()?;
        let set = retrain.set.iter().map(|(key, value)| Setting {
            parameter: "retrain.set",
            key,
            value: value.clone(),
        });
        making.put(&mut run, in_order(set.collect())?)?;
        making.put(&mut run, settings(&retrain.parameters, combination)?)?;
        Ok(RunFile::from_table("run that `retrain` asks for", run)?)
    }
}

/// A number must go somewhere in a run; choices may have keys of their own.
fn check_keys(parameters: &[ParameterSpec]) -> Result<(), StudyError> {
    match parameters.iter().find(|parameter| parameter.key.is_empty() && parameter.choices.is_none()) {
        Some(parameter) => Err(StudyError::NoKey { parameter: parameter.name.clone() }),
        None => Ok(()),
    }
}

/// Keys of a run file that would say nothing: of a trial's run, of the training at the end.
fn check_run_keys(study: &StudySpec, run: &Table) -> Result<(), StudyError> {
    let of_run = run.keys().map(|key| ("run.", key));
    let of_trial = study.parameters.iter().flat_map(keys_of).map(|key| ("", key));
    let of_grid = study.retrain.parameters.iter().flat_map(keys_of).map(|key| ("retrain.parameter: ", key));
    let of_end = study.retrain.set.keys().map(|key| ("retrain.set.", key));
    let why = |table: &str, key: &str| match key {
        "out" => Some("each trial has a folder of its own"),
        "threads" => Some("`--threads` says how many, and `jobs` how many trials share them"),
        "json" | "quiet" => Some("trials print nothing"),
        "test" => Some("trials never look at the test samples, and the best are tested once at the end"),
        "subset" if table.starts_with("retrain") => Some("the best learn from all samples at the end"),
        _ => None,
    };
    let mut keys = of_run.chain(of_trial).chain(of_grid).chain(of_end);
    let found = keys.find_map(|(table, key)| Some((format!("{table}{key}"), why(table, key)?)));
    found.map_or(Ok(()), |(key, why)| Err(StudyError::RunKey { key, why }))
}

/// The keys under which a parameter or one of its choices puts something.
fn keys_of(parameter: &ParameterSpec) -> impl Iterator<Item = &String> {
    let further = parameter.choices.iter().flatten().flat_map(|choice| choice.set.iter().map(|(key, _)| key));
    parameter.key.iter().chain(further)
}

/// A run that is being made.
struct Making<'a> {
    template: &'a Template,
    values: &'a Assignment,
    load: LoadNetwork<'a>,
    frame: FrameOf<'a>,
}

impl Making<'_> {
    fn run(&self) -> Result<Table, StudyError> {
        let mut run = self.template.base.clone();
        self.put(&mut run, settings(&self.template.parameters, self.values)?)?;
        if self.template.grammar.is_some() {
            self.expand_network(&mut run)?;
        }
        Ok(run)
    }

    fn put(&self, run: &mut Table, settings: Vec<Setting<'_>>) -> Result<(), StudyError> {
        for Setting { parameter, key, value } in settings {
            if key.starts_with("network.") {
                self.expand_network(run)?;
            }
            let in_parameter = |source| StudyError::Patch { parameter: parameter.into(), source };
            patch::set(run, key, &value).map_err(in_parameter)?;
        }
        Ok(())
    }

    /// A key that leads into the network needs it in place of its name.
    fn expand_network(&self, run: &mut Table) -> Result<(), StudyError> {
        let network = match (run.get("network"), &self.template.grammar) {
            (None, Some(grammar)) => self.decoded(grammar, run)?,
            (Some(Value::String(name)), _) => {
                let in_network = |source| StudyError::Network { name: name.clone(), source };
                spec::preset(name).map_or_else(|| (self.load)(name).map_err(in_network), Ok)?
            }
            _ => return Ok(()),
        };
        let mut table: Table = network.to_toml()?.parse().expect("was written as TOML");
        table.remove("version");
        run.insert("network".into(), Value::Table(table));
        Ok(())
    }

    fn decoded(&self, grammar: &Grammar, run: &Table) -> Result<NetworkSpec, StudyError> {
        let data = run.get("data").and_then(Value::as_str).unwrap_or_default();
        let in_data = |source| StudyError::Data { data: data.into(), source };
        let network = grammar.decode(self.values, (self.frame)(data).map_err(in_data)?)?;
        Ok(NetworkSpec { name: self.template.name.clone(), ..network })
    }
}

/// All combinations of the choices of a grid, in the order of the file, the last parameter changing first; a single empty one
/// where there is no grid.
pub fn combinations(grid: &[ParameterSpec]) -> Vec<Assignment> {
    let mut all = vec![Assignment::new()];
    for parameter in grid {
        let n_choices = parameter.choices.as_ref().map_or(0, Vec::len);
        let with = |combination: &Assignment, idx| {
            let mut combination = combination.clone();
            combination.insert(parameter.name.clone(), ParamValue::Category(idx));
            combination
        };
        all = all.iter().flat_map(|one| (0..n_choices).map(move |idx| with(one, idx))).collect();
    }
    all
}

/// What goes where.
fn settings<'a>(
    parameters: &'a [ParameterSpec],
    values: &Assignment,
) -> Result<Vec<Setting<'a>>, StudyError> {
    let mut settings = Vec::new();
    for parameter in parameters {
        let Some(&value) = values.get(&parameter.name) else { continue };
        let (value, further) = value_and_further(parameter, value);
        let own = parameter.key.iter().filter_map(|key| Some((key, value.clone()?)));
        for (key, value) in own.chain(further.iter().map(|(key, value)| (key, value.clone()))) {
            settings.push(Setting { parameter: &parameter.name, key, value });
        }
    }
    in_order(settings)
}

/// Short keys come first, so that a value inside of a table is put into the table that another parameter chooses, in whichever
/// order they stand in the file.
fn in_order(settings: Vec<Setting<'_>>) -> Result<Vec<Setting<'_>>, StudyError> {
    let mut numbered = Vec::new();
    for setting in settings {
        let in_parameter = |source| StudyError::Patch { parameter: setting.parameter.into(), source };
        numbered.push((patch::segments(setting.key).map_err(in_parameter)?.len(), setting));
    }
    numbered.sort_by_key(|(n_segments, _)| *n_segments);
    Ok(numbered.into_iter().map(|(_, setting)| setting).collect())
}

/// A value that goes under a key.
struct Setting<'a> {
    parameter: &'a str,
    key: &'a str,
    value: Value,
}

/// What a parameter's value puts under its own keys, and under which others.
fn value_and_further(parameter: &ParameterSpec, value: ParamValue) -> (Option<Value>, &[(String, Value)]) {
    match (value, &parameter.choices) {
        (ParamValue::Float(x), _) => (Some(Value::Float(x)), &[]),
        (ParamValue::Int(x), _) => (Some(Value::Integer(x)), &[]),
        (ParamValue::Category(idx), Some(choices)) => {
            let ChoiceSpec { value, set, .. } = &choices[idx];
            (value.clone(), set)
        }
        (ParamValue::Category(_), None) => (None, &[]),
    }
}

/// Where a grammar says which networks there are, nothing else does.
fn check_no_network(is_in_run: bool, study: &StudySpec) -> Result<(), StudyError> {
    let sets_network = |parameter: &&ParameterSpec| keys_of(parameter).any(|key| key == "network");
    let in_parameter = study.parameters.iter().chain(&study.retrain.parameters).find(sets_network);
    let what = match in_parameter {
        _ if is_in_run => "`run.network`".into(),
        _ if study.retrain.set.contains_key("network") => "`retrain.set.network`".into(),
        Some(parameter) => format!("parameter `{}`", parameter.name),
        None => return Ok(()),
    };
    Err(StudyError::TwoNetworks { what })
}
