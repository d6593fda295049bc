//! Base models on their way to this machine.

use model::base::{self, BaseFolder, BaseSpec, Options, Progress as Fetch};

use crate::{
    progress::{Progress, note},
    versions,
};

/// The base, from the cache or from the first of its sources that has it; of a registry the live version. Sources and bytes are
/// told.
pub fn fetch(spec: &BaseSpec) -> anyhow::Result<BaseFolder> {
    let in_registry = match spec {
        BaseSpec::Path(path) => Some(BaseSpec::Path(versions::folder(path)?)),
        _ => None,
    };
    let spec = in_registry.as_ref().unwrap_or(spec);
    let mut download: Option<(String, Progress)> = None;
    let base = base::fetch(spec, &Options::from_env(), &mut |progress| match progress {
        Fetch::Trying { source } => {
            download = None;
            note(&format!("base {spec}: trying {source}"));
        }
        Fetch::Bytes { file, done, total } => {
            if download.as_ref().is_none_or(|(name, _)| name != file) {
                const BAR: &str = "{msg} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
                download = Some((file.to_owned(), Progress::with_template(file.to_owned(), total, BAR)));
            }
            if let Some((_, bar)) = &mut download {
                bar.set(done, || match total {
                    Some(total) => format!("{file}: {} of {} MB", done >> 20, total >> 20),
                    None => format!("{file}: {} MB", done >> 20),
                });
            }
        }
        Fetch::Failed { source, reason } => {
            download = None;
            note(&format!("base {spec}: not from {source}: {reason}"));
        }
        _ => download = None,
    })?;
    drop(download);
    let licence = base.licence.as_ref().map(|licence| format!(", licence {licence}")).unwrap_or_default();
    note(&format!("base {spec}: {}{licence}, in {}", base.source, base.path.display()));
    Ok(base)
}
