//! From a trial's values to a training with nothing left open, and what the network alone says of it.

use std::collections::BTreeMap;
use std::path::Path;

use nn::Plan;
use runs::RunsError;
use search::{Ask, Dimension, Frame, History, Space};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use spec::{
    Assignment, Domain, HalvingSpec, HyperbandSpec, Measure, NetworkSource, NetworkSpec, ParamValue,
    PrunerSpec, RetrainSpec, RunFile, SamplerSpec, Seed, SpecError, StudySpec, Testing, TrainSpec,
};
use study::{Candidate, StudyError, StudyView, Template};

use crate::error::CliError;
use crate::loading::Wanted;
use crate::network_file;
use crate::run::initial_params;

/// Makes trainings of values.
pub(crate) struct Candidates {
    template: Template,
    /// The network files that could be read, each once: whoever edits one meanwhile does not change what is tried.
    networks: BTreeMap<String, NetworkSpec>,
    constraints: BTreeMap<Measure, f64>,
    /// Whether trials are judged by the validation part.
    needs_validation: bool,
    retrain: RetrainSpec,
}

/// A training with nothing left open.
pub(crate) struct Prepared {
    pub(crate) spec: TrainSpec,
    pub(crate) plan: Plan,
}

impl Candidates {
    /// `None`: the study's trials are made by another program.
    pub(crate) fn new(study: &StudySpec) -> Result<Option<Self>, CliError> {
        // What cannot be read is told where somebody needs it.
        let read = |name: String| network_file::read_named(&name).ok().map(|network| (name, network));
        let networks: BTreeMap<_, _> = study::network_files(study).into_iter().filter_map(read).collect();
        let template = Template::new(study, &|name| load(&networks, name))?;
        let constraints = study.constraints.clone();
        let is_of_validation =
            |measure: &Measure| matches!(measure, Measure::ValidationAccuracy | Measure::ValidationLoss);
        let objectives = study.measures().unwrap_or_default();
        let needs_validation = objectives.iter().chain(constraints.keys()).any(is_of_validation);
        let retrain = study.retrain.clone();
        Ok(template.map(|template| Self { template, networks, constraints, needs_validation, retrain }))
    }

    /// Of a study that was begun; its networks are what they were then.
    pub(crate) fn of(view: &StudyView) -> Result<Self, CliError> {
        let candidates = Self::new(view.spec())?.ok_or(CliError::StudyWithoutRun)?;
        view.check_networks(&candidates.networks)?;
        Ok(candidates)
    }

    /// What trials are made of from now on is what they were made of before.
    pub(crate) fn keep_networks(&self, view: &StudyView) -> Result<(), CliError> {
        Ok(view.keep_networks(&self.networks)?)
    }

    /// Epochs of a whole trial, where they do not vary.
    pub(crate) fn n_epochs(&self) -> u64 {
        self.template.n_epochs()
    }

    /// The training that the values ask for. What does not go together is an error.
    pub(crate) fn prepare(&self, values: &Assignment) -> Result<Prepared, CliError> {
        self.prepare_run(self.template.run_file_for(values, &|name| load(&self.networks, name), &frame)?)
    }

    /// The training of one of the best trials again, with one combination of the grid; measured as trials are.
    pub(crate) fn prepare_again(
        &self,
        values: &Assignment,
        combination: &Assignment,
    ) -> Result<Prepared, CliError> {
        let again = (&self.retrain, combination);
        let load = |name: &str| load(&self.networks, name);
        let mut prepared = self.prepare_run(self.template.run_file_again(values, again, &load, &frame)?)?;
        // What is learned from less is only for trials.
        prepared.spec.subset = None;
        Ok(prepared)
    }

