//! The parts of a split on disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use corpus::{
    Format, Report, WriteOptions, Writer,
    split::{MANIFEST_FILE, Manifest, PartName, Source, Split},
};
use schema::{Document, tags::Scheme};

use crate::{input, progress::note};

/// Name of what no part may have.
pub const LEFT_OUT: &str = "left-out";

/// A file and all that it holds.
pub struct Read {
    path: PathBuf,
    documents: Vec<Document>,
    report: Report,
}

/// Where the parts go.
pub struct Parts<'o> {
    out: &'o Path,
    force: bool,
}

/// How the parts are written.
struct Form {
    format: Format,
    options: WriteOptions,
    extension: String,
}

impl Read {
    /// Reads a file; what was detected is noted.
    pub fn file(path: &Path, format: Option<Format>) -> anyhow::Result<Self> {
        let (documents, report) = input::documents(path, format)?;
        Ok(Self { path: path.to_owned(), documents, report })
    }

    /// The file and its documents, as the library takes them.
    pub fn source(&self) -> Source<'_> {
        Source { path: &self.path, documents: &self.documents }
    }

    /// Gives the documents of `CoNLL` files numbers that no other file's documents have, so that sentences of two
    /// files are never taken for neighbours once they stand in one.
    pub fn number_documents(files: &mut [Self]) {
        const DOCUMENT: &str = "docstart";
        let mut before = 0;
        for Self { documents, report, .. } in files {
            let mut last = before;
            for document in documents.iter_mut().filter(|_| report.format == Format::Conll) {
                if let Some(number) = document.meta.get(DOCUMENT).and_then(serde_json::Value::as_u64) {
                    last = last.max(before + number);
                    document.meta.insert(DOCUMENT.to_owned(), (before + number).into());
                }
            }
            before = last;
        }
    }
}

impl<'o> Parts<'o> {
    /// Parts that go into a folder, which must not hold a split unless it may be replaced.
    pub fn into(out: &'o Path, force: bool) -> anyhow::Result<Self> {
        if out.join(MANIFEST_FILE).exists() && !force {
            bail!(
                "{}: there is a split in this folder; replace it with --force, or choose another --out",
                out.display()
            );
        }
        if out.exists() && !out.is_dir() {
            bail!("{} is no folder; name one with --out", out.display());
        }
        Ok(Self { out, force })
    }

    /// Writes every part and then the manifest, which it gives back complete.
    pub fn write(
        &self,
        mut manifest: Manifest,
        split: &Split,
        sources: &[Read],
        protected: Option<&Read>,
    ) -> anyhow::Result<Manifest> {
        let form = Form::of(sources);
        let documents: Vec<&Document> = sources.iter().flat_map(|source| &source.documents).collect();
        let of = |positions: &[usize]| -> Vec<&Document> { positions.iter().map(|at| documents[*at]).collect() };
        let file =
            |name: &str| if form.extension.is_empty() { name.to_owned() } else { format!("{name}.{}", form.extension) };

        let mut files: Vec<(String, Vec<&Document>)> = Vec::new();
        for part in &split.parts {
            let (name, documents) = (part.name.to_string(), of(&part.documents));
            let path = if let PartName::Fold(_) = part.name {
                let others = split.parts.iter().filter(|other| other.name != part.name);
                let mut learned: Vec<usize> = others.flat_map(|other| other.documents.iter().copied()).collect();
                learned.sort_unstable();
                files.push((file(&format!("{name}/train")), of(&learned)));
                file(&format!("{name}/test"))
            } else {
                file(&name)
            };
            let entry = manifest.add(&name, &path, &documents);
            (entry.groups, entry.dates) = (Some(part.groups), part.dates.clone());
            files.push((path, documents));
        }
        if !split.left_out.is_empty() {
            let documents = of(&split.left_out);
            manifest.add(LEFT_OUT, &file(LEFT_OUT), &documents);
            files.push((file(LEFT_OUT), documents));
        }
        let mut copy = None;
        if let Some(kept) = protected {
            let extension = kept.path.extension().map(|extension| extension.to_string_lossy().into_owned());
            let name = extension.map_or_else(|| "test".to_owned(), |extension| format!("test.{extension}"));
            manifest.add("test", &name, &kept.documents.iter().collect::<Vec<_>>());
            copy = Some((&kept.path, name));
        }

        let names = files.iter().map(|(name, _)| name).chain(copy.as_ref().map(|(_, name)| name));
        self.refuse_overwriting(names, sources, protected)?;
        self.forget_replaced(&manifest);
        for (name, documents) in &files {
            self.part(name, documents, &form)?;
        }
        if let Some((from, name)) = copy {
            let to = self.out.join(name);
            // The test set of the split that is replaced may be the one that is protected.
            if !is_same(from, &to) {
                fs::copy(from, &to)
                    .with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
            }
        }
        self.manifest(&manifest)?;
        Ok(manifest)
    }

