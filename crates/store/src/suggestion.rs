//! What sources suggest for documents.

use schema::{
    Grounding, Label, Origin, OriginKind, Span, Suggestion,
    offset::{Offsets, Unit},
};
use sqlx::{AnyConnection, Row, any::AnyRow};

use crate::{Number, ProjectId, Store, StoreError, document, now, wire};

impl Store {
    /// Puts the suggestions of an origin for some documents in place of those that a source of this kind and name made for
    /// them before. Documents that were looked at in vain are there without suggestions.
    ///
    /// # Errors
    /// A document is not there, a span does not fit its text, or the database fails.
    pub async fn suggest(
        &self,
        project: ProjectId,
        origin: &Origin,
        by_document: &[(Number, Vec<Suggestion>)],
    ) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        for (number, suggestions) in by_document {
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
}

async fn put(
    connection: &mut AnyConnection,
    project: ProjectId,
    number: Number,
    origin: &Origin,
    suggestions: &[Suggestion],
) -> Result<(), StoreError> {
    let text = document::text(connection, project, number).await?;
    sqlx::query("DELETE FROM suggestion WHERE project = $1 AND number = $2 AND kind = $3 AND name = $4")
        .bind(project.0)
        .bind(i64::from(number))
        .bind(origin.kind.name())
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
            (project, number, position, start, stop, quote, label, score, grounding, edits, verified, kind, name, version,
            prompt, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        )
        .bind(project.0)
        .bind(i64::from(number))
        .bind(position)
        .bind(span.map(|(start, _)| wire::column(start)))
        .bind(span.map(|(_, stop)| wire::column(stop)))
        .bind(suggestion.quote.as_str())
        .bind(suggestion.label.as_str())
        .bind(suggestion.score.map(f64::from))
        .bind(suggestion.status.name())
        .bind(i64::from(suggestion.edits))
        .bind(suggestion.verified.map(i64::from))
        .bind(suggestion.origin.kind.name())
        .bind(suggestion.origin.name.as_str())
        .bind(suggestion.origin.version.as_str())
        .bind(Some(suggestion.origin.prompt.as_str()).filter(|prompt| !prompt.is_empty()))
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
    let status = grounding(row.try_get("grounding")?)?;
    let quote: String = row.try_get("quote")?;
    if let (Grounding::Exact, Some(span)) = (status, span)
        && span.quote(text) != quote
    {
        return Err(StoreError::damaged(place(), format!("it does not cover {quote:?}")));
    }
    let label: &str = row.try_get("label")?;
    Ok(Suggestion {
        span,
        label: Label::new(label).map_err(|error| StoreError::damaged(place(), error))?,
        score: row.try_get::<Option<f64>, _>("score")?.map(|score| score as f32),
        status,
        quote,
        edits: row.try_get::<i64, _>("edits")? as u32,
        verified: row.try_get::<Option<i64>, _>("verified")?.map(|said| said != 0),
        origin: Origin {
            kind: kind(row.try_get("kind")?)?,
            name: row.try_get("name")?,
            version: row.try_get("version")?,
            prompt: row.try_get::<Option<String>, _>("prompt")?.unwrap_or_default(),
        },
    })
}

fn grounding(word: &str) -> Result<Grounding, StoreError> {
    word.parse().map_err(|error| StoreError::damaged("a suggestion".to_owned(), error))
}

fn kind(word: &str) -> Result<OriginKind, StoreError> {
    word.parse().map_err(|error| StoreError::damaged("a suggestion".to_owned(), error))
}
