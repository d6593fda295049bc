//! The language model that a command was given.

use std::{
    env, fs,
    num::{NonZeroU32, NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
    time::Duration,
};

use annotate::suggest::llm::{Budget, Cache, Desk, Estimate, Key, Mode, Patience, Prices, Server, Spent};
use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use schema::Schema;
use serde_json::{Map, Value};
use url::{Host, Url};

use crate::{
    progress::note,
    project::{self, Project},
};

/// The variable with the key of whatever server is asked. Keys are not for command lines, which others can read.
const KEY: &str = "NOMEN_LLM_KEY";
/// The variable that many have set for the server that it is named after, and for those that speak as it does.
const COMMON_KEY: &str = "OPENAI_API_KEY";

/// Which language model, and what it may cost.
#[derive(Args)]
pub struct LlmArguments {
    /// Server that speaks OpenAI's chat completions, such as `http://127.0.0.1:8000/v1`
    #[arg(long, value_name = "URL", requires = "model", help_heading = LLM)]
    pub llm: Option<Url>,
    /// Name of the model, as the server knows it
    #[arg(long, value_name = "NAME", requires = "llm", help_heading = LLM)]
    pub model: Option<String>,
    /// File with the key of the server [default: what `NOMEN_LLM_KEY` or `OPENAI_API_KEY` holds]
    #[arg(long, value_name = "FILE", requires = "llm", help_heading = LLM)]
    key_file: Option<PathBuf>,
    /// Most tokens of an answer
    #[arg(long, value_name = "N", default_value = "2048", help_heading = LLM)]
    pub max_answer_tokens: NonZeroU32,
    /// Questions under way at once
    #[arg(long, value_name = "N", default_value = "4", help_heading = LLM)]
    pub concurrency: NonZeroUsize,
    /// Longest wait for an answer
    #[arg(long, value_name = "SECONDS", default_value = "120", help_heading = LLM)]
    timeout: NonZeroU64,
    /// How often a question is asked while the server is busy or does not answer
    #[arg(long, value_name = "N", default_value = "6", help_heading = LLM)]
    tries: NonZeroU32,
    /// JSON object of further fields of the requests; `null` takes a field out
    #[arg(long, value_name = "JSON", value_parser = object, help_heading = LLM)]
    extra: Option<Map<String, Value>>,
    /// File that keeps the answers, so that nothing is asked twice [default: OUT with `.answers.jsonl`]
    #[arg(long, value_name = "FILE", help_heading = LLM)]
    cache: Option<PathBuf>,
    /// Stop before more tokens than this are spent, questions and answers together
    #[arg(long, value_name = "N", help_heading = LLM)]
    max_tokens_total: Option<u64>,
    /// Stop before more money than this is spent, at the prices below
    #[arg(long, value_name = "AMOUNT", requires_all = ["price_in", "price_out"], value_parser = amount, help_heading = LLM)]
    max_cost: Option<f64>,
    /// Price of a million tokens of questions
    #[arg(long, value_name = "AMOUNT", value_parser = amount, help_heading = LLM)]
    price_in: Option<f64>,
    /// Price of a million tokens of answers
    #[arg(long, value_name = "AMOUNT", value_parser = amount, help_heading = LLM)]
    price_out: Option<f64>,
    /// Only tell what it would cost; with 1 as exit code if that is more than may be spent
    #[arg(long, visible_alias = "dry-run", requires = "llm", help_heading = LLM)]
    pub estimate: bool,
}

const LLM: &str = "Language model";

/// A server, what it answered before, and what may be spent.
pub struct Llm {
    server: Server,
    cache: Cache,
    cache_path: Option<PathBuf>,
    budget: Budget,
    patience: Patience,
    /// Name of the model.
    pub model: String,
    /// Further fields of the requests.
    pub extra: Map<String, Value>,
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("expected an object such as {{\"top_p\": 0.9}}: {error}"))
}

fn amount(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if number.is_finite() && number >= 0.0 { Ok(number) } else { Err("expected a number of 0 or more".to_owned()) }
}

impl LlmArguments {
    /// What was given, opened; `None` where no server was named. Answers are kept beside `out`.
    pub fn open(&self, out: Option<&Path>) -> anyhow::Result<Option<Llm>> {
        let (Some(url), Some(model)) = (&self.llm, &self.model) else { return Ok(None) };
        let server = Server::new(url, self.key(url)?, Duration::from_secs(self.timeout.get()))?;
        let beside = |out: &Path| {
            let mut name = out.as_os_str().to_owned();
            name.push(".answers.jsonl");
            PathBuf::from(name)
        };
        let cache_path = self.cache.clone().or_else(|| out.map(beside));
        // An estimate leaves no file behind.
        let absent = self.estimate && cache_path.as_ref().is_some_and(|path| !path.exists());
        let cache = match &cache_path {
            Some(path) if !absent => Cache::open(path)?,
            _ => Cache::in_memory(),
        };
        if !cache.is_empty() {
            note(&format!("{} answers of earlier runs are there already", cache.len()));
        }
        let prices = Prices { input: self.price_in.unwrap_or(0.0), output: self.price_out.unwrap_or(0.0) };
        Ok(Some(Llm {
            server,
            cache,
            cache_path,
            budget: Budget { tokens: self.max_tokens_total, cost: self.max_cost, prices },
            patience: Patience { tries: self.tries.get(), ..Patience::default() },
            model: model.clone(),
            extra: self.extra.clone().unwrap_or_default(),
        }))
    }

