//! What programs suggest.

use std::collections::BTreeMap;

use schema::{
    Label, Span,
    offset::{Offsets, Unit},
};
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, Row, any::AnyRow};

use crate::{Number, ProjectId, Store, StoreError, document, now, wire};

/// An entity that somebody might want to accept.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The document.
    pub document: Number,
    /// Where it stands; `None` where the quote was not found ([`Grounding::Ungrounded`]).
    pub span: Option<Span>,
    /// What it is said to be.
    pub label: Label,
    /// How sure its origin is, between 0 and 1.
    pub score: Option<f32>,
    /// How the quote was found in the text.
    pub status: Grounding,
    /// What its origin quoted.
    pub quote: String,
    /// Where it came from.
    pub origin: Origin,
}

/// How a quote was found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grounding {
    /// Letter for letter.
    Exact,
    /// But for case, white space and the like.
    Folded,
    /// But for some letters.
    Fuzzy,
    /// In several places, of which one was taken.
    Ambiguous,
    /// Nowhere.
    Ungrounded,
}
wire::words!(Grounding {
    Exact = "exact",
    Folded = "folded",
    Fuzzy = "fuzzy",
    Ambiguous = "ambiguous",
    Ungrounded = "ungrounded",
});

/// What kind of source suggests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OriginKind {
    /// A large language model.
    Llm,
    /// A Nomen model.
    Bundle,
    /// A dictionary.
    Lexicon,
    /// Somebody's annotation.
    Person,
    /// Several sources, weighed.
    Combined,
}
wire::words!(OriginKind {
    Llm = "llm",
    Bundle = "bundle",
    Lexicon = "lexicon",
    Person = "person",
    Combined = "combined",
});

/// Where a suggestion came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// What kind of source.
    pub kind: OriginKind,
    /// Which one: the name of the model, the file of the dictionary.
    pub name: String,
    /// Its version; empty where it has none.
    pub version: String,
    /// Hash of the prompt, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
}

impl Store {
    /// Puts the suggestions of an origin for some documents in place of those that a source of this kind and name made for
    /// them before. `documents` are those that were looked at, with suggestions or without.
    ///
    /// # Errors
    /// A document is not there or not among `documents`, a span does not fit its text, or the database fails.
    pub async fn suggest(
        &self,
        project: ProjectId,
        documents: &[Number],
        origin: &Origin,
        suggestions: &[Suggestion],
    ) -> Result<(), StoreError> {
        let mut by_document: BTreeMap<Number, Vec<&Suggestion>> =
            documents.iter().map(|number| (*number, Vec::new())).collect();
        for suggestion in suggestions {
            let number = suggestion.document;
            let stray = || StoreError::Invalid(format!("a suggestion for document {number}, which was not looked at"));
            by_document.get_mut(&number).ok_or_else(stray)?.push(suggestion);
        }
        let mut writing = self.write().await?;
        for (number, suggestions) in &by_document {
            put(writing.connection(), project, *number, origin, suggestions).await?;
        }
        writing.commit().await
    }

    /// The suggestions for a document, by start; those without a span last.
    ///
    /// # Errors
    /// The document is not there, or the database fails.
    pub async fn suggestions(&self, project: ProjectId, number: Number) -> Result<Vec<Suggestion>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let text = document::text(&mut connection, project, number).await?;
        let query = sqlx::query("SELECT * FROM suggestion WHERE project = $1 AND number = $2 ORDER BY position");
        let rows = query.bind(project.0).bind(i64::from(number)).fetch_all(&mut *connection).await?;
        let offsets = Offsets::new(&text, Unit::CodePoints);
        let mut found = rows.iter().map(|row| of_row(row, &text, &offsets)).collect::<Result<Vec<_>, _>>()?;
        found.sort_by_key(|suggestion| (suggestion.span.is_none(), suggestion.span));
        Ok(found)
    }

    /// How many suggestions each origin made, by grounding.
    ///
    /// # Errors
    /// The database fails.
    pub async fn suggestion_counts(
        &self,
        project: ProjectId,
    ) -> Result<Vec<(OriginKind, String, Grounding, u64)>, StoreError> {
        let query = "SELECT kind, name, grounding, COUNT(*) FROM suggestion WHERE project = $1
            GROUP BY kind, name, grounding ORDER BY kind, name, grounding";
        let rows = sqlx::query(query).bind(project.0).fetch_all(&self.pool).await?;
        let count = |row: &AnyRow| {
            let (kind, grounding) = (row.try_get::<&str, _>(0)?.parse()?, row.try_get::<&str, _>(2)?.parse()?);
            Ok((kind, row.try_get(1)?, grounding, row.try_get::<i64, _>(3)? as u64))
        };
        rows.iter().map(count).collect()
    }
}

