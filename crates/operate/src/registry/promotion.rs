//! Which version is live: promotion, the way back, and giving up.

use serde::{Deserialize, Serialize};

use super::{
    Gated, Registry, RegistryError, Stage, State, Version, VersionId, VersionName, What, files, gate_name, history,
};

/// A version that is to become live.
#[derive(Debug, Clone, Copy)]
pub struct Promotion<'a> {
    /// Which one.
    pub version: &'a VersionName,
    /// The report of a gate, as `nomen gate --json` prints it; kept with the version.
    pub gate: Option<&'a [u8]>,
    /// Why it is promoted even without a gate that it passed.
    pub forced: Option<&'a str>,
    /// Now: seconds since 1970, UTC.
    pub at: u64,
}

/// A change of the live version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Promoted {
    /// The version that is live now.
    pub live: VersionId,
    /// Its number.
    pub number: usize,
    /// The version that was live before.
    pub from: Option<VersionId>,
}

/// What of a gate's report decides.
#[derive(Deserialize)]
struct GateFile {
    passed: bool,
    candidate: Judged,
    live: Judged,
}

#[derive(Deserialize)]
struct Judged {
    version: Option<VersionId>,
}

impl Registry {
    /// Keeps the report of a gate with the version that it judged.
    ///
    /// # Errors
    /// It is no report, or of models that are no versions of this registry.
    pub fn record_gate(&self, report: &[u8], at: u64) -> Result<VersionId, RegistryError> {
        self.write(|events| self.keep_gate(report, at, events))
    }

    /// Makes a version live. The one that was live before is archived, and a rollback goes back to it.
    ///
    /// Where a version is live, the new one needs a gate's report that says that it passed against that very version;
    /// without one it needs a reason, which is recorded. Its files are summed again before.
    ///
    /// # Errors
    /// The version is not there, live already or damaged; the report is missing, of other versions, or says no.
    pub fn promote(&self, promotion: &Promotion<'_>) -> Result<Promoted, RegistryError> {
        let forced = promotion.forced.map(str::trim);
        if forced == Some("") {
            return Err(RegistryError::Refused("the reason is empty; say why the gate does not count".to_owned()));
        }
        self.write(|events| self.make_live(promotion, forced, events))
    }

    fn make_live(
        &self,
        promotion: &Promotion<'_>,
        forced: Option<&str>,
        events: &mut Vec<history::Read>,
    ) -> Result<Promoted, RegistryError> {
        let root = self.place();
        let before = State::of(events)?;
        let id = before.find(promotion.version, &root)?.id.clone();
        if let Some(report) = promotion.gate {
            let judged = read_gate(report)?.candidate.version;
            if judged.as_ref() != Some(&id) {
                let judged = judged.map_or("a model that is no version".to_owned(), |judged| judged.to_string());
                return Err(RegistryError::Refused(format!("the gate's report is about {judged}, not about {id}")));
            }
            self.keep_gate(report, promotion.at, events)?;
        }
        let state = State::of(events)?;
        let version = state.find(promotion.version, &root)?;
        if version.stage == Stage::Live {
            return Err(RegistryError::Refused(format!("v{} is live already", version.number)));
        }
        let from = state.live().map(|live| live.id.clone());
        let gate = match state.live() {
            None => None,
            Some(live) => match (passed(version, live), forced) {
                (Ok(gate), _) => Some(gate.report.clone()),
                (Err(_), Some(_)) => None,
                (Err(refused), None) => return Err(refused),
            },
        };
        self.check(&id)?;
        let number = version.number;
        // With a gate that was passed, a reason would say that there was none.
        let forced = forced.filter(|_| gate.is_none()).map(str::to_owned);
        let what = What::Promoted { from: from.clone(), gate, forced };
        history::append(&*self.objects, events, promotion.at, id.clone(), what)?;
        Ok(Promoted { live: id, number, from })
    }

    /// Makes the version live again that was live before, or an earlier one. Its files are summed again before.
    ///
    /// # Errors
    /// No version was live before, `to` was not, or it is damaged.
    pub fn roll_back(
        &self,
        to: Option<&VersionName>,
        reason: Option<&str>,
        at: u64,
    ) -> Result<Promoted, RegistryError> {
        self.write(|events| self.go_back(to, reason, at, events))
    }

