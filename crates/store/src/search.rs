//! Finding documents.

use schema::{Entity, Label};
use sqlx::{Row, any::AnyRow};

use crate::{
    Layer, Millis, Number, ProjectId, Store, StoreError, UserId, Verdict, connection::Kind, import::row_of, wire,
};

/// What to look for; a document must meet all that is given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// Part of the text, case aside.
    pub text: Option<String>,
    /// A label that counts in it.
    pub label: Option<Label>,
    /// The whole text of an entity that counts in it, case aside.
    pub surface: Option<String>,
    /// Somebody who annotated or reviewed it last.
    pub user: Option<UserId>,
    /// A rule with a finding about it.
    pub rule: Option<String>,
    /// How it stands.
    pub state: Option<State>,
    /// Only documents behind this number; the last one of the page before.
    pub after: Number,
    /// At most so many.
    pub limit: u32,
}

/// How a document stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Nobody has annotated it.
    Open,
    /// What counts is accepted.
    Accepted,
    /// What counts says to leave it out.
    Skipped,
    /// What counts asks for somebody else.
    Flagged,
    /// A version that came too late waits to be looked at.
    Conflict,
}
wire::words!(State {
    Open = "open",
    Accepted = "accepted",
    Skipped = "skipped",
    Flagged = "flagged",
    Conflict = "conflict",
});

/// A document in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its number.
    pub number: Number,
    /// Its id.
    pub id: Option<String>,
    /// Its text.
    pub text: String,
    /// What counts: whose layer it is, how it was left, by whom, when.
    pub standing: Option<(Layer, Verdict, Option<UserId>, Millis)>,
    /// The entities that count.
    pub entities: Vec<Entity>,
}

/// A query under construction. The table `hit` drives it; every other condition is looked up by document.
struct Query {
    from: &'static str,
    /// The driving table's column of the document's number.
    number: &'static str,
    conditions: Vec<String>,
    texts: Vec<String>,
    /// The driver may have several rows a document.
    repeats: bool,
}

impl Store {
    /// The next documents that meet a search, by number. The page behind it starts from the last one's number.
    ///
    /// # Errors
    /// The database fails.
    pub async fn search(&self, project: ProjectId, search: &Search) -> Result<Vec<Listed>, StoreError> {
        let query = Query::of(self.kind, project, search);
        let distinct = if query.repeats { "DISTINCT " } else { "" };
        let sql = format!(
            "SELECT {distinct}{number} AS number FROM {from} WHERE {conditions} ORDER BY {number} LIMIT {limit}",
            number = query.number,
            from = query.from,
            conditions = query.conditions.join(" AND "),
            limit = search.limit,
        );
        // Not kept prepared: a plan must know what is looked for, since a rare word and a frequent one want different ones.
        let mut prepared = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(false);
        for text in &query.texts {
            prepared = prepared.bind(text.as_str());
        }
        let rows = prepared.fetch_all(&self.pool).await?;
        let mut numbers = Vec::with_capacity(rows.len());
        for row in &rows {
            // The index of texts says project and number in one.
            numbers.push((row.try_get::<i64, _>(0)? & i64::from(u32::MAX)).to_string());
        }
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        // The plus keeps SQLite from an index of all that counts: the few tasks of a document are found by its number.
        let query = format!(
            "SELECT document.number, document.id, document.text, task.layer, task.verdict, task.person, task.at, revision.entities
            FROM document
            LEFT JOIN task ON task.project = document.project AND task.number = document.number AND +task.counts = 1
            LEFT JOIN revision ON revision.project = task.project AND revision.number = task.number
                AND revision.layer = task.layer AND revision.revision = task.head
            WHERE document.project = $1 AND document.number IN ({}) ORDER BY document.number",
            numbers.join(", ")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).persistent(false).bind(project.0);
        rows.fetch_all(&self.pool).await?.iter().map(of_row).collect()
    }

    /// How many entities that count each label has, by label.
    ///
    /// # Errors
    /// The database fails.
    pub async fn label_counts(&self, project: ProjectId) -> Result<Vec<(String, u64)>, StoreError> {
        let query =
            "SELECT label, COUNT(*) FROM mention WHERE project = $1 AND counts = 1 GROUP BY label ORDER BY label";
        let rows = sqlx::query(query).bind(project.0).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get::<i64, _>(1)? as u64))).collect()
    }
}

