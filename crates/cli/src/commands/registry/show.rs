//! `nomen registry show`: a version, what it was made from, and what happened to it.

use std::process::ExitCode;

use clap::Args;
use operate::registry::{Event, Place, Registry, State, Version, VersionId, VersionName, What};
use serde::Serialize;
use serde_json::Value;

use super::Common;
use crate::{output, versions};

/// Show a version, its lineage and its history
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// live, a number such as v3, or digits of the hash
    #[arg(value_name = "VERSION", value_parser = super::version, default_value = "live")]
    version: VersionName,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    version: &'a Version,
    folder: Place,
    /// The versions that it was made from, the nearest first.
    lineage: Vec<&'a VersionId>,
    base: &'a Value,
    data: &'a Value,
    run: &'a Value,
    scores: &'a Value,
    history: Vec<&'a Event>,
    /// The last gate's report.
    gate: Option<Value>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let registry = arguments.common.open()?;
    let (state, events) = (registry.state()?, registry.events()?);
    let version = state.find(&arguments.version, &registry.place())?;
    let contents = registry.contents(&version.id)?;
    let part = |key: &str| contents.manifest.get(key).unwrap_or(&Value::Null);
    let gate = match version.gates.last() {
        Some(gated) => serde_json::from_slice(&registry.gate_report(gated)?).ok(),
        None => None,
    };
    let answer = Answer {
        version,
        folder: registry.version_place(&version.id),
        lineage: lineage(&state, version),
        base: part("base"),
        data: part("data"),
        run: part("run"),
        scores: part("scores"),
        history: events.iter().filter(|event| is_about(event, &version.id)).collect(),
        gate,
    };
    if arguments.common.json {
        output::print_json(&answer)?;
    } else {
        output::print(&answer.render(&state, &registry))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn lineage<'s>(state: &'s State, version: &'s Version) -> Vec<&'s VersionId> {
    let mut lineage: Vec<&VersionId> = Vec::new();
    let mut at = version;
    while let Some(parent) = &at.parent {
        // A parent is added before its child, so this ends.
        lineage.push(parent);
        match state.get(parent) {
            Some(parent) => at = parent,
            None => break,
        }
    }
    lineage
}

/// Whether an event moved this version, under its own name or as the one that was live before.
fn is_about(event: &Event, id: &VersionId) -> bool {
    let replaced = match &event.what {
        What::Promoted { from, .. } => from.as_ref(),
        What::RolledBack { from, .. } => Some(from),
        _ => None,
    };
    event.version == *id || replaced == Some(id)
}

impl Answer<'_> {
    fn render(&self, state: &State, registry: &Registry) -> String {
        let Self { version, folder, .. } = self;
        let name = |id: &VersionId| match state.get(id) {
            Some(version) => format!("v{} ({})", version.number, id.short()),
            None => id.short().to_owned(),
        };
        let mut lines = vec![
            format!("v{}  {}  {}", version.number, version.stage, version.id),
            format!("folder   {folder}"),
            format!("added    {} from {}", versions::moment(version.added), version.source),
        ];
        lines.extend(version.note.iter().map(|note| format!("note     {note}")));
        let lineage: Vec<String> = self.lineage.iter().map(|id| name(id)).collect();
        lines.push(format!(
            "made of  {}",
            if lineage.is_empty() { "no version here".to_owned() } else { lineage.join(", of ") }
        ));
        if let Some(base) = self.base.get("source").or_else(|| self.base.get("spec")).and_then(Value::as_str) {
            lines.push(format!("base     {base}"));
        }
        for (set, data) in self.data.as_object().into_iter().flatten() {
            let text = |key: &str| match data.get(key) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => "?".to_owned(),
                Some(other) => other.to_string(),
            };
            let fingerprint: String = text("fingerprint").chars().take(12).collect();
            lines.push(format!(
                "{set:8} {}, {} texts, {} entities, {fingerprint}",
                text("file"),
                text("texts"),
                text("entities")
            ));
        }
        for set in ["dev", "test"] {
            if let Some(f1) = self.scores.get(set).and_then(|scores| scores.get("ents_f")).and_then(Value::as_f64) {
                lines.push(format!("F1       {f1:.3} on {set}"));
            }
        }
        if let Some(run) = self.run.as_object() {
            let settings: Vec<String> = run.iter().map(|(key, value)| format!("{key}={value}")).collect();
            lines.push(format!("run      {}", settings.join(" ")));
        }
        lines.push("history".to_owned());
        for event in &self.history {
            lines.push(format!("  {}  {}", versions::moment(event.at), told(event, &version.id, &name)));
        }
        if let Some(gated) = version.gates.last() {
            lines.push(format!("gate     {}", registry.gate_place(gated)));
        }
        lines.join("\n") + "\n"
    }
}

/// An event as it looks from one version.
fn told(event: &Event, of: &VersionId, name: &dyn Fn(&VersionId) -> String) -> String {
    let because = |reason: &Option<String>| reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let is_own = event.version == *of;
    match &event.what {
        What::Added { .. } => "added".to_owned(),
        What::Gated { passed, against, .. } => {
            format!("{} the gate against {}", if *passed { "passed" } else { "failed" }, name(against))
        }
        What::Promoted { from, forced, .. } if is_own => {
            let from = from.as_ref().map(|from| format!(" in the place of {}", name(from))).unwrap_or_default();
            let forced = forced.as_ref().map(|reason| format!(", forced: {reason}")).unwrap_or_default();
            format!("promoted{from}{forced}")
        }
        What::Promoted { .. } => format!("replaced by {}", name(&event.version)),
        What::RolledBack { from, reason } if is_own => {
            format!("live again in the place of {}{}", name(from), because(reason))
        }
        What::RolledBack { reason, .. } => format!("rolled back to {}{}", name(&event.version), because(reason)),
        What::Archived { reason } => format!("archived{}", because(reason)),
    }
}
