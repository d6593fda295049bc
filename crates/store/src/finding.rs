//! What a check of the data found, by document.

use schema::{
    Span,
    offset::{Offsets, Unit},
};
use sqlx::{Row, any::AnyRow};

use crate::{Number, ProjectId, Store, StoreError, document, wire};

/// Something that a rule has to say about a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The document.
    pub document: Number,
    /// Name of the rule.
    pub rule: String,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Option<Span>,
}

impl Store {
    /// Puts these findings in place of all that the project had.
    ///
    /// # Errors
    /// A document is not there, a span does not fit its text, or the database fails.
    pub async fn set_findings(&self, project: ProjectId, findings: &[Finding]) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let connection = writing.connection();
        sqlx::query("DELETE FROM finding WHERE project = $1").bind(project.0).execute(&mut *connection).await?;
        for (finding, position) in findings.iter().zip(1i64..) {
            let mut place = None;
            if let Some(span) = finding.span {
                let text = document::text(connection, project, finding.document).await?;
                let refuse =
                    |error| StoreError::Invalid(format!("a finding about document {}: {error}", finding.document));
                Span::of(&text, span.range()).map_err(refuse)?;
                let (start, stop) = Offsets::new(&text, Unit::CodePoints).of(span);
                place = Some((wire::column(start), wire::column(stop), span.quote(&text).to_owned()));
            }
            sqlx::query(
                "INSERT INTO finding (project, number, position, rule, message, start, stop, quote)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(project.0)
            .bind(i64::from(finding.document))
            .bind(position)
            .bind(finding.rule.as_str())
            .bind(finding.message.as_str())
            .bind(place.as_ref().map(|place| place.0))
            .bind(place.as_ref().map(|place| place.1))
            .bind(place.map(|place| place.2))
            .execute(&mut *connection)
            .await?;
        }
        writing.commit().await
    }

    /// The findings about a document, in the order in which they were given.
    ///
    /// # Errors
    /// The document is not there, or the database fails.
    pub async fn findings(&self, project: ProjectId, number: Number) -> Result<Vec<Finding>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let text = document::text(&mut connection, project, number).await?;
        let query = "SELECT rule, message, start, stop, quote FROM finding
            WHERE project = $1 AND number = $2 ORDER BY position";
        let rows = sqlx::query(query).bind(project.0).bind(i64::from(number)).fetch_all(&mut *connection).await?;
        let offsets = Offsets::new(&text, Unit::CodePoints);
        let finding = |row: &AnyRow| {
            let place = || format!("a finding about document {number}");
            let ends = (row.try_get::<Option<i64>, _>("start")?, row.try_get::<Option<i64>, _>("stop")?);
            let span = match (ends, row.try_get::<Option<&str>, _>("quote")?) {
                ((Some(start), Some(stop)), Some(quote)) => {
                    Some(wire::proven(&text, &offsets, start as usize, stop as usize, quote, place)?)
                }
                _ => None,
            };
            Ok(Finding { document: number, rule: row.try_get("rule")?, message: row.try_get("message")?, span })
        };
        rows.iter().map(finding).collect()
    }

    /// How many findings each rule has, by rule.
    ///
    /// # Errors
    /// The database fails.
    pub async fn finding_counts(&self, project: ProjectId) -> Result<Vec<(String, u64)>, StoreError> {
        let query = "SELECT rule, COUNT(*) FROM finding WHERE project = $1 GROUP BY rule ORDER BY rule";
        let rows = sqlx::query(query).bind(project.0).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get::<i64, _>(1)? as u64))).collect()
    }
}
