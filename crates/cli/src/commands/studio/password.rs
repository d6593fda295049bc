//! Passwords, which are never arguments.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal as _, Write as _},
    path::Path,
};

use anyhow::{Context as _, bail};

/// Bytes of a file's first line that are looked at.
const LONGEST: u64 = 4_096;

/// The password of a new account: the first line of a file or of standard input, or what is typed on the terminal, twice.
pub fn read(name: &str, file: Option<&Path>) -> anyhow::Result<String> {
    match file {
        Some(path) if path == Path::new("-") => first_line(io::stdin().lock(), "standard input"),
        Some(path) => {
            let place = path.display().to_string();
            first_line(BufReader::new(File::open(path).with_context(|| format!("{place} cannot be read"))?), &place)
        }
        None if !io::stdin().is_terminal() => {
            bail!(
                "nobody can be asked for the password here; --password-file FILE names a file with it, - is standard input"
            )
        }
        None => {
            let password = asked(&format!("Password for {name}: "))?;
            if asked("Again: ")? != password {
                bail!("the two are not the same; nothing was changed");
            }
            Ok(password)
        }
    }
}

fn first_line(input: impl BufRead, place: &str) -> anyhow::Result<String> {
    let mut line = String::new();
    input.take(LONGEST).read_line(&mut line).with_context(|| format!("{place} cannot be read"))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("{place}: the first line is empty; it should be the password");
    }
    Ok(password.to_owned())
}

/// A line from the terminal, which does not show it meanwhile.
fn asked(question: &str) -> anyhow::Result<String> {
    let mut error = io::stderr();
    write!(error, "{question}")?;
    error.flush()?;
    let hidden = Hidden::begin();
    let line = first_line(io::stdin().lock(), "the terminal");
    drop(hidden);
    writeln!(error)?;
    line
}

/// A terminal that shows nothing of what is typed, until this is dropped.
#[cfg(unix)]
struct Hidden(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl Hidden {
    fn begin() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let Ok(shown) = tcgetattr(io::stdin()) else { return Self(None) };
        let mut hiding = shown.clone();
        hiding.local_modes.remove(LocalModes::ECHO);
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &hiding);
        Self(Some(shown))
    }
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(shown) = &self.0 {
            let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Flush, shown);
        }
    }
}

#[cfg(not(unix))]
struct Hidden;

#[cfg(not(unix))]
impl Hidden {
    fn begin() -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password_with_its_spaces() {
        assert_eq!(first_line(&b" a b \r\nrest"[..], "file").unwrap(), " a b ");
        assert_eq!(first_line(&b"abc"[..], "file").unwrap(), "abc");
        assert!(first_line(&b"\n"[..], "file").unwrap_err().to_string().contains("file"));
    }
}
