//! A registry in an object store: the same rules, whatever breaks.

mod faults;
mod refusals;
mod server;

use std::{fs, thread};

use nomen_operate::registry::{Fetching, Promotion, Registry, VersionId};
use serde_json::Value;
use tempfile::TempDir;

use crate::bundles::{add, addition, bundle, force, live, report};
use server::{Store, place};

/// A registry with so many versions, none live, and a folder for bundles and the cache.
fn registry(versions: usize) -> (TempDir, Store, Registry, Vec<VersionId>) {
    let (top, store) = (tempfile::tempdir().unwrap(), Store::start());
    let registry = Registry::open_or_create(place(), &store.access()).unwrap();
    let ids = (1..=versions).map(|number| add(top.path(), &registry, number).unwrap().id).collect();
    (top, store, registry, ids)
}

fn reopened(store: &Store) -> Registry {
    Registry::open(place(), &store.access()).unwrap()
}

#[test]
fn a_store_has_the_files_of_a_folder_and_the_same_rules() {
    let (top, store, registry, ids) = registry(2);
    assert!(add(top.path(), &registry, 1).unwrap().was_known);
    force(&registry, "v1").unwrap();
    let promote = |gate: Option<&[u8]>| {
        let version = "v2".parse().unwrap();
        registry.promote(&Promotion { version: &version, gate, forced: None, at: 1 })
    };
    assert!(promote(None).unwrap_err().to_string().contains("has not been judged against the live v1"));
    let gate = report(&ids[1], &ids[0], true);
    promote(Some(&gate)).unwrap();
    let state = reopened(&store).state().unwrap();
    assert_eq!(registry.gate_report(&state.get(&ids[1]).unwrap().gates[0]).unwrap(), gate);
    assert_eq!(registry.roll_back(None, None, 1).unwrap().live, ids[0]);
    assert!(registry.archive(&"v1".parse().unwrap(), None, 1).unwrap_err().to_string().contains("v1 is live"));
    assert_eq!(live(&reopened(&store)), Some(ids[0].clone()));
    assert_eq!(registry.verify().unwrap(), []);

    // The same in a folder leaves the same files with the same bytes.
    let (other, folder, _) = crate::bundles::registry(2);
    force(&folder, "v1").unwrap();
    let version = "v2".parse().unwrap();
    folder.promote(&Promotion { version: &version, gate: Some(&gate), forced: None, at: 1 }).unwrap();
    folder.roll_back(None, None, 1).unwrap();
    let root = crate::bundles::root(&folder);
    let keys = store.keys();
    assert_eq!(keys.len(), 14, "{keys:?}");
    for (key, bytes) in &store.inside().objects {
        let path = root.join(key.strip_prefix("teams a+b/ner/").unwrap());
        assert_eq!(fs::read(&path).unwrap(), *bytes, "{key}");
    }
    drop(other);
}

#[test]
fn a_place_that_holds_something_else_is_no_registry() {
    let store = Store::start();
    let refused = Registry::open(place(), &store.access()).unwrap_err().to_string();
    assert!(refused.starts_with("s3://models/teams a+b/ner: there is no registry"), "{refused}");
    store.inside().objects.insert("teams a+b/ner/letters/1.txt".to_owned(), b"dear".to_vec());
    let refused = Registry::open_or_create(place(), &store.access()).unwrap_err().to_string();
    assert!(refused.contains("is no registry"), "{refused}");
    assert_eq!(store.keys(), ["letters/1.txt"]);
}

#[test]
fn a_version_is_fetched_once_and_anew_where_the_cache_was_damaged() {
    let (top, store, registry, ids) = registry(1);
    let cache = top.path().join("cache");
    let mut fetched = Vec::new();
    let mut told = |fetching: Fetching<'_>| fetched.push((fetching.file.to_owned(), fetching.done));
    let folder = registry.verified_folder(&ids[0], &cache, &mut told).unwrap();
    for name in ["config.json", "model.safetensors", "nomen.json"] {
        assert_eq!(fs::read(folder.join(name)).unwrap(), fs::read(top.path().join("bundle-1").join(name)).unwrap());
    }
    store.heal();
    assert_eq!(registry.verified_folder(&ids[0], &cache, &mut told).unwrap(), folder);
    assert_eq!(store.seen(), Vec::<String>::new(), "what is there is not asked for");
    fs::remove_file(folder.join("config.json")).unwrap();
    fs::write(folder.join("config.json"), "{}").unwrap();
    assert_eq!(registry.verified_folder(&ids[0], &cache, &mut told).unwrap(), folder);
    assert_eq!(fs::read(folder.join("config.json")).unwrap().len(), 22);
    let names: Vec<&str> = fetched.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["config.json", "model.safetensors"].repeat(2));
    assert_eq!(fs::read_dir(cache.join("versions")).unwrap().count(), 1);
}

