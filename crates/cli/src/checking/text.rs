//! The findings for a terminal.

use corpus::check::{Check, Data, Excerpt, Finding, Place, Severity};
use train::visible;

use super::excerpt;
use crate::table::Table;

/// Places of a finding that are shown.
const PLACES: usize = 3;

/// Every check with its code, its severity and what it is called.
pub fn list() -> String {
    let line = |check: Check| {
        let rule = check.rule();
        format!("{}  {:<20} {:<8} {}\n", rule.code, rule.name, rule.severity, rule.what)
    };
    Check::ALL.map(line).concat()
}

/// The findings grouped by check, the worst of each first and so many of each at most, and a summary.
pub fn render(data: &Data<'_>, findings: &[Finding], limit: usize) -> String {
    let groups = findings.chunk_by(|a, b| a.check == b.check);
    let mut parts: Vec<String> = groups.map(|of_check| group(data, of_check, limit)).collect();
    parts.push(summary(data, findings));
    parts.concat()
}

/// What one check found.
fn group(data: &Data<'_>, findings: &[Finding], limit: usize) -> String {
    let rule = findings[0].check.rule();
    let mut worst: Vec<&Finding> = findings.iter().collect();
    worst.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut lines = vec![format!("{} {}: {}\n", rule.code, rule.name, counted(findings))];
    lines.extend(worst.iter().take(limit).map(|finding| one(data, finding)));
    if findings.len() > limit {
        lines
            .push(format!("  and {} more (--limit N lists N, --json or --report shows all)\n", findings.len() - limit));
    }
    lines.push(format!("  why:  {}\n  mend: {}\n", rule.why, rule.fix));
    lines.extend(rule.command.map(|command| format!("        {command}\n")));
    lines.push("\n".to_owned());
    lines.concat()
}

fn one(data: &Data<'_>, finding: &Finding) -> String {
    let first = finding.places.first().map(|place| excerpt::place(data, place)).unwrap_or_default();
    let mut lines = vec![format!("  {}: {}: {}\n", visible(&first), finding.severity, visible(&finding.message))];
    for (index, place) in finding.places.iter().take(PLACES).enumerate() {
        if let Some(shown) = place.excerpt(data).map(|excerpt| marked(&excerpt, place)) {
            let other = if index == 0 { String::new() } else { format!("{}: ", visible(&excerpt::place(data, place))) };
            lines.push(format!("      {other}{shown}\n"));
        }
    }
    if finding.places.len() > PLACES {
        lines.push(format!("      and {} more places\n", finding.places.len() - PLACES));
    }
    lines.concat()
}

/// The text with the part that is meant in brackets.
fn marked(excerpt: &Excerpt<'_>, place: &Place) -> String {
    let cut = |cut: bool| if cut { "…" } else { "" };
    let marked = match (&place.span, &place.label) {
        (None, _) => String::new(),
        (Some(_), None) => format!("[{}]", visible(excerpt.marked)),
        (Some(_), Some(label)) => format!("[{}]{}", visible(excerpt.marked), visible(label.as_str())),
    };
    let [before, after] = [excerpt.before, excerpt.after].map(visible);
    format!("{}{before}{marked}{after}{}", cut(excerpt.cut_before), cut(excerpt.cut_after))
}

/// `1 error, 2 warnings`.
pub fn counted(findings: &[Finding]) -> String {
    let kinds = [Severity::Error, Severity::Warning, Severity::Note].into_iter().filter_map(|severity| {
        let count = findings.iter().filter(|finding| finding.severity == severity).count();
        let plural = if count == 1 { "" } else { "s" };
        (count > 0).then(|| format!("{count} {severity}{plural}"))
    });
    let kinds: Vec<String> = kinds.collect();
    if kinds.is_empty() { "nothing found".to_owned() } else { kinds.join(", ") }
}

fn summary(data: &Data<'_>, findings: &[Finding]) -> String {
    let mut table = Table::default();
    table.row(["file", "part", "format", "texts", "entities", "errors", "warnings", "notes"].map(str::to_owned));
    for (index, file) in data.files.iter().enumerate() {
        let of_file = |severity| {
            let mine = |finding: &&Finding| finding.places.first().is_some_and(|place| place.file == index);
            findings.iter().filter(|finding| finding.severity == severity).filter(mine).count().to_string()
        };
        table.row([
            visible(&file.path.display().to_string()),
            file.role.map_or("-", |role| role.name()).to_owned(),
            file.report.format.to_string(),
            file.documents.len().to_string(),
            file.entity_count().to_string(),
            of_file(Severity::Error),
            of_file(Severity::Warning),
            of_file(Severity::Note),
        ]);
    }
    format!("{}\n{}\n", table.render(), counted(findings))
}
