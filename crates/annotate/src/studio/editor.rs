//! The page on which one text is annotated: what the server writes of it. The script `editor.js` does the rest.

use maud::{Markup, PreEscaped, html};
use schema::{
    Entity, Schema, Span,
    offset::{Offsets, Unit},
};
use serde_json::{Value, json};
use store::Refused;

use super::{address, assets, colours, marked};

/// One text with everything that its annotator needs.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The project.
    pub project: &'a str,
    /// Number of the document in the project.
    pub number: u64,
    /// Name of the layer that is written: `first`, `second` or `review`.
    pub layer: &'a str,
    /// Who annotates.
    pub user: &'a str,
    /// What the document is called in its source.
    pub id: Option<&'a str>,
    /// The text.
    pub text: &'a str,
    /// Its words, where they are known.
    pub tokens: Option<&'a [Span]>,
    /// The labels.
    pub schema: &'a Schema,
    /// What annotators should know, as it was written.
    pub guidelines: &'a str,
    /// The revision that is shown; 0 where the layer has none.
    pub parent: u64,
    /// The key under which that revision was saved.
    pub key: Option<&'a str>,
    /// Its entities, sorted by start, without overlaps.
    pub entities: &'a [Entity],
    /// Its note.
    pub note: &'a str,
    /// What sources suggest.
    pub suggestions: &'a [Suggested<'a>],
    /// What that revision refused of what sources suggested then.
    pub refused: &'a [Refused],
    /// This person's draft, as the script sent it.
    pub draft: Option<&'a Value>,
    /// How far the project is.
    pub progress: Progress,
    /// Why the text comes now, in words; empty where there is no reason to tell.
    pub reason: &'a str,
}

/// A suggestion as the editor shows it.
#[derive(Debug, Clone, Copy)]
pub struct Suggested<'a> {
    /// Its number; saved entities say from which suggestion they come.
    pub id: u64,
    /// Where it stands; `None` where the text does not hold the quote.
    pub span: Option<Span>,
    /// Its label.
    pub label: &'a str,
    /// How sure the source is, 0 to 1.
    pub score: Option<f64>,
    /// How its quote was found: `exact`, `folded`, `fuzzy`, `ambiguous`, `ungrounded`; or `taken back` by its source.
    pub status: &'a str,
    /// What the source quoted.
    pub quote: &'a str,
    /// Kind of its source: `llm`, `bundle`, `lexicon`, `person` or `combined`.
    pub kind: &'a str,
    /// Name of the source.
    pub name: &'a str,
    /// Its version, empty where it has none.
    pub version: &'a str,
}

impl Suggested<'_> {
    /// Whether it is what somebody refused: the same of the same version of a source.
    fn is(&self, refused: &Refused, offsets: &Offsets) -> bool {
        let Refused { start, end, label, quote, origin } = refused;
        self.span.map(|span| offsets.of(span)).unzip() == (*start, *end)
            && (self.label, self.quote, self.kind) == (label.as_str(), quote.as_str(), &*origin.kind.to_string())
            && (self.name, self.version) == (origin.name.as_str(), origin.version.as_str())
    }
}

/// How many documents are done.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Done.
    pub done: u64,
    /// Of so many.
    pub total: u64,
}

/// The body of the page Annotate.
pub fn editor(task: &Task<'_>) -> Markup {
    html! {
        div.work {
            (desk(task, "annotate"))
            (side(task))
        }
        (dialogs())
        (data(&description(task, "annotate")))
        script type="module" src=(assets::path("annotate.js")) {}
    }
}

