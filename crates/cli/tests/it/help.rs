//! What `--help` says, and what wrong usage gets.

use std::{env, fs, path::Path};

use crate::{answer, nomen, refusal, run, tiny_model};

const COMMANDS: [&str; 20] = [
    "quickstart",
    "init",
    "collect",
    "prepare",
    "suggest",
    "generate",
    "convert",
    "check",
    "split",
    "studio",
    "train",
    "update",
    "runs",
    "evaluate",
    "quantize",
    "tag",
    "gate",
    "registry",
    "serve",
    "monitor",
];

/// What is done with a registry.
const REGISTRY: [&str; 10] =
    ["add", "list", "show", "promote", "rollback", "archive", "diff", "push", "pull", "verify"];

/// Compares with the text in `tests/it/help/`; `NOMEN_BLESS=1` writes it anew.
#[track_caller]
fn is_as_written(arguments: &[&str], name: &str) {
    let help = answer(&run(nomen().args(arguments), b""));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/help").join(name);
    if env::var_os("NOMEN_BLESS").is_some() {
        fs::write(&path, &help).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(help == written, "the help is not that of {name} (run the test with NOMEN_BLESS=1 to accept it):\n{help}");
}

#[test]
fn the_help_of_every_command_is_as_written() {
    is_as_written(&["--help"], "nomen.txt");
    for command in COMMANDS {
        is_as_written(&[command, "--help"], &format!("{command}.txt"));
    }
    for verb in REGISTRY {
        is_as_written(&["registry", verb, "--help"], &format!("registry-{verb}.txt"));
    }
}

#[test]
fn the_help_of_what_a_studio_can_do_is_as_written() {
    for verb in ["import", "export", "user"] {
        is_as_written(&["studio", verb, "--help"], &format!("studio-{verb}.txt"));
    }
}

#[test]
fn every_command_has_an_example() {
    for command in COMMANDS {
        let help = answer(&run(nomen().args([command, "-h"]), b""));
        assert!(
            help.contains(&format!("\n  nomen {command} ")) || help.contains(&format!("| nomen {command} ")),
            "{help}"
        );
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let usages: [&[&str]; 5] = [
        &[],
        &["tga"],
        &["tag"],
        &["tag", "--model", "m", "--format", "xml"],
        &["tag", "--model", "m", "--json", "--to", "conll"],
    ];
    for usage in usages {
        let output = run(nomen().args(usage), b"");
        assert_eq!(output.status.code(), Some(2), "{usage:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{usage:?}");
    }
}

#[test]
fn a_folder_that_is_no_model_is_named_with_the_way_out() {
    let message = refusal(&run(nomen().args(["tag", "--model", "no-such-folder"]), b"text\n"));
    assert!(message.contains("no-such-folder") && message.contains("config.json"), "{message}");

    let run_folder = tempfile::tempdir().unwrap();
    let best = run_folder.path().join("model-best");
    fs::create_dir(&best).unwrap();
    let message = refusal(&run(nomen().arg("tag").arg("--model").arg(run_folder.path()), b"text\n"));
    assert!(message.contains(&format!("--model {}", best.display())), "{message}");
    assert!(tiny_model().join("config.json").exists());
}
