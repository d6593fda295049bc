//! Where bases are kept and how their sources are reached.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Settings of [`fetch`](super::fetch). [`Options::from_env`] is what a command line wants.
#[derive(Clone)]
pub struct Options {
    /// Folder that keeps fetched bases, in `bases/` below it.
    pub cache: PathBuf,
    /// Take bases from the cache or from a folder only; try no source that needs a network.
    pub offline: bool,
    /// The Hugging Face Hub or a mirror of it, without a slash at the end.
    pub hub: String,
    /// Token for repositories that ask for one. Sent to `hub` alone, never to where it redirects.
    pub hub_token: Option<String>,
    /// Commands that run pip, in the order in which they are tried.
    pub pip: Vec<Vec<OsString>>,
    /// How long a source may keep silent.
    pub patience: Patience,
}

/// How long a source may keep silent before it is given up.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Finding the address; and again connecting, with TLS.
    pub connect: Duration,
    /// From the request to the whole head of the answer.
    pub answer: Duration,
    /// Between two pieces of a file.
    pub stall: Duration,
    /// From the start of pip to its first downloaded byte: Python starts, pip asks its indexes.
    pub pip_start: Duration,
    /// A whole run of pip.
    pub pip: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            answer: Duration::from_secs(5),
            stall: Duration::from_secs(20),
            pip_start: Duration::from_secs(15),
            pip: Duration::from_secs(15 * 60),
        }
    }
}

impl Options {
    /// The cache in `$NOMEN_CACHE` or the platform's folder for caches; the Hub in `$HF_ENDPOINT` or its own address,
    /// with `$HF_TOKEN`; offline where `$HF_HUB_OFFLINE` or `$NOMEN_OFFLINE` is `1`. Empty variables count as unset.
    pub fn from_env() -> Self {
        let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let offline = |name: &str| set(name).is_some_and(|value| matches!(value.as_str(), "1" | "true" | "yes" | "on"));
        let hub = set("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_owned());
        Self {
            cache: cache_folder(|name| env::var_os(name).filter(|value| !value.is_empty())),
            offline: offline("NOMEN_OFFLINE") || offline("HF_HUB_OFFLINE"),
            hub: hub.trim_end_matches('/').to_owned(),
            hub_token: set("HF_TOKEN"),
            pip: pip_commands(),
            patience: Patience::default(),
        }
    }
}

/// The user's own pip: that of the `python3` on the path (an active virtual environment's), else a bare `pip`.
fn pip_commands() -> Vec<Vec<OsString>> {
    let commands: [&[&str]; 5] =
        [&["python3", "-m", "pip"], &["python", "-m", "pip"], &["py", "-3", "-m", "pip"], &["pip3"], &["pip"]];
    commands.iter().map(|words| words.iter().map(Into::into).collect()).collect()
}

fn cache_folder(variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    if let Some(folder) = variable("NOMEN_CACHE") {
        return folder.into();
    }
    let home = env::home_dir().unwrap_or_else(env::temp_dir);
    if cfg!(windows) {
        let local = variable("LOCALAPPDATA").map_or_else(|| home.join("AppData").join("Local"), PathBuf::from);
        return local.join("nomen").join("cache");
    }
    if cfg!(target_os = "macos") {
        return home.join("Library").join("Caches").join("nomen");
    }
    // The XDG specification says that a relative path there is to be ignored.
    let xdg = variable("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    xdg.unwrap_or_else(|| home.join(".cache")).join("nomen")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nomen_cache_goes_before_the_platform() {
        let both = |name: &str| Some(OsString::from(if name == "NOMEN_CACHE" { "/mine" } else { "/xdg" }));
        assert_eq!(cache_folder(both), PathBuf::from("/mine"));
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn the_platform_cache_follows_xdg() {
        let xdg = |folder: &'static str| move |name: &str| (name == "XDG_CACHE_HOME").then(|| folder.into());
        assert_eq!(cache_folder(xdg("/xdg")), PathBuf::from("/xdg/nomen"));
        assert!(cache_folder(xdg("relative")).ends_with(".cache/nomen"));
    }
}
