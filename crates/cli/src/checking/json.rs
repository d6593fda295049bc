//! The findings for programs.

use corpus::check::{Data, Finding, Place, Role, Severity, Suggestion};
use schema::{
    Document,
    offset::{Offsets, Unit},
};
use serde::Serialize;

/// What `--json` prints.
#[derive(Serialize)]
pub struct Answer<'d> {
    files: Vec<FileAnswer>,
    findings: Vec<FindingAnswer<'d>>,
    errors: usize,
    warnings: usize,
    notes: usize,
}

#[derive(Serialize)]
struct FileAnswer {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'static str>,
    format: &'static str,
    texts: usize,
    entities: usize,
}

#[derive(Serialize)]
struct FindingAnswer<'d> {
    code: &'static str,
    name: &'static str,
    severity: &'static str,
    message: &'d str,
    why: &'static str,
    fix: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'static str>,
    places: Vec<PlaceAnswer<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<SuggestionAnswer<'d>>,
}

#[derive(Serialize)]
struct SuggestionAnswer<'d> {
    kind: &'static str,
    /// From 0 to 1.
    confidence: f64,
    /// What should stand in the place of the entities in `places`.
    entities: Vec<EntityAnswer<'d>>,
}

#[derive(Serialize)]
struct EntityAnswer<'d> {
    /// Code points.
    start: usize,
    end: usize,
    label: &'d str,
    text: &'d str,
}

#[derive(Serialize)]
struct PlaceAnswer<'d> {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'d str>,
    /// Code points.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'d str>,
    /// The text of the span.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'d str>,
    /// What stands around it, or how the text begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'d str>,
}

/// Everything that was found.
pub fn answer<'d>(data: &Data<'d>, findings: &'d [Finding]) -> Answer<'d> {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let files = data.files.iter().map(|file| FileAnswer {
        file: file.path.display().to_string(),
        part: file.role.map(Role::name),
        format: file.report.format.name(),
        texts: file.documents.len(),
        entities: file.entity_count(),
    });
    let findings_answer = findings.iter().map(|finding| {
        let rule = finding.check.rule();
        FindingAnswer {
            code: rule.code,
            name: rule.name,
            severity: finding.severity.name(),
            message: &finding.message,
            why: rule.why,
            fix: rule.fix,
            command: rule.command,
            places: finding.places.iter().map(|place| place_answer(data, place)).collect(),
            suggestion: suggestion_answer(data, finding),
        }
    });
    Answer {
        files: files.collect(),
        findings: findings_answer.collect(),
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        notes: count(Severity::Note),
    }
}

fn suggestion_answer<'d>(data: &Data<'d>, finding: &'d Finding) -> Option<SuggestionAnswer<'d>> {
    let Suggestion { kind, confidence, entities } = finding.suggestion.as_ref()?;
    let place = finding.places.first()?;
    let text = data.files.get(place.file)?.documents.get(place.document?).map(Document::text)?;
    let offsets = Offsets::new(text, Unit::CodePoints);
    let entities = entities.iter().map(|entity| {
        let (start, end) = offsets.of(entity.span);
        EntityAnswer { start, end, label: entity.label.as_str(), text: entity.span.quote(text) }
    });
    Some(SuggestionAnswer { kind: kind.name(), confidence: *confidence, entities: entities.collect() })
}

fn place_answer<'d>(data: &Data<'d>, place: &'d Place) -> PlaceAnswer<'d> {
    let file = &data.files[place.file];
    let document = place.document.and_then(|index| file.documents.get(index));
    let (start, end) = place.code_points(data).unzip();
    let excerpt = place.excerpt(data);
    PlaceAnswer {
        file: file.path.display().to_string(),
        line: place.line,
        document: place.document.map(|index| index + 1),
        id: document.and_then(|document| document.id.as_deref()),
        start,
        end,
        label: place.label.as_ref().map(schema::Label::as_str),
        text: document.zip(place.span).map(|(document, span)| span.quote(document.text())),
        before: excerpt.as_ref().filter(|_| place.span.is_some()).map(|excerpt| excerpt.before),
        after: excerpt.as_ref().map(|excerpt| excerpt.after),
    }
}
