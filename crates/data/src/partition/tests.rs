use super::*;

/// `n` samples whose pixel is their index, of classes in turn.
fn counted(n: usize, n_classes: usize) -> Dataset {
    Dataset {
        name: "counted".into(),
        shape: [1, 1, 1],
        images: (0..n).map(|idx| idx as u8).collect(),
        labels: (0..n).map(|idx| (idx % n_classes) as u8).collect(),
        classes: (0..n_classes).map(|class| class.to_string()).collect(),
        sha256: "given".into(),
    }
}

fn cut(given: Given, validation: Option<f64>, seed: u64) -> Parts {
    given.cut(&Partition { validation, subset: None, seed: Seed(seed) }).unwrap()
}

fn alone(train: Dataset) -> Given {
    Given { train, validation: None, test: None }
}

#[test]
fn each_class_is_cut_by_the_same_shares() {
    let parts = cut(alone(counted(200, 4)), None, 1);
    let validation = parts.validation.unwrap();
    assert_eq!(parts.train.class_counts(), [40; 4]);
    assert_eq!((validation.class_counts(), parts.test.class_counts()), (vec![5; 4], vec![5; 4]));
    let mut pixels = [&parts.train.images[..], &validation.images, &parts.test.images].concat();
    assert!(parts.train.images.is_sorted() && parts.test.images.is_sorted());
    pixels.sort_unstable();
    assert_eq!(pixels, counted(200, 4).images);
    for part in [&parts.train, &validation, &parts.test] {
        assert!(part.images.iter().zip(&part.labels).all(|(&pixel, &label)| pixel % 4 == label));
    }
}

/// Pinned: a change here changes what every model of such data was measured on.
#[test]
fn the_cut_is_pinned_and_of_the_seed() {
    let test = |validation, seed| cut(alone(counted(200, 4)), validation, seed).test.images;
    assert_eq!(test(None, 1)[..5], PINNED_TEST);
    assert_eq!(test(None, 1), test(Some(0.3), 1));
    assert_ne!(test(None, 1), test(None, 2));
}

const PINNED_TEST: [u8; 5] = [0, 10, 13, 25, 37];

#[test]
fn given_parts_stay_as_they_are() {
    let given = || Given { test: Some(counted(20, 4)), ..alone(counted(200, 4)) };
    let parts = cut(given(), None, 1);
    assert_eq!((parts.train, parts.validation, parts.test), (counted(200, 4), None, counted(20, 4)));
    let parts = cut(given(), Some(0.25), 1);
    assert_eq!((parts.train.len(), parts.validation.unwrap().len()), (148, 52));
    assert_eq!(parts.test, counted(20, 4));
    let with_validation = || Given { validation: Some(counted(8, 4)), ..given() };
    let parts = cut(with_validation(), Some(0.0), 1);
    assert_eq!(
        (parts.train.images, parts.validation),
        ([counted(200, 4).images, counted(8, 4).images].concat(), None)
    );
    assert_ne!(parts.train.sha256, "given");
    let parts = cut(alone(counted(200, 4)), Some(0.0), 1);
    assert_eq!(
        (parts.train.len(), parts.validation, parts.test.images[..5].to_vec()),
        (180, None, PINNED_TEST.to_vec())
    );
    assert!(cut(with_validation(), None, 1).notes.is_empty());
    let parts = cut(with_validation(), Some(0.25), 1);
    let note = "the data set has a validation part of its own; the share of 0.25 is not used";
    assert_eq!(parts.notes, [note]);
    assert_eq!((parts.train.sha256.as_str(), parts.validation), ("given", Some(counted(8, 4))));
}

/// A run that learns from the validation part too is measured on the same samples as all others.
#[test]
fn the_test_part_is_cut_before_validation_is_learned_from() {
    let mut more = counted(40, 4);
    more.images.iter_mut().for_each(|pixel| *pixel += 200);
    let given = || Given { validation: Some(more.clone()), ..alone(counted(200, 4)) };
    let (usual, all) = (cut(given(), None, 1), cut(given(), Some(0.0), 1));
    assert_eq!((&all.test, &all.validation, all.test.len()), (&usual.test, &None, 20));
    assert_eq!(all.train.images, [usual.train.images, more.images].concat());
    assert_eq!(all.notes, Vec::<String>::new());
}

#[test]
fn what_is_cut_has_a_hash_of_its_own() {
    let parts = cut(alone(counted(200, 4)), None, 1);
    let hashes = [parts.train.sha256, parts.validation.unwrap().sha256, parts.test.sha256];
    assert!(hashes.iter().all(|hash| hash.len() == 64));
    assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2]);
}

#[test]
fn small_classes_keep_a_sample_to_learn_from() {
    let cases = [(1, 0.1, 1, 0), (2, 0.1, 2, 1), (3, 0.1, 3, 1), (15, 0.1, 15, 2), (10, 0.99, 4, 3)];
    for (n, share, n_left, expected) in cases {
        assert_eq!(share_of(n, share, n_left), expected, "{n} {share} {n_left}");
    }
    let parts = cut(alone(counted(6, 2)), None, 1);
    assert_eq!((parts.train.len(), parts.validation.unwrap().len(), parts.test.len()), (2, 2, 2));
    let error = alone(counted(2, 2)).cut(&Partition::default()).unwrap_err();
    assert!(error.to_string().contains("counted has 2 samples"), "{error}");
}

#[test]
fn a_share_is_between_0_and_1() {
    for share in [1.0, -0.5, f64::NAN] {
        let partition = Partition { validation: Some(share), ..Partition::default() };
        assert!(matches!(partition.check(), Err(DataError::Share { .. })));
    }
    Partition { validation: Some(0.5), ..Partition::default() }.check().unwrap();
}

#[test]
fn a_subset_is_a_share_of_each_class_and_a_smaller_one_a_part_of_it() {
    let kept = |validation, share| {
        let given = Given { test: Some(counted(8, 4)), ..alone(counted(200, 4)) };
        given.cut(&Partition { validation, subset: share, ..Partition::default() }).unwrap()
    };
    let (all, half, some) = (kept(Some(0.2), None), kept(Some(0.2), Some(0.5)), kept(Some(0.2), Some(0.1)));
    assert_eq!(half.train.class_counts(), [20; 4]);
    assert_eq!(some.train.class_counts(), [4; 4]);
    let is_part =
        |small: &Dataset, large: &Dataset| small.images.iter().all(|one| large.images.contains(one));
    assert!(is_part(&some.train, &half.train) && is_part(&half.train, &all.train));
    assert!(half.train.images.is_sorted() && half.train.images != all.train.images[..80]);
    assert_eq!((&half.validation, &half.test), (&all.validation, &all.test));
    assert_eq!(kept(None, Some(1e-6)).train.class_counts(), [1; 4]);
    for share in [0.0, 1.0, f64::NAN] {
        let partition = Partition { subset: Some(share), ..Partition::default() };
        assert!(matches!(partition.check(), Err(DataError::SubsetShare { .. })));
    }
}
