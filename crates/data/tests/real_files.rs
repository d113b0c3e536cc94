//! The real Fashion-MNIST, where Debian's package `dataset-fashion-mnist` is installed; elsewhere these tests
//! pass without testing anything.

use std::time::{Duration, Instant};

use data::{Partition, Parts, Place, Places, Source, fashion_mnist};

fn package() -> Option<Source> {
    let places = Places::default();
    let open = || Source::open(&places, &mut |_| panic!("nothing is to be downloaded"));
    places.system.exists().then(|| open().unwrap())
}

fn read(source: &Source) -> Parts {
    source.read(fashion_mnist::SHAPE, &Partition::default(), None, &mut |_| {}).unwrap()
}

#[test]
fn both_splits_are_what_the_paper_says() {
    let Some(found) = package() else { return };
    assert_eq!(found.place, Place::System);
    let Parts { train, validation: None, test, .. } = read(&found) else { panic!("a validation part") };
    assert_eq!((train.shape, test.shape), ([1, 28, 28], [1, 28, 28]));
    assert_eq!((train.class_counts(), test.class_counts()), (vec![6000; 10], vec![1000; 10]));
    assert_eq!((train.images.len(), test.images.len()), (47_040_000, 7_840_000));
    // The first train image is an ankle boot; the mean pixel is 0.2860 of 255.
    assert_eq!(train.classes[usize::from(train.labels[0])], "Ankle boot");
    let sum: u64 = train.images.iter().map(|&pixel| u64::from(pixel)).sum();
    let mean = sum as f64 / train.images.len() as f64 / 255.0;
    assert!((mean - 0.2860).abs() < 1e-4, "{mean}");
    assert_ne!(train.sha256, test.sha256);
}

/// `cargo test --release -p data -- --ignored`: both parts in under 0.25 s, with their SHA-256 checked.
#[test]
#[ignore = "a timing, of use only in a release build on an idle machine"]
fn the_set_loads_in_a_quarter_of_a_second() {
    let times = [(); 5].map(|()| {
        let start = Instant::now();
        if let Some(found) = package() {
            assert_eq!(read(&found).train.len(), 60_000);
        }
        start.elapsed()
    });
    let fastest = times.into_iter().min().unwrap();
    assert!(fastest < Duration::from_millis(250), "{times:?}");
}