    /// Whether what is to become of the best at the end can be done, with values that can be tried.
    fn check_again(&self, values: &Assignment) -> Result<(), CliError> {
        if self.retrain.best == 0 {
            return Ok(());
        }
        for combination in study::combinations(&self.retrain.parameters) {
            let prepared = self.prepare_again(values, &combination)?;
            if !combination.is_empty() && prepared.spec.validation == Some(0.0) {
                return Err(CliError::GridWithoutValidation);
            }
            prepared.retraining(self.retrain.seeds - 1, 1).to_toml()?;
        }
        Ok(())
    }

    /// Values from all over the space, with every parameter and every choice among them: one that goes into no run is a mistake,
    /// and if none of all can be tried, or trained again at the end, the study file is wrong.
    pub(crate) fn try_some(&self, study: &StudySpec) -> Result<(), CliError> {
        self.check_rungs(study)?;
        let space = study::space(study)?;
        let (mut is_tried, mut refusal, mut mistake) = (false, None, None);
        let (mut unseen, mut misplaced) = (choices_of(&space), Vec::new());
        for values in samples(study, &space) {
            if is_tried && unseen.is_empty() {
                break;
            }
            let prepared = match self.prepare(&values) {
                Err(error) if is_misplaced(&error) => {
                    misplaced.push((values, error));
                    continue;
                }
                prepared => prepared,
            };
            unseen.retain(|(name, choice)| !has(&values, name, *choice));
            match self.judge(prepared)?.refusal {
                None if is_tried => {}
                None => match self.check_again(&values) {
                    Ok(()) => is_tried = true,
                    Err(error) => mistake = Some(error),
                },
                Some(reason) => refusal = Some((values, reason)),
            }
        }
        let is_to_blame = |(values, error): &(Assignment, CliError)| {
            let mut unseen = unseen.iter().filter(|(name, choice)| has(values, name, *choice));
            unseen.any(|(name, _)| parameter_of(error).is_none_or(|parameter| parameter == name))
        };
        if let Some(idx) = misplaced.iter().position(is_to_blame) {
            return Err(misplaced.swap_remove(idx).1);
        }
        match (is_tried, mistake, refusal) {
            (false, Some(mistake), _) => Err(mistake),
            (false, None, Some((values, reason))) => {
                Err(CliError::NothingToTry { n: N_SAMPLES, values: show(&space, &values), reason })
            }
            _ => Ok(()),
        }
    }

    /// A pruner whose first look comes after the last epoch would do nothing.
    fn check_rungs(&self, study: &StudySpec) -> Result<(), CliError> {
        let (pruner, min_steps) = match study.pruner {
            PrunerSpec::Halving(HalvingSpec { min_steps, .. }) => ("halving", min_steps),
            PrunerSpec::Hyperband(HyperbandSpec { min_steps, .. }) => ("hyperband", min_steps),
            _ => return Ok(()),
        };
        let n_epochs = self.n_epochs();
        match min_steps < n_epochs || n_epochs == 1 || self.template.varies("epochs") {
            true => Ok(()),
            false => Err(CliError::NoRungs { pruner, min_steps, n_epochs }),
        }
    }

    /// What is to become of the best of a study that was begun before, as its file says now.
    pub(crate) fn check_end(&self, study: &StudySpec) -> Result<(), CliError> {
        let space = study::space(study)?;
        let first = samples(study, &space).find(|values| self.prepare(values).is_ok());
        first.map_or(Ok(()), |values| self.check_again(&values))
    }

    fn prepare_run(&self, file: RunFile) -> Result<Prepared, CliError> {
        let is_preset = file.network.as_ref().is_none_or(NetworkSource::is_preset);
        let mut spec = file.resolve(|name| load(&self.networks, name))?;
        spec.test = Testing::Never;
        let wanted = Wanted::new(Path::new(&spec.data))?;
        if is_preset {
            spec.network = wanted.adapt(spec.network);
        }
        let plan = network_file::compile(&spec.network)?;
        spec.validate()?;
        wanted.check_fit(&plan)?;
        if spec.init.is_some() {
            // The weights are there and fit, and the run says which ones they are.
            initial_params(&mut spec, &plan)?;
        }
        Ok(Prepared { spec, plan })
    }

