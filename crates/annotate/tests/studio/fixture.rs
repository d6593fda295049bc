//! A studio over a database of its own, and requests to it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use nomen_annotate::studio::{Settings, StartRun, Studio, Training, app, hash_password};
use schema::{Document, Label, Schema};
use serde_json::Value;
use store::{AccessKind, Given, Import, Project, Role, Store};
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt as _;

pub const HOST: &str = "localhost:8090";
pub const PASSWORD: &str = "correct horse";

/// Runs that are shell scripts.
pub struct Script {
    pub train: String,
    pub tag: String,
}

impl StartRun for Script {
    fn train(&self, training: &Training) -> Vec<String> {
        let paths = [&training.train, &training.dev, &training.out].map(|path| path.display().to_string());
        ["sh", "-c", &self.train, "train"].map(str::to_owned).into_iter().chain(paths).collect()
    }

    fn tag(&self, model: &Path, file: &Path) -> Vec<String> {
        let paths = [model, file].map(|path| path.display().to_string());
        ["sh", "-c", &self.tag, "tag"].map(str::to_owned).into_iter().chain(paths).collect()
    }
}

pub struct Fixture {
    pub app: Router,
    pub studio: Arc<Studio>,
    pub store: Store,
    pub project: Project,
    script: Arc<Script>,
    _stop: watch::Sender<bool>,
    folder: TempDir,
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}: {}", self.status, self.text))
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status.is_success() || self.status.is_redirection(), "{}: {}", self.status, self.text);
        self
    }
}

/// Who asks, and from where.
#[derive(Clone, Default)]
pub struct Asks {
    pub session: Option<String>,
    pub token: Option<String>,
    pub csrf: Option<String>,
    pub origin: Option<String>,
    pub host: Option<String>,
}

impl Fixture {
    /// A project `news` with labels PER and LOC and three texts; `local` is somebody who does not log in.
    pub async fn new(local: Option<&str>) -> Self {
        let script = Script { train: "exit 1".to_owned(), tag: "exit 1".to_owned() };
        Self::with("news", local, script).await
    }

    /// The same where the owner has accepted every text, with runs that are these scripts; and the owner.
    pub async fn annotated(train: &str, tag: &str) -> (Self, Asks) {
        let fixture = Self::with("news", None, Script { train: train.to_owned(), tag: tag.to_owned() }).await;
        let owner = fixture.session("olga").await;
        for number in 1..=3 {
            let body = serde_json::json!({"parent": 0, "key": "k", "verdict": "accepted",
                "entities": [{"start": 0, "end": 3, "label": "PER"}]});
            let path = format!("/api/v1/projects/news/documents/{number}/annotations/first");
            fixture.json(&owner, Method::PUT, &path, &body).await.ok();
        }
        (fixture, owner)
    }

    /// The same in a database of an address.
    pub async fn on(address: &str) -> Self {
        let script = Script { train: "exit 1".to_owned(), tag: "exit 1".to_owned() };
        let store = Store::open(address).await.unwrap();
        Self::filled(tempfile::tempdir().unwrap(), store, "news", None, script).await
    }

