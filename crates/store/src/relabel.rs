//! Changes of labels in many documents at once.

use std::fmt::Write as _;

use schema::{Label, LabelDefinition, Schema};
use sqlx::{AnyConnection, Row};

use crate::{
    Layer, NewRevision, Number, ProjectId, Provenance, Store, StoreError, UserId, document, now,
    project::{self, redefine},
    revision_row,
    saving::{self, Place, Standing},
    wire,
};

/// Documents that a preview shows.
const SHOWN: i64 = 20;

/// A change of labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relabel {
    /// A label gets a name that no label has. In every layer, and in the schema.
    Rename {
        /// Its name.
        from: Label,
        /// Its name to be.
        to: Label,
    },
    /// Labels become one of the others and leave the schema. In every layer.
    Merge {
        /// The labels that go.
        from: Vec<Label>,
        /// The one that stays.
        into: Label,
    },
    /// Entities of a text (case aside) get another label, or none. Only where they count.
    Surface {
        /// The whole text of the entity.
        surface: String,
        /// Only those of this label.
        from: Option<Label>,
        /// The label to be; `None` takes the entity away.
        to: Option<Label>,
    },
}

/// What a change would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Entities that would change.
    pub mentions: u64,
    /// Documents that would get a new revision.
    pub documents: u64,
    /// Some of them, by number.
    pub touched: Vec<Touched>,
}

/// An entity that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The document.
    pub document: Number,
    /// The layer.
    pub layer: Layer,
    /// Its label.
    pub label: Label,
    /// Its text.
    pub surface: String,
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relabelled {
    /// Entities that changed.
    pub mentions: u64,
    /// Revisions that were added.
    pub revisions: u64,
}

/// What a change does to an entity.
enum Fate {
    Stays,
    Becomes(Label),
    Goes,
}

impl Relabel {
    /// The change in words, as its revisions keep it.
    pub fn what(&self) -> String {
        let or = |label: &Option<Label>, none: &str| label.as_ref().map_or_else(|| none.to_owned(), Label::to_string);
        match self {
            Self::Rename { from, to } => format!("{from} renamed to {to}"),
            Self::Merge { from, into } => {
                let from: Vec<&str> = from.iter().map(Label::as_str).collect();
                format!("{} merged into {into}", from.join(", "))
            }
            Self::Surface { surface, from, to } => {
                format!("{surface:?} from {} to {}", or(from, "any label"), or(to, "no label"))
            }
        }
    }

    /// What the change does to an entity.
    fn fate(&self, surface: &str, label: &Label) -> Fate {
        match self {
            Self::Rename { from, to } if label == from => Fate::Becomes(to.clone()),
            Self::Merge { from, into } if from.contains(label) => Fate::Becomes(into.clone()),
            Self::Rename { .. } | Self::Merge { .. } => Fate::Stays,
            Self::Surface { surface: wanted, from, to } => {
                let meant = wire::folded(wanted) == wire::folded(surface)
                    && from.as_ref().is_none_or(|from| from == label)
                    && to.as_ref() != Some(label);
                match (meant, to) {
                    (false, _) => Fate::Stays,
                    (true, None) => Fate::Goes,
                    (true, Some(to)) => Fate::Becomes(to.clone()),
                }
            }
        }
    }

    /// Which rows of `mention` the change meets, `$1` being the project, and what is bound behind it.
    fn condition(&self) -> (String, Vec<String>) {
        match self {
            Self::Rename { from, .. } => ("label = $2".into(), vec![from.to_string()]),
            Self::Merge { from, .. } => {
                let numbers: Vec<String> = (2..from.len() + 2).map(|number| format!("${number}")).collect();
                (format!("label IN ({})", numbers.join(", ")), from.iter().map(Label::to_string).collect())
            }
            Self::Surface { surface, from, to } => {
                let mut texts = vec![wire::folded(surface)];
                let mut condition = String::from("counts = 1 AND folded = $2");
                for (label, sign) in [(from, "="), (to, "<>")] {
                    if let Some(label) = label {
                        texts.push(label.to_string());
                        // Writing to a string cannot fail.
                        let _ = write!(condition, " AND label {sign} ${}", texts.len() + 1);
                    }
                }
                (condition, texts)
            }
        }
    }

    /// The schema behind the change.
    fn schema(&self, known: &Schema) -> Result<Schema, StoreError> {
        let has = |label: &Label| known.position(label.as_str()).is_some();
        let need = |label: &Label| if has(label) { Ok(()) } else { Err(StoreError::UnknownLabel(label.clone())) };
        let renamed = |label: &Label| match self.fate("", label) {
            Fate::Becomes(label) => label,
            Fate::Stays | Fate::Goes => label.clone(),
        };
        match self {
            Self::Rename { from, to } => {
                need(from)?;
                if has(to) {
                    return Err(StoreError::Invalid(format!("there is a label `{to}` already; merge the two instead")));
                }
            }
            Self::Merge { from, into } => {
                from.iter().chain([into]).try_for_each(need)?;
                if from.is_empty() || from.contains(into) {
                    return Err(StoreError::Invalid(format!("say which other labels become `{into}`")));
                }
            }
            Self::Surface { from, to, .. } => {
                from.iter().chain(to).try_for_each(need)?;
                return Ok(known.clone());
            }
        }
        let mut definitions: Vec<LabelDefinition> = Vec::new();
        for definition in known.definitions() {
            let name = renamed(&definition.name);
            // Of merged labels the definition of the one that stays is kept.
            if name != definition.name && matches!(self, Self::Merge { .. }) {
                continue;
            }
            let parent = definition.parent.as_ref().map(renamed).filter(|parent| *parent != name);
            definitions.push(LabelDefinition { name, parent, ..definition.clone() });
        }
        Schema::new(definitions).map_err(|error| StoreError::Invalid(error.to_string()))
    }
}

