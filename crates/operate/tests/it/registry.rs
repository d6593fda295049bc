//! Adding, promoting, going back.

use std::{fs, thread};

use nomen_operate::registry::{Access, Addition, Promotion, Registry, RegistryError, Stage};
use serde_json::{Value, json};

use crate::bundles::{add, addition, bundle, force, live, registry, report, root, version_folder};

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, RegistryError>, expected: &str) {
    let refused = result.unwrap_err().to_string();
    assert!(refused.contains(expected), "{refused}");
}

#[test]
fn a_version_is_the_bundle_byte_by_byte_and_adding_it_twice_changes_nothing() {
    let (top, registry, ids) = registry(1);
    let added = add(top.path(), &registry, 1).unwrap();
    assert!(added.was_known && added.id == ids[0] && registry.events().unwrap().len() == 1);
    for name in ["config.json", "model.safetensors", "nomen.json"] {
        let [one, other] =
            [top.path().join("bundle-1"), version_folder(&registry, &ids[0])].map(|folder| folder.join(name));
        assert_eq!(fs::read(one).unwrap(), fs::read(&other).unwrap());
        assert!(fs::metadata(other).unwrap().permissions().readonly());
    }
}

#[test]
fn files_beside_the_bundle_are_told_and_left_out() {
    let (top, registry, _) = registry(0);
    let folder = top.path().join("bundle");
    bundle(&folder, "x", &Value::Null);
    fs::write(folder.join("README.md"), "hello").unwrap();
    let added = registry.add(&addition(&folder)).unwrap();
    assert_eq!(added.left_out, ["README.md"]);
    assert!(!version_folder(&registry, &added.id).join("README.md").exists());
    assert_eq!(registry.verify().unwrap(), []);
}

#[test]
fn a_bundle_that_is_not_what_its_manifest_says_leaves_nothing_behind() {
    let (top, registry, _) = registry(0);
    let folder = top.path().join("bundle");
    bundle(&folder, "x", &Value::Null);
    fs::write(folder.join("model.safetensors"), "y".repeat(100)).unwrap();
    refused(registry.add(&addition(&folder)), "model.safetensors: expected 100 bytes with the SHA-256");
    fs::remove_file(folder.join("model.safetensors")).unwrap();
    refused(registry.add(&addition(&folder)), "model.safetensors");
    fs::remove_file(folder.join("nomen.json")).unwrap();
    refused(registry.add(&addition(&folder)), "nomen.json");
    for names in [
        json!({}),
        json!({"../config.json": {"size": 1, "sha256": "x"}}),
        json!({"nomen.json": {"size": 1, "sha256": "x"}}),
    ] {
        fs::write(folder.join("nomen.json"), json!({"files": names}).to_string()).unwrap();
        refused(registry.add(&addition(&folder)), "files: expected");
    }
    assert!(registry.events().unwrap().is_empty());
    assert_eq!(fs::read_dir(root(&registry).join("versions")).unwrap().count(), 0);
}

#[test]
fn the_parent_is_known_by_the_sums_of_the_base() {
    let (top, registry, ids) = registry(2);
    let manifest: Value =
        serde_json::from_slice(&fs::read(version_folder(&registry, &ids[1]).join("nomen.json")).unwrap()).unwrap();
    let sum = &manifest["files"]["model.safetensors"]["sha256"];
    let folder = top.path().join("child");
    bundle(&folder, "child", &json!({"source": "path:somewhere", "files": {"model.safetensors": sum}}));
    let child = registry.add(&addition(&folder)).unwrap();
    let state = registry.state().unwrap();
    assert_eq!(state.get(&child.id).unwrap().parent.as_ref(), Some(&ids[1]));
    assert_eq!(state.get(&ids[1]).unwrap().parent, None);
    bundle(&folder, "other", &json!({"files": {"model.safetensors": "00"}}));
    let other = registry.add(&Addition { parent: Some(&ids[0]), ..addition(&folder) }).unwrap();
    assert_eq!(registry.state().unwrap().get(&other.id).unwrap().parent.as_ref(), Some(&ids[0]));
}