    fn key(&self, url: &Url) -> anyhow::Result<Option<Key>> {
        if let Some(file) = &self.key_file {
            return Ok(Some(Key::read(file)?));
        }
        let of = |name: &str| env::var(name).ok().filter(|key| !key.trim().is_empty());
        if let Some(key) = of(KEY) {
            return Ok(Some(Key::new(&key).with_context(|| format!("the variable {KEY} cannot be used"))?));
        }
        let Some(key) = of(COMMON_KEY) else { return Ok(None) };
        if url.scheme() == "http" && !is_loopback(url) {
            note(&format!(
                "the key in {COMMON_KEY} is not sent to another machine without encryption; if it is meant for it, set {KEY}"
            ));
            return Ok(None);
        }
        Ok(Some(Key::new(&key).with_context(|| format!("the variable {COMMON_KEY} cannot be used"))?))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Llm {
    /// Where its questions are answered.
    pub fn desk<'l>(&'l self, mode: Mode, leave: &'l (dyn Fn() -> bool + Sync)) -> Desk<'l> {
        Desk::new(&self.server, &self.cache, mode, self.budget, self.patience, leave)
    }

    /// Its server.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Its answers.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Where a run that did not come to its end goes on from.
    pub fn goes_on(&self) -> String {
        match &self.cache_path {
            Some(path) => {
                format!("what was answered is kept in {}; the same command goes on from there", path.display())
            }
            None => "nothing was kept; with --out or --cache the answers are".to_owned(),
        }
    }

    /// What an estimate says, and whether the budget has it.
    pub fn judged(&self, estimate: &Estimate) -> (f64, bool) {
        let cost = self.budget.prices.cost(estimate.prompt_tokens, estimate.completion_tokens);
        let tokens = estimate.prompt_tokens + estimate.completion_tokens;
        let fits =
            self.budget.tokens.is_none_or(|most| tokens <= most) && self.budget.cost.is_none_or(|most| cost <= most);
        (cost, fits)
    }

    /// An estimate in words.
    pub fn told(&self, estimate: &Estimate) -> String {
        let (cost, fits) = self.judged(estimate);
        let money = if cost > 0.0 { format!(", a cost of {cost:.4}") } else { String::new() };
        let cached = if estimate.from_cache > 0 {
            format!(" ({} are answered already)", estimate.from_cache)
        } else {
            String::new()
        };
        let room = if fits { "" } else { "; that is more than may be spent" };
        format!(
            "about {} requests{cached}, {} tokens of questions, {} of answers{money}{room}",
            estimate.requests, estimate.prompt_tokens, estimate.completion_tokens
        )
    }
}

/// What was spent, in words.
pub fn told_spent(spent: &Spent, retries: u64) -> String {
    let parts = [
        Some(format!("{} requests", spent.requests)),
        (spent.from_cache > 0).then(|| format!(", {} questions answered before", spent.from_cache)),
        (retries > 0).then(|| format!(", {retries} asked again because the server was busy or away")),
        Some(format!("; {} tokens of questions, {} of answers", spent.prompt_tokens, spent.completion_tokens)),
        (spent.estimated_tokens > 0).then(|| format!(" ({} of them estimated)", spent.estimated_tokens)),
        (spent.cost > 0.0).then(|| format!("; cost {:.4}", spent.cost)),
    ];
    parts.into_iter().flatten().collect()
}

/// The labels that a command works with: those of a schema file, or of the project.
pub fn schema(file: Option<&Path>) -> anyhow::Result<Schema> {
    let schema = match file {
        Some(file) => Some(project::schema(file)?).filter(|schema| !schema.is_empty()),
        None => match Project::find()? {
            Some(project) => project.schema()?,
            None => bail!(
                "a language model has to know the labels: give --schema FILE, or work in a project (`nomen init DIR`)"
            ),
        },
    };
    schema.ok_or_else(|| anyhow!("the schema has no label; write [[labels]] name = \"PERSON\" for each"))
}

/// The text of a file of guidelines; none where none is named.
pub fn guidelines(file: Option<&Path>) -> anyhow::Result<String> {
    match file {
        None => Ok(String::new()),
        Some(file) => fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display())),
    }
}