/// The column with the text, between labels above and buttons below. `page` is the section that the next text is shown in.
pub(super) fn desk(task: &Task<'_>, page: &str) -> Markup {
    let Progress { done, total } = task.progress;
    html! {
        section.desk aria-label="Text" {
            div.line {
                progress value=(done) max=(total.max(1)) aria-label="Documents done" {}
                span.quiet { (done) " of " (total) " done" }
                span.quiet { "Text " (task.number) @if let Some(id) = task.id { " · " bdi { (id) } } }
                @if task.layer == "second" { span.state title="Somebody else annotates this text, too; neither sees the other's work" { "annotated twice" } }
                @if !task.reason.is_empty() { span.quiet.why title={ "It comes now because: " (task.reason) } { bdi { (task.reason) } } }
                span.state #status role="status" {}
            }
            div.notice.warn #offline role="alert" hidden {}
            div #notices {}
            div.palette role="toolbar" aria-label="Labels" {
                @for (position, definition) in task.schema.definitions().iter().enumerate() {
                    button type="button" class={ "label-key label-" (position) } data-position=(position) title=(definition.definition)
                        aria-pressed="false" {
                        @if position < 10 { kbd aria-hidden="true" { ((position + 1) % 10) } }
                        bdi { (definition.name) }
                        span.count {}
                    }
                }
                @if task.schema.is_empty() {
                    p.quiet { "This project has no labels yet. " a href=(address::page(task.project, "schema")) { "Write the schema" } " first." }
                }
                @if task.schema.len() > 6 { button.plain type="button" data-do="find" { kbd { "L" } "Find a label" } }
            }
            div.text.annotated #text tabindex="0" role="textbox" aria-readonly="true" aria-multiline="true" aria-label="Text to annotate"
                aria-describedby="text-hint" { (marked::marked(task.text, task.entities, task.schema)) }
            p.unseen #text-hint { "Arrow keys move by word, with Shift they select. Numbers give labels. Question mark: all keys." }
            div.note-row #note-row data-verdict="" hidden[task.note.is_empty()] {
                label for="note" { "Note" }
                textarea #note rows="2" aria-describedby="note-hint" {}
                small.quiet #note-hint { "The note is saved with the text." }
            }
            div.deeds {
                button.primary type="button" data-do="save" { (if page == "review" { "Decide & next" } else { "Save & next" }) kbd { "Enter" } }
                button type="button" data-do="skip" { "Skip" kbd { "S" } }
                button type="button" data-do="flag" { "Flag" kbd { "F" } }
                button type="button" data-do="note" { "Note" kbd { "N" } }
                span.quiet #undecided {}
                span.end {}
                button.plain #undo type="button" data-do="undo" { "Undo" kbd { "Z" } }
                button.plain #redo type="button" data-do="redo" { "Redo" kbd { "⇧Z" } }
                button.plain type="button" data-do="back" { "Back" kbd { "B" } }
                button.plain type="button" data-do="help" { "Keys" kbd { "?" } }
            }
            div.unseen #said aria-live="polite" {}
        }
    }
}

/// The column beside the text.
pub(super) fn side(task: &Task<'_>) -> Markup {
    let lost: Vec<_> = task.suggestions.iter().filter(|one| one.span.is_none()).collect();
    html! {
        aside.side aria-label="About the text" {
            section.card { h3 { "Chosen" } div #chosen {} }
            section.card #suggestions hidden[task.suggestions.is_empty()] {
                h3 { "Suggestions" }
                div.row {
                    button type="button" data-do="sure" { "Accept " span #sure {} " sure" kbd { "⇧Y" } }
                    label.least for="least" { "at least " span #least-shown {} }
                    input #least type="range" min="0" max="100" value="90";
                }
                ul.suggestions #suggestion-list {}
                @if !lost.is_empty() {
                    details {
                        summary { (lost.len()) " not found in the text" }
                        ul { @for one in &lost {
                            li { span class={ "chip " (colours::class(task.schema, one.label)) } { (one.label) } " “" bdi { (one.quote) } "” "
                                small.quiet { (one.name) " " (one.version) } }
                        } }
                    }
                }
            }
            @if !task.guidelines.trim().is_empty() {
                details.card #guidelines open { summary { "Guidelines" kbd { "G" } } div.guidelines dir="auto" { (task.guidelines) } }
            } @else {
                details.card #guidelines { summary { "Guidelines" kbd { "G" } } p.quiet { "None are written yet." } }
            }
            details.card open[task.schema.len() <= 8] {
                summary { "Labels" }
                dl.definitions {
                    @for definition in task.schema.definitions() {
                        dt { span class={ "chip " (colours::class(task.schema, definition.name.as_str())) } { (definition.name) } }
                        dd {
                            @if definition.definition.is_empty() { span.quiet { "not defined" } } @else { (definition.definition) }
                            @if !definition.examples.is_empty() { small.quiet { "Such as " (definition.examples.join(", ")) } }
                            @if !definition.near_misses.is_empty() { small.quiet { "Not " (definition.near_misses.join(", ")) } }
                        }
                    }
                }
            }
        }
    }
}

/// Help, the search for a label, and two versions of one text.
pub(super) fn dialogs() -> Markup {
    html! {
        dialog #help aria-labelledby="help-title" {
            h2 #help-title { "Keys" }
            p.quiet { "Mouse: drag to select whole words, with Alt exactly; double click for the word; click for what is marked there." }
            div.keys #keys {}
            form method="dialog" { button.primary { "Close" kbd { "Esc" } } }
        }
        dialog #find aria-labelledby="find-title" {
            h2 #find-title { "Find a label" }
            label.unseen for="find-name" { "Part of its name" }
            input #find-name type="search" autocomplete="off" placeholder="Part of its name";
            ul.found #find-list {}
        }
        dialog #conflict aria-labelledby="conflict-title" {
            h2 #conflict-title { "Somebody saved this text before you" }
            p { "Both versions are kept. Which one counts?" }
            div.sides { section.card #conflict-left {} section.card #conflict-right {} }
            div.row {
                button.primary #conflict-mine type="button" { "Take mine" }
                button #conflict-theirs type="button" { "Take theirs" }
                button #conflict-edit type="button" { "Go on editing mine" }
            }
        }
    }
}

