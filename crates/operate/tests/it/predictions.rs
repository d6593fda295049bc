//! The log of predictions, written and read as its users do.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use nomen_operate::{
    drift::{Policy, Window, compare},
    predictions::{
        LogCounts, LogError, LogOptions, LoggedModel, Prediction, PredictionLog, Row, Rows, RowsError, TextKeeping,
        WhenFull,
    },
    profile::{Known, Profile},
};
use proptest::prelude::*;
use schema::{Entity, Label, Span};

fn model() -> Arc<LoggedModel> {
    let known = Known::of(["a known word"].into_iter(), std::iter::empty());
    let profile = Profile::new("dev", &[], &[], Some(known));
    Arc::new(LoggedModel { name: "news".to_owned(), version: None, profile: Some(Arc::new(profile)) })
}

/// Logs these texts, the first word of each an entity.
fn log(folder: &Path, options: &LogOptions, texts: &[String]) -> LogCounts {
    let (log, model) = (PredictionLog::open(folder, options).unwrap(), model());
    for (second, text) in texts.iter().enumerate() {
        let end = text.find(' ').unwrap_or(text.len());
        let entity = |span| Entity { score: Some(0.5), ..Entity::new(span, Label::new("PER").unwrap()) };
        let entities: Vec<Entity> = Span::new(0, end).map(entity).into_iter().collect();
        let at = UNIX_EPOCH + Duration::from_secs(second as u64);
        log.record(&Prediction { model: &model, text, entities: &entities, at });
    }
    let (counts, problem) = log.close();
    assert_eq!(problem, None);
    counts
}

fn waiting() -> LogOptions {
    LogOptions { when_full: WhenFull::Wait, ..LogOptions::default() }
}

fn read(folder: &Path) -> Vec<Row> {
    Rows::open(&[folder]).unwrap().collect::<Result<_, _>>().unwrap()
}

/// All bytes of a folder's files.
fn bytes(folder: &Path) -> Vec<u8> {
    fs::read_dir(folder).unwrap().flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn every_prediction_of_a_batch_job_is_read_back_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let texts: Vec<String> = (0..3_000).map(|text| format!("Ærø{text} is a word")).collect();
    let counts = log(folder.path(), &LogOptions { texts: TextKeeping::Whole, ..waiting() }, &texts);
    assert_eq!((counts.recorded, counts.written), (3_000, 3_000));
    let rows = read(folder.path());
    assert!(rows.iter().map(|row| row.text.as_deref()).eq(texts.iter().map(|text| Some(text.as_str()))));
    assert!(rows.iter().map(|row| row.at).eq((0..3_000).map(|second| 1_000 * second)));
    assert!(rows.iter().all(|row| row.words == 4 && row.new_words == Some(2) && row.model == "news"));
}

#[test]
fn whatever_many_threads_record_is_written_or_counted() {
    let folder = tempfile::tempdir().unwrap();
    let options = LogOptions { share: 0.5, seed: 3, ..LogOptions::default() };
    let (log, model) = (PredictionLog::open(folder.path(), &options).unwrap(), model());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    log.record(&Prediction { model: &model, text: "a text", entities: &[], at: UNIX_EPOCH });
                }
            });
        }
    });
    let (counts, _) = log.close();
    let LogCounts { recorded, left_out, written, dropped, failed, .. } = counts;
    assert_eq!((recorded, failed), (20_000, 0));
    assert_eq!(recorded, left_out + written + dropped, "{counts:?}");
    assert!((9_500..10_500).contains(&left_out), "{counts:?}");
    assert_eq!(read(folder.path()).len() as u64, written);
}

#[test]
fn a_log_that_keeps_no_texts_holds_no_word_of_them() {
    let secrets = ["hunter2-token", "Kowalczyk", "4929-1234-5678", "anna@example.org"];
    let texts: Vec<String> = secrets.map(|secret| format!("{secret} is said by {secret}")).to_vec();
    let hits = |keeping: TextKeeping| {
        let folder = tempfile::tempdir().unwrap();
        log(folder.path(), &LogOptions { texts: keeping, ..waiting() }, &texts);
        let written = String::from_utf8(bytes(folder.path())).unwrap();
        secrets.iter().filter(|secret| written.contains(*secret)).count()
    };
    assert_eq!([TextKeeping::Nothing, TextKeeping::Hash, TextKeeping::Whole].map(hits), [0, 0, 4]);
}

#[test]
fn a_text_that_is_too_long_to_be_kept_leaves_its_hash() {
    let folder = tempfile::tempdir().unwrap();
    let texts = ["short".to_owned(), "long ".repeat(10_000), "short".to_owned()];
    let counts =
        log(folder.path(), &LogOptions { texts: TextKeeping::Whole, most_bytes: 64 << 10, ..waiting() }, &texts);
    assert_eq!((counts.written, counts.shortened), (3, 1));
    let rows = read(folder.path());
    assert_eq!(rows.iter().map(|row| row.text.is_some()).collect::<Vec<_>>(), [true, false, true]);
    assert!(rows[1].hash.is_some() && rows[1].chars == 50_000);
}

