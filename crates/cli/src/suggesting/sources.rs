//! Who suggests, and what each says of every text.

use std::path::{Path, PathBuf};

use annotate::suggest::{
    Origin, OriginKind, Suggestion,
    lexicon::{self, Case, Lexicon, LexiconOptions},
    recognized,
    record::{self, META},
    weigh::{Accuracy, Opinions, weigh},
};
use anyhow::Context as _;
use model::Recognizer;
use schema::Document;

use crate::{progress::Progress, recognizer::RunArguments, versions};

/// Texts that are given to a model at once.
const BATCH: usize = 256;

/// A source and what it suggests for each text; `None` where it did not look.
pub struct Source {
    pub origin: Origin,
    pub suggestions: Vec<Option<Vec<Suggestion>>>,
}

/// What a lexicon finds.
pub fn of_lexicon(path: &Path, case: Case, fuzzy: bool, documents: &[Document]) -> anyhow::Result<Source> {
    let entries = lexicon::read(path)?;
    let origin = Origin::new(OriginKind::Lexicon, name(path));
    let lexicon = Lexicon::new(entries, origin.clone(), LexiconOptions { case, fuzzy });
    let suggestions = documents.iter().map(|document| Some(lexicon.suggestions(document.text()))).collect();
    Ok(Source { origin, suggestions })
}

/// What a model finds.
pub fn of_bundle(folder: &Path, run: &RunArguments, documents: &[Document]) -> anyhow::Result<Source> {
    let recognizer: Recognizer = run.open(&versions::folder(folder)?)?;
    let version = versions::live(folder)?.unwrap_or_default();
    let origin = Origin { version, ..Origin::new(OriginKind::Bundle, folder.display().to_string()) };
    let mut suggestions = Vec::with_capacity(documents.len());
    let mut progress = Progress::new("tagging", documents.len() as u64, "texts");
    for batch in documents.chunks(BATCH) {
        let texts: Vec<&str> = batch.iter().map(Document::text).collect();
        let found = recognized(&recognizer, &texts, &origin).with_context(|| format!("{origin} failed"))?;
        suggestions.extend(found.into_iter().map(Some));
        let done = suggestions.len();
        progress.set(done as u64, || format!("{done} texts tagged"));
    }
    Ok(Source { origin, suggestions })
}

/// What the texts carry of earlier runs, but for what several sources said together.
pub fn of_earlier_runs(documents: &[Document], place: impl Fn(usize) -> String) -> anyhow::Result<Vec<Source>> {
    let mut sources: Vec<Source> = Vec::new();
    for (at, document) in documents.iter().enumerate() {
        let carried = record::read(document).with_context(|| place(at))?;
        for suggestion in carried.into_iter().filter(|one| one.origin.kind != OriginKind::Combined) {
            let known = sources.iter().position(|source| is_same(&source.origin, &suggestion.origin));
            let known = known.unwrap_or_else(|| {
                // A text that carries suggestions was looked at by all whose suggestions are in the file.
                let looked = documents.iter().map(|document| document.meta.contains_key(META).then(Vec::new)).collect();
                sources.push(Source { origin: suggestion.origin.clone(), suggestions: looked });
                sources.len() - 1
            });
            sources[known].suggestions[at].get_or_insert_default().push(suggestion);
        }
    }
    Ok(sources)
}

/// Whether two origins are one source, perhaps in another version.
pub fn is_same(a: &Origin, b: &Origin) -> bool {
    (a.kind, &a.name) == (b.kind, &b.name)
}

/// What all sources together say, where there are several, and how good each is.
pub fn weighed(documents: &[Document], sources: &[Source], threshold: f32) -> Option<(Source, Vec<Vec<Accuracy>>)> {
    if sources.len() < 2 {
        return None;
    }
    let opinions: Vec<Opinions<'_>> = documents
        .iter()
        .enumerate()
        .map(|(at, document)| Opinions {
            text: document.text(),
            by_source: sources.iter().map(|source| source.suggestions[at].as_deref()).collect(),
            gold: (!document.partial).then_some(document.entities()),
        })
        .collect();
    let weighed = weigh(&opinions, sources.len(), threshold);
    let origin = Origin::new(OriginKind::Combined, annotate::suggest::weigh::COMBINED);
    let suggestions = weighed.suggestions.into_iter().map(Some).collect();
    Some((Source { origin, suggestions }, weighed.accuracy))
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| PathBuf::from(name).display().to_string())
}
