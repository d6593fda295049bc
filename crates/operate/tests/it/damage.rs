//! Bits that flip, files that vanish.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nomen_operate::registry::{MARKER_FILE, Promotion, Registry};

use crate::bundles::{add, force, live, registry, report, root, version_folder};

/// Every file whose bytes mean something, in a fixed order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(files(&path));
        } else if !["writer.lock", MARKER_FILE].iter().any(|name| path.ends_with(name)) {
            found.push(path);
        }
    }
    found
}

fn overwrite(path: &Path, bytes: &[u8]) {
    // The file is read-only; its folder is not.
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Two versions with a gate between them, the second live.
fn promoted() -> (tempfile::TempDir, Registry, Vec<nomen_operate::registry::VersionId>) {
    let (top, registry, ids) = registry(2);
    force(&registry, "v1").unwrap();
    let (version, gate) = ("v2".parse().unwrap(), report(&ids[1], &ids[0], true));
    registry.promote(&Promotion { version: &version, gate: Some(&gate), forced: None, at: 1 }).unwrap();
    (top, registry, ids)
}

#[test]
fn every_flipped_bit_is_found_and_its_file_named() {
    let (_top, registry, _) = promoted();
    let files = files(&root(&registry));
    assert!(files.len() >= 12, "{files:?}");
    let mut flips = 0;
    for round in 0_usize.. {
        for path in &files {
            let bytes = fs::read(path).unwrap();
            let place = (round * 7919 + flips * 104_729) % (bytes.len() * 8);
            let mut flipped = bytes.clone();
            flipped[place / 8] ^= 1 << (place % 8);
            overwrite(path, &flipped);
            let problems = registry.verify().unwrap();
            assert!(
                problems.iter().any(|problem| problem.path.as_path() == Some(path)),
                "{}: bit {place}: {problems:?}",
                path.display()
            );
            overwrite(path, &bytes);
            flips += 1;
        }
        if flips >= 1000 {
            break;
        }
    }
    assert_eq!(registry.verify().unwrap(), []);
}

#[test]
fn a_damaged_live_version_is_refused_and_the_way_back_leads_to_the_one_before() {
    let (_top, registry, ids) = promoted();
    let weights = version_folder(&registry, &ids[1]).join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    bytes[7] ^= 1;
    overwrite(&weights, &bytes);
    let refused = registry.check(&ids[1]).unwrap_err().to_string();
    assert!(refused.contains("model.safetensors: expected"), "{refused}");
    registry.roll_back(None, None, 1).unwrap();
    assert_eq!(live(&registry), Some(ids[0].clone()));
    let refused = force(&registry, "v2").unwrap_err().to_string();
    assert!(refused.contains("model.safetensors"), "a damaged version becomes live by no force: {refused}");
}

#[test]
fn a_rollback_past_a_damaged_version_says_where_it_can_go() {
    let (_top, registry, ids) = registry(3);
    for version in ["v1", "v2", "v3"] {
        force(&registry, version).unwrap();
    }
    overwrite(&version_folder(&registry, &ids[1]).join("config.json"), b"{}");
    let refused = registry.roll_back(None, None, 1).unwrap_err().to_string();
    assert!(refused.contains("config.json") && refused.contains("--to v1"), "{refused}");
    registry.roll_back(Some(&"v1".parse().unwrap()), None, 1).unwrap();
    assert_eq!(live(&registry), Some(ids[0].clone()));
}

#[test]
fn adding_a_bundle_again_mends_its_version() {
    let (top, registry, ids) = promoted();
    overwrite(&version_folder(&registry, &ids[1]).join("model.safetensors"), b"short");
    assert!(add(top.path(), &registry, 2).unwrap().was_known);
    assert_eq!(registry.verify().unwrap(), []);
    fs::remove_dir_all(version_folder(&registry, &ids[1])).unwrap();
    assert_eq!(registry.verify().unwrap().len(), 1, "a version that is gone is told");
    add(top.path(), &registry, 2).unwrap();
    assert_eq!(registry.verify().unwrap(), []);
}

#[test]
fn an_event_that_is_gone_or_foreign_is_named() {
    let (_top, registry, _) = promoted();
    let history = root(&registry).join("history");
    let (first, aside) = (history.join("00000002.json"), root(&registry).join("aside"));
    fs::rename(&first, &aside).unwrap();
    let refused = registry.state().unwrap_err().to_string();
    assert!(refused.contains("00000002.json") && refused.contains("missing"), "{refused}");
    fs::rename(&aside, &first).unwrap();
    // A copy in another's place.
    let last = history.join("00000006.json");
    fs::copy(&first, &last).unwrap();
    let refused = registry.state().unwrap_err().to_string();
    assert!(refused.contains("00000006.json"), "{refused}");
    fs::remove_file(&last).unwrap();
    fs::write(history.join("notes.txt"), "x").unwrap();
    let refused = registry.state().unwrap_err().to_string();
    assert!(refused.contains("notes.txt"), "{refused}");
}
