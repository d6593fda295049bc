//! Documents out of a project, with what counts and with their history.

use std::collections::HashMap;

use schema::{
    Document,
    offset::{Offsets, Unit},
};
use serde_json::{Value, json};
use sqlx::Row;

use crate::{Layer, Lost, Number, ProjectId, Provenance, Revision, Store, StoreError, UserId, Verdict, document};

/// What to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Select {
    /// Only documents where what counts is accepted; else every document, those that nobody decided without entities and
    /// as partial ones.
    pub accepted: bool,
    /// With every revision and every version that came too late.
    pub history: bool,
}

/// A document as it leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// Its number.
    pub number: Number,
    /// The document with the entities that count.
    pub document: Document,
    /// What counts; `None` where nobody decided.
    pub standing: Option<Revision>,
    /// All revisions by layer, the oldest first, where they were asked for.
    pub history: Vec<Revision>,
    /// Versions that came too late, where they were asked for.
    pub lost: Vec<Lost>,
}

impl Store {
    /// Up to `limit` documents behind the number `after`, by number; none when there are no more behind it. The same state
    /// gives the same documents in the same order.
    ///
    /// # Errors
    /// The database fails.
    pub async fn export(
        &self,
        project: ProjectId,
        select: Select,
        after: Number,
        limit: u32,
    ) -> Result<Vec<Exported>, StoreError> {
        let counting = if select.accepted {
            "JOIN task ON task.project = document.project AND task.number = document.number AND task.counts = 1
            AND task.verdict = 'accepted'"
        } else {
            ""
        };
        let query = format!(
            "SELECT {} FROM document {counting} WHERE document.project = $1 AND document.number > $2
            ORDER BY document.number LIMIT $3",
            document::COLUMNS
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(after));
        let rows = query.bind(i64::from(limit)).fetch_all(&self.pool).await?;
        let mut exported = Vec::with_capacity(rows.len());
        for row in &rows {
            let known = document::of_row(row)?;
            let number = known.number;
            let standing = self.standing(project, number).await?;
            let document = decided(&known.document, standing.as_ref())?;
            let (mut history, mut lost) = (Vec::new(), Vec::new());
            if select.history {
                for layer in Layer::ALL {
                    history.extend(self.history(project, number, *layer).await?);
                }
                lost = self.conflicts(project, Some(number), false).await?;
                lost.extend(self.conflicts(project, Some(number), true).await?);
            }
            exported.push(Exported { number, document, standing, history, lost });
        }
        Ok(exported)
    }

    /// Names of all users, for [`Exported::history_json`].
    ///
    /// # Errors
    /// The database fails.
    pub async fn user_names(&self) -> Result<HashMap<UserId, String>, StoreError> {
        let rows = sqlx::query("SELECT id, name FROM person").fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((UserId(row.try_get(0)?), row.try_get(1)?))).collect()
    }
}

/// The document with what counts in place of what it came with.
fn decided(known: &Document, standing: Option<&Revision>) -> Result<Document, StoreError> {
    let mut document = Document::new(known.text());
    if let Some(tokens) = known.tokens() {
        document = document
            .with_tokens(tokens.to_vec())
            .map_err(|error| StoreError::damaged("the tokens of a document", error))?;
    }
    document.id.clone_from(&known.id);
    document.meta.clone_from(&known.meta);
    let Some(revision) = standing else {
        document.partial = true;
        return Ok(document);
    };
    if revision.origin == Provenance::Import {
        document.looked_for.clone_from(&known.looked_for);
    }
    // Who skipped a document, or asked for somebody else, did not say that all its entities are there.
    document.partial = revision.verdict != Verdict::Accepted;
    let place = || format!("revision {} of document {}", revision.number, revision.document);
    document.with_entities(revision.entities.clone()).map_err(|error| StoreError::damaged(place(), error))
}

impl Exported {
    /// The history as JSON, offsets in code points: `{"number", "id", "revisions": [...], "conflicts": [...]}`.
    pub fn history_json(&self, names: &HashMap<UserId, String>) -> Value {
        let text = self.document.text();
        let user = |user: Option<UserId>| user.and_then(|user| names.get(&user));
        let revision = |revision: &Revision| {
            json!({
                "layer": revision.layer.as_str(), "revision": revision.number, "parent": revision.parent,
                "user": user(revision.user), "at": revision.at, "verdict": revision.verdict.as_str(),
                "entities": entities(text, &revision.entities), "note": revision.note, "origin": revision.origin,
                "key": revision.key,
            })
        };
        let lost = |lost: &Lost| {
            json!({
                "layer": lost.layer.as_str(), "parent": lost.parent, "head": lost.head, "user": user(lost.user),
                "at": lost.at, "verdict": lost.verdict.as_str(), "entities": entities(text, &lost.entities),
                "note": lost.note, "origin": lost.origin, "key": lost.key, "settled": lost.settled,
            })
        };
        json!({
            "number": self.number,
            "id": self.document.id,
            "revisions": self.history.iter().map(revision).collect::<Vec<_>>(),
            "conflicts": self.lost.iter().map(lost).collect::<Vec<_>>(),
        })
    }
}

fn entities(text: &str, entities: &[schema::Entity]) -> Value {
    let offsets = Offsets::new(text, Unit::CodePoints);
    let entity = |entity: &schema::Entity| {
        let (start, end) = offsets.of(entity.span);
        json!({"start": start, "end": end, "label": entity.label, "text": entity.span.quote(text)})
    };
    entities.iter().map(entity).collect()
}
