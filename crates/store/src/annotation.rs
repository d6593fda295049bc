//! Saving and reading the history of annotations.

use schema::{Document, Entity, Schema};
use sqlx::{AnyConnection, Row, any::AnyRow};

use crate::{
    Layer, Lost, Millis, NewRevision, Number, ProjectId, Provenance, Revision, Store, StoreError, UserId, Verdict,
    document, mentions, now, project, wire,
};

pub(crate) const REVISION: &str =
    "revision.number, revision.layer, revision.revision, revision.parent, revision.person, revision.at,
    revision.verdict, revision.entities, revision.note, revision.origin, revision.key";
pub(crate) const LOST: &str =
    "conflict.number, conflict.layer, conflict.parent, conflict.head, conflict.person, conflict.at,
    conflict.verdict, conflict.entities, conflict.note, conflict.origin, conflict.key, conflict.settled";

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

    /// Every revision of a document's layer, the oldest first.
    ///
    /// # Errors
    /// The document is not there, or the database fails.
    pub async fn history(&self, project: ProjectId, number: Number, layer: Layer) -> Result<Vec<Revision>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let text = document::text(&mut connection, project, number).await?;
        let query = format!(
            "SELECT {REVISION} FROM revision WHERE project = $1 AND number = $2 AND layer = $3 ORDER BY revision"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(number));
        let rows = query.bind(layer.code()).fetch_all(&mut *connection).await?;
        rows.iter().map(|row| of_row(row, &text)).collect()
    }

    /// The newest revision of each layer of a document that has one, by layer.
    ///
    /// # Errors
    /// The document is not there, or the database fails.
    pub async fn heads(&self, project: ProjectId, number: Number) -> Result<Vec<Revision>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let text = document::text(&mut connection, project, number).await?;
        let query = format!(
            "SELECT {REVISION} FROM task JOIN revision ON revision.project = task.project AND revision.number = task.number
            AND revision.layer = task.layer AND revision.revision = task.head
            WHERE task.project = $1 AND task.number = $2 ORDER BY task.layer"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(number));
        query.fetch_all(&mut *connection).await?.iter().map(|row| of_row(row, &text)).collect()
    }

    /// What counts for a document: its review, else its first annotation; `None` where there is neither.
    ///
    /// # Errors
    /// As [`Store::heads`].
    pub async fn standing(&self, project: ProjectId, number: Number) -> Result<Option<Revision>, StoreError> {
        let mut heads = self.heads(project, number).await?;
        heads.retain(|head| head.layer != Layer::Second);
        Ok(heads.pop())
    }

    /// Documents that two people annotated, up to `limit` behind the number `after`: text, first and second annotation.
    ///
    /// # Errors
    /// The database fails.
    pub async fn annotated_twice(
        &self,
        project: ProjectId,
        after: Number,
        limit: u32,
    ) -> Result<Vec<(Document, Revision, Revision)>, StoreError> {
        let query = "SELECT one.number FROM task one JOIN task two
            ON two.project = one.project AND two.number = one.number AND two.layer = 1 AND two.head > 0
            WHERE one.project = $1 AND one.layer = 0 AND one.head > 0 AND one.number > $2 ORDER BY one.number LIMIT $3";
        let query = sqlx::query(query).bind(project.0).bind(i64::from(after)).bind(i64::from(limit));
        let mut pairs = Vec::new();
        for row in query.fetch_all(&self.pool).await? {
            let number = row.try_get::<i64, _>(0)? as Number;
            let document = self.document(project, number).await?.document;
            let mut heads = self.heads(project, number).await?.into_iter();
            if let (Some(first), Some(second)) = (heads.next(), heads.next()) {
                pairs.push((document, first, second));
            }
        }
        Ok(pairs)
    }

    /// Versions that came too late: those of a document, or of all documents of the project; the oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn conflicts(
        &self,
        project: ProjectId,
        number: Option<Number>,
        settled: bool,
    ) -> Result<Vec<Lost>, StoreError> {
        let query = format!(
            "SELECT {LOST}, document.text FROM conflict
            JOIN document ON document.project = conflict.project AND document.number = conflict.number
            WHERE conflict.project = $1 AND conflict.settled = $2 AND (conflict.number = $3 OR $3 = 0)
            ORDER BY conflict.number, conflict.at, conflict.key"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(settled));
        let rows = query.bind(i64::from(number.unwrap_or(0))).fetch_all(&self.pool).await?;
        rows.iter().map(|row| lost_of_row(row, row.try_get("text")?)).collect()
    }

    /// Says that a conflict was looked at. The version that came too late stays.
    ///
    /// # Errors
    /// There is no such conflict, or the database fails.
    pub async fn settle_conflict(
        &self,
        project: ProjectId,
        number: Number,
        layer: Layer,
        key: &str,
    ) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let query = "UPDATE conflict SET settled = 1 WHERE project = $1 AND number = $2 AND layer = $3 AND key = $4";
        let query = sqlx::query(query).bind(project.0).bind(i64::from(number)).bind(layer.code()).bind(key);
        let met = query.execute(writing.connection()).await?.rows_affected();
        crate::user::one(met, || format!("conflict {key:?} of document {number}"))?;
        writing.commit().await
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

/// A revision as a row.
pub(crate) async fn write_revision(
    connection: &mut AnyConnection,
    project: ProjectId,
    text: &str,
    revision: &Revision,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO revision (project, number, layer, revision, parent, person, at, verdict, entities, note, origin, key)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(project.0)
    .bind(i64::from(revision.document))
    .bind(revision.layer.code())
    .bind(i64::from(revision.number))
    .bind(i64::from(revision.parent))
    .bind(revision.user.map(|user| user.0))
    .bind(revision.at)
    .bind(revision.verdict.as_str())
    .bind(wire::entities_to_json(text, &revision.entities))
    .bind(revision.note.as_str())
    .bind(wire::to_json(&revision.origin))
    .bind(revision.key.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// A task that nobody has done.
pub(crate) async fn new_task(
    connection: &mut AnyConnection,
    project: ProjectId,
    number: Number,
    layer: Layer,
    priority: f64,
    reason: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO task (project, number, layer, head, counts, done, priority, reason, leased_until)
        VALUES ($1, $2, $3, 0, 0, 0, $4, $5, 0) ON CONFLICT (project, number, layer) DO NOTHING",
    )
    .bind(project.0)
    .bind(i64::from(number))
    .bind(layer.code())
    .bind(priority)
    .bind(reason)
    .execute(connection)
    .await?;
    Ok(())
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

async fn keep_lost(
    connection: &mut AnyConnection,
    project: ProjectId,
    number: Number,
    layer: Layer,
    head: u32,
    revision: &NewRevision,
    user: UserId,
) -> Result<Lost, StoreError> {
    let text = document::text(connection, project, number).await?;
    // The same save again is the same conflict.
    sqlx::query(
        "INSERT INTO conflict (project, number, layer, key, parent, head, person, at, verdict, entities, note, origin, settled)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0)
        ON CONFLICT (project, number, layer, key) DO NOTHING",
    )
    .bind(project.0)
    .bind(i64::from(number))
    .bind(layer.code())
    .bind(revision.key.as_str())
    .bind(i64::from(revision.parent))
    .bind(i64::from(head))
    .bind(user.0)
    .bind(now())
    .bind(revision.verdict.as_str())
    .bind(wire::entities_to_json(&text, &revision.entities))
    .bind(revision.note.as_str())
    .bind(wire::to_json(&revision.origin))
    .execute(&mut *connection)
    .await?;
    let query = format!("SELECT {LOST} FROM conflict WHERE project = $1 AND number = $2 AND layer = $3 AND key = $4");
    let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(number)).bind(layer.code());
    lost_of_row(&query.bind(revision.key.as_str()).fetch_one(connection).await?, &text)
}

async fn by_key(
    connection: &mut AnyConnection,
    project: ProjectId,
    number: Number,
    layer: Layer,
    key: &str,
    text: &str,
) -> Result<Option<Revision>, StoreError> {
    let query =
        format!("SELECT {REVISION} FROM revision WHERE project = $1 AND number = $2 AND layer = $3 AND key = $4");
    let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(number)).bind(layer.code());
    query.bind(key).fetch_optional(connection).await?.map(|row| of_row(&row, text)).transpose()
}

pub(crate) async fn read_revision(
    connection: &mut AnyConnection,
    project: ProjectId,
    number: Number,
    layer: Layer,
    revision: u32,
    text: &str,
) -> Result<Revision, StoreError> {
    let query =
        format!("SELECT {REVISION} FROM revision WHERE project = $1 AND number = $2 AND layer = $3 AND revision = $4");
    let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(number)).bind(layer.code());
    let row = query.bind(i64::from(revision)).fetch_optional(connection).await?;
    let row = row.ok_or_else(|| StoreError::NotFound(format!("revision {revision} of document {number}")))?;
    of_row(&row, text)
}