    fn go_back(
        &self,
        to: Option<&VersionName>,
        reason: Option<&str>,
        at: u64,
        events: &mut Vec<history::Read>,
    ) -> Result<Promoted, RegistryError> {
        let root = self.place();
        let state = State::of(events)?;
        let from = state.live().ok_or_else(|| RegistryError::NothingLive(root.clone()))?.id.clone();
        let known: Vec<String> = state.before_live().map(|version| format!("v{}", version.number)).collect();
        let target = match to {
            None => state.before_live().next(),
            Some(name) => {
                let named = state.find(name, &root)?;
                state.before_live().find(|version| version.id == named.id)
            }
        };
        let Some(target) = target else {
            let problem = match known.as_slice() {
                [] => "no version was live before; there is no way back".to_owned(),
                known => {
                    format!("that version was not live before this one; the way back leads to {}", known.join(", "))
                }
            };
            return Err(RegistryError::Refused(problem));
        };
        self.check(&target.id).map_err(|error| {
            let further: Vec<&String> =
                known.iter().skip_while(|name| **name != format!("v{}", target.number)).skip(1).collect();
            match further.first() {
                Some(further) => RegistryError::Refused(format!("{error}; go back further with --to {further}")),
                None => error,
            }
        })?;
        let promoted = Promoted { live: target.id.clone(), number: target.number, from: Some(from.clone()) };
        let what = What::RolledBack { from, reason: reason.map(str::to_owned) };
        history::append(&*self.objects, events, at, promoted.live.clone(), what)?;
        Ok(promoted)
    }

    /// Puts a version aside; it stays in the registry.
    ///
    /// # Errors
    /// It is not there, is live, or is archived already.
    pub fn archive(&self, name: &VersionName, reason: Option<&str>, at: u64) -> Result<VersionId, RegistryError> {
        self.write(|events| {
            let state = State::of(events)?;
            let Version { id, number, stage, .. } = state.find(name, &self.place())?;
            match stage {
                Stage::Candidate => {}
                Stage::Live => {
                    let problem = format!("v{number} is live; promote another version or roll back first");
                    return Err(RegistryError::Refused(problem));
                }
                Stage::Archived => return Err(RegistryError::Refused(format!("v{number} is archived already"))),
            }
            let what = What::Archived { reason: reason.map(str::to_owned) };
            history::append(&*self.objects, events, at, id.clone(), what)?;
            Ok(id.clone())
        })
    }

    fn keep_gate(&self, bytes: &[u8], at: u64, events: &mut Vec<history::Read>) -> Result<VersionId, RegistryError> {
        let GateFile { passed, candidate, live } = read_gate(bytes)?;
        let state = State::of(events)?;
        let known = |judged: Judged, whose: &str| {
            let version = judged.version.filter(|id| state.get(id).is_some());
            version.ok_or_else(|| {
                RegistryError::Refused(format!(
                    "the gate's {whose} is no version of this registry; add it first, then hold the gate"
                ))
            })
        };
        let (id, against) = (known(candidate, "candidate")?, known(live, "live model")?);
        let report = files::sum(bytes);
        let of_version = state.get(&id).map(|version| version.gates.as_slice()).unwrap_or_default();
        if of_version.iter().any(|gated| gated.report == report) {
            return Ok(id);
        }
        self.objects.replace(&gate_name(&report), bytes)?;
        history::append(&*self.objects, events, at, id.clone(), What::Gated { report, passed, against })?;
        Ok(id)
    }
}

fn read_gate(bytes: &[u8]) -> Result<GateFile, RegistryError> {
    serde_json::from_slice(bytes).map_err(|error| {
        RegistryError::Refused(format!("this is no report of a gate ({error}); make one with `nomen gate --json`"))
    })
}

/// The last gate of a version against the live one, where it was passed.
fn passed<'v>(version: &'v Version, live: &Version) -> Result<&'v Gated, RegistryError> {
    let way_out = "hold the gate (`nomen gate`) and give its report with --gate, or promote with --force and --reason";
    let number = version.number;
    match version.gates.iter().rev().find(|gated| gated.against == live.id) {
        Some(gated) if gated.passed => Ok(gated),
        Some(_) => Err(RegistryError::Refused(format!(
            "v{number} failed its gate against the live v{}; train a better one, or promote with --force and --reason",
            live.number
        ))),
        None if version.gates.is_empty() => Err(RegistryError::Refused(format!(
            "v{number} has not been judged against the live v{}; {way_out}",
            live.number
        ))),
        None => Err(RegistryError::Refused(format!(
            "v{number} was judged against another version than the live v{}; {way_out}",
            live.number
        ))),
    }
}
