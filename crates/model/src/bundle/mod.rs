//! Bundles: model folders that both Nomen and transformers open.
//!
//! A bundle holds `config.json` with the tags in `id2label`, `tokenizer.json`, `model.safetensors`, and `nomen.json`
//! ([`Manifest`]), written last. One that was trained here also keeps which texts it was trained on ([`TrainedOn`]) and what its own domain looks like ([`PROFILE_FILE`]). A folder without `nomen.json` is a model of transformers' and is opened with
//! defaults.

mod grow;
mod labels;
mod manifest;
mod recognizer;
mod replace;
mod self_test;
mod tokenizer_file;
mod trained_on;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use engine::Precision;
use schema::{Label, Schema};
use serde_json::{Value, json};
use thiserror::Error;

pub use manifest::{FileSum, MANIFEST_FILE, Manifest};
pub use recognizer::Recognizer;
pub use replace::replace_folder;
pub use self_test::SelfTest;
use tokenizer_file::TokenizerFile;
pub use trained_on::{TRAINED_ON_FILE, TrainedOn};

use crate::{
    Head, OpenError, TokenClassifier,
    codec::{Codec, CodecSettings},
    decode::{TagSet, TagSetError},
    text::{Alignment, TokenizerError, WindowError},
    weights::{self, WeightsError},
};

