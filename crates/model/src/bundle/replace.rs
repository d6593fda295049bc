//! Folders that appear whole.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use tempfile::TempDir;

/// Writes a file and waits until it is on disk.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// An empty folder of another name in `parent`, gone with the value unless it was put in another's place.
pub(super) fn folder_beside(parent: &Path) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".nomen-bundle-");
    // Others may read a model: a folder like any that the user makes.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    builder.tempdir_in(parent)
}

/// Puts the folder `new` in the place of `target`, which may exist. Whoever looks sees the old folder or the new
/// one; where the system can exchange names in one step there is no moment between.
///
/// # Errors
/// The system refuses; then `target` is as it was.
pub fn replace_folder(new: &Path, target: &Path) -> io::Result<()> {
    File::open(new)?.sync_all()?;
    if fs::symlink_metadata(target).is_err() {
        fs::rename(new, target)?;
    } else {
        exchange(new, target)?;
        // What bears the new one's name now is the old one.
        fs::remove_dir_all(new)?;
    }
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

#[cfg(target_os = "linux")]
fn exchange(new: &Path, target: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, new, CWD, target, RenameFlags::EXCHANGE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => exchange_in_steps(new, target),
        result => result.map_err(Into::into),
    }
}

#[cfg(not(target_os = "linux"))]
fn exchange(new: &Path, target: &Path) -> io::Result<()> {
    exchange_in_steps(new, target)
}

/// For file systems without an exchange: a crash between the steps leaves the old folder under a name that says so.
fn exchange_in_steps(new: &Path, target: &Path) -> io::Result<()> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let aside = target.with_file_name(format!("{name}.replaced"));
    fs::rename(target, &aside)?;
    if let Err(error) = fs::rename(new, target) {
        fs::rename(&aside, target)?;
        return Err(error);
    }
    fs::rename(&aside, new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_replaced_whole_and_the_old_one_is_gone() {
        let top = tempfile::tempdir().unwrap();
        let (new, target) = (top.path().join("new"), top.path().join("target"));
        for (round, exchange) in [replace_folder, |new: &Path, target: &Path| {
            exchange_in_steps(new, target)?;
            fs::remove_dir_all(new)
        }]
        .iter()
        .enumerate()
        {
            fs::create_dir_all(&target).unwrap();
            fs::write(target.join("old"), "x").unwrap();
            fs::create_dir(&new).unwrap();
            fs::write(new.join("file"), round.to_string()).unwrap();
            exchange(&new, &target).unwrap();
            assert_eq!(fs::read_to_string(target.join("file")).unwrap(), round.to_string());
            assert!(!target.join("old").exists() && !new.exists());
            assert_eq!(fs::read_dir(top.path()).unwrap().count(), 1);
            fs::remove_dir_all(&target).unwrap();
        }
    }
}