pub(crate) fn of_row(row: &AnyRow, text: &str) -> Result<Revision, StoreError> {
    let document = row.try_get::<i64, _>("number")? as Number;
    let number = row.try_get::<i64, _>("revision")? as u32;
    let place = || format!("revision {number} of document {document}");
    Ok(Revision {
        document,
        layer: Layer::of_code(row.try_get("layer")?)?,
        number,
        parent: row.try_get::<i64, _>("parent")? as u32,
        user: row.try_get::<Option<i64>, _>("person")?.map(UserId),
        at: row.try_get("at")?,
        verdict: row.try_get::<&str, _>("verdict")?.parse()?,
        entities: wire::entities_of_json(text, row.try_get("entities")?, place)?,
        note: row.try_get("note")?,
        origin: wire::of_json::<Provenance>(row.try_get("origin")?, place)?,
        key: row.try_get("key")?,
    })
}

pub(crate) fn lost_of_row(row: &AnyRow, text: &str) -> Result<Lost, StoreError> {
    let document = row.try_get::<i64, _>("number")? as Number;
    let place = || format!("a conflict of document {document}");
    Ok(Lost {
        document,
        layer: Layer::of_code(row.try_get("layer")?)?,
        parent: row.try_get::<i64, _>("parent")? as u32,
        head: row.try_get::<i64, _>("head")? as u32,
        user: row.try_get::<Option<i64>, _>("person")?.map(UserId),
        at: row.try_get("at")?,
        verdict: row.try_get::<&str, _>("verdict")?.parse()?,
        entities: wire::entities_of_json(text, row.try_get("entities")?, place)?,
        note: row.try_get("note")?,
        origin: wire::of_json::<Provenance>(row.try_get("origin")?, place)?,
        key: row.try_get("key")?,
        settled: row.try_get::<i64, _>("settled")? != 0,
    })
}
