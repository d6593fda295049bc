//! A host for the pages: the rules of the store in memory, over HTTP.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use maud::{Markup, html};
use nomen_annotate::studio::{
    assets, colours,
    editor::{Progress, Suggested, Task, editor},
    page::{Head, Project, Section, Theme, User, layout},
    review::{Version, review},
};
use schema::{
    Entity, Label, LabelDefinition, Origin, Schema,
    offset::{Offsets, Unit},
};
use serde_json::{Value, json};
use store::Refused;

/// What the real studio sends with each page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; \
                      base-uri 'none'; form-action 'self'";
const CSRF: &str = "0123456789abcdef";

/// A running host; it serves as long as the process lives.
pub struct Host {
    address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
}

/// Everything that a host keeps.
pub struct Desk {
    /// Name of the project.
    pub project: String,
    /// Who annotates.
    pub user: String,
    /// The labels.
    pub schema: Schema,
    /// The guidelines.
    pub guidelines: String,
    /// The texts; number 1 is the first.
    pub texts: Vec<Kept>,
    /// How many saves were asked for, the same ones included.
    pub asked: usize,
}

/// One text.
#[derive(Default)]
pub struct Kept {
    /// The text.
    pub text: String,
    /// What is suggested: start and end in bytes, label, score, source.
    pub suggestions: Vec<(usize, usize, String, f64, String)>,
    /// What two people made of it, for a review.
    pub versions: Vec<(String, Vec<Entity>)>,
    /// Its revisions, as they were sent, with `number` and `user`.
    pub revisions: Vec<Value>,
    /// The draft.
    pub draft: Option<Value>,
    /// Why it comes now.
    pub reason: String,
}

impl Host {
    /// A host for these texts, with four labels.
    pub fn start(texts: &[&str]) -> Self {
        let definition = |name: &str, definition: &str, examples: &[&str], near: &[&str]| LabelDefinition {
            definition: definition.into(),
            examples: examples.iter().map(ToString::to_string).collect(),
            near_misses: near.iter().map(ToString::to_string).collect(),
            ..LabelDefinition::undefined(Label::new(name).unwrap())
        };
        let schema = Schema::new(vec![
            definition(
                "PERSON",
                "Named people, real or invented, without their titles.",
                &["Ada Lovelace"],
                &["the doctor"],
            ),
            definition(
                "PLACE",
                "Countries, cities, rivers, mountains and other places with a name.",
                &["Aarhus", "the Nile"],
                &["abroad"],
            ),
            definition("ORGANISATION", "Companies, institutes, parties, teams.", &["Acme Research"], &["the company"]),
            definition("DISEASE", "Diseases and syndromes, with what specifies them.", &["type 2 diabetes"], &["pain"]),
        ]);
        let kept = |text: &&str| Kept { text: (*text).to_owned(), ..Kept::default() };
        let desk = Desk {
            project: "demo".into(),
            user: "anna".into(),
            schema: schema.unwrap(),
            guidelines: "Mark names only, no pronouns.\nAn entity is as short as it can be and still complete: “University of Oslo”, but not “the University of Oslo”.\nWhere a name stands in a longer name, mark the longer one.".into(),
            texts: texts.iter().map(kept).collect(),
            asked: 0,
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(Mutex::new(desk));
        let shared = Arc::clone(&desk);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let desk = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &desk));
            }
        });
        Self { address, desk }
    }

    /// What the host keeps, to look at or to change.
    pub fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap()
    }

    /// The address of a page of the project.
    pub fn url(&self, page: &str) -> String {
        format!("http://{}{}", self.address, nomen_annotate::studio::address::page(&self.desk().project, page))
    }

    /// The entities of a text's last revision as `(start, end, label, text)`, in code points.
    pub fn saved(&self, number: usize) -> Vec<(usize, usize, String, String)> {
        let desk = self.desk();
        let last = desk.texts[number - 1].revisions.last().expect("the text is saved");
        entities(last)
    }
}

/// The entities of a revision or draft, in code points.
pub fn entities(revision: &Value) -> Vec<(usize, usize, String, String)> {
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let entity = |one: &Value| {
        (
            number(&one["start"]),
            number(&one["end"]),
            one["label"].as_str().unwrap().to_owned(),
            one["text"].as_str().unwrap().to_owned(),
        )
    };
    revision["entities"].as_array().unwrap().iter().map(entity).collect()
}

