//! Saving annotations: what may be saved, on top of what, and what follows of it.

use schema::{Document, Entity, Schema};
use sqlx::{AnyConnection, Row, any::AnyRow};

use crate::{
    Layer, Millis, NewRevision, Number, ProjectId, Revision, Store, StoreError, UserId, Verdict,
    conflict::keep_lost,
    document, mentions, now, project,
    queue::new_task,
    revision_row::{by_key, read_revision, write_revision},
};

/// How the names of saves begin that nobody but the store makes.
pub(crate) const OWN_KEYS: &str = "nomen:";

/// The layers of a document as they stand, locked for whoever changes them.
pub(crate) struct Standing {
    pub(crate) layers: Vec<Standpoint>,
}

/// How a layer stands.
pub(crate) struct Standpoint {
    pub(crate) layer: Layer,
    pub(crate) head: u32,
    pub(crate) person: Option<UserId>,
}

/// A document that a revision is written for.
pub(crate) struct Place<'p> {
    pub(crate) project: ProjectId,
    pub(crate) number: Number,
    pub(crate) layer: Layer,
    pub(crate) text: &'p str,
}

impl Standing {
    pub(crate) async fn read(
        connection: &mut AnyConnection,
        project: ProjectId,
        number: Number,
        lock: &str,
    ) -> Result<Self, StoreError> {
        let query =
            format!("SELECT layer, head, person FROM task WHERE project = $1 AND number = $2 ORDER BY layer{lock}");
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(number));
        let rows = query.fetch_all(connection).await?;
        let layer = |row: &AnyRow| {
            Ok(Standpoint {
                layer: Layer::of_code(row.try_get(0)?)?,
                head: row.try_get::<i64, _>(1)? as u32,
                person: row.try_get::<Option<i64>, _>(2)?.map(UserId),
            })
        };
        Ok(Self { layers: rows.iter().map(layer).collect::<Result<_, StoreError>>()? })
    }

    pub(crate) fn of(&self, layer: Layer) -> Option<&Standpoint> {
        self.layers.iter().find(|standpoint| standpoint.layer == layer)
    }
}

impl Store {
    /// Adds a revision to a document's layer. The user's draft of it and the lease of its task end with it.
    ///
    /// A document that was flagged, and one whose two annotations differ, gets a task in [`Layer::Review`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where `revision.parent` is not the newest revision any more: the history is unchanged, and
    /// what came too late is kept ([`Store::conflicts`]). The entities do not fit the text or overlap, a label is not in
    /// the schema, the user may not annotate a document twice, a second annotation was not asked for, or the database
    /// fails: then nothing is changed.
    pub async fn save(
        &self,
        project: ProjectId,
        number: Number,
        layer: Layer,
        revision: NewRevision,
        user: UserId,
    ) -> Result<Revision, StoreError> {
        let mut writing = self.write().await?;
        let connection = writing.connection();
        let standing = Standing::read(connection, project, number, self.for_update()).await?;
        let text = document::text(connection, project, number).await?;
        let schema = project::read(connection, project, "").await?.schema;
        let revision = checked(&text, &schema, revision)?;
        if let Some(known) = by_key(connection, project, number, layer, &revision.key, &text).await? {
            // The same save again: a double click, or an answer that never arrived.
            return if known.user == Some(user) {
                Ok(known)
            } else {
                Err(StoreError::Invalid(format!(
                    "the name {:?} of this save is another user's; choose a new one",
                    revision.key
                )))
            };
        }
        allowed(&standing, layer, user)?;
        let head = standing.of(layer).map_or(0, |standpoint| standpoint.head);
        if revision.parent > head {
            return Err(StoreError::Invalid(format!(
                "document {number} has no revision {} that this could be based on; load it again",
                revision.parent
            )));
        }
        if revision.parent < head {
            let mine = keep_lost(connection, project, number, layer, head, &revision, user).await?;
            let theirs = read_revision(connection, project, number, layer, head, &text).await?;
            writing.commit().await?;
            return Err(StoreError::Conflict { mine: Box::new(mine), theirs: Box::new(theirs) });
        }
        let place = Place { project, number, layer, text: &text };
        let saved = append(connection, &place, &standing, revision, user, now()).await?;
        sqlx::query("DELETE FROM draft WHERE project = $1 AND number = $2 AND layer = $3 AND person = $4")
            .bind(project.0)
            .bind(i64::from(number))
            .bind(layer.code())
            .bind(user.0)
            .execute(&mut *connection)
            .await?;
        ask_for_review(connection, &place, &standing, &saved).await?;
        writing.commit().await?;
        Ok(saved)
    }
}

/// The revision with its entities sorted, if they fit text and schema.
fn checked(text: &str, schema: &Schema, mut revision: NewRevision) -> Result<NewRevision, StoreError> {
    if revision.key.is_empty() {
        return Err(StoreError::Invalid("a save needs a name of its own (`key`), so that it is taken once".into()));
    }
    if revision.key.starts_with(OWN_KEYS) {
        return Err(StoreError::Invalid(format!("the name {:?} of a save is kept for Nomen itself", revision.key)));
    }
    known_labels(schema, &revision.entities)?;
    let document = Document::new(text).with_entities(revision.entities);
    let document = document.map_err(|error| StoreError::Invalid(error.to_string()))?;
    revision.entities = document.entities().to_vec();
    Ok(revision)
}

