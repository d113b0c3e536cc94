//! Any JSON comes back as it was.

use std::collections::BTreeMap;

use proptest::prelude::{Strategy, any, prop, prop_oneof};
use proptest::test_runner::Config;
use proptest::{prop_assert_eq, proptest};
use serde_json::{Value as Json, json};
use store::{Changes, TrialCache};

use crate::fixture::{begin, folder, lease, study};

fn any_json() -> impl Strategy<Value = Json> {
    let finite = any::<f64>().prop_filter("JSON's numbers are finite", |x| x.is_finite());
    let leaf = prop_oneof![
        any::<Option<bool>>().prop_map(|x| json!(x)),
        any::<i64>().prop_map(|x| json!(x)),
        any::<u64>().prop_map(|x| json!(x)),
        finite.prop_map(|x| json!(x)),
        any::<String>().prop_map(|x| json!(x)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    // Each makes a store, in 80 ms on a slow disk.
    #![proptest_config(Config::with_cases(32))]

    #[test]
    fn json_comes_back(attributes in prop::collection::btree_map(any::<String>(), any_json(), 0..8)) {
        let folder = folder();
        let (store, study) = study(&folder);
        let w = lease("w");
        begin(&store, study, &w);
        let changes = Changes { user_attributes: attributes.clone(), ..Changes::default() };
        store.update(study, 0, &w, &changes).expect("update");
        let second = store.create_study("second", &[spec::Direction::Minimize], &attributes).expect("study");
        let mut cache = TrialCache::new();
        store.sync(study, &mut cache).expect("sync");
        prop_assert_eq!(&cache.trials()[0].user_attributes, &attributes);
        let studies = store.studies().expect("studies");
        prop_assert_eq!(&studies[1].user_attributes, &attributes);
        prop_assert_eq!((studies[1].id, BTreeMap::new()), (second, studies[1].system_attributes.clone()));
    }
}