    pub async fn with(project: &str, local: Option<&str>, script: Script) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_file(&folder.path().join("nomen.db")).await.unwrap();
        Self::filled(folder, store, project, local, script).await
    }

    async fn filled(folder: TempDir, store: Store, project: &str, local: Option<&str>, script: Script) -> Self {
        let owner = store.user_named(local.unwrap_or("olga")).await.unwrap();
        let schema = Schema::of_labels(["PER", "LOC"].map(|name| Label::new(name).unwrap()));
        let project = store.create_project(project, &schema, "", owner.id).await.unwrap();
        let fixture = Self::over(folder, store, project, local, Arc::new(script)).await;
        // Where there are accounts, there is nobody who need not log in.
        let people = [("ann", Role::Annotator), ("ben", Role::Annotator), ("rob", Role::Reviewer)];
        for (name, role) in people.into_iter().filter(|_| local.is_none()) {
            fixture.person(name, Some(role)).await;
        }
        fixture.add(["Anna lives in Rome 👩‍🔬.", "Ærø is an island.", "Nothing here."]).await;
        fixture
    }

    async fn over(folder: TempDir, store: Store, project: Project, local: Option<&str>, script: Arc<Script>) -> Self {
        let settings = Settings {
            addr: SocketAddr::from(([127, 0, 0, 1], 8090)),
            hosts: Vec::new(),
            local: local.map(str::to_owned),
            tls: None,
            runs: folder.path().join("runs"),
        };
        let told = |problem: &str| panic!("the studio failed: {problem}");
        let studio = Studio::new(store.clone(), settings, Arc::<Script>::clone(&script), told).await.unwrap();
        let studio = Arc::new(studio);
        let (stop, stopped) = watch::channel(false);
        let app = app(Arc::clone(&studio), stopped);
        Self { app, studio, store, project, script, _stop: stop, folder }
    }

    /// Another studio over the same database, where everybody logs in.
    pub async fn again(self) -> Self {
        let Self { folder, project, script, .. } = self;
        let store = Store::open_file(&folder.path().join("nomen.db")).await.unwrap();
        Self::over(folder, store, project, None, script).await
    }

    pub async fn person(&self, name: &str, role: Option<Role>) {
        let user = self.store.user_named(name).await.unwrap();
        self.store.set_password(user.id, Some(&hash_password(PASSWORD).unwrap())).await.unwrap();
        if let Some(role) = role {
            self.store.set_role(self.project.id, user.id, Some(role)).await.unwrap();
        }
    }

    pub async fn add<'t>(&self, texts: impl IntoIterator<Item = &'t str>) {
        let owner = self.store.user_named("olga").await.unwrap();
        let document = |text: &'t str| {
            let mut document = Document::new(text);
            // Nobody has looked at it yet.
            document.partial = true;
            document
        };
        let documents: Vec<Document> = texts.into_iter().map(document).collect();
        let mut import = Import::new(&self.store, self.project.id, owner.id, Given::Decided);
        import.add(&documents).await.unwrap();
    }

    pub fn runs(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    /// Somebody with a session of their own, and the token of their forms.
    pub async fn session(&self, name: &str) -> Asks {
        let user = self.store.user_named(name).await.unwrap();
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).unwrap();
        let secret: String = bytes
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
            .collect();
        self.store.grant(&secret, user.id, AccessKind::Session, "test", None).await.unwrap();
        self.visitor(secret).await
    }

    /// Somebody who has not logged in, as their browser sees it.
    pub async fn nobody(&self) -> Asks {
        self.visitor("0123456789abcdef".repeat(4)).await
    }

    /// A browser with this secret in its cookie.
    pub async fn visitor(&self, secret: String) -> Asks {
        let asks = Asks { session: Some(secret), ..Asks::default() };
        let page = self.get(&asks, "/").await;
        let csrf = page.text.split("name=\"csrf-token\" content=\"").nth(1).unwrap().split('"').next().unwrap();
        Asks { csrf: Some(csrf.to_owned()), ..asks }
    }

    pub async fn get(&self, asks: &Asks, path: &str) -> Reply {
        self.ask(asks, Method::GET, path, "", "").await
    }

    pub async fn json(&self, asks: &Asks, method: Method, path: &str, body: &Value) -> Reply {
        self.ask(asks, method, path, "application/json", &body.to_string()).await
    }

    /// Sends a form, with its token as a field.
    pub async fn form(&self, asks: &Asks, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        if let Some(csrf) = &asks.csrf {
            body.append_pair("csrf", csrf);
        }
        let asks = Asks { csrf: None, ..asks.clone() };
        self.ask(&asks, Method::POST, path, "application/x-www-form-urlencoded", &body.finish()).await
    }

    pub async fn ask(&self, asks: &Asks, method: Method, path: &str, kind: &str, body: &str) -> Reply {
        let host = asks.host.as_deref().unwrap_or(HOST);
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, host);
        if let Some(session) = &asks.session {
            request = request.header(header::COOKIE, format!("other=1; nomen-session-8090={session}"));
        }
        if let Some(token) = &asks.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(csrf) = &asks.csrf {
            request = request.header("x-csrf-token", csrf);
        }
        if let Some(origin) = &asks.origin {
            request = request.header(header::ORIGIN, origin);
        }
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Reply { status: parts.status, headers: parts.headers, text }
    }
}

/// The runtime of a test.
pub fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test)
}