/// Files of a model folder that are taken along as they are: transformers reads them beside `tokenizer.json`.
const COMPANIONS: [&str; 4] =
    ["tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "sentencepiece.bpe.model"];

/// File of the training texts that a bundle carries, if it carries any, as Nomen JSONL.
pub const TEXTS_FILE: &str = "nomen-texts.jsonl";

/// File of the profile of the model's own domain, if there is one, with which what it is asked later is compared.
pub const PROFILE_FILE: &str = "nomen-profile.json";

/// Longest `config.json`, `nomen.json` or companion that is read.
const LONGEST_FILE: u64 = 64 << 20;

/// A model with everything it needs to recognize entities.
pub struct Bundle {
    /// Encoder, head, weights.
    pub classifier: TokenClassifier,
    /// Tokenizer, tags, windows.
    pub codec: Codec,
    /// What it was made from.
    pub manifest: Manifest,
    /// The texts that it was trained on.
    pub trained_on: TrainedOn,
    /// Some of these texts with their entities, to be learned again, where whoever trained it asked for that: the content of
    /// [`TEXTS_FILE`], which is left to whoever writes and reads it. A bundle in 8 bits is for tagging and carries none.
    pub texts: Option<Vec<u8>>,
    /// The content of [`PROFILE_FILE`], which is left to whoever writes and reads it.
    pub profile: Option<Vec<u8>>,
    config: Value,
    /// Small files by name, as they are written again.
    files: BTreeMap<String, Vec<u8>>,
}

/// Why a bundle could not be opened or written.
#[derive(Debug, Error)]
pub enum BundleError {
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A JSON file is malformed.
    #[error("{path}: {error}")]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// A part is missing or disagrees with the others.
    #[error("{path}: {problem}")]
    Disagree {
        /// The file or folder.
        path: PathBuf,
        /// What was expected and what was found.
        problem: String,
    },
    /// Encoder, head or weights.
    #[error(transparent)]
    Model(#[from] OpenError),
    /// Weights could not be written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The tokenizer.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The tags of `id2label`.
    #[error("{path}: id2label: {error}")]
    Tags {
        /// The file.
        path: PathBuf,
        /// What is wrong with them.
        error: TagSetError,
    },
    /// The windows.
    #[error("{path}: {error}")]
    Windows {
        /// The folder whose settings they are.
        path: PathBuf,
        /// What is wrong with them.
        error: WindowError,
    },
}

/// What a new model is to be.
#[derive(Debug, Clone)]
pub struct NewModel<'s> {
    /// The labels that it will know.
    pub schema: &'s Schema,
    /// How texts are cut; a longer window than the encoder has positions is cut to them.
    pub settings: CodecSettings,
    /// Seed of the new head's weights.
    pub seed: u64,
}

impl Bundle {
    /// A bundle around a base model, with a new head for the labels of a schema.
    ///
    /// # Errors
    /// The base cannot be read, or its parts disagree.
    pub fn from_base(base: &Path, new: &NewModel<'_>) -> Result<Self, BundleError> {
        let tag_set = TagSet::for_schema(new.schema);
        let mut config = read_json(&base.join("config.json"))?;
        let head = Head::Fresh { tags: tag_set.len(), seed: new.seed };
        let (classifier, tokenizer) = open_parts(base, &config, head)?;
        let names = tag_set.names();
        config["architectures"] = json!([classifier.config().class_name()]);
        config["id2label"] = names.iter().enumerate().map(|(id, name)| (id.to_string(), json!(name))).collect();
        config["label2id"] = names.iter().enumerate().map(|(id, name)| (name.clone(), json!(id))).collect();
        for outdated in ["num_labels", "_name_or_path"] {
            config.as_object_mut().and_then(|config| config.shift_remove(outdated));
        }
        let max_length = new.settings.max_length.min(classifier.shape().max_length());
        let settings = CodecSettings { max_length, stride: new.settings.stride.min(max_length / 2), ..new.settings };
        let manifest = Manifest::new(new.schema.clone(), settings);
        Self::assemble(base, classifier, tokenizer, tag_set, settings, manifest, config)
    }

    /// Whether a folder holds a trained token classifier rather than an encoder alone.
    pub fn has_head(folder: &Path) -> bool {
        let is_classifier = |name: &Value| name.as_str().is_some_and(|name| name.ends_with("ForTokenClassification"));
        let architectures =
            |config: Value| config["architectures"].as_array().is_some_and(|all| all.iter().any(is_classifier));
        read_json(&folder.join("config.json")).is_ok_and(architectures)
    }

    /// Opens a bundle of Nomen's, or a token-classification model of transformers'.
    ///
    /// # Errors
    /// A file is missing, damaged or refused, or parts disagree; everything that disagrees is listed.
    pub fn open(folder: &Path) -> Result<Self, BundleError> {
        if !folder.is_dir() {
            let problem =
                "no such folder; name a folder with config.json, tokenizer.json and model.safetensors".to_owned();
            return Err(BundleError::Disagree { path: folder.to_owned(), problem });
        }
        let config_path = folder.join("config.json");
        let config = read_json(&config_path)?;
        let tag_set = labels::tag_set(&config, &config_path)?;
        let (classifier, tokenizer) = open_parts(folder, &config, Head::Stored { tags: tag_set.len() })?;
        let manifest = Manifest::read(folder)?.unwrap_or_else(|| {
            let max_length = classifier.shape().max_length().min(512);
            let settings = CodecSettings { alignment: Alignment::Word, max_length, stride: max_length / 4 };
            Manifest::new(Schema::of_labels(tag_set.labels().iter().cloned()), settings)
        });
        let settings = manifest.codec;
        let mut bundle = Self::assemble(folder, classifier, tokenizer, tag_set, settings, manifest, config)?;
        bundle.check(folder)?;
        let texts = folder.join(TEXTS_FILE);
        bundle.texts = texts.exists().then(|| read(&texts)).transpose()?;
        let profile = folder.join(PROFILE_FILE);
        bundle.profile = profile.exists().then(|| read(&profile)).transpose()?;
        Ok(bundle)
    }

    fn assemble(
        folder: &Path,
        classifier: TokenClassifier,
        tokenizer: TokenizerFile,
        tag_set: TagSet,
        settings: CodecSettings,
        manifest: Manifest,
        mut config: Value,
    ) -> Result<Self, BundleError> {
        // What is written is f32, whatever was read; transformers would round it to the type that stands here.
        config.as_object_mut().and_then(|config| config.shift_remove("torch_dtype"));
        config["dtype"] = json!("float32");
        let mut files = BTreeMap::from([("tokenizer.json".to_owned(), tokenizer.json)]);
        for name in COMPANIONS {
            let path = folder.join(name);
            if path.exists() {
                files.insert(name.to_owned(), read(&path)?);
            }
        }
        let windows = |error| BundleError::Windows { path: folder.to_owned(), error };
        let codec = Codec::new(tokenizer.tokenizer, tag_set, settings).map_err(windows)?;
        let trained_on = TrainedOn::read(folder)?;
        let bundle = Self { classifier, codec, manifest, trained_on, texts: None, profile: None, config, files };
        let (largest, rows) = (bundle.codec.tokenizer().max_id() as usize, bundle.classifier.shape().vocabulary);
        if largest >= rows {
            let problem = format!(
                "vocab_size: tokenizer.json gives ids up to {largest}, but the vocab_size of config.json is {rows}; \
                 the two belong to different models"
            );
            return Err(BundleError::Disagree { path: folder.to_owned(), problem });
        }
        Ok(bundle)
    }

    /// Compares the manifest with the rest of the bundle.
    fn check(&self, folder: &Path) -> Result<(), BundleError> {
        let mut problems = Vec::new();
        let known: BTreeSet<&str> = self.codec.tag_set().labels().iter().map(Label::as_str).collect();
        let promised: BTreeSet<&str> = self.manifest.schema.labels().map(Label::as_str).collect();
        if known != promised {
            problems.push(format!("labels: nomen.json has {promised:?}, id2label of config.json has {known:?}"));
        }
        let (positions, max_length) = (self.classifier.shape().max_length(), self.manifest.codec.max_length);
        if max_length > positions {
            problems.push(format!("max_length: nomen.json has {max_length}, the encoder has {positions} positions"));
        }
        problems.extend(self.manifest.changed_files(folder));
        if problems.is_empty() {
            return Ok(());
        }
        let problem = format!(
            "the parts of the bundle disagree; copy it anew, or remove nomen.json to open the rest as a model of \
             transformers':\n  {}",
            problems.join("\n  ")
        );
        Err(BundleError::Disagree { path: folder.to_owned(), problem })
    }

    /// Writes the bundle to a folder, which appears (or replaces the model before) only when it is whole.
    ///
    /// # Errors
    /// A file cannot be written, or something lies there that is no model. The folder is then as it was.
    pub fn save(&self, folder: &Path) -> Result<(), BundleError> {
        self.save_as(folder, Precision::F32)
    }

    /// Like [`Bundle::save`], with the matrices in a number format. In 8 bits they lie in a file of another name
    /// ([`weights::QUANTIZED_FILE`]), so that transformers finds no weights instead of taking integers for them.
    ///
    /// # Errors
    /// As [`Bundle::save`].
    pub fn save_as(&self, folder: &Path, precision: Precision) -> Result<(), BundleError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            |error| BundleError::Io { path, error }
        };
        // A link stays, and what it leads to is replaced.
        let folder = &fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        if !may_be_replaced(folder) {
            let problem = "holds files, but no config.json of a model that could be replaced; name another folder";
            return Err(BundleError::Disagree { path: folder.clone(), problem: problem.to_owned() });
        }
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(io(parent))?;
        let beside = replace::folder_beside(parent).map_err(io(parent))?;
        let config = pretty(&self.config);
        let trained_on = self.trained_on.bytes();
        let trained_on = (!trained_on.is_empty()).then_some((TRAINED_ON_FILE, &trained_on));
        let texts = self.texts.as_ref().filter(|_| precision == Precision::F32).map(|texts| (TEXTS_FILE, texts));
        let profile = self.profile.as_ref().map(|profile| (PROFILE_FILE, profile));
        let files = self.files.iter().map(|(name, bytes)| (name.as_str(), bytes));
        for (name, bytes) in files.chain([("config.json", &config)]).chain(trained_on).chain(texts).chain(profile) {
            let path = beside.path().join(name);
            replace::write_synced(&path, bytes).map_err(io(&path))?;
        }
        let tensors = self.classifier.tensors();
        match precision {
            Precision::F32 => weights::save(&beside.path().join(weights::WEIGHTS_FILE), tensors)?,
            Precision::Int8 => weights::save_quantized(&beside.path().join(weights::QUANTIZED_FILE), tensors)?,
        }
        let mut manifest = self.manifest.with_sums(beside.path()).map_err(io(beside.path()))?;
        manifest.self_test = SelfTest::of(self);
        let path = beside.path().join(MANIFEST_FILE);
        replace::write_synced(&path, &pretty(&manifest)).map_err(io(&path))?;
        replace_folder(beside.path(), folder).map_err(io(folder))
    }
}