    /// A network that is asked for by name, made to fit the data that the study's run names.
    pub(crate) fn adapted(&self, network: NetworkSpec) -> Result<NetworkSpec, CliError> {
        let wanted = Wanted::new(Path::new(self.template.data()))?;
        Ok(wanted.adapt(network))
    }

    /// What networks are made for, where the data do not vary.
    pub(crate) fn frame(&self) -> Result<Frame, CliError> {
        let wanted = Wanted::new(Path::new(self.template.data()))?;
        Ok(frame_of(&wanted))
    }

    /// What is known of values before they are tried. Mistakes of the study file itself are errors; what only these values
    /// together are to blame for is a refusal.
    pub(crate) fn look(&self, values: &Assignment) -> Result<Candidate, CliError> {
        self.judge(self.prepare(values))
    }

    fn judge(&self, prepared: Result<Prepared, CliError>) -> Result<Candidate, CliError> {
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) if is_of_file(&error) => return Err(error),
            Err(error) => {
                let refusal = Some(error.one_line());
                return Ok(Candidate { refusal, ..Candidate::default() });
            }
        };
        let measured = |(measure, limit): (&Measure, &f64)| {
            Some((*measure, *limit, of_network(*measure, &prepared.plan)?))
        };
        let broken = self
            .constraints
            .iter()
            .filter_map(measured)
            .find(|&(measure, limit, value)| measure.violation(value, limit) > 0.0);
        let mut refusal = broken.map(|(measure, limit, value)| {
            format!("`{}` is {value}, but the constraint allows {limit} at most", measure.name())
        });
        if self.needs_validation && prepared.spec.validation == Some(0.0) {
            refusal =
                Some("the run has `validation = 0`, so that nothing is left to measure the trial on".into());
        }
        let attributes = [Measure::Parameters, Measure::MultiplyAdds, Measure::ActivationBytes]
            .into_iter()
            .filter_map(|measure| {
                Some((format!("danlu:{}", measure.name()), whole(of_network(measure, &prepared.plan)?)))
            })
            .collect();
        let run = match self.template.grammar() {
            None => fingerprint(&prepared.spec)?,
            Some(_) => fingerprint(&nameless(prepared.spec))?,
        };
        Ok(Candidate { run, refusal, attributes })
    }
}

impl Prepared {
    /// The training, one of several, that ends in a model that is kept: on all samples that a choice was made by too, with a seed of
    /// its own and for as many epochs as the trial took; the test samples are looked at once.
    pub(crate) fn retraining(&self, idx: usize, n_epochs: usize) -> TrainSpec {
        TrainSpec {
            seed: self.spec.seed.saturating_add(1 + idx as u64),
            epochs: n_epochs,
            validation: Some(0.0),
            subset: None,
            early_stopping: None,
            test: Testing::AtEnd,
            ..self.spec.clone()
        }
    }
}

/// What the network alone says; `None` for what only a training tells.
pub(crate) fn of_network(measure: Measure, plan: &Plan) -> Option<f64> {
    match measure {
        Measure::Parameters => Some(plan.n_parameters() as f64),
        Measure::MultiplyAdds => Some(plan.multiply_adds() as f64),
        Measure::ModelBytes => Some(4.0 * plan.n_values() as f64),
        Measure::ActivationBytes => Some(plan.activation_bytes() as f64),
        Measure::ValidationAccuracy | Measure::ValidationLoss | Measure::MicrosecondsPerImage => None,
    }
}

/// A whole number as one.
fn whole(value: f64) -> Json {
    Json::from(value as u64)
}

/// Samples that are looked at before a study is begun, at most.
const N_SAMPLES: u64 = 500;

