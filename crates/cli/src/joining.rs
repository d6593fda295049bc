//! `nomen prepare --join`: the pieces of `--segment`, put together again.

use anyhow::Context as _;
use corpus::{Reader, prepare::Joining};
use schema::Document;
use serde::Serialize;

/// What was put together.
#[derive(Debug, Default, Serialize)]
pub struct Joined {
    pieces: usize,
    documents: usize,
    entities: usize,
    /// Places of two or more spaces between pieces, which no piece writes down.
    filled: usize,
}

impl Joined {
    /// Puts every document together and hands it on.
    pub fn of(reader: &mut Reader<'_>, mut write: impl FnMut(&Document) -> anyhow::Result<()>) -> anyhow::Result<Self> {
        let mut joined = Self::default();
        let mut joining = Joining::default();
        let path = reader.path().display().to_string();
        for piece in reader.by_ref() {
            joined.pieces += 1;
            let place = || format!("{path}: text {} (piece {} of the file)", joined.documents + 1, joined.pieces);
            let document = joining.push(piece?).with_context(place)?;
            joined.write(document, &mut write)?;
        }
        let place = || format!("{path}: text {}, the last", joined.documents + 1);
        let document = joining.finish().with_context(place)?;
        joined.write(document, &mut write)?;
        joined.filled = joining.filled();
        Ok(joined)
    }

    fn write(
        &mut self,
        document: Option<Document>,
        write: &mut impl FnMut(&Document) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let Some(document) = document else { return Ok(()) };
        write(&document)?;
        self.documents += 1;
        self.entities += document.entities().len();
        Ok(())
    }

    /// For a person to read.
    pub fn render(&self) -> String {
        let Self { pieces, documents, entities, filled } = self;
        let mut told = format!("{pieces} pieces read, {documents} texts with {entities} entities written\n");
        if *filled > 0 {
            let gaps =
                format!("{filled} gaps of more than one space between pieces; if any was text, a piece is missing\n");
            told.push_str(&gaps);
        }
        told
    }
}