#[test]
fn the_first_version_needs_no_gate_and_every_later_one_does() {
    let (_top, registry, ids) = registry(3);
    let promote = |version: &str, gate: Option<&[u8]>, forced: Option<&str>| {
        let version = version.parse().unwrap();
        registry.promote(&Promotion { version: &version, gate, forced, at: 1 })
    };
    promote("v1", None, None).unwrap();
    assert_eq!(live(&registry), Some(ids[0].clone()));
    refused(promote("v1", None, None), "v1 is live already");
    refused(promote("v2", None, None), "has not been judged against the live v1");
    refused(promote("v2", Some(&report(&ids[1], &ids[0], false)), None), "v2 failed its gate");
    refused(promote("v2", Some(&report(&ids[2], &ids[0], true)), None), "is about");
    refused(promote("v2", Some(b"{}"), None), "no report of a gate");
    refused(promote("v2", None, Some(" ")), "the reason is empty");
    refused(promote("v9", None, None), "there is no such version; there are v1");
    assert_eq!(live(&registry), Some(ids[0].clone()));
    promote("v2", Some(&report(&ids[1], &ids[0], true)), None).unwrap();
    // What v3 passed against v1 says nothing about v2.
    refused(promote("v3", Some(&report(&ids[2], &ids[0], true)), None), "another version than the live v2");
    promote("v3", None, Some("labels were retired")).unwrap();
    assert_eq!(live(&registry), Some(ids[2].clone()));
    let events = serde_json::to_value(registry.events().unwrap()).unwrap();
    assert!(events.as_array().unwrap().iter().any(|event| event["forced"] == "labels were retired"), "{events}");
    let state = registry.state().unwrap();
    let gates = &state.get(&ids[1]).unwrap().gates;
    assert_eq!(gates.iter().map(|gated| gated.passed).collect::<Vec<_>>(), [false, true]);
    assert_eq!(registry.gate_report(&gates[1]).unwrap(), report(&ids[1], &ids[0], true));
    assert_eq!(registry.verify().unwrap(), []);
}

#[test]
fn a_rollback_goes_back_one_by_one_or_further_and_no_further_than_the_first() {
    let (_top, registry, ids) = registry(4);
    refused(registry.roll_back(None, None, 1), "no version is live");
    for version in ["v1", "v2", "v3"] {
        force(&registry, version).unwrap();
    }
    assert_eq!(registry.roll_back(None, Some("worse in production"), 1).unwrap().live, ids[1]);
    assert_eq!(registry.roll_back(None, None, 1).unwrap().live, ids[0]);
    refused(registry.roll_back(None, None, 1), "no version was live before");
    force(&registry, "v3").unwrap();
    force(&registry, "v2").unwrap();
    refused(registry.roll_back(Some(&"v4".parse().unwrap()), None, 1), "the way back leads to v3, v1");
    assert_eq!(registry.roll_back(Some(&"v1".parse().unwrap()), None, 1).unwrap().live, ids[0]);
    let stages: Vec<Stage> = registry.state().unwrap().versions().iter().map(|version| version.stage).collect();
    assert_eq!(stages, [Stage::Live, Stage::Archived, Stage::Archived, Stage::Candidate]);
}

#[test]
fn what_is_live_cannot_be_archived_and_nothing_is_removed() {
    let (_top, registry, ids) = registry(2);
    force(&registry, "v1").unwrap();
    refused(registry.archive(&"live".parse().unwrap(), None, 1), "v1 is live");
    registry.archive(&"v2".parse().unwrap(), Some("worse"), 1).unwrap();
    refused(registry.archive(&"v2".parse().unwrap(), None, 1), "archived already");
    registry.check(&ids[1]).unwrap();
    // It may come back.
    force(&registry, ids[1].short()).unwrap();
    assert_eq!(live(&registry), Some(ids[1].clone()));
}

#[test]
fn a_folder_that_holds_something_else_is_no_registry() {
    let top = tempfile::tempdir().unwrap();
    refused(Registry::open(top.path(), &Access::default()), "there is no registry");
    fs::write(top.path().join("letter.txt"), "dear").unwrap();
    refused(Registry::open_or_create(top.path(), &Access::default()), "holds files, but is no registry");
    assert_eq!(fs::read_dir(top.path()).unwrap().count(), 1);
    let newer = top.path().join("newer");
    fs::create_dir(&newer).unwrap();
    fs::write(newer.join("nomen-registry.json"), "{\"format\": 2}").unwrap();
    refused(Registry::open_or_create(newer, &Access::default()), "has format 2");
}

#[test]
fn two_writers_take_turns() {
    let (_top, registry, ids) = registry(4);
    force(&registry, "v1").unwrap();
    thread::scope(|scope| {
        for version in ["v2", "v3", "v4"] {
            let registry = &registry;
            scope.spawn(move || {
                for _ in 0..15 {
                    // Whoever comes second may find the version live already.
                    let _ = force(registry, version);
                    let _ = registry.roll_back(None, None, 1);
                }
            });
        }
        for _ in 0..100 {
            assert!(ids.contains(&live(&registry).unwrap()));
        }
    });
    assert_eq!(registry.verify().unwrap(), []);
    assert!(registry.events().unwrap().len() >= 20);
}
