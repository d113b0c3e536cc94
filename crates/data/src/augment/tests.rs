use proptest::prelude::*;
use spec::{ErasingSpec, MixupSpec};

use super::*;

const NONE: AugmentSpec =
    AugmentSpec { shift: 0, horizontal_flip: 0.0, rotation: 0.0, erasing: None, mixup: None };

fn streams() -> AugmentStreams {
    AugmentStreams::new(Seed(1), 1)
}

/// Sample `idx` after its changes.
fn changed(spec: &AugmentSpec, shape: [usize; 3], sample: &[u8], idx: u32) -> Vec<u8> {
    // Whatever is not written stays to be seen.
    let mut out = vec![77; sample.len()];
    Augment::new(spec, shape).apply(sample, &mut streams().sample(idx), &mut out);
    out
}

fn moved(shift: [isize; 2], flip: bool, angle: f64, dims: [usize; 2], from: &[u8]) -> Vec<u8> {
    let mut to = vec![77; from.len()];
    Geometry { shift, flip, angle }.apply(dims, from, &mut to);
    to
}

const PICTURE: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

#[test]
fn nothing_changes_nothing() {
    for spec in [NONE, AugmentSpec { mixup: Some(MixupSpec::default()), ..NONE }] {
        assert!(Augment::new(&spec, [1, 3, 4]).is_identity());
        assert_eq!(changed(&spec, [1, 3, 4], &PICTURE, 5), PICTURE);
    }
    let erasing = AugmentSpec { erasing: Some(ErasingSpec::default()), ..NONE };
    assert!(!Augment::new(&erasing, [1, 3, 4]).is_identity());
}

