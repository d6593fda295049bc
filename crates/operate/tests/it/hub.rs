//! Versions for others, and back.

use std::{fs, path::Path};

use nomen_operate::registry::{Access, Card, Registry, Repository, VersionId, pull, push, push_folder};
use serde_json::json;

use crate::bundles::{addition, registry, version_folder};

fn repository() -> Repository {
    "acme/news-ner".parse().unwrap()
}

fn card(registry: &Registry, id: &VersionId) -> String {
    let contents = registry.contents(id).unwrap();
    let state = registry.state().unwrap();
    let slice = json!({"value": "web|\n<b>", "texts": 3, "p": 0.1, "r": 0.2, "f": 0.3, "support": 4, "f_interval": {"low": 0.2, "high": 0.4}});
    let evaluation = json!({
        "data": "data/test.jsonl", "ents_p": 0.25, "ents_r": 0.5, "ents_f": 0.333,
        "ents_f_interval": {"low": 0.3, "high": 0.4},
        "ents_per_type": {"PER": {"p": 0.25, "r": 0.5, "f": 0.333, "support": 40}},
        "ents_per_type_interval": {"PER": {"low": 0.31, "high": 0.36}},
        "slices": [{"key": "source", "slices": [slice]}],
    });
    Card {
        name: "acme/news-ner",
        contents: &contents,
        version: state.get(id).unwrap(),
        licence: Some("apache-2.0"),
        languages: &["en".to_owned()],
        evaluation: Some(&evaluation),
    }
    .render()
}

#[test]
fn a_card_says_what_is_known_and_nothing_from_data_is_markup() {
    let (_top, registry, ids) = registry(1);
    let card = card(&registry, &ids[0]);
    for expected in [
        "---\nlicense: \"apache-2.0\"\nlanguage:\n- \"en\"\nlibrary_name: transformers\npipeline_tag: token-classification\n",
        "    - type: f1\n      value: 0.333000\n",
        "| a\\|b | not written down |",
        "| PER | 0.250 | 0.500 | 0.333 | 0.310 to 0.360 | 40 |",
        "| web\\| &lt;b&gt; | 0.100 | 0.200 | 0.300 | 0.200 to 0.400 | 4 |",
        "Fewer than 50 entities stand behind the scores of PER",
        "| train | train.jsonl | 3 | 9 | ab |",
        "pipeline(\"token-classification\", model=\"acme/news-ner\"",
    ] {
        assert!(card.contains(expected), "{expected}\n{card}");
    }
}

#[test]
fn a_model_folder_is_pushed_whole_into_a_free_place_and_can_be_added_elsewhere() {
    let (top, registry, ids) = registry(1);
    let target = top.path().join("out/news");
    push_folder(&registry, &ids[0], &target, "# card\n").unwrap();
    assert_eq!(fs::read_to_string(target.join("README.md")).unwrap(), "# card\n");
    let refused = push_folder(&registry, &ids[0], &target, "").unwrap_err().to_string();
    assert!(refused.contains("holds something already"), "{refused}");
    let other = Registry::open_or_create(top.path().join("other"), &Access::default()).unwrap();
    let added = other.add(&addition(&target)).unwrap();
    assert_eq!((added.id, added.left_out), (ids[0].clone(), vec!["README.md".to_owned()]));
}

#[test]
fn a_cache_keeps_every_revision_and_the_newest_is_main() {
    let (top, registry, ids) = registry(2);
    let cache = top.path().join("hub");
    let first = push(&registry, &ids[0], &cache, &repository(), "one").unwrap();
    let again = push(&registry, &ids[0], &cache, &repository(), "one").unwrap();
    assert_eq!(first, again, "a revision is a function of what it holds");
    let second = push(&registry, &ids[1], &cache, &repository(), "two").unwrap();
    let revisions = [&first, &second].map(|pushed| pushed.revision.clone().unwrap());
    assert!(revisions[0] != revisions[1] && revisions.iter().all(|revision| revision.len() == 40));
    let pulled = |revision: Option<&str>| pull(&cache, &repository(), revision).unwrap();
    assert_eq!(pulled(None), second.folder);
    assert_eq!(pulled(Some(&revisions[0])), first.folder);
    let manifest = fs::read(first.folder.join("nomen.json")).unwrap();
    assert_eq!(manifest, fs::read(version_folder(&registry, &ids[0]).join("nomen.json")).unwrap());
    for missing in ["dev", "../../x", "refs/../main", ""] {
        assert!(pull(&cache, &repository(), Some(missing)).is_err(), "{missing}");
    }
}

#[test]
fn a_pulled_file_with_another_sum_is_refused() {
    let (top, registry, ids) = registry(1);
    let cache = top.path().join("hub");
    let pushed = push(&registry, &ids[0], &cache, &repository(), "card").unwrap();
    for name in ["config.json", "model.safetensors", "nomen.json", "README.md"] {
        let blob = fs::canonicalize(pushed.folder.join(name)).unwrap();
        let bytes = fs::read(&blob).unwrap();
        for place in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut flipped = bytes.clone();
            flipped[place] ^= 4;
            replace(&blob, &flipped);
            let refused = pull(&cache, &repository(), None).unwrap_err().to_string();
            assert!(refused.contains(name) && refused.contains("SHA-256"), "{refused}");
        }
        // Pushing anew mends it.
        push(&registry, &ids[0], &cache, &repository(), "card").unwrap();
        assert_eq!(fs::read(&blob).unwrap(), bytes);
    }
    let outside = top.path().join("secret");
    fs::write(&outside, "x").unwrap();
    let link = pushed.folder.join("vocab.txt");
    std::os::unix::fs::symlink(&outside, &link).unwrap();
    let refused = pull(&cache, &repository(), None).unwrap_err().to_string();
    assert!(refused.contains("leads out of the repository"), "{refused}");
}

fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn another_version_than_the_expected_one_is_refused() {
    let (top, registry, ids) = registry(2);
    let other = Registry::open_or_create(top.path().join("other"), &Access::default()).unwrap();
    let folder = version_folder(&registry, &ids[0]);
    let expecting = |id| nomen_operate::registry::Addition { expected: Some(id), ..addition(&folder) };
    let refused = other.add(&expecting(&ids[1])).unwrap_err().to_string();
    assert!(refused.contains("expected the version"), "{refused}");
    other.add(&expecting(&ids[0])).unwrap();
}

#[test]
fn names_that_no_hub_takes_are_refused() {
    for name in ["", "model", "a/b/c", "../x", "a/..", "a/-b", "a/b--c", "ä/b", "a/b\n"] {
        assert!(name.parse::<Repository>().is_err(), "{name}");
    }
}
