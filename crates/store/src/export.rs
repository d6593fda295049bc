//! Documents out of a project, with what counts and with their history.

use std::collections::HashMap;

use schema::{
    Document,
    offset::{Offsets, Unit},
};
use serde_json::{Value, json};
use sqlx::{Row, any::AnyRow};

use crate::{
    DocumentRow, Lost, Number, ProjectId, Provenance, Revision, Store, StoreError, UserId, Verdict,
    conflict::{self, LOST},
    document,
    revision_row::{self, REVISION},
};

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
            let DocumentRow { number, document, .. } = document::of_row(row)?;
            exported.push(Exported { number, document, standing: None, history: Vec::new(), lost: Vec::new() });
        }
        self.add_revisions(project, select, &mut exported).await?;
        for exported in &mut exported {
            exported.document = decided(&exported.document, exported.standing.as_ref())?;
        }
        Ok(exported)
    }

    /// Adds what counts and, where it is wished, the history; a query each for all documents.
    async fn add_revisions(
        &self,
        project: ProjectId,
        select: Select,
        exported: &mut [Exported],
    ) -> Result<(), StoreError> {
        let numbers: Vec<String> = exported.iter().map(|exported| exported.number.to_string()).collect();
        if numbers.is_empty() {
            return Ok(());
        }
        let numbers = numbers.join(", ");
        let counting = format!(
            "SELECT {REVISION} FROM task JOIN revision ON revision.project = task.project
            AND revision.number = task.number AND revision.layer = task.layer AND revision.revision = task.head
            WHERE task.project = $1 AND task.counts = 1 AND task.number IN ({numbers})"
        );
        for row in self.rows(project, counting).await? {
            let exported = of_number(exported, &row)?;
            exported.standing = Some(revision_row::of_row(&row, exported.document.text())?);
        }
        if !select.history {
            return Ok(());
        }
        let history = format!(
            "SELECT {REVISION} FROM revision WHERE project = $1 AND number IN ({numbers}) ORDER BY number, layer, revision"
        );
        for row in self.rows(project, history).await? {
            let exported = of_number(exported, &row)?;
            exported.history.push(revision_row::of_row(&row, exported.document.text())?);
        }
        let lost = format!(
            "SELECT {LOST} FROM conflict WHERE project = $1 AND number IN ({numbers}) ORDER BY number, layer, at, key"
        );
        for row in self.rows(project, lost).await? {
            let exported = of_number(exported, &row)?;
            exported.lost.push(conflict::lost_of_row(&row, exported.document.text())?);
        }
        Ok(())
    }

    async fn rows(&self, project: ProjectId, query: String) -> Result<Vec<AnyRow>, StoreError> {
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).persistent(false).bind(project.0);
        Ok(query.fetch_all(&self.pool).await?)
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

/// The document that a row is about; they are sorted by number.
fn of_number<'e>(exported: &'e mut [Exported], row: &AnyRow) -> Result<&'e mut Exported, StoreError> {
    let number = row.try_get::<i64, _>("number")? as Number;
    let place = exported.binary_search_by_key(&number, |exported| exported.number);
    let place =
        place.map_err(|_| StoreError::damaged(format!("document {number}"), "a revision of another document"))?;
    Ok(&mut exported[place])
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