#[test]
fn a_shift_brings_zeros_and_a_flip_comes_after_it() {
    let at = |shift, flip| moved(shift, flip, 0.0, [3, 4], &PICTURE);
    assert_eq!(at([1, 0], false), [5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 0, 0]);
    assert_eq!(at([-1, 0], false), [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(at([0, 2], false), [3, 4, 0, 0, 7, 8, 0, 0, 11, 12, 0, 0]);
    assert_eq!(at([0, -1], false), [0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11]);
    assert_eq!(at([0, 0], true), [4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9]);
    assert_eq!(at([0, -1], true), [3, 2, 1, 0, 7, 6, 5, 0, 11, 10, 9, 0]);
    assert_eq!(at([2, -3], true), [9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn quarter_turns_are_exact() {
    let square: Vec<u8> = (1..=25).collect();
    let turn = |angle| moved([0, 0], false, angle, [5, 5], &square);
    let quarter: Vec<u8> = (0..25).map(|idx| square[(4 - idx % 5) * 5 + idx / 5]).collect();
    let half: Vec<u8> = square.iter().rev().copied().collect();
    assert_eq!(turn(180.0), half);
    // Against each other: which way is which does not matter, angles are drawn evenly.
    let [plus, minus] = [90.0, -90.0].map(turn);
    assert!(plus == quarter || minus == quarter, "{plus:?}");
    assert_eq!(plus.iter().rev().copied().collect::<Vec<_>>(), minus);
    assert_eq!(turn(360.0), square);
}

/// A tiny angle takes the general way and comes to the same as no rotation.
#[test]
fn both_ways_of_moving_agree() {
    for down in -3..=3 {
        for right in -4..=4 {
            for flip in [false, true] {
                let [copied, turned] =
                    [0.0, 1e-9].map(|angle| moved([down, right], flip, angle, [3, 4], &PICTURE));
                assert_eq!(copied, turned, "{down} {right} {flip}");
            }
        }
    }
}

/// Between four pixels lies their mean; behind the border is 0.
#[test]
fn rotation_interpolates() {
    let turned = moved([0, 0], false, 45.0, [3, 3], &[0, 0, 0, 0, 200, 0, 0, 0, 0]);
    // One pixel above the middle comes from 1 − √½ of a pixel within the corner.
    let beside = (200.0 * (1.0 - 0.5_f64.sqrt()).powi(2)) as u8;
    assert_eq!(turned[4], 200);
    assert_eq!(turned[0], 0);
    assert!(turned[1].abs_diff(beside) <= 1, "{turned:?}");
    let white = moved([0, 0], false, 45.0, [9, 9], &[255; 81]);
    assert_eq!((white[40], white[0]), (255, 0));
}

#[test]
fn every_channel_moves_alike() {
    let spec = AugmentSpec { shift: 1, horizontal_flip: 0.5, rotation: 30.0, ..NONE };
    let sample: Vec<u8> = PICTURE.iter().chain(&PICTURE).copied().collect();
    for idx in 0..20 {
        let out = changed(&spec, [2, 3, 4], &sample, idx);
        assert_eq!(out[..12], out[12..]);
    }
}

#[test]
fn a_sample_has_its_own_stream_in_every_epoch() {
    let spec = AugmentSpec { shift: 10, ..NONE };
    let sample: Vec<u8> = (0..=255).collect();
    let with = |seed, epoch, idx| {
        let mut out = vec![0; 256];
        let mut rng = AugmentStreams::new(Seed(seed), epoch).sample(idx);
        Augment::new(&spec, [1, 16, 16]).apply(&sample, &mut rng, &mut out);
        out
    };
    assert_eq!(with(1, 1, 7), with(1, 1, 7));
    for other in [with(2, 1, 7), with(1, 2, 7), with(1, 1, 8)] {
        assert_ne!(with(1, 1, 7), other);
    }
}

/// Rotation's or erasing's draws do not move the shift.
#[test]
fn kinds_of_change_do_not_disturb_each_other() {
    let position = |spec: AugmentSpec| Geometry::draw(&spec, &mut streams().sample(3));
    let alone = position(AugmentSpec { shift: 4, ..NONE });
    let erasing = Some(ErasingSpec::default());
    let together = position(AugmentSpec { shift: 4, horizontal_flip: 0.5, rotation: 9.0, erasing, ..NONE });
    assert_eq!(alone.shift, together.shift);
    assert_ne!(together.angle, 0.0);
}

/// 10,000 samples: each of 9 shifts in each direction 1111 times, half of them flipped, angles with mean 0 and all of
/// their range; bounds are five standard deviations.
#[test]
fn positions_are_evenly_drawn() {
    let spec = AugmentSpec { shift: 4, horizontal_flip: 0.25, rotation: 10.0, ..NONE };
    let all: Vec<_> = (0..10_000).map(|idx| Geometry::draw(&spec, &mut streams().sample(idx))).collect();
    for axis in 0..2 {
        for shift in -4..=4 {
            let n = all.iter().filter(|geometry| geometry.shift[axis] == shift).count();
            assert!(n.abs_diff(1111) < 157, "{shift} on axis {axis}: {n}");
        }
    }
    let n_flipped = all.iter().filter(|geometry| geometry.flip).count();
    assert!(n_flipped.abs_diff(2500) < 217, "{n_flipped}");
    let angles: Vec<f64> = all.iter().map(|geometry| geometry.angle).collect();
    assert!(angles.iter().all(|angle| angle.abs() <= 10.0));
    assert!(angles.iter().sum::<f64>().abs() / 10_000.0 < 0.29);
    assert!(angles.iter().any(|&angle| angle > 9.9) && angles.iter().any(|&angle| angle < -9.9));
}

/// Pixels of a white picture that are no longer white, as rows and columns of the smallest rectangle around them.
fn erased(spec: ErasingSpec, idx: u32) -> Option<[usize; 4]> {
    let spec = AugmentSpec { erasing: Some(spec), ..NONE };
    let out = changed(&spec, [1, 32, 32], &[255; 1024], idx);
    let hit: Vec<_> = (0..1024).filter(|&at| out[at] != 255).map(|at| [at / 32, at % 32]).collect();
    let extent = |axis: usize| {
        let all = hit.iter().map(|place| place[axis]);
        Some((all.clone().min()?, all.max()?))
    };
    let ((top, bottom), (left, right)) = (extent(0)?, extent(1)?);
    let inside =
        |[row, column]: [usize; 2]| (top..=bottom).contains(&row) && (left..=right).contains(&column);
    assert!(hit.iter().all(|&place| inside(place)));
    Some([top, left, bottom - top + 1, right - left + 1])
}

#[test]
fn erasing_has_its_probability_areas_and_aspects() {
    let spec = ErasingSpec { min_area: 0.1, max_area: 0.2, ..ErasingSpec::default() };
    let all: Vec<_> = (0..2000).filter_map(|idx| erased(spec, idx)).collect();
    assert!(all.len().abs_diff(1000) < 112, "{}", all.len());
    for &[_, _, height, width] in &all {
        // The border of the noise may happen to be white, and sides are rounded.
        let (area, aspect) = ((height * width) as f64 / 1024.0, height as f64 / width as f64);
        assert!((0.08..0.22).contains(&area) && (0.25..3.9).contains(&aspect), "{height} × {width}");
    }
    let tall = all.iter().filter(|[_, _, height, width]| height > width).count();
    assert!((0.4..0.6).contains(&(tall as f64 / all.len() as f64)), "{tall}");
    assert!(all.iter().any(|&[top, left, ..]| top == 0 || left == 0));
    assert_eq!((0..200).filter_map(|idx| erased(ErasingSpec { probability: 0.0, ..spec }, idx)).count(), 0);
    assert_eq!((0..200).filter_map(|idx| erased(ErasingSpec { probability: 1.0, ..spec }, idx)).count(), 200);
}

/// A rectangle that cannot fit leaves the picture as it is.
#[test]
fn impossible_rectangles_end() {
    let spec =
        ErasingSpec { probability: 1.0, min_area: 0.9, max_area: 1.0, min_aspect: 100.0, max_aspect: 100.0 };
    assert_eq!(erased(spec, 0), None);
}

#[test]
fn mixing_blends_bytes() {
    let mut picture = [0, 100, 255, 255];
    mix_bytes(&mut picture, &[255, 200, 255, 0], 0.25);
    assert_eq!(picture, [191, 175, 255, 64]);
    let mut same = [3, 4];
    mix_bytes(&mut same, &[200, 201], 1.0);
    assert_eq!(same, [3, 4]);
}

#[test]
fn partners_are_others_of_the_batch_and_shares_the_samples_own() {
    let spec = MixupSpec { alpha: 0.5 };
    let mut mix = Mix::default();
    for n in [2, 3, 16, 100] {
        let samples: Vec<u32> = (50..50 + n).collect();
        mix.draw(&spec, &streams(), 4, &samples);
        assert!(mix.partners().iter().zip(&samples).all(|(partner, sample)| partner != sample));
        let mut sorted = mix.partners().to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, samples);
        let shares = mix.shares().to_vec();
        mix.draw(&spec, &streams(), 5, &samples[1..]);
        assert_eq!(mix.shares(), &shares[1..]);
    }
    mix.draw(&spec, &streams(), 0, &[9]);
    assert_eq!(mix.partners(), [9]);
}

/// Pinned: a change here changes every run that augments.
#[test]
fn first_values_are_pinned() {
    let spec = AugmentSpec {
        shift: 1,
        horizontal_flip: 0.5,
        rotation: 30.0,
        erasing: Some(ErasingSpec { probability: 1.0, ..ErasingSpec::default() }),
        ..NONE
    };
    let sample: Vec<u8> = (0..20).map(|idx| 10 * idx).collect();
    assert_eq!(changed(&spec, [1, 4, 5], &sample, 0), PINNED);
    let mut mix = Mix::default();
    mix.draw(&MixupSpec { alpha: 0.2 }, &streams(), 0, &[0, 1, 2, 3]);
    assert_eq!((mix.partners(), mix.shares()), (&PINNED_PARTNERS[..], &PINNED_SHARES[..]));
}

const PINNED: [u8; 20] = [0, 53, 94, 55, 19, 249, 113, 37, 104, 73, 14, 114, 175, 144, 112, 0, 0, 27, 98, 86];
const PINNED_PARTNERS: [u32; 4] = [3, 0, 1, 2];
const PINNED_SHARES: [f32; 4] = [0.0060117985, 0.9983213, 0.92346615, 0.99874115];

proptest! {
    /// No spec and no picture, however narrow, makes a change read or write outside of it.
    #[test]
    fn no_change_leaves_the_picture(
        shape in [1..4usize, 1..9usize, 1..9usize],
        (flip, rotation, erasing) in (0.0..=1.0, 0.0..=180.0, any::<bool>()),
        (alpha, idx, seed) in (0.0..1.0f64, any::<u32>(), any::<u64>()),
    ) {
        let erasing = erasing.then_some(ErasingSpec { min_area: 1e-6, max_area: 1.0, probability: alpha, ..ErasingSpec::default() });
        let shift = (shape[1].min(shape[2]) - 1).min(idx as usize % 9);
        let spec = AugmentSpec { shift, horizontal_flip: flip, rotation, erasing, mixup: None };
        spec.validate(shape).unwrap();
        let sample = vec![255; shape.iter().product()];
        let mut out = vec![77; sample.len()];
        let mut rng = AugmentStreams::new(Seed(seed), 1).sample(idx);
        Augment::new(&spec, shape).apply(&sample, &mut rng, &mut out);
        if erasing.is_none() && rotation < 1e-3 && shift == 0 {
            prop_assert_eq!(out, sample);
        }
    }
}
