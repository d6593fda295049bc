//! The findings as one web page that needs nothing else. Whatever comes from data is shown as text.

use corpus::check::{Data, Excerpt, Finding, Place, Severity};
use maud::{Markup, html};
use train::visible;

use super::{excerpt, text::counted};

const STYLE: &str = include_str!("page.css");

/// Findings of a check that are seen without unfolding.
const OPEN: usize = 10;
/// Places of a finding that are shown.
const PLACES: usize = 20;
/// Findings of a check that are shown at all, so that a broken file does not make a page of gigabytes.
const SHOWN: usize = 1000;

/// The page.
pub fn page(data: &Data<'_>, findings: &[Finding]) -> String {
    let body = html! {
        header { p.over { "Nomen check" } h1 { (counted(findings)) } }
        main {
            (files(data, findings))
            @for of_check in findings.chunk_by(|a, b| a.check == b.check) { (section(data, of_check)) }
        }
    };
    train::page(&format!("Nomen check: {}", counted(findings)), STYLE, &body)
}

fn files(data: &Data<'_>, findings: &[Finding]) -> Markup {
    let count = |file: usize, severity: Severity| {
        let mine = |finding: &&Finding| finding.places.first().is_some_and(|place| place.file == file);
        findings.iter().filter(mine).filter(|finding| finding.severity == severity).count()
    };
    html! {
        div.scroll { table {
            thead { tr {
                th { "File" } th { "Part" } th { "Format" } th.n { "Texts" } th.n { "Entities" }
                th.n { "Errors" } th.n { "Warnings" } th.n { "Notes" }
            } }
            tbody { @for (index, file) in data.files.iter().enumerate() { tr {
                th { (visible(&file.path.display().to_string())) }
                td { (file.role.map_or("–", |role| role.name())) }
                td { (file.report.format) }
                td.n { (file.documents.len()) } td.n { (file.entity_count()) }
                td.n { (count(index, Severity::Error)) } td.n { (count(index, Severity::Warning)) }
                td.n { (count(index, Severity::Note)) }
            } } }
        } }
    }
}

fn section(data: &Data<'_>, findings: &[Finding]) -> Markup {
    let rule = findings[0].check.rule();
    let mut worst: Vec<&Finding> = findings.iter().collect();
    worst.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let more = worst.len().saturating_sub(SHOWN);
    worst.truncate(SHOWN);
    let (open, folded) = worst.split_at(worst.len().min(OPEN));
    html! {
        section id=(rule.code) {
            h2 { (rule.code) " " (rule.name) " " small { (counted(findings)) } }
            p.note { (rule.why) }
            p.note { "To mend: " (rule.fix) @if let Some(command) = rule.command { " " code { (command) } } }
            ol { @for finding in open { (one(data, finding)) } }
            @if !folded.is_empty() {
                details { summary { (folded.len()) " more" } ol { @for finding in folded { (one(data, finding)) } } }
            }
            @if more > 0 { p.note { "and " (more) " more, which nomen check --json lists" } }
        }
    }
}

fn one(data: &Data<'_>, finding: &Finding) -> Markup {
    html! {
        li class=(finding.severity) {
            p { span.severity { (finding.severity) } " " (visible(&finding.message)) }
            @for place in finding.places.iter().take(PLACES) {
                p.excerpt dir="auto" {
                    span.place { (visible(&excerpt::place(data, place))) }
                    @if let Some(excerpt) = place.excerpt(data) { (marked(&excerpt, place)) }
                }
            }
            @if finding.places.len() > PLACES { p.note { "and " (finding.places.len() - PLACES) " more places" } }
        }
    }
}

fn marked(excerpt: &Excerpt<'_>, place: &Place) -> Markup {
    html! {
        @if excerpt.cut_before { "…" }
        (visible(excerpt.before))
        @if place.span.is_some() { mark { (visible(excerpt.marked)) } }
        @if let Some(label) = &place.label { bdi.label { (visible(label.as_str())) } }
        (visible(excerpt.after))
        @if excerpt.cut_after { "…" }
    }
}
