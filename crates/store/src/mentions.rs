//! The entities of every head as rows, which searching goes by.

use schema::{
    Entity,
    offset::{Offsets, Unit},
};
use sqlx::AnyConnection;

use crate::{StoreError, saving::Place, wire};

/// Rows in a statement: 8 parameters each, and `SQLite` takes 32,766.
const AT_ONCE: usize = 500;

/// The rows of a document's layer, as these entities say.
pub(crate) async fn replace(
    connection: &mut AnyConnection,
    place: &Place<'_>,
    counts: bool,
    entities: &[Entity],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM mention WHERE project = $1 AND number = $2 AND layer = $3")
        .bind(place.project.0)
        .bind(i64::from(place.number))
        .bind(place.layer.code())
        .execute(&mut *connection)
        .await?;
    add(connection, place, counts, entities).await
}

/// New rows.
pub(crate) async fn add(
    connection: &mut AnyConnection,
    place: &Place<'_>,
    counts: bool,
    entities: &[Entity],
) -> Result<(), StoreError> {
    let offsets = Offsets::new(place.text, Unit::CodePoints);
    for entities in entities.chunks(AT_ONCE) {
        let mut query =
            String::from("INSERT INTO mention (project, number, layer, start, counts, label, surface, folded) VALUES ");
        for row in 0..entities.len() {
            let first = row * 8 + 1;
            let parameters: Vec<String> = (first..first + 8).map(|number| format!("${number}")).collect();
            query.push_str(if row == 0 { "(" } else { ", (" });
            query.push_str(&parameters.join(", "));
            query.push(')');
        }
        let mut query = sqlx::query(sqlx::AssertSqlSafe(query));
        for entity in entities {
            let surface = entity.span.quote(place.text);
            query = query
                .bind(place.project.0)
                .bind(i64::from(place.number))
                .bind(place.layer.code())
                .bind(wire::column(offsets.of(entity.span).0))
                .bind(i64::from(counts))
                .bind(entity.label.as_str())
                .bind(surface)
                .bind(wire::folded(surface));
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}