#[test]
fn damaged_and_missing_objects_are_found_and_named_and_the_bundle_mends_them() {
    let (top, store, registry, ids) = registry(2);
    force(&registry, "v1").unwrap();
    let keys: Vec<String> = store.inside().objects.keys().cloned().collect();
    for key in keys.iter().filter(|key| !key.ends_with("nomen-registry.json")) {
        let bytes = store.inside().objects[key].clone();
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 1;
        store.inside().objects.insert(key.clone(), flipped);
        let shown = format!("s3://models/{key}");
        let problems = registry.verify().unwrap();
        assert!(problems.iter().any(|problem| problem.path.to_string() == shown), "{key}: {problems:?}");
        store.inside().objects.remove(key);
        // Without the last event the history is whole, only shorter, as in a folder.
        if *key != keys[keys.iter().rposition(|key| key.contains("/history/")).unwrap()] {
            assert_ne!(registry.verify().unwrap(), [], "{key} is gone");
        }
        store.inside().objects.insert(key.clone(), bytes);
    }
    let weights = format!("teams a+b/ner/versions/{}/model.safetensors", ids[1]);
    store.inside().objects.insert(weights.clone(), b"short".to_vec());
    let refused = force(&registry, "v2").unwrap_err().to_string();
    assert!(refused.contains("model.safetensors: expected"), "{refused}");
    let refused = registry.verified_folder(&ids[1], &top.path().join("cache"), &mut |_| {}).unwrap_err().to_string();
    assert!(refused.contains("model.safetensors: expected"), "{refused}");
    assert!(add(top.path(), &registry, 2).unwrap().was_known);
    assert_eq!(registry.verify().unwrap(), []);
    force(&registry, "v2").unwrap();
}

#[test]
fn a_bundle_that_is_not_what_its_manifest_says_replaces_nothing() {
    let (top, store, registry, ids) = registry(1);
    let weights = format!("teams a+b/ner/versions/{}/model.safetensors", ids[0]);
    let folder = top.path().join("bundle-1");
    store.inside().objects.insert(weights, b"damaged".to_vec());
    let before = store.inside().objects.clone();
    fs::write(folder.join("model.safetensors"), "damaged here, too").unwrap();
    let refused = registry.add(&addition(&folder)).unwrap_err().to_string();
    assert!(refused.contains("bundle-1/model.safetensors: expected"), "{refused}");
    assert_eq!(store.inside().objects, before);
}

#[test]
fn of_several_writers_at_once_each_sees_what_the_others_did() {
    let (_top, store, registry, ids) = registry(4);
    force(&registry, "v1").unwrap();
    thread::scope(|scope| {
        for version in ["v2", "v3", "v4"] {
            let store = &store;
            scope.spawn(move || {
                let registry = reopened(store);
                for _ in 0..8 {
                    // Whoever comes second may find the version live already.
                    let _ = force(&registry, version);
                    let _ = registry.roll_back(None, None, 1);
                }
            });
        }
        for _ in 0..20 {
            assert!(ids.contains(&live(&registry).unwrap()));
        }
    });
    assert_eq!(registry.verify().unwrap(), []);
    assert!(registry.events().unwrap().len() >= 20);
}

#[test]
fn versions_that_come_in_at_once_are_all_there() {
    let (top, store, registry, _) = registry(0);
    thread::scope(|scope| {
        for number in 1..=5 {
            let (store, top) = (&store, top.path());
            scope.spawn(move || add(top, &reopened(store), number).unwrap());
        }
    });
    let numbers: Vec<usize> = registry.state().unwrap().versions().iter().map(|version| version.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    assert_eq!(registry.verify().unwrap(), []);
}

#[test]
fn an_empty_file_goes_up_and_comes_back() {
    let (top, _store, registry, _) = registry(0);
    let folder = top.path().join("bundle");
    bundle(&folder, "", &Value::Null);
    let id = registry.add(&addition(&folder)).unwrap().id;
    let fetched = registry.verified_folder(&id, &top.path().join("cache"), &mut |_| {}).unwrap();
    assert_eq!(fs::read(fetched.join("model.safetensors")).unwrap(), b"");
}
