//! Weights: hostile files are refused by name and fast, every spelling of sound ones is read, saving is exact.
#![allow(clippy::unwrap_used)] // the helpers of tests are tests too
#![allow(clippy::float_cmp)] // weights are stored and read back exactly

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nomen_model::weights::{self, Dtype, Fault, MAX_TENSORS, Weights, WeightsError};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use tempfile::TempDir;

/// Row D1 of the fault list: an error within this time, whatever the file claims.
const LIMIT: Duration = Duration::from_millis(200);

fn file(json: &str, data: usize) -> Vec<u8> {
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

fn folder_with(name: &str, bytes: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    folder
}

/// The error of a hostile `model.safetensors`, and what it says; fails if that took too long. The best of three times
/// counts, because other tests run beside.
fn attack(bytes: &[u8]) -> (Fault, String) {
    let folder = folder_with("model.safetensors", bytes);
    let open = || {
        let start = Instant::now();
        let error = Weights::open(folder.path()).err().expect("the file is refused");
        let message = error.to_string();
        (start.elapsed(), error, message)
    };
    let (took, error, message) = (0..3).map(|_| open()).min_by_key(|(took, ..)| *took).unwrap();
    assert!(took < LIMIT, "{took:?}: {message}");
    assert!(message.len() < 1000, "{} bytes of message", message.len());
    assert!(message.contains("model.safetensors"), "{message}");
    match error {
        WeightsError::Malformed { fault, .. } => (fault, message),
        other => panic!("{other}"),
    }
}

fn tensor(dtype: &str, shape: &str, start: u64, end: u64) -> String {
    format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{start},{end}]}}"#)
}

#[test]
fn a_header_that_lies_about_its_length_is_refused() {
    for claimed in [u64::MAX, u64::MAX - 7, 1 << 63, 1 << 40, 1000, 3] {
        let mut bytes = claimed.to_le_bytes().to_vec();
        bytes.extend(b"{}");
        assert!(matches!(attack(&bytes).0, Fault::HeaderLength { claimed: said, .. } if said == claimed));
    }
    for length in 0..8 {
        assert_eq!(attack(&vec![0; length]).0, Fault::TooShort { length });
    }
    let huge = weights::MAX_HEADER_BYTES + 1;
    assert!(matches!(attack(&file(&" ".repeat(huge), 0)).0, Fault::HeaderLength { .. }));
}

