//! Bundles for tests: a registry knows files and sums, not models.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nomen_operate::registry::{Access, Added, Addition, Promotion, Registry, RegistryError, VersionId};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Sums as `nomen.json` has them, by the tool that everybody knows.
fn sum(path: &Path) -> String {
    let output = std::process::Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

/// Writes a bundle whose weights say `content`.
pub fn bundle(folder: &Path, content: &str, base: &Value) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("config.json"), "{\"model_type\":\"bert\"}\n").unwrap();
    fs::write(folder.join("model.safetensors"), content.repeat(100)).unwrap();
    let files: serde_json::Map<String, Value> = ["config.json", "model.safetensors"]
        .into_iter()
        .map(|name| {
            let path = folder.join(name);
            (name.to_owned(), json!({"size": fs::metadata(&path).unwrap().len(), "sha256": sum(&path)}))
        })
        .collect();
    let counts = json!({"p": 0.5, "r": 0.5, "f": 0.5, "support": 7, "predicted": 7, "correct": 3});
    let manifest = json!({
        "format": 1, "nomen": "0.1.0", "schema": [{"name": "PER"}, {"name": "a|b"}],
        "codec": {"alignment": "word", "max_length": 128, "stride": 32},
        "run": {"seed": 1}, "base": base,
        "data": {"train": {"file": "train.jsonl", "texts": 3, "entities": 9, "fingerprint": "ab"}},
        "scores": {"test": {"ents_p": 0.5, "ents_r": 0.5, "ents_f": 0.5, "ents_per_type": {"PER": counts}}},
        "files": files,
    });
    fs::write(folder.join("nomen.json"), serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
}

/// A registry with so many versions, none live, and the folder that holds it.
pub fn registry(versions: usize) -> (TempDir, Registry, Vec<VersionId>) {
    let top = tempfile::tempdir().unwrap();
    let registry = Registry::open_or_create(top.path().join("registry"), &Access::default()).unwrap();
    let ids = (1..=versions).map(|number| add(top.path(), &registry, number).unwrap().id).collect();
    (top, registry, ids)
}

/// Adds the bundle of this number.
pub fn add(top: &Path, registry: &Registry, number: usize) -> Result<Added, RegistryError> {
    let folder = top.join(format!("bundle-{number}"));
    bundle(&folder, &format!("weights {number}"), &Value::Null);
    registry.add(&addition(&folder))
}

pub fn addition(bundle: &Path) -> Addition<'_> {
    Addition { bundle, source: "a test", parent: None, note: None, expected: None, at: 1000 }
}

/// Promotes by force.
pub fn force(registry: &Registry, version: &str) -> Result<(), RegistryError> {
    let version = version.parse().unwrap();
    registry.promote(&Promotion { version: &version, gate: None, forced: Some("a test"), at: 2000 }).map(drop)
}

/// The report of a gate between two versions.
pub fn report(candidate: &VersionId, live: &VersionId, passed: bool) -> Vec<u8> {
    let report = json!({"passed": passed, "candidate": {"version": candidate}, "live": {"version": live}});
    serde_json::to_vec(&report).unwrap()
}

/// What is live, after every one of its files was summed.
pub fn live(registry: &Registry) -> Option<VersionId> {
    let id = registry.state().unwrap().live().map(|version| version.id.clone())?;
    registry.check(&id).unwrap();
    Some(id)
}

/// The folder of a registry that lies in one.
pub fn root(registry: &Registry) -> PathBuf {
    registry.place().as_path().unwrap().to_owned()
}

/// The folder of a version in such a registry.
pub fn version_folder(registry: &Registry, id: &VersionId) -> PathBuf {
    registry.version_place(id).as_path().unwrap().to_owned()
}