impl Query {
    /// The narrowest condition drives; numbers stand in the query itself, texts are bound.
    fn of(kind: Kind, project: ProjectId, search: &Search) -> Self {
        let mut query = Self {
            from: "document hit",
            number: "hit.number",
            conditions: Vec::new(),
            texts: Vec::new(),
            repeats: false,
        };
        let mut driven = false;
        if let Some(text) = search.text.as_deref().filter(|text| !text.is_empty()) {
            query.text(kind, project, search.after, text);
            driven = true;
        }
        // Before labels: findings are fewer, and SQLite turns what is looked up into a join that sorts all of a frequent label.
        if let Some(rule) = &search.rule {
            let rule = query.bind(rule.clone());
            query.add(&mut driven, "finding", &format!("{{t}}.rule = {rule}"), true);
        }
        // Label and surface are those of one entity.
        let mut mention = Vec::new();
        if let Some(surface) = &search.surface {
            mention.push(format!("{{t}}.folded = {}", query.bind(wire::folded(surface))));
        }
        if let Some(label) = &search.label {
            mention.push(format!("{{t}}.label = {}", query.bind(label.as_str().to_owned())));
        }
        if !mention.is_empty() {
            query.add(&mut driven, "mention", &format!("{} AND {{t}}.counts = 1", mention.join(" AND ")), true);
        }
        if let Some(UserId(user)) = search.user {
            query.add(&mut driven, "task", &format!("{{t}}.person = {user}"), true);
        }
        match search.state {
            None => {}
            Some(State::Open) => {
                query.add(&mut driven, "task", "{t}.counts = 0 AND {t}.verdict IS NULL AND {t}.layer = 0", false);
                // Where a review counts without a first annotation, the document is not open.
                // The head keeps SQLite from an index that has all else it asks for, but not by number.
                let number = query.document();
                query.conditions.push(format!(
                    "NOT EXISTS (SELECT 1 FROM task counting WHERE counting.project = {{project}} AND counting.number = {number} AND counting.head > 0 AND +counting.counts = 1)"
                ));
            }
            Some(State::Conflict) => query.add(&mut driven, "conflict", "{t}.settled = 0", true),
            Some(state) => {
                let verdict = query.bind(state.as_str().to_owned());
                query.add(&mut driven, "task", &format!("{{t}}.counts = 1 AND {{t}}.verdict = {verdict}"), false);
            }
        }
        if query.from != "document_text" {
            query.conditions.push(format!("hit.project = {} AND hit.number > {}", project.0, search.after));
        }
        // What is looked up by document needs the project, too.
        for condition in &mut query.conditions {
            *condition = condition.replace("{project}", &project.0.to_string());
        }
        query
    }

    fn bind(&mut self, text: String) -> String {
        self.texts.push(text);
        format!("${}", self.texts.len())
    }

    fn text(&mut self, kind: Kind, project: ProjectId, after: Number, text: &str) {
        if text.contains('\0') {
            // No text has one.
            self.conditions.push("1 = 0".to_owned());
            return;
        }
        // Both indexes have three characters in a row.
        let is_short = text.chars().count() < 3;
        match kind {
            Kind::Sqlite if is_short => {
                // LIKE folds ASCII alone.
                let ways: Vec<String> = cases(text).iter().map(|way| self.bind(pattern(way))).collect();
                let ways: Vec<String> = ways.iter().map(|way| format!("hit.text LIKE {way} ESCAPE '\\'")).collect();
                self.conditions.push(format!("({})", ways.join(" OR ")));
            }
            Kind::Sqlite => {
                let phrase = self.bind(format!("\"{}\"", text.replace('"', "\"\"")));
                self.from = "document_text";
                self.number = "document_text.rowid";
                let (first, last) = (row_of(project, after), row_of(project, u32::MAX));
                self.conditions.push(format!(
                    "document_text MATCH {phrase} AND document_text.rowid > {first} AND document_text.rowid <= {last}"
                ));
            }
            Kind::Postgres => {
                let pattern = self.bind(pattern(text));
                self.from = "document_text hit";
                // Of less than it has, the index would have to be read whole, which the collation prevents.
                let column = if is_short { "hit.folded COLLATE \"C\"" } else { "hit.folded" };
                self.conditions.push(format!("{column} LIKE lower({pattern}) ESCAPE '\\'"));
            }
        }
    }

    /// The number of the document, as an expression.
    fn document(&self) -> &'static str {
        match self.number {
            "document_text.rowid" => "(document_text.rowid & 4294967295)",
            number => number,
        }
    }

    /// A condition on a table, `{t}`: it drives the query, or is looked up.
    fn add(&mut self, driven: &mut bool, table: &'static str, condition: &str, repeats: bool) {
        if !*driven {
            *driven = true;
            self.repeats = repeats;
            self.from = match table {
                "mention" => "mention hit",
                "finding" => "finding hit",
                "conflict" => "conflict hit",
                _ => "task hit",
            };
            self.conditions.push(condition.replace("{t}", "hit"));
            return;
        }
        let number = self.document();
        let condition = condition.replace("{t}", table);
        self.conditions.push(format!(
            "EXISTS (SELECT 1 FROM {table} WHERE {table}.project = {{project}} AND {table}.number = {number} AND {condition})"
        ));
    }
}

/// A pattern of LIKE for texts that have this one in them; the sign for escapes is the backslash.
fn pattern(text: &str) -> String {
    format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

/// A short text in every case that its letters beyond ASCII have.
fn cases(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for letter in text.chars() {
        let mut ways = vec![letter.to_string()];
        if !letter.is_ascii() {
            ways.extend([letter.to_lowercase().collect(), letter.to_uppercase().collect()]);
            ways.sort_unstable();
            ways.dedup();
        }
        all = all.iter().flat_map(|start| ways.iter().map(move |way| format!("{start}{way}"))).collect();
    }
    all
}

fn of_row(row: &AnyRow) -> Result<Listed, StoreError> {
    let number = row.try_get::<i64, _>("number")? as Number;
    let text: String = row.try_get("text")?;
    let verdict: Option<&str> = row.try_get("verdict")?;
    let standing = match verdict {
        None => None,
        Some(verdict) => Some((
            Layer::of_code(row.try_get("layer")?)?,
            verdict.parse()?,
            row.try_get::<Option<i64>, _>("person")?.map(UserId),
            row.try_get("at")?,
        )),
    };
    let entities: Option<&str> = row.try_get("entities")?;
    let entities = entities
        .map(|entities| wire::entities_of_json(&text, entities, || format!("what counts for document {number}")))
        .transpose()?
        .unwrap_or_default();
    Ok(Listed { number, id: row.try_get("id")?, text, standing, entities })
}
