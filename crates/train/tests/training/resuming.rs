//! Going on from a checkpoint, and checkpoints that are no longer what they were.

use lanes::Isa;
use nn::Plan;
use spec::{EarlyStoppingSpec, OptimizerKind, OptimizerSpec, RmspropSpec, StopReason, TrainSpec};
use train::{Checkpoint, CheckpointError, Outcome, TrainError, train};

use crate::bench::{Bench, Memory, everything, spec};

/// Through the bytes of a file.
fn again(bench: &Bench, checkpoint: &Checkpoint) -> Checkpoint {
    let bytes = checkpoint.to_bytes(&bench.plan, &bench.spec).unwrap();
    Checkpoint::from_bytes(&bytes, &bench.plan, &bench.spec).unwrap()
}

/// Goes on with another number of threads.
fn finish(bench: &Bench, mut checkpoint: Checkpoint) -> Checkpoint {
    let outcome = train(bench.job(3, Isa::detect()), &mut checkpoint, &mut train::Silent).unwrap();
    assert_eq!(outcome, Outcome::Finished(StopReason::AllEpochs));
    checkpoint
}

/// All that does not depend on the clock.
fn bits(checkpoint: &Checkpoint, bench: &Bench) -> (String, Option<String>, Vec<u64>) {
    let losses = checkpoint.epochs().iter().map(|epoch| epoch.loss.to_bits()).collect();
    let best = checkpoint.best_model().map(nn::Params::hash);
    // The optimizer too, and the parameters behind an average.
    let mut timeless = checkpoint.to_bytes(&bench.plan, &bench.spec).unwrap();
    let header_len = u64::from_le_bytes(*timeless.first_chunk().unwrap()) as usize;
    let values = timeless.split_off(8 + header_len);
    let hash = values[..values.len() - 32]
        .iter()
        .fold(0u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3).rotate_left(5));
    (format!("{} {hash}", checkpoint.model().hash()), best, losses)
}

#[test]
fn a_run_that_goes_on_from_any_epoch_comes_to_the_same_bits() {
    let rmsprop = RmspropSpec { momentum: 0.5, centered: true, ..RmspropSpec::default() };
    let specs = [
        everything(4),
        TrainSpec { optimizer: OptimizerKind::Sgd.into(), validation: None, average: None, ..everything(3) },
        TrainSpec { optimizer: OptimizerSpec::Rmsprop(rmsprop), ..everything(3) },
        spec(3),
    ];
    for spec in specs {
        let bench = Bench::new(100, spec);
        let mut memory = Memory::new(9);
        bench.run(2, Isa::detect(), &mut memory).1.unwrap();
        let last = memory.checkpoints.last().unwrap();
        for checkpoint in [&bench.start()].into_iter().chain(&memory.checkpoints) {
            let restored = again(&bench, checkpoint);
            assert_eq!(&restored, checkpoint);
            let n_epochs = checkpoint.epochs().len();
            assert_eq!(bits(&finish(&bench, restored), &bench), bits(last, &bench), "from epoch {n_epochs}");
        }
    }
}

