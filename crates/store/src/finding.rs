//! What a check of the data found, by document.

use std::collections::HashSet;

use schema::{
    Span,
    offset::{Offsets, Unit},
};
use sqlx::{AnyConnection, Row, any::AnyRow};

use crate::{Number, ProjectId, Store, StoreError, document, now, wire};

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

/// Findings of a project, by what found them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    /// By any rule.
    Any,
    /// By this rule.
    By(&'a str),
    /// By any other rule.
    ByAnyBut(&'a str),
}

impl Store {
    /// Puts these findings in place of all that the project had, as [`Store::replace_findings`] does.
    ///
    /// # Errors
    /// A document is not there, a span does not fit its text, or the database fails.
    pub async fn set_findings(&self, project: ProjectId, findings: &[Finding]) -> Result<Vec<usize>, StoreError> {
        self.replace_findings(project, Found::Any, findings).await
    }

    /// Puts these findings in place of those, but for what was dismissed ([`Store::dismiss_finding`]). Says which of
    /// them it put, by index.
    ///
    /// # Errors
    /// A document is not there, a span does not fit its text, or the database fails.
    pub async fn replace_findings(
        &self,
        project: ProjectId,
        those: Found<'_>,
        findings: &[Finding],
    ) -> Result<Vec<usize>, StoreError> {
        let mut writing = self.write().await?;
        let connection = writing.connection();
        let (which, rule) = match those {
            Found::Any => ("", None),
            Found::By(rule) => (" AND rule = $2", Some(rule)),
            Found::ByAnyBut(rule) => (" AND rule <> $2", Some(rule)),
        };
        let delete = sqlx::AssertSqlSafe(format!("DELETE FROM finding WHERE project = $1{which}"));
        let delete = sqlx::query(delete).bind(project.0);
        let delete = if let Some(rule) = rule { delete.bind(rule) } else { delete };
        delete.execute(&mut *connection).await?;
        let last = "SELECT COALESCE(MAX(position), 0) FROM finding WHERE project = $1";
        let last: i64 = sqlx::query(last).bind(project.0).fetch_one(&mut *connection).await?.try_get(0)?;
        let dismissed = dismissed(connection, project).await?;
        let mut put = Vec::new();
        for ((index, finding), position) in findings.iter().enumerate().zip(last + 1..) {
            let mut place = None;
            if let Some(span) = finding.span {
                let text = document::text(connection, project, finding.document).await?;
                let refuse =
                    |error| StoreError::Invalid(format!("a finding about document {}: {error}", finding.document));
                Span::of(&text, span.range()).map_err(refuse)?;
                let (start, stop) = Offsets::new(&text, Unit::CodePoints).of(span);
                let (start, stop) = (wire::column(start), wire::column(stop));
                if dismissed.contains(&(i64::from(finding.document), finding.rule.clone(), start, stop)) {
                    continue;
                }
                place = Some((start, stop, span.quote(&text).to_owned()));
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
            put.push(index);
        }
        writing.commit().await?;
        Ok(put)
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
        rows.iter().map(|row| of_row(row, number, &text)).collect()
    }

    /// The findings of a rule over all documents, in the order in which they were given, so many at most.
    ///
    /// # Errors
    /// The database fails.
    pub async fn findings_by(&self, project: ProjectId, rule: &str, limit: u32) -> Result<Vec<Finding>, StoreError> {
        let query = "SELECT finding.number, rule, message, start, stop, quote, document.text FROM finding
            JOIN document ON document.project = finding.project AND document.number = finding.number
            WHERE finding.project = $1 AND rule = $2 ORDER BY position LIMIT $3";
        let query = sqlx::query(query).bind(project.0).bind(rule).bind(i64::from(limit));
        let finding = |row: &AnyRow| of_row(row, row.try_get::<i64, _>("number")? as Number, row.try_get("text")?);
        query.fetch_all(&self.pool).await?.iter().map(finding).collect()
    }

    /// Takes a finding away: somebody has looked at it. The rule says nothing more about its place until the document is annotated
    /// anew. `false` where the finding is not there any more.
    ///
    /// # Errors
    /// The database fails.
    pub async fn dismiss_finding(
        &self,
        project: ProjectId,
        number: Number,
        rule: &str,
        message: &str,
    ) -> Result<bool, StoreError> {
        const REMEMBER: &str = "INSERT INTO dismissal (project, number, rule, start, stop, revisions, at)
            SELECT DISTINCT project, number, rule, start, stop, (SELECT COUNT(*) FROM revision
                WHERE revision.project = finding.project AND revision.number = finding.number), CAST($5 AS BIGINT)
            FROM finding WHERE project = $1 AND number = $2 AND rule = $3 AND message = $4 AND start IS NOT NULL
            ON CONFLICT (project, number, rule, start, stop) DO UPDATE SET revisions = excluded.revisions, at = excluded.at";
        const FORGET: &str = "DELETE FROM finding WHERE project = $1 AND number = $2 AND rule = $3 AND message = $4";
        let mut writing = self.write().await?;
        let of = |query| sqlx::query(query).bind(project.0).bind(i64::from(number)).bind(rule).bind(message);
        of(REMEMBER).bind(now()).execute(writing.connection()).await?;
        let met = of(FORGET).execute(writing.connection()).await?.rows_affected();
        writing.commit().await?;
        Ok(met > 0)
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

/// The places of which a rule says nothing: number, rule, start and stop, in code points.
async fn dismissed(
    connection: &mut AnyConnection,
    project: ProjectId,
) -> Result<HashSet<(i64, String, i64, i64)>, StoreError> {
    let query = "SELECT number, rule, start, stop FROM dismissal WHERE project = $1 AND revisions =
        (SELECT COUNT(*) FROM revision WHERE revision.project = dismissal.project AND revision.number = dismissal.number)";
    let rows = sqlx::query(query).bind(project.0).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))).collect()
}

fn of_row(row: &AnyRow, document: Number, text: &str) -> Result<Finding, StoreError> {
    let place = || format!("a finding about document {document}");
    let ends = (row.try_get::<Option<i64>, _>("start")?, row.try_get::<Option<i64>, _>("stop")?);
    let span = match (ends, row.try_get::<Option<&str>, _>("quote")?) {
        ((Some(start), Some(stop)), Some(quote)) => {
            let offsets = Offsets::new(text, Unit::CodePoints);
            Some(wire::proven(text, &offsets, start as usize, stop as usize, quote, place)?)
        }
        _ => None,
    };
    Ok(Finding { document, rule: row.try_get("rule")?, message: row.try_get("message")?, span })
}