/// What the script works on. Offsets are code points.
pub(super) fn description(task: &Task<'_>, page: &str) -> Value {
    let offsets = Offsets::new(task.text, Unit::CodePoints);
    let points = |span: Span| offsets.of(span);
    let entities = task.entities.iter().map(|entity| {
        let (start, end) = points(entity.span);
        let mut told = json!({"start": start, "end": end, "label": entity.label});
        // Saved again, it still says where it came from.
        if let Some(from) = from_which(entity, task.suggestions) {
            told["suggestion"] = json!(from.id);
        } else if let Some(source) = &entity.source {
            told["source"] = json!(source);
        }
        told
    });
    let suggestions = task.suggestions.iter().map(|one| {
        let range = one.span.map(points);
        json!({
            "id": one.id, "start": range.map(|range| range.0), "end": range.map(|range| range.1), "label": one.label, "score": one.score,
            "status": one.status, "quote": one.quote, "origin": {"kind": one.kind, "name": one.name, "version": one.version},
        })
    });
    let rejected = task.suggestions.iter().filter(|one| task.refused.iter().any(|refused| one.is(refused, &offsets)));
    let labels = task.schema.definitions().iter().map(|definition| {
        json!({
            "name": definition.name, "definition": definition.definition, "examples": definition.examples,
            "near_misses": definition.near_misses,
        })
    });
    let annotations = format!("documents/{}/annotations/{}", task.number, address::Segment(task.layer));
    json!({
        "project": task.project, "number": task.number, "layer": task.layer, "user": task.user, "text": task.text,
        "tokens": task.tokens.map(|tokens| tokens.iter().map(|token| points(*token)).collect::<Vec<_>>()),
        "labels": labels.collect::<Vec<_>>(), "parent": task.parent, "key": task.key, "entities": entities.collect::<Vec<_>>(),
        "note": task.note, "suggestions": suggestions.collect::<Vec<_>>(), "draft": task.draft,
        "rejected": rejected.map(|one| one.id).collect::<Vec<_>>(),
        "save": address::api(task.project, &annotations),
        "next": address::api(task.project, if page == "review" { "queue/next?layer=review" } else { "queue/next" }),
        "page": address::page(task.project, page),
    })
}

/// The suggestion that an entity was made from: one of its source where it stands, or where its boundaries were moved from.
fn from_which<'s, 'a>(entity: &Entity, suggestions: &'s [Suggested<'a>]) -> Option<&'s Suggested<'a>> {
    let (kind, name) = entity.source.as_deref()?.split_once(':')?;
    let of_source = || suggestions.iter().filter(|one| (one.kind, one.name) == (kind, name));
    let stands =
        |there: fn(Span, Span) -> bool| of_source().find(|one| one.span.is_some_and(|span| there(span, entity.span)));
    stands(|one, other| one == other).or_else(|| stands(Span::overlaps))
}