#[test]
fn a_tensor_whose_length_is_not_that_of_its_shape_is_named() {
    for (shape, end, data) in [("[2,3]", 23, 23), ("[2,3]", 25, 25), ("[2,3]", 1 << 40, 24), ("[]", 8, 8)] {
        let json = format!(r#"{{"liar":{}}}"#, tensor("F32", shape, 0, end));
        let (fault, message) = attack(&file(&json, data));
        assert!(matches!(fault, Fault::Offsets { .. }), "{message}");
        assert!(message.contains(r#"tensor "liar""#), "{message}");
    }
    let backwards = format!(r#"{{"liar":{}}}"#, tensor("F32", "[1]", 8, 4));
    assert!(attack(&file(&backwards, 8)).1.contains(r#"tensor "liar""#));
}

#[test]
fn a_tensor_past_the_end_of_the_file_is_named() {
    let json = format!(r#"{{"here":{},"beyond":{}}}"#, tensor("F32", "[1]", 0, 4), tensor("F32", "[1]", 4, 8));
    let (fault, message) = attack(&file(&json, 7));
    assert_eq!(fault, Fault::PastEnd { name: "beyond".to_owned(), end: 8, available: 7 }, "{message}");
}

#[test]
fn a_gap_before_a_tensor_or_after_the_last_is_named() {
    let json = format!(r#"{{"a":{},"b":{}}}"#, tensor("U8", "[4]", 0, 4), tensor("U8", "[4]", 5, 9));
    assert_eq!(attack(&file(&json, 9)).0, Fault::Gap { name: "b".to_owned(), start: 5, expected: 4 });
    let late = format!(r#"{{"late":{}}}"#, tensor("U8", "[4]", 1, 5));
    assert_eq!(attack(&file(&late, 5)).0, Fault::Gap { name: "late".to_owned(), start: 1, expected: 0 });
    let trailing = format!(r#"{{"a":{}}}"#, tensor("U8", "[4]", 0, 4));
    assert_eq!(attack(&file(&trailing, 9)).0, Fault::Trailing { name: "a".to_owned(), extra: 5 });
    assert_eq!(attack(&file("{}", 1)).0, Fault::Trailing { name: String::new(), extra: 1 });
}

#[test]
fn two_tensors_that_share_bytes_are_named() {
    for start in [0, 3] {
        let json = format!(r#"{{"a":{},"b":{}}}"#, tensor("U8", "[4]", 0, 4), tensor("U8", "[4]", start, start + 4));
        let (fault, message) = attack(&file(&json, 8));
        assert!(matches!(fault, Fault::Overlap { .. }), "{message}");
        assert!(message.contains(r#"tensor "b""#) && message.contains(r#"tensor "a""#), "{message}");
    }
}

#[test]
fn sizes_that_overflow_are_refused_by_name() {
    let max = u64::MAX;
    for shape in [
        format!("[{max},2]"),
        format!("[{max}]"),
        "[4294967296,4294967296]".to_owned(),
        "[2147483648,2147483648,2]".to_owned(),
    ] {
        let json = format!(r#"{{"huge":{}}}"#, tensor("F32", &shape, 0, 8));
        let (fault, message) = attack(&file(&json, 8));
        assert!(matches!(fault, Fault::Length { .. }), "{message}");
        assert!(message.contains(r#"tensor "huge""#), "{message}");
    }
    // Numbers that fit no integer at all are met while the header is read.
    for wrong in ["[18446744073709551616]", "[-1]", "[1.5]", r#"["1"]"#, "[1e3]"] {
        let json = format!(r#"{{"huge":{}}}"#, tensor("F32", wrong, 0, 4));
        assert!(attack(&file(&json, 4)).1.contains(r#""huge""#), "{wrong}");
    }
    let offsets = format!(r#"{{"huge":{}}}"#, tensor("F32", "[1]", max - 4, max));
    assert!(attack(&file(&offsets, 8)).1.contains(r#"tensor "huge""#));
}

#[test]
fn a_hundred_thousand_tensors_are_refused_at_the_first_one_too_many() {
    for empty in [true, false] {
        let (shape, size) = if empty { ("[0]", 0) } else { ("[1]", 1) };
        let one = |index: u64| format!(r#""t{index}":{}"#, tensor("U8", shape, index * size, (index + 1) * size));
        let json = format!("{{{}}}", (0..100_000).map(one).collect::<Vec<_>>().join(","));
        let (fault, message) = attack(&file(&json, 100_000 * size as usize));
        assert!(matches!(fault, Fault::Header { .. }), "{message}");
        assert!(message.contains(&format!(r#"tensor "t{MAX_TENSORS}""#)), "{message}");
    }
}

#[test]
fn a_tensor_listed_twice_is_named() {
    let one = tensor("U8", "[4]", 0, 4);
    let (_, message) = attack(&file(&format!(r#"{{"twin":{one},"twin":{one}}}"#), 4));
    assert!(message.contains(r#"tensor "twin" is listed twice"#), "{message}");
}

#[test]
fn headers_built_to_exhaust_the_reader_are_refused_in_time() {
    let limit = weights::MAX_HEADER_BYTES - 200;
    let long_name = format!(r#"{{"{}":{}}}"#, "n".repeat(limit), tensor("U8", "[4]", 0, 3));
    let long_shape = format!(r#"{{"deep":{}}}"#, tensor("U8", &format!("[{}1]", "1,".repeat(limit / 2 - 50)), 0, 2));
    let nested = format!(r#"{{"deep":{}"#, "[".repeat(limit));
    let metadata = format!(r#"{{"__metadata__":{{{}}}"#, r#""a":"b","#.repeat(limit / 9));
    for (json, named) in [(&long_name, "nnnn"), (&long_shape, "deep"), (&nested, "deep"), (&metadata, "__metadata__")] {
        let (_, message) = attack(&file(json, 4));
        assert!(message.contains(named), "{message}");
    }
}

#[test]
fn a_header_that_is_no_sound_json_says_where() {
    for json in ["", "[]", " {}", "{", r#"{"a":1}"#, r#"{"a":{}}"#, "{}{}", "\u{feff}{}", "{\"a\0\":{}}"] {
        assert!(matches!(attack(&file(json, 0)).0, Fault::Header { .. }), "{json:?}");
    }
    let dtype = format!(r#"{{"odd":{}}}"#, tensor("F33", "[1]", 0, 4));
    assert!(attack(&file(&dtype, 4)).1.contains(r#""odd""#));
}

/// Row D2: a pickle that would write a file when it is opened is refused, and nothing was written.
#[test]
fn pickled_weights_are_refused_with_the_way_out_and_run_nothing() {
    for name in ["pytorch_model.bin", "model.pt", "weights.pkl", "model.pth", "model.ckpt"] {
        let folder = tempfile::tempdir().unwrap();
        let witness = folder.path().join("witness");
        let pickle = format!("cos\nsystem\n(S'touch {}'\ntR.", witness.display());
        fs::write(folder.path().join(name), pickle).unwrap();
        fs::write(folder.path().join("config.json"), "{}").unwrap();
        for path in [folder.path().to_owned(), folder.path().join(name)] {
            let error = Weights::open(&path).err().expect("refused");
            assert!(matches!(&error, WeightsError::Pickle { path } if path.ends_with(name)), "{error}");
            let message = error.to_string();
            assert!(message.contains("save_pretrained(FOLDER, safe_serialization=True)"), "{message}");
        }
        assert!(!witness.exists());
    }
}

#[test]
fn the_pickled_model_is_named_before_other_pickles_of_a_trainer() {
    let folder = folder_with("optimizer.pt", b"");
    fs::write(folder.path().join("pytorch_model-00001-of-00002.bin"), b"").unwrap();
    let error = Weights::open(folder.path()).err().unwrap();
    assert!(matches!(error, WeightsError::Pickle { path } if path.ends_with("pytorch_model-00001-of-00002.bin")));
}

#[test]
fn code_that_comes_with_a_model_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    weights::save(&folder.path().join("model.safetensors"), [("a", &[1][..], &[1.0][..])]).unwrap();
    let config = folder.path().join("config.json");
    fs::write(&config, r#"{"auto_map": {"AutoModel": "modeling.Model"}}"#).unwrap();
    let error = Weights::open(folder.path()).err().expect("refused");
    assert!(matches!(error, WeightsError::RemoteCode { .. }), "{error}");
    assert!(error.to_string().contains("save_pretrained(FOLDER)"), "{error}");
    fs::write(&config, r#"{"auto_map": null}"#).unwrap();
    assert!(Weights::open(folder.path()).is_ok());
    for wrong in ["[]", "{", ""] {
        fs::write(&config, wrong).unwrap();
        assert!(matches!(Weights::open(folder.path()), Err(WeightsError::Json { .. })), "{wrong:?}");
    }
}

#[test]
fn a_folder_without_weights_and_a_path_that_is_no_file_are_named() {
    let folder = folder_with("config.json", b"{}");
    let error = Weights::open(folder.path()).err().unwrap();
    assert!(matches!(error, WeightsError::NoWeights { .. }), "{error}");
    let error = Weights::open(&folder.path().join("absent.safetensors")).err().unwrap();
    assert!(error.to_string().contains("absent.safetensors"), "{error}");
    fs::create_dir(folder.path().join("model.safetensors")).unwrap();
    assert!(matches!(Weights::open(folder.path()), Err(WeightsError::Io { .. })));
}

#[test]
fn every_floating_point_type_is_read_as_f32() {
    let doubles: Vec<u8> = [1.0_f64, -0.5].iter().flat_map(|value| value.to_le_bytes()).collect();
    let floats: Vec<u8> = [1.0_f32, -0.5].iter().flat_map(|value| value.to_le_bytes()).collect();
    let tensors = [
        ("f64", Dtype::F64, &doubles[..]),
        ("f32", Dtype::F32, &floats[..]),
        ("f16", Dtype::F16, &[0x00, 0x3c, 0x00, 0xb8][..]),
        ("bf16", Dtype::BF16, &[0x80, 0x3f, 0x00, 0xbf][..]),
        ("i32", Dtype::I32, &[0; 8][..]),
    ];
    let views = tensors.iter().map(|&(name, dtype, data)| (name, TensorView::new(dtype, vec![2], data).unwrap()));
    let folder = folder_with("model.safetensors", &safetensors::serialize(views, None).unwrap());
    let weights = Weights::open(folder.path()).unwrap();
    for name in ["f64", "f32", "f16", "bf16"] {
        assert_eq!(weights.f32(name, &[2]).unwrap().as_ref(), [1.0, -0.5], "{name}");
        let mut out = [0.0; 2];
        weights.read_f32(name, &[2], &mut out).unwrap();
        assert_eq!(out, [1.0, -0.5], "{name}");
    }
    assert!(matches!(weights.f32("f32", &[2]).unwrap(), Cow::Borrowed(_)), "mapped floats are not copied");
    assert!(matches!(weights.f32("i32", &[2]), Err(WeightsError::NotFloat { found: Dtype::I32, .. })));
    let names: Vec<_> = weights.tensors().map(|tensor| tensor.name).collect();
    assert_eq!(names, ["bf16", "f16", "f32", "f64", "i32"]);
    assert_eq!(weights.get("f16").map(|tensor| (tensor.dtype, tensor.shape)), Some((Dtype::F16, &[2][..])));
    assert_eq!(weights.get("f8"), None);
}

#[test]
fn floats_off_alignment_are_read_by_copy() {
    let json = format!(r#"{{"byte":{},"float":{}}}"#, tensor("U8", "[1]", 0, 1), tensor("F32", "[1]", 1, 5));
    let mut bytes = file(&json, 5);
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&2.5_f32.to_le_bytes());
    let folder = folder_with("model.safetensors", &bytes);
    let weights = Weights::open(folder.path()).unwrap();
    assert_eq!(weights.f32("float", &[1]).unwrap().as_ref(), [2.5]);
}

#[test]
fn what_is_asked_for_and_not_there_is_told_with_what_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    weights::save(&path, [("bert.encoder.weight", &[2, 3][..], &[0.0; 6][..])]).unwrap();
    let weights = Weights::open(folder.path()).unwrap();
    let message = weights.f32("encoder.weight", &[2, 3]).unwrap_err().to_string();
    assert!(message.contains(r#"no tensor "encoder.weight"; the nearest is "bert.encoder.weight""#), "{message}");
    let message = weights.f32("bert.encoder.weight", &[3, 2]).unwrap_err().to_string();
    assert!(message.contains("has shape [2, 3], expected [3, 2]"), "{message}");
    let mut short = [0.0; 5];
    let error = weights.read_f32("bert.encoder.weight", &[2, 3], &mut short).unwrap_err();
    assert!(matches!(error, WeightsError::BufferLength { expected: 6, found: 5, .. }), "{error}");
}

fn shards(index: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for (file, name, value) in [("one.safetensors", "a", 1.0), ("two.safetensors", "b", 2.0)] {
        weights::save(&folder.path().join(file), [(name, &[1][..], &[value][..])]).unwrap();
    }
    fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

#[test]
fn shards_are_read_as_one() {
    let (_folder, path) =
        shards(r#"{"metadata":{"total_size":8},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}"#);
    let weights = Weights::open(&path).unwrap();
    assert_eq!(weights.f32("a", &[1]).unwrap().as_ref(), [1.0]);
    assert_eq!(weights.f32("b", &[1]).unwrap().as_ref(), [2.0]);
}

#[test]
fn an_index_that_disagrees_with_its_shards_is_refused() {
    for (map, named) in [
        (r#"{"a":"one.safetensors","b":"one.safetensors"}"#, "\"b\", which is in none of the shards"),
        (r#"{"a":"two.safetensors","b":"one.safetensors"}"#, "\"a\", which is in one.safetensors"),
        (r#"{"a":"absent.safetensors"}"#, "absent.safetensors"),
        ("{}", "`weight_map` is empty"),
        (r#"{"a":"../one.safetensors"}"#, "not the name of a .safetensors file"),
        (r#"{"a":"/one.safetensors"}"#, "not the name of a .safetensors file"),
        (r#"{"a":"pytorch_model.bin"}"#, "not the name of a .safetensors file"),
        (r#"["a"]"#, "invalid type"),
    ] {
        let (_folder, path) = shards(&format!(r#"{{"weight_map":{map}}}"#));
        let message = Weights::open(&path).err().expect(map).to_string();
        assert!(message.contains(named), "{map}: {message}");
    }
}

#[test]
fn a_tensor_in_two_shards_is_named() {
    let (_folder, path) = shards(r#"{"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}"#);
    fs::copy(path.join("one.safetensors"), path.join("two.safetensors")).unwrap();
    let message = Weights::open(&path).err().unwrap().to_string();
    assert!(message.contains("two.safetensors") && message.contains(r#"tensor "a""#), "{message}");
}

#[test]
fn what_is_saved_is_read_back_by_us_and_by_the_reference() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let matrix = [1.0, -2.5, f32::MIN_POSITIVE / 2.0, f32::MAX, 0.0, -0.0];
    weights::save(&path, [("b", &[2, 3][..], &matrix[..]), ("a", &[][..], &[7.0][..]), ("c", &[0][..], &[][..])])
        .unwrap();
    let weights = Weights::open(&path).unwrap();
    assert_eq!(weights.f32("a", &[]).unwrap().as_ref(), [7.0]);
    assert!(matches!(weights.f32("b", &[2, 3]).unwrap(), Cow::Borrowed(floats) if floats == matrix));
    assert_eq!(weights.f32("c", &[0]).unwrap().len(), 0);

    let bytes = fs::read(&path).unwrap();
    let reference = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(reference.tensor("b").unwrap().shape(), [2, 3]);
    let (header, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(header % 8, 0, "the floats are aligned");
    assert_eq!(metadata.metadata().as_ref().unwrap()["format"], "pt");
}

#[test]
fn matrices_in_8_bits_are_read_back_to_half_a_step_of_their_rows_and_quantized_again_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (path, again) = (folder.path().join("one.safetensors"), folder.path().join("two.safetensors"));
    let matrix = [0.5, -2.54, 0.013, 0.0, 0.0, 0.0, 1e-30, 3e-30, -2e-30];
    let (shape, vector) = ([3, 3], [0.1, 0.2]);
    weights::save_quantized(&path, [("a", &shape[..], &matrix[..]), ("b", &[2][..], &vector[..])]).unwrap();
    let weights = Weights::open(&path).unwrap();
    assert!(weights.are_quantized());
    assert_eq!(weights.tensors().map(|tensor| tensor.name).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(weights.f32("b", &[2]).unwrap().as_ref(), vector);
    let read = weights.f32("a", &[3, 3]).unwrap();
    for (read, exact) in read.chunks(3).zip(matrix.chunks(3)) {
        let half_step = exact.iter().fold(0.0f32, |most, weight| most.max(weight.abs())) / 254.0;
        assert!(read.iter().zip(exact).all(|(read, exact)| (read - exact).abs() <= half_step * 1.001), "{read:?}");
    }
    weights::save_quantized(&again, [("a", &shape[..], &read[..]), ("b", &[2][..], &vector[..])]).unwrap();
    let twice = Weights::open(&again).unwrap();
    let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-6 * a.abs();
    assert!(twice.f32("a", &[3, 3]).unwrap().iter().zip(read.iter()).all(close));
}

#[test]
fn matrices_without_8_bits_or_without_their_scales_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let odd = [1.0, f32::NAN];
    let refused = weights::save_quantized(&path, [("a", &[1, 2][..], &odd[..])]);
    assert!(matches!(refused, Err(WeightsError::NotFinite { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    let header = r#"{"a":{"dtype":"I8","shape":[2,2],"data_offsets":[0,4]},"a_scale":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend_from_slice(&[0; 8]);
    fs::write(&path, file).unwrap();
    let message = Weights::open(&path).err().unwrap().to_string();
    assert!(message.contains(r#"tensor "a""#) && message.contains("one F32 scale a row"), "{message}");
}

#[test]
fn the_same_tensors_give_the_same_bytes_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let (a, b) = (("a", &[1][..], &[1.0][..]), ("b", &[1][..], &[2.0][..]));
    weights::save(&one, [a, b]).unwrap();
    weights::save(&two, [b, a]).unwrap();
    assert_eq!(fs::read(one).unwrap(), fs::read(two).unwrap());
}

#[test]
fn a_save_that_fails_leaves_the_old_weights_and_nothing_beside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    weights::save(&path, [("a", &[1][..], &[1.0][..])]).unwrap();
    let mapped = Weights::open(&path).unwrap();
    let twice = [("a", &[1][..], &[2.0][..]), ("a", &[1][..], &[3.0][..])];
    assert!(matches!(weights::save(&path, twice), Err(WeightsError::Name { .. })));
    let wrong = [("a", &[2][..], &[2.0][..])];
    assert!(matches!(weights::save(&path, wrong), Err(WeightsError::BufferLength { .. })));
    let reserved = [("__metadata__", &[1][..], &[2.0][..])];
    assert!(matches!(weights::save(&path, reserved), Err(WeightsError::Name { .. })));
    assert!(weights::save(Path::new("absent-folder/model.safetensors"), [("a", &[1][..], &[2.0][..])]).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(Weights::open(&path).unwrap().f32("a", &[1]).unwrap().as_ref(), [1.0]);

    weights::save(&path, [("a", &[1][..], &[4.0][..])]).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(mapped.f32("a", &[1]).unwrap().as_ref(), [1.0], "what was mapped stays as it was");
    assert_eq!(Weights::open(&path).unwrap().f32("a", &[1]).unwrap().as_ref(), [4.0]);
}

#[cfg(unix)]
#[test]
fn saved_weights_can_be_read_by_whom_the_umask_allows() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("model.safetensors"), folder.path().join("other"));
    weights::save(&path, [("a", &[1][..], &[1.0][..])]).unwrap();
    fs::write(&other, "").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&other));
}
