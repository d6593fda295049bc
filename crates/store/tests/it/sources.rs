//! Suggestions and findings.

use nomen_store::{Finding, Found, Layer};
use schema::{Grounding, Origin, OriginKind, Suggestion};

use crate::{
    data::{entity, label, project, save, texts},
    database::on_both,
};

const TEXT: &str = "👩‍🔬 Ada met Zoë.";

fn origin(kind: OriginKind, version: &str) -> Origin {
    Origin { version: version.into(), prompt: "abc".into(), ..Origin::new(kind, "m") }
}

fn suggestion(quote: &str, status: Grounding, origin: &Origin) -> Suggestion {
    let span = TEXT.contains(quote).then(|| entity(TEXT, quote, "PER").span);
    let (label, quote) = (label("PER"), quote.to_owned());
    Suggestion { span, label, score: Some(0.7), status, quote, edits: 0, verified: None, origin: origin.clone() }
}

on_both! {
    async fn suggestions_replace_those_of_the_same_source(store: Store) {
        let (project, ann, _) = project(&store).await;
        texts(&store, &project, &ann, &[TEXT, "b"]).await;
        let (one, two) = (origin(OriginKind::Llm, "1"), origin(OriginKind::Bundle, "9"));
        let absent = suggestion("Eve", Grounding::Ungrounded, &one);
        let zoe = Suggestion { verified: Some(false), ..suggestion("Zoë", Grounding::Exact, &one) };
        store.suggest(project.id, &one, &[(1, vec![absent.clone(), zoe.clone()]), (2, Vec::new())]).await.unwrap();
        // Sources may overlap.
        let long = Suggestion { edits: 2, verified: Some(true), ..suggestion("met Zoë", Grounding::Fuzzy, &two) };
        store.suggest(project.id, &two, &[(1, vec![long.clone()])]).await.unwrap();
        assert_eq!(store.suggestions(project.id, 1).await.unwrap(), [long.clone(), zoe, absent]);
        let newer = origin(OriginKind::Llm, "2");
        let ada = suggestion("Ada", Grounding::Exact, &newer);
        store.suggest(project.id, &newer, &[(1, vec![ada.clone()])]).await.unwrap();
        assert_eq!(store.suggestions(project.id, 1).await.unwrap(), [ada.clone(), long]);
        store.suggest(project.id, &newer, &[(1, Vec::new())]).await.unwrap();
        assert_eq!(store.suggestions(project.id, 1).await.unwrap().len(), 1);
        assert!(store.suggest(project.id, &newer, &[(1, vec![ada.clone()]), (2, vec![ada])]).await.is_err());
        assert_eq!(store.suggestions(project.id, 1).await.unwrap().len(), 1, "what was refused changed nothing");
    }

    async fn findings_replace_those_before(store: Store) {
        let (project, ann, _) = project(&store).await;
        texts(&store, &project, &ann, &[TEXT, "b"]).await;
        let finding = |document, rule: &str, span| Finding { document, rule: rule.into(), message: "m".into(), span };
        let here = Some(entity(TEXT, "Zoë", "PER").span);
        let found = [finding(1, "Q003", here), finding(2, "Q001", None), finding(1, "Q001", None)];
        store.set_findings(project.id, &found).await.unwrap();
        assert_eq!(store.findings(project.id, 1).await.unwrap(), [found[0].clone(), found[2].clone()]);
        let counts = store.finding_counts(project.id).await.unwrap();
        assert_eq!(counts, [("Q001".to_owned(), 2), ("Q003".to_owned(), 1)]);
        assert!(store.set_findings(project.id, &[finding(2, "Q", here)]).await.is_err());
        assert_eq!(store.findings(project.id, 2).await.unwrap().len(), 1, "what was refused changed nothing");
        store.replace_findings(project.id, Found::ByAnyBut("Q"), &[finding(1, "R", None)]).await.unwrap();
        store.replace_findings(project.id, Found::By("Q"), &[finding(2, "Q", None), finding(1, "Q", here)]).await.unwrap();
        let ranked = store.findings_by(project.id, "Q", 10).await.unwrap();
        assert_eq!(ranked, [finding(2, "Q", None), finding(1, "Q", here)], "in the order in which they were given");
        assert_eq!(store.findings_by(project.id, "R", 10).await.unwrap().len(), 1);
        assert_eq!(store.findings_by(project.id, "Q", 1).await.unwrap().len(), 1);
        let message = &ranked[1].message;
        assert!(!store.dismiss_finding(project.id, 1, "R", "another").await.unwrap());
        assert!(store.dismiss_finding(project.id, 1, "Q", message).await.unwrap());
        assert!(!store.dismiss_finding(project.id, 1, "Q", message).await.unwrap(), "it is gone already");
        assert_eq!(store.findings_by(project.id, "Q", 10).await.unwrap(), ranked[..1]);
        store.set_findings(project.id, &[]).await.unwrap();
        assert!(store.finding_counts(project.id).await.unwrap().is_empty());
    }

    async fn a_dismissed_finding_stays_away_until_its_document_is_annotated_anew(store: Store) {
        let (project, ann, _) = project(&store).await;
        texts(&store, &project, &ann, &[TEXT, "b"]).await;
        let zoe = entity(TEXT, "Zoë", "PER");
        let finding = |rule: &str, quote, message: &str| {
            let span = Some(entity(TEXT, quote, "PER").span);
            Finding { document: 1, rule: rule.into(), message: message.into(), span }
        };
        let run = |confidence: &str| [finding("Q", "Zoë", confidence), finding("Q", "Ada", confidence), finding("R", "Zoë", "m")];
        let put = async |findings: &[Finding]| store.set_findings(project.id, findings).await.unwrap().len();
        // The same thing may be said twice.
        let first = run("0.9");
        assert_eq!(put(&[&first[..], &first[..1]].concat()).await, 4);
        assert!(store.dismiss_finding(project.id, 1, "Q", "0.9").await.unwrap(), "all that say so");
        assert_eq!(store.findings_by(project.id, "Q", 10).await.unwrap(), []);
        // The next model is as sure of both, and of one place more.
        let more = finding("Q", "met", "0.8");
        assert_eq!(put(&[&run("0.8")[..], std::slice::from_ref(&more)].concat()).await, 2, "another rule, another place");
        assert_eq!(store.findings(project.id, 1).await.unwrap(), [finding("R", "Zoë", "m"), more]);
        store.save(project.id, 1, Layer::First, save(0, vec![zoe], "a"), ann.id).await.unwrap();
        assert_eq!(put(&run("0.7")).await, 3);
        assert!(store.dismiss_finding(project.id, 1, "Q", "0.7").await.unwrap(), "once more");
        assert_eq!(put(&run("0.6")).await, 1);
        // A finding about a whole document has no place to remember.
        let whole = Finding { span: None, ..finding("Q", "Ada", "all") };
        assert_eq!(put(std::slice::from_ref(&whole)).await, 1);
        assert!(store.dismiss_finding(project.id, 1, "Q", "all").await.unwrap());
        assert_eq!(put(&[whole]).await, 1);
    }
}
