//! What a command's end means to whoever started it.

use std::{error::Error, io, path::Path, process::ExitCode};

use corpus::{ReadError, WriteError};

use crate::progress::note;

/// Wrong usage or input.
const REFUSED: u8 = 2;

/// The exit code of a command; an error is told on standard error.
///
/// A reader of standard output that has seen enough (`nomen tag ... | head`) is no error.
pub fn exit_code(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    match outcome {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            note(&format!("error: {}", message(&error)));
            ExitCode::from(REFUSED)
        }
    }
}

/// The message, and below it each cause that the message does not tell already.
fn message(error: &anyhow::Error) -> String {
    let mut message = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !message.contains(&cause) {
            message = format!("{message}\n  because {cause}");
        }
    }
    if let Some(line) = way_out(error) {
        message = format!("{message}\n  say it once and use the file that this writes: {line}");
    }
    message
}

/// The command line that says of a file what only `convert` can be told, where that is what a reader asks for.
fn way_out(error: &anyhow::Error) -> Option<String> {
    const OPTIONS: [(&str, &str); 3] = [
        ("--offsets", "--offsets code-points"),
        ("--text-field", "--text-field NAME"),
        ("--tag-names", "--tag-names O,B-PER,I-PER,..."),
    ];
    let error = error.chain().find_map(|cause| cause.downcast_ref::<ReadError>())?;
    let message = error.to_string();
    let (_, said) = OPTIONS.into_iter().find(|(option, _)| message.contains(&format!("nomen convert {option}")))?;
    if !error.path.exists() {
        return Some(format!("nomen convert - texts.jsonl {said}"));
    }
    Some(format!("nomen convert {} {} {said}", quoted(&error.path), quoted(&error.path.with_extension("nomen.jsonl"))))
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+=:@%".contains(letter);
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        is_broken(cause) || matches!(cause.downcast_ref(), Some(WriteError::Io { error, .. }) if is_broken(error))
    })
}

fn is_broken(cause: &(dyn Error + 'static)) -> bool {
    let io = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    cause.downcast_ref().is_some_and(io)
        || cause
            .downcast_ref::<serde_json::Error>()
            .is_some_and(|error| error.io_error_kind() == Some(io::ErrorKind::BrokenPipe))
}
