//! `docs/study.toml` stays true: it is a study whose trials can be made, and it shows every key.

use search::Space;
use spec::{NetworkSpec, ParamValue, PrunerSpec, SamplerSpec, StudySpec, TrainSpec};
use study::{Template, space};

const REFERENCE: &str = include_str!("../../../docs/study.toml");

fn load(name: &str) -> Result<NetworkSpec, Box<dyn std::error::Error + Send + Sync>> {
    Err(format!("no file {name}").into())
}

/// The file with the paragraphs of one sampler and one pruner, and all other keys that are commented out.
fn alternative(sampler: &str, pruner: &str) -> String {
    let is_key = |line: &str| line.starts_with('#') && !line.starts_with("# ") && line.len() > 1;
    let uncommented = |line| if is_key(line) { &line[1..] } else { line };
    let text = REFERENCE.lines().map(uncommented).collect::<Vec<_>>().join("\n");
    let stays = |paragraph: &&str| {
        let header = paragraph.lines().find(|line| line.starts_with('[')).unwrap_or_default();
        let of = |table: &str, chosen: &str| {
            !header.starts_with(table) || header == format!("[{table}{chosen}]").replace("[[", "[")
        };
        of("[sampler.", sampler) && of("[pruner.", pruner)
    };
    text.split("\n\n").filter(stays).collect::<Vec<_>>().join("\n\n")
}

/// The run of the point whose every categorical dimension has its `pick`-th category.
fn run_of(study: &StudySpec, space: &Space, pick: usize) -> TrainSpec {
    let point = space.fill(|_, dimension| match &dimension.domain {
        spec::Domain::Float(float) => ParamValue::Float(float.high),
        spec::Domain::Int(int) => ParamValue::Int(int.high),
        spec::Domain::Categorical(all) => ParamValue::Category(pick % all.len()),
    });
    let template = Template::new(study, &load).unwrap().unwrap();
    let file = template.run_file(&space.assignment(&point), &load).unwrap();
    file.resolve(load_text).unwrap()
}

fn load_text(name: &str) -> Result<NetworkSpec, String> {
    Err(format!("no file {name}"))
}

#[test]
fn the_reference_is_a_study_whose_trials_can_be_made() {
    let study = StudySpec::from_toml(REFERENCE).unwrap();
    assert_eq!(study.sampler, SamplerSpec::default());
    let space = space(&study).unwrap();
    let runs: Vec<TrainSpec> = (0..3).map(|pick| run_of(&study, &space, pick)).collect();
    let names: Vec<String> = runs.iter().map(|run| run.optimizer.kind().to_string()).collect();
    assert_eq!(names, ["adam", "sgd", "adamw"]);
    assert!(runs.iter().all(|run| run.optimizer.learning_rate() == 0.1));
    assert!(runs.iter().all(|run| run.network.to_toml().unwrap().contains("out_channels = 16")));
    assert_eq!(runs[2].clip_gradient, Some(1.0));
    assert_eq!(space.dimensions()[3].conditions.len(), 1);
}

#[test]
fn every_key_of_a_study_file_stands_in_the_reference() {
    let pairs = [
        ("tpe", "halving"),
        ("evolution", "median"),
        ("nsga2", "hyperband"),
        ("controller", "halving"),
        ("softmax_table", "none"),
    ];
    for (sampler, pruner) in pairs {
        let study = StudySpec::from_toml(&alternative(sampler, pruner)).unwrap();
        assert_eq!((study.sampler.name(), study.pruner.name()), (sampler, pruner));
        // No `..`: a key that is added to the study file fails to compile here until the reference shows it.
        let StudySpec {
            version,
            name: _,
            seed: _,
            objectives: _,
            constraints,
            sampler: _,
            pruner: _,
            budget: spec::BudgetSpec { trials, minutes, target },
            jobs: _,
            retrain: spec::RetrainSpec { best: _, seeds: _, finalists, set, parameters: grid },
            run,
            grammar,
            parameters,
        } = study;
        assert!(version.is_some() && run.is_some() && !constraints.is_empty() && parameters.len() == 4);
        let spec::GrammarSpec { input, classes, layers, skips, stem, layer, head, decisions } =
            grammar.unwrap();
        assert!(input.is_some() && classes.is_some() && layers.0.len() > 1 && skips && decisions.len() == 4);
        assert!(stem.len() == 1 && layer.len() == 3 && head.len() == 4);
        assert!(finalists.is_some() && !set.is_empty() && grid.len() == 1);
        assert!(trials.is_some() && minutes.is_some() && target.is_some());
    }
    let keys =
        ["seed =", "jobs =", "[retrain]", "best =", "seeds =", "mutation =", "max_steps =", "n_warm_up ="];
    assert!(keys.iter().all(|key| REFERENCE.contains(key)));
    assert!(matches!(StudySpec::from_toml(&alternative("tpe", "none")).unwrap().pruner, PrunerSpec::None));
}

#[test]
fn the_samplers_that_learn_stand_there_with_their_defaults() {
    let sampler = |name| StudySpec::from_toml(&alternative(name, "none")).unwrap().sampler;
    let SamplerSpec::Controller(controller) = sampler("controller") else { panic!("another sampler") };
    // No `..`: a key that is added fails to compile here until the reference shows it.
    let spec::ControllerSpec {
        hidden,
        layers,
        init,
        learning_rate,
        reward,
        grow_every,
        entropy_bonus: _,
        temperature: _,
        tanh: _,
        skip_penalty: _,
        skip_rate: _,
        clip: _,
        n_passes: _,
        delay: _,
    } = controller;
    assert!(grow_every.is_some() && controller.tanh.is_some() && controller.clip.is_some());
    let without = spec::ControllerSpec { grow_every: None, tanh: None, clip: None, ..controller };
    assert_eq!(without, spec::ControllerSpec::default());
    let spec::RewardSpec { children: _, baseline_decay: _, power: _, last_epochs: _ } = reward;
    let keys = ["hidden", "layers", "init", "learning_rate", "entropy_bonus", "temperature", "skip_penalty"];
    let more = ["skip_rate", "n_passes", "delay"];
    assert!(keys.iter().chain(&more).all(|key| REFERENCE.contains(&format!("\n#{key} ="))));
    assert_eq!((hidden, layers, init, learning_rate), (35, 2, 0.08, 0.0006));
    assert_eq!(sampler("softmax_table"), SamplerSpec::SoftmaxTable(Default::default()));
}

#[test]
fn the_grammar_that_is_shown_gives_networks() {
    let study = StudySpec::from_toml(&alternative("tpe", "halving")).unwrap();
    let grammar = search::Grammar::new(&study.grammar.unwrap()).unwrap();
    let space = Space::new(grammar.dimensions().to_vec()).unwrap().with_rule(grammar.rule());
    for pick in 0..3 {
        let point = space.fill(|_, dimension| match &dimension.domain {
            spec::Domain::Categorical(all) => ParamValue::Category(pick % all.len()),
            _ => panic!("a grammar has choices alone"),
        });
        let network = grammar.decode(&space.assignment(&point), search::Frame::default()).unwrap();
        nn::Plan::compile(&network).unwrap();
    }
}
