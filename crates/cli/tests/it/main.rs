//! The `nomen` binary, driven as its users drive it.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod check;
mod collect;
mod convert;
mod evaluate;
mod gate;
mod generate;
mod help;
mod monitor;
mod prepare;
mod quantize;
mod registry;
mod runs;
#[path = "../../../annotate/tests/it/scripted.rs"]
mod scripted;
mod serve;
mod split;
mod studio;
mod suggest;
mod tag;
mod train;
mod update;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// A tiny model of random weights that knows PER and creative-work: what it finds is nonsense, but always the same.
fn tiny_model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/testdata/bert")
}

/// Another one of the same labels.
fn other_tiny_model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/testdata/distilbert")
}

fn nomen() -> Command {
    Command::new(env!("CARGO_BIN_EXE_nomen"))
}

/// Runs the command with this standard input.
fn run(command: &mut Command, input: &[u8]) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A command that refuses its arguments reads nothing.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// What a command that succeeds prints.
#[track_caller]
fn answer(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a command that refuses says, having printed nothing else.
#[track_caller]
fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let message = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(message.contains("error: "), "{message}");
    message
}
