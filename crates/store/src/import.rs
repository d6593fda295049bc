//! Documents into a project.

use std::collections::HashMap;

use schema::Document;
use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, Row};

use crate::{
    Layer, Number, ProjectId, Provenance, Revision, Store, StoreError, UserId, Verdict,
    access::hex,
    connection::Kind,
    document, mentions, now, project, queue, revision_row,
    saving::{self, Place},
    wire,
};

/// `PostgreSQL` plans for tables that it takes to be empty until somebody has it look. It then seeks the document of a new row, which
/// every foreign key does, among all of the project, and the time of an import grows with the square of its documents.
/// New documents until the first look; the next come whenever they have doubled.
const FIRST_LOOK: u32 = 100;

/// What the annotations of imported documents are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// Decided: the first revision of a document is what it came with. Documents that are not annotated, or only in part, stay
    /// to be annotated all the same.
    Decided,
    /// Something to look at while annotating.
    Shown,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Documents that are new.
    pub added: u32,
    /// Documents that were there.
    pub known: u32,
    /// Numbers of those that were there with other annotations, tokens or metadata. They stay as they were.
    pub differing: Vec<Number>,
}

/// An import, in chunks that are each taken as a whole or not at all.
///
/// A document is known by its text and id, and which of its equals it is: what stands twice in a file is two documents, and the
/// same file again, all of it or the rest after an interruption, adds nothing twice.
pub struct Import<'s> {
    store: &'s Store,
    project: ProjectId,
    user: UserId,
    given: Given,
    /// How often this import has had each text and id.
    seen: HashMap<[u8; 16], u32>,
    told: Imported,
    /// How many documents are new when `PostgreSQL` next looks at how much there is of what.
    next_look: u32,
}

impl<'s> Import<'s> {
    /// An import by a user.
    pub fn new(store: &'s Store, project: ProjectId, user: UserId, given: Given) -> Self {
        Self { store, project, user, given, seen: HashMap::new(), told: Imported::default(), next_look: FIRST_LOOK }
    }

    /// Adds the next documents, all of them or none, and gives the number of each, whether it is new or was there.
    ///
    /// # Errors
    /// A label is not in the schema, the database cannot keep a text, or it fails.
    pub async fn add(&mut self, documents: &[Document]) -> Result<Vec<Number>, StoreError> {
        if self.store.kind == Kind::Postgres && self.told.added >= self.next_look {
            self.store.look_over().await?;
            self.next_look = 2 * self.told.added;
        }
        // Counts of this chunk, which count only when it is taken.
        let known = |document| self.seen.get_key_value(&name_of(document)).map(|(name, count)| (*name, *count));
        let mut seen: HashMap<_, _> = documents.iter().filter_map(known).collect();
        let mut writing = self.store.write().await?;
        let connection = writing.connection();
        let project = project::read(connection, self.project, self.store.for_update()).await?;
        let mut told = Imported::default();
        let mut number = project.documents;
        let mut numbers = Vec::with_capacity(documents.len());
        for document in documents {
            saving::known_labels(&project.schema, document.entities())?;
            if self.store.kind == Kind::Postgres
                && (has_nul(document.text()) || document.id.as_deref().is_some_and(has_nul))
            {
                return Err(StoreError::Invalid(format!(
                    "{} holds the character U+0000, which PostgreSQL cannot keep; take it out, or use SQLite",
                    document.id.as_ref().map_or_else(|| "a text".into(), |id| format!("the text {id:?}"))
                )));
            }
            let key = key(name_of(document), &mut seen);
            if self.insert(connection, number + 1, &key, document).await? {
                number += 1;
                told.added += 1;
                numbers.push(number);
            } else {
                let known = known_as(connection, self.project, &key).await?;
                told.known += 1;
                told.differing.extend((known.document != *document).then_some(known.number));
                numbers.push(known.number);
            }
        }
        sqlx::query("UPDATE project SET documents = $2 WHERE id = $1")
            .bind(self.project.0)
            .bind(i64::from(number))
            .execute(&mut *connection)
            .await?;
        writing.commit().await?;
        self.seen.extend(seen);
        self.told.added += told.added;
        self.told.known += told.known;
        self.told.differing.extend(told.differing);
        Ok(numbers)
    }

    /// What the import did so far.
    pub fn told(&self) -> &Imported {
        &self.told
    }

    /// What the import did. Lets the database look at how much there is of what, on which the speed of searching depends.
    ///
    /// # Errors
    /// The database fails; the documents are there all the same.
    pub async fn finish(self) -> Result<Imported, StoreError> {
        self.store.look_over().await?;
        Ok(self.told)
    }