fn serve(stream: TcpStream, desk: &Mutex<Desk>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (status, kind, body) = desk.lock().unwrap().answer(&method, &path, &headers, &body);
    let location = if status == 303 { format!("location: {body}\r\n") } else { String::new() };
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\ncontent-length: {}\r\ncontent-security-policy: {POLICY}\r\n\
         x-content-type-options: nosniff\r\ncache-control: no-store\r\n{location}connection: close\r\n\r\n",
        body.len()
    );
    let mut stream = stream;
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()
}

type Answer = (u16, &'static str, String);

impl Desk {
    fn answer(&mut self, method: &str, path: &str, headers: &HashMap<String, String>, body: &[u8]) -> Answer {
        if let Some(asset) = assets::find(path) {
            return (200, asset.kind, asset.body.to_owned());
        }
        let path = path.split('?').next().unwrap();
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        if method != "GET" && headers.get("x-csrf-token").is_none_or(|token| token != CSRF) {
            return (403, "application/json", json!({"error": "no token"}).to_string());
        }
        match (method, parts.as_slice()) {
            ("GET", ["p", _, "labels.css"]) => (200, "text/css", colours::style_sheet(&self.schema)),
            ("GET", ["p", _, "annotate"]) => match self.next() {
                Some(number) => (303, "text/plain", format!("{path}/{number}")),
                None => page(self.layout("Annotate", Section::Annotate, done())),
            },
            ("GET", ["p", _, "annotate", number]) => page(self.annotate(number.parse().unwrap())),
            ("GET", ["p", _, "review"]) => page(self.layout("Review", Section::Review, done())),
            ("GET", ["p", _, "review", number]) => page(self.review(number.parse().unwrap())),
            ("GET", ["api", "v1", "projects", _, "queue", "next"]) => match self.next() {
                Some(number) => (200, "application/json", json!({"number": number, "layer": "first"}).to_string()),
                None => (204, "application/json", String::new()),
            },
            ("PUT", ["api", "v1", "projects", _, "documents", number, "annotations", _]) => {
                self.save(number.parse().unwrap(), serde_json::from_slice(body).unwrap())
            }
            ("PUT", ["api", "v1", "projects", _, "documents", number, "annotations", _, "draft"]) => {
                self.texts[number.parse::<usize>().unwrap() - 1].draft = Some(serde_json::from_slice(body).unwrap());
                (200, "application/json", "{}".into())
            }
            ("DELETE", ["api", "v1", "projects", _, "documents", number, "annotations", _, "draft"]) => {
                self.texts[number.parse::<usize>().unwrap() - 1].draft = None;
                (204, "application/json", String::new())
            }
            _ => (404, "text/plain", "nothing is here".into()),
        }
    }

    fn next(&self) -> Option<usize> {
        self.texts.iter().position(|text| text.revisions.is_empty()).map(|index| index + 1)
    }

    /// The rules of the store: a key is one save, a stale parent a conflict; a quote that is not the text's is refused.
    fn save(&mut self, number: usize, mut sent: Value) -> Answer {
        self.asked += 1;
        let kept = &mut self.texts[number - 1];
        if let Some(known) = kept.revisions.iter().find(|known| known["key"] == sent["key"]) {
            return (200, "application/json", known.to_string());
        }
        let points: Vec<char> = kept.text.chars().collect();
        for (start, end, label, text) in entities(&sent) {
            if points.get(start..end).is_none_or(|there| there.iter().collect::<String>() != text)
                || self.schema.position(&label).is_none()
            {
                return (
                    422,
                    "application/json",
                    json!({"error": format!("{start} to {end} is not {text}")}).to_string(),
                );
            }
        }
        let theirs = kept.revisions.last().cloned();
        if sent["parent"].as_u64() != Some(kept.revisions.len() as u64) {
            return (409, "application/json", json!({"mine": sent, "theirs": theirs}).to_string());
        }
        sent["number"] = json!(kept.revisions.len() + 1);
        sent["user"] = json!(self.user);
        kept.revisions.push(sent.clone());
        kept.draft = None;
        (200, "application/json", sent.to_string())
    }

    fn layout(&self, title: &str, active: Section, body: Markup) -> Markup {
        let head = Head {
            title,
            active: Some(active),
            user: Some(User { name: &self.user, signed_in: true }),
            project: Some(Project { name: &self.project, sections: &Section::ALL }),
            csrf: CSRF,
            theme: Theme::System,
        };
        layout(head, body)
    }

    fn of_revision(&self, number: usize) -> Vec<Entity> {
        let kept = &self.texts[number - 1];
        let offsets = Offsets::new(&kept.text, Unit::CodePoints);
        let Some(last) = kept.revisions.last() else { return Vec::new() };
        let sources = last["entities"].as_array().unwrap().iter();
        let sources = sources.map(|one| one["suggestion"].as_str().or(one["source"].as_str()).map(str::to_owned));
        let entity = |((start, end, label, _), source): ((usize, usize, String, String), Option<String>)| Entity {
            source,
            ..Entity::new(offsets.span(start, end).unwrap(), Label::new(&label).unwrap())
        };
        entities(last).into_iter().zip(sources).map(entity).collect()
    }

    fn with_task(&self, number: usize, layer: &str, show: impl FnOnce(&Task<'_>) -> Markup) -> Markup {
        let kept = &self.texts[number - 1];
        let suggestion =
            |(index, (start, end, label, score, source)): (usize, &'_ (usize, usize, String, f64, String))| {
                (
                    index as u64 + 1,
                    schema::Span::of(&kept.text, *start..*end).unwrap(),
                    label.clone(),
                    *score,
                    source.clone(),
                )
            };
        let suggestions: Vec<_> = kept.suggestions.iter().enumerate().map(suggestion).collect();
        let suggestions: Vec<Suggested<'_>> = suggestions
            .iter()
            .map(|(id, span, label, score, source)| Suggested {
                id: *id,
                span: Some(*span),
                label,
                score: Some(*score),
                status: "exact",
                quote: span.quote(&kept.text),
                kind: "bundle",
                name: source,
                version: "2",
            })
            .collect();
        let refused = |one: &Value| {
            let word = |key: &str| one[key].as_str().unwrap();
            Refused {
                start: one["start"].as_u64().map(|start| start as usize),
                end: one["end"].as_u64().map(|end| end as usize),
                label: Label::new(word("label")).unwrap(),
                quote: word("quote").into(),
                origin: Origin { version: word("version").into(), ..Origin::of_source(word("origin")).unwrap() },
            }
        };
        let refused: Vec<Refused> = kept
            .revisions
            .last()
            .and_then(|last| last["rejected"].as_array())
            .map_or_else(Vec::new, |rejected| rejected.iter().map(refused).collect());
        show(&Task {
            project: &self.project,
            number: number as u64,
            layer,
            user: &self.user,
            id: None,
            text: &kept.text,
            tokens: None,
            schema: &self.schema,
            guidelines: &self.guidelines,
            parent: kept.revisions.len() as u64,
            key: kept.revisions.last().and_then(|last| last["key"].as_str()),
            entities: &self.of_revision(number),
            note: kept.revisions.last().and_then(|last| last["note"].as_str()).unwrap_or(""),
            suggestions: &suggestions,
            refused: &refused,
            draft: kept.draft.as_ref(),
            progress: Progress {
                done: self.texts.iter().filter(|text| !text.revisions.is_empty()).count() as u64,
                total: self.texts.len() as u64,
            },
            reason: &kept.reason,
        })
    }

    fn annotate(&self, number: usize) -> Markup {
        self.layout(&format!("Text {number}"), Section::Annotate, self.with_task(number, "first", editor))
    }

    fn review(&self, number: usize) -> Markup {
        let versions = &self.texts[number - 1].versions;
        let version = |index: usize| Version {
            user: &versions[index].0,
            verdict: "accepted",
            entities: &versions[index].1,
            note: "",
        };
        let body = self.with_task(number, "review", |task| review(task, &version(0), &version(1)));
        self.layout(&format!("Review of text {number}"), Section::Review, body)
    }
}

fn page(markup: Markup) -> Answer {
    (200, "text/html; charset=utf-8", markup.into_string())
}

fn done() -> Markup {
    html! { div.card.empty #done { h1 { "All done" } p { "No text is waiting for you." } } }
}