#[test]
fn a_log_cut_at_any_byte_loses_its_last_row_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), &waiting(), &["one".to_owned(), "two".to_owned()]);
    let path = folder.path().join("predictions-000001.jsonl");
    let whole = fs::read(&path).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for length in first..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let mut rows = Rows::open(&[&path]).unwrap();
        let read = rows.by_ref().collect::<Result<Vec<Row>, _>>().unwrap();
        // Without its line break the last row is still whole.
        let (expected, cut) = match length {
            _ if length == first => (1, 0),
            _ if length == whole.len() - 1 => (2, 0),
            _ => (1, 1),
        };
        assert_eq!((read.len(), rows.cut.len()), (expected, cut), "{length} bytes");
    }
}

#[test]
fn a_damaged_line_is_named() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), &waiting(), &["one".to_owned()]);
    let path = folder.path().join("predictions-000001.jsonl");
    let row = fs::read_to_string(&path).unwrap();
    for damage in ["{}", "nonsense", "[1,2]", "\u{fffd}", &row[1..].replace('\n', "")] {
        fs::write(&path, format!("{row}{damage}\n{row}")).unwrap();
        let error = Rows::open(&[&path]).unwrap().find_map(Result::err).unwrap();
        assert!(matches!(error, RowsError::Malformed { line: 2, .. }), "{error}");
        assert!(error.to_string().contains("predictions-000001.jsonl:2"), "{error}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(Rows::open(&[empty.path()]), Err(RowsError::NoLog(_))));
}

#[test]
fn wrong_options_and_a_folder_in_use_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |options: LogOptions| PredictionLog::open(folder.path(), &options);
    for share in [0.0, -1.0, 1.5, f64::NAN] {
        assert!(matches!(open(LogOptions { share, ..LogOptions::default() }), Err(LogError::Share(_))), "{share}");
    }
    assert!(matches!(open(LogOptions { most_bytes: 1, ..LogOptions::default() }), Err(LogError::TooSmall(1))));
    let writing = open(LogOptions::default()).unwrap();
    assert!(matches!(open(LogOptions::default()), Err(LogError::InUse(_))));
    drop(writing);
    assert!(open(LogOptions::default()).is_ok());
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(PredictionLog::open(&file, &LogOptions::default()), Err(LogError::Io { .. })));
}

#[cfg(unix)]
#[test]
fn a_log_that_cannot_be_written_stops_nobody_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("log");
    let (log, model) = (PredictionLog::open(&place, &LogOptions::default()).unwrap(), model());
    fs::remove_dir_all(&place).unwrap();
    log.record(&Prediction { model: &model, text: "a text", entities: &[], at: UNIX_EPOCH });
    let (counts, problem) = log.close();
    assert_eq!((counts.written, counts.failed), (0, 1));
    assert!(problem.is_some());
}

proptest! {
    #[test]
    fn damaged_profiles_and_rows_are_refused_or_compared_without_a_panic(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        of_row in any::<prop::sample::Index>(),
    ) {
        let rows: Vec<Row> = (0..60).map(|length| Row::of(&"a word ".repeat(length), &[], None)).collect();
        let mut profile = Profile::new("dev", &rows, &[Label::new("PER").unwrap()], None).to_bytes();
        let at = at.index(profile.len());
        profile[at] = byte;
        let mut row = serde_json::to_vec(&rows[50]).unwrap();
        let at = of_row.index(row.len());
        row[at] = byte;
        let damaged = serde_json::from_slice::<Row>(&row).ok();
        let rows: Vec<Row> = rows.into_iter().chain(damaged).collect();
        if let Ok(profile) = Profile::parse(&profile) {
            let report = compare(&profile, &rows, &Window::Texts(30).cut(&rows), &Policy::default());
            prop_assert!(serde_json::to_string(&report).is_ok());
        }
    }

    #[test]
    fn any_text_makes_a_row_that_is_read_as_it_was_written(text in any::<String>(), end in any::<prop::sample::Index>()) {
        let ends: Vec<usize> = text.char_indices().map(|(at, letter)| at + letter.len_utf8()).collect();
        let span = (!ends.is_empty()).then(|| Span::new(0, ends[end.index(ends.len())]).unwrap());
        let entities: Vec<Entity> = span.into_iter().map(|span| Entity::new(span, Label::new("X").unwrap())).collect();
        let row = Row::of(&text, &entities, None).keeping(&text, TextKeeping::Whole);
        let line = serde_json::to_string(&row).unwrap();
        prop_assert!(!line.contains('\n'));
        prop_assert_eq!(&serde_json::from_str::<Row>(&line).unwrap(), &row);
        prop_assert_eq!(row.chars as usize, text.chars().count());
    }
}