/// A block of data for the script. No text in it can end the block or begin a comment: `<`, `>` and `&` are written as JSON escapes.
pub(super) fn data(value: &Value) -> Markup {
    let json = value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    html! { script #task type="application/json" { (PreEscaped(json)) } }
}

#[cfg(test)]
mod tests {
    use schema::{Label, LabelDefinition, Origin};

    use super::*;

    const HOSTILE: &str = "</script><script>alert(1)</script><!--&\"'";

    fn shown(text: &str, label: &str, show: impl FnOnce(Task<'_>) -> String) -> String {
        let label = Label::new(label).unwrap();
        let definition = LabelDefinition { definition: HOSTILE.into(), ..LabelDefinition::undefined(label.clone()) };
        let schema = Schema::new(vec![definition]).unwrap();
        let span = Span::of(text, 0..text.chars().next().unwrap().len_utf8()).unwrap();
        let suggestion = Suggested {
            id: 7,
            span: Some(Span::of(text, span.end()..text.len()).unwrap()),
            label: label.as_str(),
            score: Some(0.5),
            status: "exact",
            quote: HOSTILE,
            kind: "llm",
            name: HOSTILE,
            version: "",
        };
        let lost = Suggested { id: 8, span: None, status: "ungrounded", ..suggestion };
        show(Task {
            project: HOSTILE,
            number: 3,
            layer: "first",
            user: HOSTILE,
            id: Some(HOSTILE),
            text,
            tokens: None,
            schema: &schema,
            guidelines: HOSTILE,
            parent: 2,
            key: None,
            entities: &[Entity::new(span, label.clone())],
            note: HOSTILE,
            suggestions: &[suggestion, lost],
            refused: &[],
            draft: Some(&json!({"note": HOSTILE})),
            progress: Progress { done: 1, total: 4 },
            reason: HOSTILE,
        })
    }

    /// What the script reads.
    fn block(page: &str) -> &str {
        let start = page.find("application/json\">").unwrap() + "application/json\">".len();
        &page[start..start + page[start..].find("</script>").unwrap()]
    }

    #[test]
    fn markup_in_whatever_people_write_is_text() {
        let page = shown(HOSTILE, HOSTILE, |task| editor(&task).into_string());
        assert!(!page.contains("<script>") && !page.contains("<!--"), "{page}");
        assert_eq!(page.matches("<script").count(), 2);
        assert!(!block(&page).contains(['<', '>', '&']));
        let data: Value = serde_json::from_str(block(&page)).unwrap();
        assert_eq!([&data["text"], &data["user"], &data["note"], &data["draft"]["note"]], [&json!(HOSTILE); 4]);
    }

    #[test]
    fn offsets_for_the_script_are_code_points_and_the_text_is_whole() {
        let text = "😀e\u{301}\r\n\u{2028}אב";
        let page = shown(text, "A", |task| editor(&task).into_string());
        let data: Value = serde_json::from_str(block(&page)).unwrap();
        assert_eq!(data["text"], json!(text));
        assert_eq!(data["entities"], json!([{"start": 0, "end": 1, "label": "A"}]));
        assert_eq!([&data["suggestions"][0]["start"], &data["suggestions"][0]["end"]], [&json!(1), &json!(8)]);
        assert_eq!(data["suggestions"][1]["start"], Value::Null);
    }

    #[test]
    fn what_was_decided_about_suggestions_stays_decided() {
        let text = "Ada met Zoë";
        let at = |range: std::ops::Range<usize>| Some(Span::of(text, range).unwrap());
        let of = |id, name, span| Suggested {
            id,
            span,
            label: "A",
            score: None,
            status: "exact",
            quote: "",
            kind: "lexicon",
            name,
            version: "2",
        };
        let suggestions = [of(1, "x", at(0..7)), of(2, "x", at(0..3)), of(3, "y", at(8..12)), of(4, "x", None)];
        let label = Label::new("A").unwrap();
        let entity = |range, source: &str| Entity {
            source: Some(source.into()),
            ..Entity::new(at(range).unwrap(), label.clone())
        };
        let entities =
            [entity(0..3, "lexicon:x"), entity(4..7, "lexicon:x"), entity(8..12, "lexicon:z"), entity(8..12, "")];
        let from: Vec<_> = entities.iter().map(|entity| from_which(entity, &suggestions).map(|one| one.id)).collect();
        assert_eq!(from, [Some(2), Some(1), None, None], "where it stands, then where it was moved from");

        let offsets = Offsets::new(text, Unit::CodePoints);
        let origin = |version: &str| Origin { version: version.into(), ..Origin::of_source("lexicon:y").unwrap() };
        let refused = |start, version| Refused {
            start: Some(start),
            end: Some(11),
            label: label.clone(),
            quote: String::new(),
            origin: origin(version),
        };
        let decided = |refused: Refused| -> Vec<u64> {
            suggestions.iter().filter(|one| one.is(&refused, &offsets)).map(|one| one.id).collect()
        };
        let none: [u64; 0] = [];
        assert_eq!(decided(refused(8, "2")), [3]);
        assert_eq!(decided(refused(8, "3")), none, "another version may know better");
        assert_eq!(decided(refused(7, "2")), none);
    }

    #[test]
    fn a_suggestion_that_the_text_does_not_hold_is_listed() {
        let page = shown("text", "A", |task| editor(&task).into_string());
        assert!(page.contains("1 not found in the text"));
    }

    #[test]
    fn a_page_has_no_style_and_no_script_of_its_own() {
        let page = shown("text", "A", |task| editor(&task).into_string());
        for part in [" style=", " onclick=", " onload=", "javascript:"] {
            assert!(!page.contains(part), "{part}");
        }
        // A second `class` attribute would be lost.
        assert!(page.split('<').all(|tag| tag.split('>').next().unwrap().matches(" class=").count() <= 1));
    }
}
