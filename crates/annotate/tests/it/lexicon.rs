//! Names are looked up as they are meant.

use std::{fs, time::Instant};

use nomen_annotate::suggest::{
    Grounding::{Ambiguous, Exact, Folded, Fuzzy},
    Origin, OriginKind, Suggestion,
    lexicon::{Case, Entry, Lexicon, LexiconOptions, read},
};

use crate::label;

fn lexicon(entries: &[(&str, &str)], options: LexiconOptions) -> Lexicon {
    let entry = |(surface, name): &(&str, &str)| Entry { surface: (*surface).into(), label: label(name) };
    Lexicon::new(entries.iter().map(entry).collect(), Origin::new(OriginKind::Lexicon, "names"), options)
}

fn told(found: &[Suggestion], text: &str) -> Vec<String> {
    found.iter().map(|one| format!("{} {} {}", one.span.unwrap().quote(text), one.label, one.status)).collect()
}

#[test]
fn the_longest_entry_at_whole_words_is_found() {
    let names = lexicon(&[("New York", "PLACE"), ("New York Times", "ORG"), ("art", "X")], LexiconOptions::default());
    let text = "The new york times, New York and a start.";
    assert_eq!(told(&names.suggestions(text), text), ["new york times ORG folded", "New York PLACE exact"]);
}

#[test]
fn capitals_alone_are_found_as_they_are_written_unless_told_otherwise() {
    let text = "it works for us in the US";
    let found =
        |case| told(&lexicon(&[("US", "PLACE")], LexiconOptions { case, fuzzy: false }).suggestions(text), text);
    assert_eq!(found(Case::Smart), ["US PLACE exact"]);
    assert_eq!(found(Case::Folded), ["us PLACE folded", "US PLACE exact"]);
    let text = "ASPIRIN";
    let exact = LexiconOptions { case: Case::Exact, fuzzy: false };
    assert!(lexicon(&[("aspirin", "DRUG")], exact).suggestions(text).is_empty());
}

#[test]
fn a_few_letters_may_differ_when_asked() {
    let fuzzy = LexiconOptions { fuzzy: true, ..LexiconOptions::default() };
    let names = lexicon(&[("ibuprofen", "DRUG"), ("acetylsalicylic acid", "DRUG"), ("cat", "ANIMAL")], fuzzy);
    let text = "Ibuprofin, acetyl salicylic acid, a cut and ibuprofen";
    let found = names.suggestions(text);
    assert_eq!(
        told(&found, text),
        ["Ibuprofin DRUG fuzzy", "acetyl salicylic acid DRUG fuzzy", "ibuprofen DRUG exact"]
    );
    assert_eq!((found[0].status, found[0].edits, found[0].quote.as_str()), (Fuzzy, 1, "ibuprofen"));
    let plain = lexicon(&[("ibuprofen", "DRUG")], LexiconOptions::default());
    assert_eq!(plain.suggestions(text).len(), 1);
}

#[test]
fn a_name_with_two_labels_is_ambiguous_and_both_are_told() {
    let names = lexicon(&[("Paris", "PLACE"), ("Paris", "PERSON"), ("Rome", "PLACE")], LexiconOptions::default());
    let text = "Paris, Rome";
    let found = names.suggestions(text);
    assert_eq!(told(&found, text), ["Paris PLACE ambiguous", "Paris PERSON ambiguous", "Rome PLACE exact"]);
    assert!(found[0].status == Ambiguous && found[2].status == Exact);
}

#[test]
fn scripts_without_spaces_and_combined_characters_are_matched_whole() {
    let names = lexicon(&[("東京", "PLACE"), ("Café", "PLACE")], LexiconOptions::default());
    let text = "私は東京のCafe\u{301} 👩‍🔬";
    let found = names.suggestions(text);
    assert_eq!(told(&found, text), ["東京 PLACE exact", "Cafe\u{301} PLACE folded"]);
    assert_eq!(found[1].status, Folded);
}

#[test]
fn files_are_read_by_their_kind_and_faults_name_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        read(&path)
    };
    let expected = [("aspirin", "DRUG"), ("a,b", "X")]
        .map(|(surface, name)| Entry { surface: surface.into(), label: label(name) });
    for (name, text) in [
        ("a.txt", "\u{feff}aspirin\tDRUG\r\n\na,b\tX\n"),
        ("b.tsv", "surface\tlabel\naspirin\tDRUG\na,b\tX"),
        ("c.csv", "surface,label\naspirin,DRUG\n\"a,b\",X\n"),
        ("d.jsonl", "{\"surface\":\"aspirin\",\"label\":\"DRUG\"}\n{\"surface\":\"a,b\",\"label\":\"X\"}\n"),
    ] {
        assert_eq!(file(name, text).unwrap(), expected, "{name}");
    }
    for (name, text, said) in [
        ("a.txt", "x\tA\n\nno tab\n", "a.txt:3: there is no tab"),
        ("b.csv", "x,A\nx,A,B\n", "b.csv:2: 3 cells"),
        ("c.jsonl", "{\"surface\":\"x\"}\n", "c.jsonl:1: "),
        ("d.tsv", "x\tO\n", "d.tsv:1: `O`"),
        ("e.tsv", " \tA\n", "e.tsv:1: the name is empty"),
        ("f.tsv", "\n", "there is no entry"),
    ] {
        let error = file(name, text).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    fs::write(folder.path().join("g.txt"), b"x\tA\n\xff\tB\n").unwrap();
    assert!(read(&folder.path().join("g.txt")).unwrap_err().to_string().contains("g.txt:2:"));
    assert!(read(&folder.path().join("none.txt")).unwrap_err().to_string().contains("none.txt"));
}

#[test]
fn a_hundred_thousand_entries_are_looked_up_in_a_long_text_at_once() {
    let surfaces: Vec<String> = (0..100_000).map(|n| format!("Substance {n} alpha{}", n % 977)).collect();
    let entries: Vec<(&str, &str)> = surfaces.iter().map(|surface| (surface.as_str(), "DRUG")).collect();
    let names = lexicon(&entries, LexiconOptions { fuzzy: true, ..LexiconOptions::default() });
    assert_eq!(names.len(), 100_000);
    let text = "We gave substance 4711 alpha803 and nothing else that was known to anybody there. ".repeat(500);
    let begun = Instant::now();
    let found = names.suggestions(&text);
    assert_eq!(found.iter().filter(|one| one.quote == "Substance 4711 alpha803").count(), 500);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