    /// Whether the document was new.
    async fn insert(
        &self,
        connection: &mut AnyConnection,
        number: Number,
        key: &str,
        document: &Document,
    ) -> Result<bool, StoreError> {
        let (text, at) = (document.text(), now());
        let added = sqlx::query(
            "INSERT INTO document (project, number, key, id, text, meta, tokens, given, partial, looked_for, at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (project, key) DO NOTHING",
        )
        .bind(self.project.0)
        .bind(i64::from(number))
        .bind(key)
        .bind(document.id.as_deref())
        .bind(text)
        .bind(wire::to_json(&document.meta))
        .bind(document.tokens().map(|tokens| wire::tokens_to_json(text, tokens)))
        .bind(wire::entities_to_json(text, document.entities()))
        .bind(i64::from(document.partial))
        .bind(document.looked_for.as_ref().map(wire::to_json))
        .bind(at)
        .execute(&mut *connection)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        let searched = match self.store.kind {
            Kind::Sqlite => sqlx::query("INSERT INTO document_text (rowid, text) VALUES ($1, $2)")
                .bind(row_of(self.project, number)),
            Kind::Postgres => {
                sqlx::query("INSERT INTO document_text (project, number, folded) VALUES ($1, $2, lower($3))")
                    .bind(self.project.0)
                    .bind(i64::from(number))
            }
        };
        searched.bind(text).execute(&mut *connection).await?;
        if self.given == Given::Shown || document.partial {
            queue::new_task(connection, self.project, number, Layer::First, 0.0, "").await?;
            return Ok(true);
        }
        let revision = Revision {
            document: number,
            layer: Layer::First,
            number: 1,
            parent: 0,
            user: Some(self.user),
            at,
            verdict: Verdict::Accepted,
            entities: document.entities().to_vec(),
            note: String::new(),
            origin: Provenance::Import,
            key: format!("{}import", saving::OWN_KEYS),
        };
        revision_row::write_revision(connection, self.project, text, &revision).await?;
        sqlx::query(
            "INSERT INTO task (project, number, layer, head, verdict, at, counts, done, priority, reason, leased_until)
            VALUES ($1, $2, 0, 1, $3, $4, 1, 1, 0, '', 0)",
        )
        .bind(self.project.0)
        .bind(i64::from(number))
        .bind(revision.verdict.as_str())
        .bind(at)
        .execute(&mut *connection)
        .await?;
        let place = Place { project: self.project, number, layer: Layer::First, text };
        mentions::add(connection, &place, true, document.entities()).await?;
        Ok(true)
    }
}

/// Where the index of texts has a document.
pub(crate) fn row_of(project: ProjectId, number: Number) -> i64 {
    (project.0 << 32) | i64::from(number)
}

fn has_nul(text: &str) -> bool {
    text.contains('\0')
}

/// The document of this key.
async fn known_as(
    connection: &mut AnyConnection,
    project: ProjectId,
    key: &str,
) -> Result<document::DocumentRow, StoreError> {
    let query = format!("SELECT {} FROM document WHERE project = $1 AND key = $2", document::COLUMNS);
    let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(key);
    document::of_row(&query.fetch_one(connection).await?)
}

/// What the database knows the next document of this name by.
fn key(name: [u8; 16], seen: &mut HashMap<[u8; 16], u32>) -> String {
    let count = seen.entry(name).or_insert(0);
    *count += 1;
    format!("{}-{count}", hex(&name))
}

/// 128 bits of the SHA-256 of text and id.
fn name_of(document: &Document) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(u64::try_from(document.text().len()).unwrap_or(u64::MAX).to_le_bytes());
    hash.update(document.text());
    if let Some(id) = &document.id {
        hash.update(b"id");
        hash.update(id);
    }
    let mut name = [0; 16];
    name.copy_from_slice(&hash.finalize()[..16]);
    name
}

impl Store {
    /// Number of documents of a project.
    ///
    /// # Errors
    /// The project is not there, or the database fails.
    pub async fn document_count(&self, project: ProjectId) -> Result<Number, StoreError> {
        let row = sqlx::query("SELECT documents FROM project WHERE id = $1").bind(project.0);
        let row = row.fetch_optional(&self.pool).await?;
        let row = row.ok_or_else(|| StoreError::NotFound(format!("project {}", project.0)))?;
        Ok(row.try_get::<i64, _>(0)? as Number)
    }
}
