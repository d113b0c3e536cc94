//! What a policy remembers is a cache: it changes no answer.

use search::{Ask, History, Observation, Outcome, sampler};
use spec::Seed;

use super::{empty, fresh, memory, over, prefix, specs, study, try_point};

#[test]
fn an_answer_is_the_same_whatever_a_sampler_was_asked_before_or_remembers() {
    for (name, spec) in specs() {
        let (history, long_lived) = study(&spec, 41);
        let memories: Vec<_> = [9, 23, 41].map(|n| memory(&spec, &prefix(&history, n), n)).into();
        for n in [41, 0, 3, 4, 17, 24, 40, 39, 12] {
            let (history, attempt) = (prefix(&history, n), n % 3);
            let expected = fresh(&spec, &history, n, attempt).expect(name);
            let asked_much = try_point(&*long_lived, &history, n, attempt);
            assert_eq!(asked_much.as_ref(), Some(&expected), "{name} {n}: a long-lived sampler");
            for memory in memories.iter().flatten() {
                let recalling = sampler(&spec);
                recalling.recall(memory);
                let recalled = try_point(&*recalling, &history, n, attempt);
                assert_eq!(recalled.as_ref(), Some(&expected), "{name} {n}: a memory");
            }
        }
    }
}

/// The trials of a history are what was drawn; else the test above would compare nothing that matters.
#[test]
fn what_is_learned_changes_the_answers_and_each_trial_counts() {
    for (name, spec) in specs() {
        let (history, _) = study(&spec, 40);
        let answers = |history: &History| -> Vec<_> {
            let sampler = sampler(&spec);
            (0..30).map(|attempt| try_point(&*sampler, history, 40, attempt)).collect()
        };
        let untaught: Vec<_> = (0..30).map(|attempt| fresh(&spec, &empty(), 0, attempt)).collect();
        assert_ne!(untaught, answers(&history), "{name}");
        for number in [0, 9, 31] {
            let mut other = history.clone();
            let trial = history.get(number).unwrap().clone();
            let outcome = Outcome::Complete(vec![-0.999]);
            other.insert(Observation { outcome, intermediate: vec![], violation: 0.0, ..trial });
            assert_ne!(memory(&spec, &history, 40), memory(&spec, &other, 40), "{name}: trial {number}");
            // The cache of the sampler that learned from the first history must not answer for the other.
            let switched = sampler(&spec);
            try_point(&*switched, &history, 40, 0);
            try_point(&*switched, &other, 40, 0);
            assert_eq!(switched.memory(0).map(|m| m.bytes), memory(&spec, &other, 40), "{name}: {number}");
        }
    }
}

#[test]
fn damaged_and_foreign_memories_are_of_no_effect() {
    let (_, spec) = specs()[3];
    let (history, _) = study(&spec, 30);
    let good = memory(&spec, &history, 30).unwrap();
    let expected = memory(&spec, &history, 30);
    let mut bad: Vec<Vec<u8>> = (0..good.len()).step_by(997).map(|n| good[..n].to_vec()).collect();
    bad.extend((0..good.len()).step_by(991).map(|at| {
        let mut bytes = good.clone();
        bytes[at] ^= 4;
        bytes
    }));
    for (_, other) in specs() {
        bad.extend(memory(&other, &study(&other, 40).0, 40));
    }
    let mut other_history = history.clone();
    other_history.insert(over(11, history.get(12).unwrap().point.clone(), Some(0)));
    bad.extend(memory(&spec, &other_history, 30));
    let of_other_seed = sampler(&spec);
    of_other_seed.ask(&Ask { history: &history, seed: Seed(2), number: 30, attempt: 0 });
    bad.extend(of_other_seed.memory(0).map(|memory| memory.bytes));
    for bytes in bad {
        let recalling = sampler(&spec);
        recalling.recall(&bytes);
        assert_eq!(recalling.memory(0), None, "nothing is said of what was not looked at");
        try_point(&*recalling, &history, 30, 0);
        assert_eq!(recalling.memory(0).map(|memory| memory.bytes), expected);
    }
}

#[test]
fn a_memory_says_all_steps() {
    for (name, spec) in specs() {
        let (history, long_lived) = study(&spec, 40);
        try_point(&*long_lived, &history, 40, 0).unwrap();
        let memory = long_lived.memory(0).unwrap();
        let recalling = sampler(&spec);
        recalling.recall(&memory.bytes);
        try_point(&*recalling, &history, 40, 0).unwrap();
        assert_eq!(recalling.steps(0), long_lived.steps(0), "{name}");
        assert_eq!(recalling.memory(0), Some(memory.clone()), "{name}");
        assert_eq!(memory.n_steps, recalling.steps(0).len() as u64, "{name}");
    }
}