    /// Nothing has been written yet when this refuses.
    fn refuse_overwriting<'n>(
        &self,
        names: impl Iterator<Item = &'n String>,
        sources: &[Read],
        protected: Option<&Read>,
    ) -> anyhow::Result<()> {
        for name in names {
            let path = self.out.join(name);
            if sources.iter().any(|source| is_same(&source.path, &path)) {
                bail!(
                    "{} is one of the files to split and would be replaced by a part; choose another --out",
                    path.display()
                );
            }
            let is_kept = protected.is_some_and(|kept| is_same(&kept.path, &path));
            if is_kept && !name.starts_with("test") {
                bail!(
                    "{} is the protected test set and would be replaced by a part; choose another --out",
                    path.display()
                );
            }
            if path.exists() && !self.force {
                bail!("{} exists already; replace it with --force, or choose another --out", path.display());
            }
        }
        Ok(())
    }

    /// Removes the manifest of the split that is replaced, which is true no more, and those of its parts that the
    /// new one does not have. What cannot be removed is told and costs nothing else.
    fn forget_replaced(&self, new: &Manifest) {
        let path = self.out.join(MANIFEST_FILE);
        let Ok(bytes) = fs::read(&path) else { return };
        let old = serde_json::from_slice::<Manifest>(&bytes).map(|old| old.parts).unwrap_or_default();
        let stale = old.iter().filter(|part| new.parts.iter().all(|kept| kept.file != part.file));
        let inside = |file: &&String| {
            Path::new(file.as_str()).components().all(|part| matches!(part, std::path::Component::Normal(_)))
        };
        let stale = stale.map(|part| &part.file).filter(inside).map(|file| self.out.join(file));
        for stale in [path].into_iter().chain(stale) {
            if let Err(error) = fs::remove_file(&stale) {
                note(&format!("warning: {} belongs to the split that is replaced and stays: {error}", stale.display()));
            }
        }
    }

    fn part(&self, name: &str, documents: &[&Document], form: &Form) -> anyhow::Result<()> {
        let path = self.out.join(name);
        let folder = path.parent().unwrap_or(self.out);
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let mut writer = Writer::create(&path, form.format, form.options)?;
        for document in documents {
            writer.write(document)?;
        }
        writer.save()?;
        Ok(())
    }

    fn manifest(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let (path, beside) = (self.out.join(MANIFEST_FILE), self.out.join(".split.json.new"));
        let mut bytes = serde_json::to_vec_pretty(manifest)?;
        bytes.push(b'\n');
        let write = || -> io::Result<()> {
            fs::write(&beside, &bytes)?;
            fs::File::open(&beside)?.sync_all()?;
            fs::rename(&beside, &path)
        };
        write().with_context(|| format!("{} cannot be written", path.display()))
    }
}

impl Form {
    /// The format that all files have, if it can hold every document; else JSONL, which can. Which it is and why is
    /// noted.
    fn of(sources: &[Read]) -> Self {
        let jsonl = |why: &str| {
            note(&format!("the parts are written as jsonl: {why}"));
            Self { format: Format::Jsonl, options: WriteOptions::default(), extension: "jsonl".to_owned() }
        };
        let Some(first) = sources.first() else { return jsonl("there is no file") };
        let format = first.report.format;
        if sources.iter().any(|source| source.report.format != format) {
            return jsonl("the files have different formats");
        }
        let scheme = |read: &Read| read.report.scheme.map(|found| found.scheme);
        let scheme = scheme(first).filter(|_| sources.iter().all(|source| scheme(source) == scheme(first)));
        let options = WriteOptions { scheme: scheme.unwrap_or(Scheme::Iob2), ..WriteOptions::default() };
        let mut trial = Writer::new(io::sink(), "the parts", format, options);
        for document in sources.iter().flat_map(|source| &source.documents) {
            if let Err(error) = trial.write(document) {
                return jsonl(&error.to_string());
            }
        }
        if !trial.losses().is_empty() {
            return jsonl(&format!(
                "{format} would lose something\n  {}",
                trial.losses().to_string().replace('\n', "\n  ")
            ));
        }
        let extension = first.path.extension().map(|extension| extension.to_string_lossy().into_owned());
        Self { format, options, extension: extension.unwrap_or_default() }
    }
}

/// Whether two paths lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
