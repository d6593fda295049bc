//! Whatever is done in whatever order, history and state say the same.

use std::{collections::BTreeMap, fs, path::Path};

use nomen_operate::registry::{Stage, VersionId};
use proptest::prelude::*;

use crate::bundles::{add, force, live, registry, root};

#[derive(Debug, Clone)]
enum Deed {
    Add(usize),
    Promote(usize),
    RollBack,
    RollBackTo(usize),
    Archive(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    let version = 1..5_usize;
    prop_oneof![
        2 => version.clone().prop_map(Deed::Add),
        3 => version.clone().prop_map(Deed::Promote),
        2 => Just(Deed::RollBack),
        1 => version.clone().prop_map(Deed::RollBackTo),
        1 => version.prop_map(Deed::Archive),
    ]
}

/// The files of a folder by name.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap())).collect()
}

/// What the registry should say: the versions that were live and lie below each other, and the stage of each version.
#[derive(Default)]
struct Model {
    live: Vec<VersionId>,
    stages: Vec<(VersionId, Stage)>,
}

impl Model {
    fn set(&mut self, id: &VersionId, to: Stage) {
        self.stages.iter_mut().find(|(known, _)| known == id).unwrap().1 = to;
    }

    fn stage(&self, id: &VersionId) -> Option<Stage> {
        self.stages.iter().find(|(known, _)| known == id).map(|(_, stage)| *stage)
    }

    /// Follows a deed; whether the registry should have done it.
    fn follow(&mut self, deed: &Deed, id: &dyn Fn(usize) -> Option<VersionId>) -> bool {
        let place = |model: &Self, id: &VersionId| model.live.iter().position(|known| known == id);
        match deed {
            Deed::Add(_) => true,
            Deed::Promote(number) => {
                let Some(id) = id(*number).filter(|id| self.live.last() != Some(id)) else { return false };
                if let Some(top) = self.live.last().cloned() {
                    self.set(&top, Stage::Archived);
                }
                self.live.retain(|known| *known != id);
                self.set(&id, Stage::Live);
                self.live.push(id);
                true
            }
            Deed::RollBack | Deed::RollBackTo(_) => {
                let target = match deed {
                    Deed::RollBackTo(number) => id(*number).and_then(|id| place(self, &id)),
                    _ => self.live.len().checked_sub(2),
                };
                let Some(target) = target.filter(|target| target + 1 < self.live.len()) else { return false };
                let top = self.live.last().cloned().unwrap();
                self.set(&top, Stage::Archived);
                self.live.truncate(target + 1);
                let id = self.live[target].clone();
                self.set(&id, Stage::Live);
                true
            }
            Deed::Archive(number) => {
                let Some(id) = id(*number).filter(|id| self.stage(id) == Some(Stage::Candidate)) else { return false };
                self.set(&id, Stage::Archived);
                true
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn the_state_is_what_was_done_and_history_only_grows(deeds in proptest::collection::vec(deed(), 1..25)) {
        let (top, registry, _) = registry(0);
        let history = root(&registry).join("history");
        let mut model = Model::default();
        for deed in &deeds {
            let before = contents(&history);
            let state = registry.state().unwrap();
            let id = |number: usize| state.versions().get(number - 1).map(|version| version.id.clone());
            let name = |number: usize| format!("v{number}").parse().unwrap();
            let done = match deed {
                Deed::Add(number) => {
                    let added = add(top.path(), &registry, *number).unwrap();
                    if !added.was_known {
                        model.stages.push((added.id, Stage::Candidate));
                    }
                    true
                }
                Deed::Promote(number) => force(&registry, &format!("v{number}")).is_ok(),
                Deed::RollBack => registry.roll_back(None, None, 5).is_ok(),
                Deed::RollBackTo(number) => registry.roll_back(Some(&name(*number)), None, 5).is_ok(),
                Deed::Archive(number) => registry.archive(&name(*number), None, 5).is_ok(),
            };
            prop_assert_eq!(done, model.follow(deed, &id), "{:?}", deed);
            let after = registry.state().unwrap();
            let stages: Vec<_> = after.versions().iter().map(|version| (version.id.clone(), version.stage)).collect();
            prop_assert_eq!(&stages, &model.stages, "{:?}", deed);
            prop_assert_eq!(live(&registry), model.live.last().cloned());
            let below: Vec<VersionId> = after.before_live().map(|version| version.id.clone()).collect();
            prop_assert_eq!(below, model.live.iter().rev().skip(1).cloned().collect::<Vec<_>>());
            let now = contents(&history);
            prop_assert!(before.iter().all(|(name, bytes)| now.get(name) == Some(bytes)), "an event was changed");
            prop_assert!(now.len() <= before.len() + 1 && (done || now.len() == before.len()));
        }
        prop_assert_eq!(registry.verify().unwrap(), []);
    }
}
