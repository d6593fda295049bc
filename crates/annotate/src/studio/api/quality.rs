//! How good the annotations are: what the checks find.

use std::{collections::HashMap, sync::Arc};

use axum::extract::State;
use corpus::{
    Format, ReadOptions,
    check::{self, Check, Data, File},
};
use serde::Serialize;
use store::{Finding, Found, Number, Project, Select, Store};
use utoipa::ToSchema;

use super::problem::Refusals;
use crate::studio::{Refusal, Studio, access::Member, export};

/// Findings that are kept of each rule, so that one rule does not bury the others.
const KEPT: usize = 2_000;
/// Documents that are read at once.
const CHUNK: u32 = 500;

/// A rule and what it found.
#[derive(Debug, Serialize, ToSchema)]
#[allow(clippy::struct_field_names)] // programs read `rule`, as searches take it
pub struct Rule {
    /// Its code, by which documents are searched.
    pub rule: String,
    /// What it looks for.
    pub name: String,
    /// Findings.
    pub findings: u64,
}

/// The rules that found something, those with most findings first.
pub async fn rules(studio: &Studio, project: &Project) -> Result<Vec<Rule>, Refusal> {
    let counts = studio.store.finding_counts(project.id).await?;
    let mut rules: Vec<Rule> = counts
        .into_iter()
        .map(|(rule, findings)| {
            let known = rule.parse::<Check>().ok();
            Rule { name: known.map_or_else(|| rule.clone(), |check| check.rule().name.to_owned()), rule, findings }
        })
        .collect();
    rules.sort_by(|one, other| other.findings.cmp(&one.findings).then_with(|| one.rule.cmp(&other.rule)));
    Ok(rules)
}

/// The code of the rule by which a model contradicts the annotation, which no check finds without one.
pub fn label_error() -> &'static str {
    Check::LabelError.rule().code
}

/// Runs the checks over everything that is decided and keeps what they find. Likely label errors, which take a model to find, stay.
///
/// # Errors
/// The database fails.
pub async fn checked(studio: &Studio, project: &Project) -> Result<Vec<Rule>, Refusal> {
    let findings = found(&studio.store, project).await?;
    studio.store.replace_findings(project.id, Found::ByAnyBut(label_error()), &findings).await?;
    rules(studio, project).await
}

async fn found(store: &Store, project: &Project) -> Result<Vec<Finding>, Refusal> {
    let failed = |error: &dyn std::fmt::Display| Refusal::Failed(format!("the checks: {error}"));
    let (bytes, _) = export::bytes(store, project.id, true, Format::Jsonl).await.map_err(|error| failed(&error))?;
    let numbers = accepted(store, project).await?;
    let schema = project.schema.clone();
    let findings = tokio::task::spawn_blocking(move || -> Result<Vec<Finding>, String> {
        let options = ReadOptions { format: Some(Format::Jsonl), ..ReadOptions::default() };
        let reader = corpus::read_with(&*bytes, "the project", &options).map_err(|error| error.to_string())?;
        let files = [File::read(reader, None)];
        let data = Data { files: &files, schema: Some(&schema) };
        Ok(of_documents(&check::check(&data, &Check::ALL), &numbers))
    });
    findings.await.map_err(|panic| failed(&panic))?.map_err(|error| failed(&error))
}

/// The numbers of the accepted documents, as they are exported.
pub async fn accepted(store: &Store, project: &Project) -> Result<Vec<Number>, Refusal> {
    let select = Select { accepted: true, history: false };
    let mut numbers: Vec<Number> = Vec::new();
    loop {
        let chunk = store.export(project.id, select, numbers.last().copied().unwrap_or(0), CHUNK).await?;
        if chunk.is_empty() {
            return Ok(numbers);
        }
        numbers.extend(chunk.iter().map(|exported| exported.number));
    }
}

/// The findings that stand in a document, each at its first place.
pub fn of_documents(findings: &[check::Finding], numbers: &[Number]) -> Vec<Finding> {
    let (mut kept, mut counts) = (Vec::new(), HashMap::<String, usize>::new());
    for finding in findings {
        let rule = finding.check.rule().code.to_owned();
        let place = finding.places.first();
        let Some((document, place)) = place.and_then(|place| Some((*numbers.get(place.document?)?, place))) else {
            continue;
        };
        let count = counts.entry(rule.clone()).or_default();
        *count += 1;
        if *count <= KEPT {
            kept.push(Finding { document, rule, message: finding.message.clone(), span: place.span });
        }
    }
    kept
}

/// What the checks found last
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/findings", tag = "quality", params(("project" = String, Path)),
    responses((status = 200, body = Vec<Rule>), Refusals)
)]
pub async fn findings(State(studio): State<Arc<Studio>>, member: Member) -> Result<axum::Json<Vec<Rule>>, Refusal> {
    Ok(axum::Json(rules(&studio, &member.project).await?))
}

/// Runs the checks over everything that is accepted
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/findings", tag = "quality", params(("project" = String, Path)),
    responses((status = 200, body = Vec<Rule>), Refusals)
)]
pub async fn run(State(studio): State<Arc<Studio>>, member: Member) -> Result<axum::Json<Vec<Rule>>, Refusal> {
    Ok(axum::Json(checked(&studio, &member.project).await?))
}
