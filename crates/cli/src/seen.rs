//! Texts that a model has seen already.

use std::path::Path;

use anyhow::bail;
use corpus::duplicates::TextHash;
use model::bundle::TrainedOn;
use schema::Document;

/// Characters of a text that are shown.
const SHOWN: usize = 60;

/// Refuses data of which a model was trained on a text, but for case and white space. Blank texts do not count. `model` and
/// `way_out` are for the message.
pub fn refuse(
    trained_on: &TrainedOn,
    documents: &[Document],
    path: &Path,
    model: &str,
    way_out: &str,
) -> anyhow::Result<()> {
    let is_seen = |document: &Document| trained_on.contains(TextHash::of(document.text()).get());
    let is_blank = |document: &Document| document.text().trim().is_empty();
    let mut seen = documents.iter().enumerate().filter(|(_, document)| !is_blank(document) && is_seen(document));
    let Some((first, document)) = seen.next() else { return Ok(()) };
    let texts = 1 + seen.count();
    let name = document.id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    let text: String = document.text().chars().take(SHOWN).collect();
    let more = if text.len() < document.text().len() { "..." } else { "" };
    bail!(
        "{}: {model} was trained on {texts} of its {} texts; the first is text {}{name}: \"{}{more}\". Scores on them \
         say nothing about new text: leave them out (`nomen split` keeps parts apart){way_out}",
        path.display(),
        documents.len(),
        first + 1,
        text.escape_debug()
    );
}