impl Store {
    /// What a change would do, without doing it.
    ///
    /// # Errors
    /// A label is not in the schema (or, renaming, is), or the database fails.
    pub async fn preview(&self, project: ProjectId, change: &Relabel) -> Result<Preview, StoreError> {
        change.schema(&self.project(project).await?.schema)?;
        let (condition, texts) = change.condition();
        let counts = format!("SELECT COUNT(*), COUNT(DISTINCT number) FROM mention WHERE project = $1 AND {condition}");
        let mut query = sqlx::query(sqlx::AssertSqlSafe(counts)).bind(project.0);
        for text in &texts {
            query = query.bind(text.as_str());
        }
        let row = query.fetch_one(&self.pool).await?;
        let (mentions, documents) = (row.try_get::<i64, _>(0)? as u64, row.try_get::<i64, _>(1)? as u64);
        let some = format!(
            "SELECT number, layer, label, surface FROM mention WHERE project = $1 AND {condition}
            ORDER BY number, layer, start LIMIT {SHOWN}"
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(some)).bind(project.0);
        for text in &texts {
            query = query.bind(text.as_str());
        }
        let mut touched = Vec::new();
        for row in query.fetch_all(&self.pool).await? {
            let (document, label) = (row.try_get::<i64, _>(0)? as Number, row.try_get::<&str, _>(2)?);
            touched.push(Touched {
                document,
                layer: Layer::of_code(row.try_get(1)?)?,
                label: Label::new(label)
                    .map_err(|error| StoreError::damaged(format!("an entity of document {document}"), error))?,
                surface: row.try_get(3)?,
            });
        }
        Ok(Preview { mentions, documents, touched })
    }

    /// Changes labels in every document that has them, all or none: a new revision each, which says what was changed. Who
    /// annotated a document and what waits in the queue stays. `seen` is the version of the project that the change was decided on.
    ///
    /// # Errors
    /// Schema or guidelines have changed since ([`StoreError::Stale`]), a label is not in the schema (or, renaming, is), or the
    /// database fails.
    pub async fn relabel(
        &self,
        project: ProjectId,
        seen: u32,
        change: &Relabel,
        user: UserId,
    ) -> Result<Relabelled, StoreError> {
        let mut writing = self.write().await?;
        let connection = writing.connection();
        let known = project::read(connection, project, self.for_update()).await?;
        if known.version != seen {
            return Err(StoreError::Stale { seen, found: known.version });
        }
        let schema = change.schema(&known.schema)?;
        let (condition, texts) = change.condition();
        let query = format!(
            "SELECT DISTINCT number, layer FROM mention WHERE project = $1 AND {condition} ORDER BY number, layer"
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0);
        for text in &texts {
            query = query.bind(text.as_str());
        }
        let rows = query.fetch_all(&mut *connection).await?;
        let mut done = Relabelled { mentions: 0, revisions: 0 };
        for row in rows {
            let (number, layer) = (row.try_get::<i64, _>(0)? as Number, Layer::of_code(row.try_get(1)?)?);
            let changed = self.relabel_one(connection, project, number, layer, change, user).await?;
            done.mentions += changed;
            done.revisions += u64::from(changed > 0);
        }
        for (from, to) in moved(change) {
            sqlx::query("UPDATE suggestion SET label = $3 WHERE project = $1 AND label = $2")
                .bind(project.0)
                .bind(from.as_str())
                .bind(to.as_str())
                .execute(&mut *connection)
                .await?;
        }
        if schema != known.schema {
            redefine(connection, &known, &schema, &known.guidelines, user).await?;
        }
        writing.commit().await?;
        Ok(done)
    }

    async fn relabel_one(
        &self,
        connection: &mut AnyConnection,
        project: ProjectId,
        number: Number,
        layer: Layer,
        change: &Relabel,
        user: UserId,
    ) -> Result<u64, StoreError> {
        let standing = Standing::read(connection, project, number, self.for_update()).await?;
        let text = document::text(connection, project, number).await?;
        let Some(head) = standing.of(layer).map(|standpoint| standpoint.head).filter(|head| *head > 0) else {
            return Ok(0);
        };
        let revision = revision_row::read_revision(connection, project, number, layer, head, &text).await?;
        let (mut entities, mut changed) = (Vec::with_capacity(revision.entities.len()), 0);
        for mut entity in revision.entities {
            match change.fate(entity.span.quote(&text), &entity.label) {
                Fate::Stays => entities.push(entity),
                Fate::Goes => changed += 1,
                Fate::Becomes(label) => {
                    changed += 1;
                    entity.label = label;
                    entities.push(entity);
                }
            }
        }
        if changed == 0 {
            return Ok(0);
        }
        let revision = NewRevision {
            parent: head,
            verdict: revision.verdict,
            entities,
            note: String::new(),
            origin: Provenance::Relabel { what: change.what() },
            key: format!("{}relabel-{}", saving::OWN_KEYS, head + 1),
        };
        let place = Place { project, number, layer, text: &text };
        saving::append_beside(connection, &place, &standing, revision, user, now()).await?;
        Ok(changed)
    }
}

/// Labels that suggestions have to follow.
fn moved(change: &Relabel) -> Vec<(&Label, &Label)> {
    match change {
        Relabel::Rename { from, to } => vec![(from, to)],
        Relabel::Merge { from, into } => from.iter().map(|from| (from, into)).collect(),
        Relabel::Surface { .. } => Vec::new(),
    }
}
