//! `nomen serve`: a model behind HTTP.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use serve::{App, Config, Models, Server, config};

use crate::{
    output,
    progress::note,
    recognizer::RunArguments,
    serving::{Folders, Predictions, Told, one_arena},
    signals::Signals,
};

/// Between two looks whether the process has been asked to leave.
const TICK: Duration = Duration::from_millis(50);
/// Bytes of a key, from the system's source of randomness.
const KEY_BYTES: usize = 24;

/// Put a model behind HTTP
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// Model to serve, as DIR or NAME=DIR, or a registry, whose live version is served; may be repeated, the
    /// first one answers where a request names none
    #[arg(long, value_name = "DIR")]
    model: Vec<String>,
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "HOST:PORT")]
    addr: Option<SocketAddr>,
    #[command(flatten)]
    run: RunArguments,
    /// File of settings
    #[arg(long, value_name = "serve.toml")]
    config: Option<PathBuf>,
    /// One setting, before those of the file; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Serve everybody on an address that other machines reach
    #[arg(long)]
    insecure: bool,
    /// Print all settings with their defaults, as serve.toml, and leave
    #[arg(long)]
    print_config: bool,
    /// Print a new key and the lines of serve.toml that let it in, and leave
    #[arg(long, value_name = "NAME")]
    new_key: Option<String>,
    /// Print the `OpenAPI` document of all routes, and leave
    #[arg(long)]
    openapi: bool,
}

const HELP: &str = "\
Answers in the dialects of Nomen (POST /v1/tag, /v1/tag/stream), Hugging Face (POST /), the Open
Inference Protocol (/v2), Label Studio (/label-studio) and doccano (POST /doccano). GET / is a page to
try it on, /metrics is for Prometheus, /openapi.json describes all routes.
A model whose folder changes is loaded beside the old one and takes over when it has passed its own
test. SIGTERM and Ctrl-C end the server when the requests that it has taken are answered.
Settings go by the command line, then the environment (NOMEN_SERVE_LIMITS__TEXTS=100), then the file.

Examples:
  nomen serve --model runs/news/model-best
  nomen serve --model registry --precision int8 --addr 127.0.0.1:9000
  curl localhost:8080/v1/tag -d '{\"texts\": [\"Anna moved to Rome.\"]}'
  nomen serve --new-key team
  nomen serve --print-config > serve.toml
  nomen serve --config serve.toml";

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.print_config {
        output::print(config::DEFAULTS)?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.openapi {
        output::print_json(&serve::openapi())?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(name) = &arguments.new_key {
        output::print(&new_key(name)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    one_arena();
    let config = settings(arguments)?;
    config.check()?;
    let run = arguments.run.or(config.precision.as_deref(), config.threads)?;
    let default = config
        .default_model()
        .map(str::to_owned)
        .context("no model is named; --model DIR names one, or `models` in the file of settings")?;
    let names: Vec<String> = config.models.keys().cloned().collect();
    let predictions = Predictions::start(&config.predictions)?;
    let folders = Folders::new(config.models.clone(), run, predictions.clone());
    let models = Models::new(Box::new(folders), names.clone(), default);
    let (told, observer) = Told::start(&config, predictions.clone())?;
    let server = Server::bind(App::new(config, models, Arc::new(observer)))?;
    let signals = Signals::listen()?;
    for name in &names {
        server.app().load(name).map_err(|problem| anyhow!("the model `{name}`: {problem}"))?;
    }
    let scheme = if server.app().config.tls.is_some() { "https" } else { "http" };
    note(&format!("{} answers at {scheme}://{}", names.join(", "), server.addr()));
    let handle = server.handle();
    // Ends with the process: whoever waits for a signal holds parts of the server.
    thread::spawn(move || {
        while signals.leave().is_none() {
            thread::sleep(TICK);
        }
        note("stopping when the requests that are under way are answered; once more ends at once");
        handle.stop();
    });
    server.run()?;
    told.finish();
    if let Some(predictions) = predictions.and_then(Arc::into_inner) {
        predictions.finish();
    }
    Ok(ExitCode::SUCCESS)
}

/// The settings of file, environment and command line.
fn settings(arguments: &Arguments) -> anyhow::Result<Config> {
    let mut config = Config::load(arguments.config.as_deref(), std::env::vars(), &arguments.set)?;
    if let Some(addr) = arguments.addr {
        config.addr = addr;
    }
    config.insecure |= arguments.insecure;
    if !arguments.model.is_empty() {
        config.models.clear();
        config.default = None;
    }
    for given in &arguments.model {
        let (name, folder) = match given.split_once('=') {
            Some((name, folder)) if !name.contains(['/', ':']) => (name.to_owned(), folder),
            _ => (name_of(Path::new(given)), given.as_str()),
        };
        if config.models.insert(name.clone(), PathBuf::from(folder)).is_some() {
            bail!("two models are called `{name}`; call one --model NAME={folder}");
        }
        config.default.get_or_insert(name);
    }
    Ok(config)
}

/// What a model is called that was given no name: as its folder, or as the run that left it there.
fn name_of(folder: &Path) -> String {
    let last = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let own = last(folder).unwrap_or_default();
    let of_run = folder.parent().and_then(last).filter(|_| matches!(own.as_str(), "model-best" | "model-last"));
    let name = of_run.unwrap_or(own);
    let plain =
        |character: char| if character.is_ascii_alphanumeric() || "-_.".contains(character) { character } else { '-' };
    let name: String = name.chars().map(plain).take(64).collect();
    if name.is_empty() { "model".to_owned() } else { name }
}

fn new_key(name: &str) -> anyhow::Result<String> {
    if name.is_empty() || name.contains(['"', '\\', '\n']) {
        bail!("`{name}` cannot be a key's name");
    }
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("the system gives no random numbers: {error}"))?;
    let key = serve::hex(&bytes);
    let hash = serve::hash(&key);
    Ok(format!(
        "# The key is {key}\n# It is nowhere kept; what follows is for serve.toml.\n[[keys]]\nname = \"{name}\"\nsha256 = \"{hash}\"\n"
    ))
}