pub(crate) fn known_labels(schema: &Schema, entities: &[Entity]) -> Result<(), StoreError> {
    let unknown = entities.iter().find(|entity| schema.position(entity.label.as_str()).is_none());
    unknown.map_or(Ok(()), |entity| Err(StoreError::UnknownLabel(entity.label.clone())))
}

/// Two people annotate a document, never one twice.
fn allowed(standing: &Standing, layer: Layer, user: UserId) -> Result<(), StoreError> {
    let other = match layer {
        Layer::First => Layer::Second,
        Layer::Second => Layer::First,
        Layer::Review => return Ok(()),
    };
    if standing.of(layer).is_none() {
        return Err(StoreError::NotFound("task for a second annotation of this document".into()));
    }
    if standing.of(other).is_some_and(|standpoint| standpoint.person == Some(user)) {
        return Err(StoreError::Invalid(
            "you annotated this document already; its second annotation is for somebody else".into(),
        ));
    }
    Ok(())
}

/// Adds a revision behind the head; its task is done and its user's.
pub(crate) async fn append(
    connection: &mut AnyConnection,
    place: &Place<'_>,
    standing: &Standing,
    revision: NewRevision,
    user: UserId,
    at: Millis,
) -> Result<Revision, StoreError> {
    if standing.of(place.layer).is_none() {
        new_task(connection, place.project, place.number, place.layer, 0.0, "").await?;
    }
    let saved = append_beside(connection, place, standing, revision, user, at).await?;
    sqlx::query(
        "UPDATE task SET person = $4, at = $5, done = 1, leased_by = NULL, leased_until = 0
        WHERE project = $1 AND number = $2 AND layer = $3",
    )
    .bind(place.project.0)
    .bind(i64::from(place.number))
    .bind(place.layer.code())
    .bind(user.0)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(saved)
}

/// Adds a revision behind the head of a task, which otherwise stays as it is.
pub(crate) async fn append_beside(
    connection: &mut AnyConnection,
    place: &Place<'_>,
    standing: &Standing,
    revision: NewRevision,
    user: UserId,
    at: Millis,
) -> Result<Revision, StoreError> {
    let Place { project, number, layer, text } = *place;
    let head = standing.of(layer).map_or(0, |standpoint| standpoint.head) + 1;
    let NewRevision { parent, verdict, entities, note, origin, key } = revision;
    let user = Some(user);
    let saved =
        Revision { document: number, layer, number: head, parent, user, at, verdict, entities, note, origin, key };
    write_revision(connection, project, text, &saved).await?;
    let reviewed = standing.of(Layer::Review).is_some_and(|standpoint| standpoint.head > 0);
    let counts = layer == Layer::Review || layer == Layer::First && !reviewed;
    sqlx::query(
        "UPDATE task SET head = $4, verdict = $5, counts = $6 WHERE project = $1 AND number = $2 AND layer = $3",
    )
    .bind(project.0)
    .bind(i64::from(number))
    .bind(layer.code())
    .bind(i64::from(head))
    .bind(verdict.as_str())
    .bind(i64::from(counts))
    .execute(&mut *connection)
    .await?;
    if layer == Layer::Review && !reviewed {
        for table in ["UPDATE task", "UPDATE mention"] {
            let query = format!("{table} SET counts = 0 WHERE project = $1 AND number = $2 AND layer = 0");
            let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(number));
            query.execute(&mut *connection).await?;
        }
    }
    mentions::replace(connection, place, counts, &saved.entities).await?;
    Ok(saved)
}

/// Lets a reviewer look at what was flagged, and at two annotations that differ.
async fn ask_for_review(
    connection: &mut AnyConnection,
    place: &Place<'_>,
    standing: &Standing,
    saved: &Revision,
) -> Result<(), StoreError> {
    let Place { project, number, layer, text } = *place;
    let other = match layer {
        Layer::First => Layer::Second,
        Layer::Second => Layer::First,
        Layer::Review => return Ok(()),
    };
    if saved.verdict == Verdict::Flagged {
        return new_task(connection, project, number, Layer::Review, 2.0, "flagged").await;
    }
    let Some(head) = standing.of(other).map(|standpoint| standpoint.head).filter(|head| *head > 0) else {
        return Ok(());
    };
    let other = read_revision(connection, project, number, other, head, text).await?;
    let same = saved.verdict == other.verdict
        && saved.entities.len() == other.entities.len()
        && saved.entities.iter().zip(&other.entities).all(|(mine, theirs)| mine.same_mention(theirs));
    if same {
        return Ok(());
    }
    new_task(connection, project, number, Layer::Review, 1.0, "two annotations differ").await
}
