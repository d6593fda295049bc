//! What a written text is held against.

use std::collections::HashMap;

use corpus::{
    Format, WriteOptions, Writer,
    check::{Check, Data, File},
    duplicates::{Similarity, clusters},
};
use schema::{Document, Schema};

use super::Fault;

/// The checks that a written text has to pass by itself.
const CHECKS: [Check; 8] = [
    Check::SpaceAtEdge,
    Check::PunctuationAtEdge,
    Check::CutWord,
    Check::AcrossSentences,
    Check::UnknownLabel,
    Check::EmptyText,
    Check::Mojibake,
    Check::InvisibleToken,
];

/// Texts that are known: those that were given, and those that were written before.
#[derive(Debug, Clone, Default)]
pub struct Known {
    texts: Vec<String>,
    surfaces: HashMap<String, usize>,
    similarity: Similarity,
    most: usize,
}

impl Known {
    /// Known texts, which no text may repeat to this similarity. No surface may be written more than `most` times.
    pub fn new(documents: &[Document], similarity: Similarity, most: usize) -> Self {
        let texts = documents.iter().map(|document| document.text().to_owned()).collect();
        Self { texts, surfaces: HashMap::new(), similarity, most }
    }

    /// Of written texts those that count, with their faults in the place of the others; they are known from then on.
    pub fn admit(&mut self, written: Vec<Document>, schema: &Schema) -> Vec<Result<Document, Fault>> {
        let faulty = checked(&written, schema);
        let mut texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let first = texts.len();
        texts.extend(written.iter().map(Document::text));
        let heads = clusters(&texts, self.similarity).heads().to_vec();
        let mut admitted = Vec::with_capacity(written.len());
        let mut taken: Vec<usize> = Vec::new();
        for (at, document) in written.into_iter().enumerate() {
            let head = heads[first + at];
            // A text of a cluster that holds nothing known is the first of it that counts.
            let repeats = head < first || taken.contains(&head);
            admitted.push(if repeats {
                Err(Fault::Duplicate)
            } else if faulty[at] {
                Err(Fault::Check)
            } else if self.is_worn(&document) {
                Err(Fault::Worn)
            } else {
                taken.push(head);
                Ok(document)
            });
            if let Some(Ok(document)) = admitted.last() {
                for surface in surfaces(document) {
                    *self.surfaces.entry(surface).or_insert(0) += 1;
                }
            }
        }
        self.texts.extend(admitted.iter().flatten().map(|document| document.text().to_owned()));
        admitted
    }

    /// The surfaces that were written most often, at most `count`.
    pub fn frequent(&self, count: usize) -> Vec<&str> {
        let mut surfaces: Vec<(&String, &usize)> = self.surfaces.iter().collect();
        surfaces.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        surfaces.into_iter().take(count).map(|(surface, _)| surface.as_str()).collect()
    }

    fn is_worn(&self, document: &Document) -> bool {
        surfaces(document).iter().any(|surface| self.surfaces.get(surface).is_some_and(|count| *count >= self.most))
    }
}

fn surfaces(document: &Document) -> Vec<String> {
    let surface = |entity: &schema::Entity| entity.span.quote(document.text()).to_lowercase();
    document.entities().iter().map(surface).collect()
}

/// For each text whether a check finds fault with it.
fn checked(documents: &[Document], schema: &Schema) -> Vec<bool> {
    let mut faulty = vec![false; documents.len()];
    let mut writer = Writer::new(Vec::new(), "written texts", Format::Jsonl, WriteOptions::default());
    for document in documents {
        // Texts of a valid document can always be written into memory.
        if writer.write(document).is_err() {
            return vec![true; documents.len()];
        }
    }
    let Ok((lines, _)) = writer.finish() else { return vec![true; documents.len()] };
    let Ok(reader) = corpus::read(lines.as_slice(), "written texts", Format::Jsonl) else { return faulty };
    let files = [File::read(reader, None)];
    let data = Data { files: &files, schema: Some(schema) };
    for finding in CHECKS.into_iter().flat_map(|check| check.run(&data)) {
        for document in finding.places.iter().filter_map(|place| place.document) {
            faulty[document] = true;
        }
    }
    faulty
}