/// Values drawn at random, always the same.
fn samples<'a>(study: &'a StudySpec, space: &Space) -> impl Iterator<Item = Assignment> + 'a {
    let directions = study.objectives.iter().map(|objective| objective.direction).collect();
    let history = History::new(space.clone(), directions);
    let random = search::sampler(&SamplerSpec::Random);
    (0..N_SAMPLES).map_while(move |number| {
        let ask = Ask { history: &history, seed: Seed(study.seed), number, attempt: 0 };
        Some(history.space().assignment(&random.ask(&ask).point()?))
    })
}

/// Every parameter, and of those with choices every one of them.
fn choices_of(space: &Space) -> Vec<(String, Option<usize>)> {
    let of = |dimension: &Dimension| -> Vec<_> {
        let name = dimension.name.clone();
        match &dimension.domain {
            Domain::Categorical(all) => (0..all.len()).map(|idx| (name.clone(), Some(idx))).collect(),
            _ => vec![(name, None)],
        }
    };
    space.dimensions().iter().flat_map(of).collect()
}

fn has(values: &Assignment, name: &str, choice: Option<usize>) -> bool {
    let value = values.get(name);
    value.is_some_and(|value| choice.is_none_or(|choice| *value == ParamValue::Category(choice)))
}

/// Whether a value goes under no key of the run, which may be so with these other values alone.
fn is_misplaced(error: &CliError) -> bool {
    use StudyError as E;
    matches!(error, CliError::Study(E::Patch { .. } | E::Spec(SpecError::Toml { .. })))
}

/// The parameter that an error is about, if it says so.
fn parameter_of(error: &CliError) -> Option<&str> {
    match error {
        CliError::Study(StudyError::Patch { parameter, .. }) => Some(parameter),
        _ => None,
    }
}

/// Whether a mistake is there whatever the other values are: a data set or a file that does not exist.
fn is_of_file(error: &CliError) -> bool {
    use StudyError as E;
    match error {
        CliError::Study(error) => matches!(error, E::Data { .. } | E::Network { .. }),
        // Weights may fit other networks of the space.
        CliError::Runs(error) => !matches!(error, RunsError::Weights { .. }),
        CliError::Spec(error) => matches!(error, SpecError::Network { .. }),
        error => matches!(error, CliError::Data(_) | CliError::NeitherNameNorFolder { .. }),
    }
}

/// `kernel = 5, learning_rate = 0.01`
fn show(space: &Space, values: &Assignment) -> String {
    let shown = space.dimensions().iter().filter_map(|dimension| {
        let value: ParamValue = *values.get(&dimension.name)?;
        Some(format!("{} = {}", dimension.name, dimension.domain.show(value)))
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// SHA-256 of all that determines the run.
fn fingerprint(spec: &TrainSpec) -> Result<String, CliError> {
    let digest = Sha256::digest(spec.to_toml()?);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The same run whatever its network and nodes are called: each node is called by its position.
fn nameless(mut spec: TrainSpec) -> TrainSpec {
    let names = spec.network.node_names();
    let position = |name: &String| names.iter().position(|one| one == name);
    for node in &mut spec.network.nodes {
        node.name = None;
        let inputs = node.inputs.iter_mut().flatten();
        inputs
            .for_each(|input| *input = position(input).map_or_else(|| input.clone(), |idx| idx.to_string()));
    }
    spec.network.name = "network".into();
    spec
}

/// What a data set asks of a network.
fn frame(data: &str) -> Result<Frame, Box<dyn std::error::Error + Send + Sync>> {
    Ok(frame_of(&Wanted::new(Path::new(data))?))
}

fn frame_of(wanted: &Wanted) -> Frame {
    let input = wanted.shape().unwrap_or(Frame::default().input);
    Frame { input, classes: wanted.n_classes() }
}

fn load(
    networks: &BTreeMap<String, NetworkSpec>,
    name: &str,
) -> Result<NetworkSpec, Box<dyn std::error::Error + Send + Sync>> {
    match networks.get(name) {
        Some(network) => Ok(network.clone()),
        None => Ok(network_file::read_named(name)?),
    }
}