/// Weights and tokenizer, read side by side: each takes some tens of milliseconds.
fn open_parts(folder: &Path, config: &Value, head: Head) -> Result<(TokenClassifier, TokenizerFile), BundleError> {
    std::thread::scope(|scope| {
        let tokenizer = scope.spawn(|| tokenizer_file::read(folder));
        let classifier = TokenClassifier::open(folder, config, head);
        let tokenizer = tokenizer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((classifier?, tokenizer?))
    })
}

/// Whether a folder holds nothing that its replacement would lose, but for another model.
fn may_be_replaced(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none() || folder.join("config.json").is_file(),
        Err(_) => fs::symlink_metadata(folder).is_err(),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, BundleError> {
    let io = |error| BundleError::Io { path: path.to_owned(), error };
    let size = fs::metadata(path).map_err(io)?.len();
    if size > LONGEST_FILE {
        let problem = format!("has {size} bytes, expected at most {LONGEST_FILE}");
        return Err(BundleError::Disagree { path: path.to_owned(), problem });
    }
    fs::read(path).map_err(io)
}

fn read_json(path: &Path) -> Result<Value, BundleError> {
    serde_json::from_slice(&read(path)?).map_err(|error| BundleError::Json { path: path.to_owned(), error })
}

fn pretty(value: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("values without maps of other keys than text serialize");
    bytes.push(b'\n');
    bytes
}