#[test]
fn a_stopped_run_is_at_its_last_whole_epoch() {
    /// Stops from within an epoch.
    struct StopAt<'a>(&'a Bench, usize);
    impl train::Observer for StopAt<'_> {
        fn step(&mut self, step: &train::Step) {
            if (step.epoch, step.step) == (self.1, 2) {
                self.0.stop.store(true, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }
    let bench = Bench::new(151, everything(3));
    let mut checkpoint = bench.start();
    let job = bench.job(2, Isa::detect());
    assert_eq!(train(job, &mut checkpoint, &mut StopAt(&bench, 2)).unwrap(), Outcome::Stopped);
    assert_eq!(checkpoint.epochs().len(), 1);
    bench.stop.store(false, std::sync::atomic::Ordering::Relaxed);
    let mut memory = Memory::new(9);
    bench.run(2, Isa::detect(), &mut memory).1.unwrap();
    let whole = memory.checkpoints.last().unwrap();
    assert_eq!(bits(&finish(&bench, again(&bench, &checkpoint)), &bench), bits(whole, &bench));
}

#[test]
fn the_best_epoch_is_that_of_the_highest_validation_accuracy() {
    let bench = Bench::new(300, everything(6));
    let mut memory = Memory::new(9);
    bench.run(2, Isa::detect(), &mut memory).1.unwrap();
    let last = memory.checkpoints.last().unwrap();
    let best = last.best_epoch().unwrap();
    let accuracy = |epoch: &spec::EpochRecord| epoch.validation_accuracy.unwrap();
    assert!(memory.epochs.iter().all(|epoch| accuracy(epoch) <= accuracy(&memory.epochs[best - 1])));
    assert_eq!(last.best_model(), Some(memory.checkpoints[best - 1].model()));
    let setup = bench.job(2, Isa::detect()).setup;
    let validation = bench.validation.as_ref().unwrap();
    let (model, loss) = (last.best_model().unwrap(), &bench.spec.loss);
    let evaluated =
        train::evaluate(&bench.plan, model, validation, &bench.normalization, loss, setup).unwrap();
    assert_eq!(evaluated.accuracy, accuracy(&memory.epochs[best - 1]));
    assert_eq!(Some(evaluated.loss), memory.epochs[best - 1].validation_loss);
}

#[test]
fn a_run_without_progress_ends_early_and_stays_ended() {
    // At such a rate nothing is learned, and the accuracy stays what it is.
    let mut optimizer = OptimizerSpec::default();
    optimizer.set_learning_rate(1e-30);
    let early_stopping = Some(EarlyStoppingSpec { patience: 2, min_delta: 0.0 });
    let mut bench = Bench::new(40, TrainSpec { optimizer, early_stopping, validation: Some(0.2), ..spec(9) });
    let mut checkpoint = bench.start();
    for _ in 0..2 {
        let outcome = train(bench.job(2, Isa::detect()), &mut checkpoint, &mut train::Silent).unwrap();
        assert_eq!(outcome, Outcome::Finished(StopReason::EarlyStopping));
        assert_eq!(checkpoint.epochs().len(), 3);
        checkpoint = again(&bench, &checkpoint);
    }
    assert_eq!(checkpoint.best_epoch(), Some(1));
    bench.validation = None;
    let error = bench.run(1, Isa::detect(), &mut train::Silent).1.unwrap_err();
    assert!(matches!(error, TrainError::NoValidation), "{error}");
}

/// A network whose checkpoint is short.
fn tiny() -> (Bench, Vec<u8>) {
    let text = "name = \"tiny\"\ninput = [1, 28, 28]\nclasses = 10\n\
                node = [{ layer = { avg_pool2d = { kernel = 14 } } }, { layer = \"flatten\" }, \
                { layer = { linear = { out_features = 10 } } }]";
    let network = spec::NetworkSpec::from_toml(text).unwrap();
    let bench = Bench::new(40, TrainSpec { network, ..everything(1) });
    let mut checkpoint = bench.start();
    train(bench.job(1, Isa::detect()), &mut checkpoint, &mut train::Silent).unwrap();
    let bytes = checkpoint.to_bytes(&bench.plan, &bench.spec).unwrap();
    (bench, bytes)
}

#[test]
fn a_checkpoint_cut_anywhere_or_changed_in_any_bit_is_an_error() {
    let (bench, bytes) = tiny();
    let read = |bytes: &[u8]| Checkpoint::from_bytes(bytes, &bench.plan, &bench.spec);
    read(&bytes).unwrap();
    for len in 0..bytes.len() {
        let error = read(&bytes[..len]).unwrap_err();
        assert!(
            matches!(error, CheckpointError::CutShort { .. } | CheckpointError::Damaged { .. }),
            "{error}"
        );
    }
    let mut changed = bytes.clone();
    for bit in 0..8 * bytes.len() {
        changed[bit / 8] ^= 1 << (bit % 8);
        let error = read(&changed).unwrap_err();
        assert!(matches!(error, CheckpointError::Damaged { .. }), "bit {bit}: {error}");
        changed[bit / 8] ^= 1 << (bit % 8);
    }
    let more = [&bytes[..], b"x"].concat();
    assert!(matches!(read(&more), Err(CheckpointError::Damaged { .. })));
}

/// A checksum that is right, so that all other checks are reached.
fn seal(bytes: &mut [u8]) {
    let (contents, end) = bytes.split_at_mut(bytes.len() - 32);
    end.copy_from_slice(&<sha2::Sha256 as sha2::Digest>::digest(&*contents));
}

/// With another text in the header, and sealed.
fn resealed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).expect(from);
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    seal(&mut bytes);
    bytes
}

/// Somebody may seal whatever they like: any bit of the header changed gives an error or a checkpoint, never a panic.
#[test]
fn a_sealed_checkpoint_with_any_header_is_read_or_refused() {
    let (bench, bytes) = tiny();
    let header_len = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let mut n_refused = 0;
    for bit in 0..8 * header_len {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        seal(&mut changed);
        n_refused += usize::from(Checkpoint::from_bytes(&changed, &bench.plan, &bench.spec).is_err());
    }
    // What is left are digits of the epochs' times, accuracies and losses.
    assert!(n_refused > 6 * header_len, "{n_refused} of {}", 8 * header_len);
}

#[test]
fn a_checkpoint_that_does_not_fit_is_refused_by_what_does_not() {
    let (bench, bytes) = tiny();
    let read = |from: &str, to: &str, plan: &Plan, spec: &TrainSpec| {
        Checkpoint::from_bytes(&resealed(&bytes, from, to), plan, spec).unwrap_err().to_string()
    };
    let message = |from: &str, to: &str| read(from, to, &bench.plan, &bench.spec);
    let cases = [
        (
            "\"danlu_checkpoint\":\"1\"",
            "\"danlu_checkpoint\":\"2\"",
            "has format version 2, this program reads version 1",
        ),
        ("danlu_checkpoint", "danlu_checkpoing", "has no `danlu_checkpoint` in its header"),
        ("spec_sha256\":\"", "spec_sha257\":\"", "has no `spec_sha256`"),
        ("\\\"epoch\\\":1", "\\\"epoch\\\":2", "epochs are [2], but must be 1, 2, 3, … up to 1 at most"),
        ("\\\"epoch\\\":1", "\\\"epoch\\\":x", "epochs cannot be read"),
        ("\"params.2.bias\"", "\"params.2.bios\"", "has no tensor `params.2.bias`"),
        ("\"shape\":[10,4]", "\"shape\":[4,10]", "is [4, 10] of F32, but must be [10, 4] of F32"),
        ("\"dtype\":\"F32\"", "\"dtype\":\"I32\"", "of I32, but must be"),
        ("\"dtype\":\"F32\"", "\"dtype\":\"F64\"", "is not a whole safetensors file"),
    ];
    for (from, to, expected) in cases {
        let message = message(from, to);
        assert!(message.contains(expected), "{from}: {message}");
    }
    let other = TrainSpec { seed: 2, ..bench.spec.clone() };
    let error = Checkpoint::from_bytes(&bytes, &bench.plan, &other).unwrap_err();
    assert!(matches!(error, CheckpointError::OtherSpec { .. }), "{error}");
}
