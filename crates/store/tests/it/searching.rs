//! Finding documents.

use nomen_store::{Finding, Layer, Search, State, Store, Verdict};

use crate::{
    data::{entity, label, project, save, texts},
    database::on_both,
};

async fn numbers(store: &Store, project: nomen_store::ProjectId, search: Search) -> Vec<u32> {
    let limit = if search.limit == 0 { 50 } else { search.limit };
    let found = store.search(project, &Search { limit, ..search }).await.unwrap();
    found.into_iter().map(|listed| listed.number).collect()
}

fn text(text: &str) -> Search {
    Search { text: Some(text.into()), ..Search::default() }
}

on_both! {
    async fn a_text_is_found_by_any_part_of_it_in_its_own_project(store: Store) {
        let (project, ann, _) = project(&store).await;
        let other = store.create_project("other", &project.schema, "", ann.id).await.unwrap();
        texts(&store, &other, &ann, &["Ada of the others"]).await;
        texts(&store, &project, &ann, &["Ada met Zoë", "100% \"sure\"", "東京タワー", "a_b", "ADA"]).await;
        for (part, found) in [
            ("ada", vec![1, 5]), ("met z", vec![1]), ("da m", vec![1]), ("0%", vec![2]), ("\"sure\"", vec![2]),
            ("東京", vec![3]), ("京タワ", vec![3]), ("_b", vec![4]), ("a_b", vec![4]), ("axb", vec![]), ("%", vec![2]), ("\\", vec![]),
            ("NOT ada", vec![]), ("", vec![1, 2, 3, 4, 5]),
        ] {
            assert_eq!(numbers(&store, project.id, text(part)).await, found, "{part:?}");
        }
        // Nothing in a text is a sign of a pattern, however long the text is.
        let signs = r"a.*b [x]{2}? (y|z)+ ^1$ \d *** end";
        let long = "p.q ".repeat(300);
        texts(&store, &project, &ann, &[signs, &long]).await;
        for part in [signs, ".*", "[x]{2}?", "y|z)+", "^1$", r"\d", r"\", "***"] {
            assert_eq!(numbers(&store, project.id, text(part)).await, [6], "{part:?}");
        }
        for part in [long.trim_end(), &long[..200], &long[..204]] {
            assert_eq!(numbers(&store, project.id, text(part)).await, [7], "{part:?}");
        }
        assert!(numbers(&store, project.id, text(&long.replace('.', "x"))).await.is_empty());
        for part in ["\0", "a\0b", "ada\0"] {
            assert!(numbers(&store, project.id, text(part)).await.is_empty(), "{part:?}");
        }
        for (part, found) in [("ZOË", vec![1]), ("OË", vec![1]), ("Ë", vec![1]), ("ö", vec![]), ("ËË", vec![]), ("AD", vec![1, 5]), ("%\"", vec![])] {
            assert_eq!(numbers(&store, project.id, text(part)).await, found, "{part:?}");
        }
        assert_eq!(numbers(&store, other.id, text("ada")).await, [1]);
        assert_eq!(numbers(&store, project.id, Search { after: 1, ..text("ada") }).await, [5]);
        assert_eq!(numbers(&store, project.id, Search { limit: 1, ..text("ada") }).await, [1]);
    }

    async fn all_conditions_must_hold(store: Store) {
        let (project, ann, bob) = project(&store).await;
        texts(&store, &project, &ann, &["Ada in Köln", "Köln", "Ada", "Ada again"]).await;
        let per = |text: &str| entity(text, "Ada", "PER");
        let both = vec![per("Ada in Köln"), entity("Ada in Köln", "Köln", "LOC")];
        store.save(project.id, 1, Layer::First, save(0, both, "a"), ann.id).await.unwrap();
        store.save(project.id, 2, Layer::First, save(0, vec![entity("Köln", "Köln", "LOC")], "a"), bob.id).await.unwrap();
        let mut skipped = save(0, vec![per("Ada")], "a");
        skipped.verdict = Verdict::Skipped;
        store.save(project.id, 3, Layer::First, skipped, ann.id).await.unwrap();
        let finding = Finding { document: 4, rule: "Q001".into(), message: String::new(), span: None };
        store.set_findings(project.id, &[finding]).await.unwrap();
        let find = async |search: Search| numbers(&store, project.id, search).await;
        let label = |name| Search { label: Some(label(name)), ..Search::default() };
        assert_eq!(find(label("LOC")).await, [1, 2]);
        assert_eq!(find(Search { text: Some("Ada".into()), ..label("LOC") }).await, [1]);
        assert_eq!(find(Search { surface: Some("KÖLN".into()), ..label("LOC") }).await, [1, 2]);
        assert_eq!(find(Search { surface: Some("Ada".into()), ..label("LOC") }).await, [0u32; 0]);
        assert_eq!(find(Search { user: Some(bob.id), ..label("LOC") }).await, [2]);
        assert_eq!(find(Search { rule: Some("Q001".into()), ..text("Ada") }).await, [4]);
        assert_eq!(find(Search { rule: Some("Q001".into()), ..Search::default() }).await, [4]);
        assert_eq!(find(Search { rule: Some("Q001".into()), ..label("LOC") }).await, [0u32; 0]);
        let state = |state| Search { state: Some(state), ..Search::default() };
        assert_eq!(find(state(State::Open)).await, [4]);
        assert_eq!(find(Search { state: Some(State::Open), ..text("Ada") }).await, [4]);
        assert_eq!(find(state(State::Accepted)).await, [1, 2]);
        assert_eq!(find(state(State::Skipped)).await, [3]);
        assert_eq!(find(Search { state: Some(State::Accepted), user: Some(ann.id), ..text("Ada") }).await, [1]);
        store.save(project.id, 1, Layer::First, save(0, Vec::new(), "late"), bob.id).await.unwrap_err();
        assert_eq!(find(state(State::Conflict)).await, [1]);
        let listed = store.search(project.id, &Search { limit: 9, ..label("PER") }).await.unwrap();
        assert_eq!(listed[0].entities.len(), 2);
        assert_eq!(listed[0].standing.unwrap().2, Some(ann.id));
        assert_eq!(listed[1].standing.unwrap().1, Verdict::Skipped);
    }
}
