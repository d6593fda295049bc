//! What a command's end means to whoever started it.

use std::{error::Error, io, process::ExitCode};

use corpus::WriteError;

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
    message
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