async fn put(
    connection: &mut AnyConnection,
    project: ProjectId,
    number: Number,
    origin: &Origin,
    suggestions: &[&Suggestion],
) -> Result<(), StoreError> {
    let text = document::text(connection, project, number).await?;
    sqlx::query("DELETE FROM suggestion WHERE project = $1 AND number = $2 AND kind = $3 AND name = $4")
        .bind(project.0)
        .bind(i64::from(number))
        .bind(origin.kind.as_str())
        .bind(origin.name.as_str())
        .execute(&mut *connection)
        .await?;
    let query = sqlx::query("SELECT COALESCE(MAX(position), 0) FROM suggestion WHERE project = $1 AND number = $2");
    let row = query.bind(project.0).bind(i64::from(number)).fetch_one(&mut *connection).await?;
    let last: i64 = row.try_get(0)?;
    let offsets = Offsets::new(&text, Unit::CodePoints);
    for (suggestion, position) in suggestions.iter().zip(last + 1..) {
        if let Some(span) = suggestion.span {
            let refuse = |error| StoreError::Invalid(format!("a suggestion for document {number}: {error}"));
            Span::of(&text, span.range()).map_err(refuse)?;
        }
        let span = suggestion.span.map(|span| offsets.of(span));
        sqlx::query(
            "INSERT INTO suggestion
            (project, number, position, start, stop, quote, label, score, grounding, kind, name, version, prompt, at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(project.0)
        .bind(i64::from(number))
        .bind(position)
        .bind(span.map(|(start, _)| wire::column(start)))
        .bind(span.map(|(_, stop)| wire::column(stop)))
        .bind(suggestion.quote.as_str())
        .bind(suggestion.label.as_str())
        .bind(suggestion.score.map(f64::from))
        .bind(suggestion.status.as_str())
        .bind(suggestion.origin.kind.as_str())
        .bind(suggestion.origin.name.as_str())
        .bind(suggestion.origin.version.as_str())
        .bind(suggestion.origin.prompt.as_deref())
        .bind(now())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn of_row(row: &AnyRow, text: &str, offsets: &Offsets<'_>) -> Result<Suggestion, StoreError> {
    let document = row.try_get::<i64, _>("number")? as Number;
    let place = || format!("a suggestion for document {document}");
    let ends = (row.try_get::<Option<i64>, _>("start")?, row.try_get::<Option<i64>, _>("stop")?);
    let span = match ends {
        (Some(start), Some(stop)) => {
            let span = offsets.span(start as usize, stop as usize);
            Some(span.map_err(|error| StoreError::damaged(place(), error))?)
        }
        _ => None,
    };
    let status: Grounding = row.try_get::<&str, _>("grounding")?.parse()?;
    let quote: String = row.try_get("quote")?;
    if let (Grounding::Exact, Some(span)) = (status, span)
        && span.quote(text) != quote
    {
        return Err(StoreError::damaged(place(), format!("it does not cover {quote:?}")));
    }
    let label: &str = row.try_get("label")?;
    Ok(Suggestion {
        document,
        span,
        label: Label::new(label).map_err(|error| StoreError::damaged(place(), error))?,
        score: row.try_get::<Option<f64>, _>("score")?.map(|score| score as f32),
        status,
        quote,
        origin: Origin {
            kind: row.try_get::<&str, _>("kind")?.parse()?,
            name: row.try_get("name")?,
            version: row.try_get("version")?,
            prompt: row.try_get("prompt")?,
        },
    })
}
