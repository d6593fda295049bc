//! Accounts, roles, sessions, projects, runs.

use nomen_store::{AccessKind, NewRun, Role, RunState, StoreError, now};
use schema::Schema;

use crate::{
    data::{entity, label, project, save, texts},
    database::on_both,
};

on_both! {
    async fn a_name_belongs_to_one_user_and_one_project(store: Store) {
        let (project, ann, _) = project(&store).await;
        assert!(matches!(store.create_user("ann", None).await, Err(StoreError::Taken(_))));
        for name in ["", " ann", "a\nb"] {
            assert!(matches!(store.create_user(name, None).await, Err(StoreError::Invalid(_))));
        }
        let again = store.create_project("news", &Schema::default(), "", ann.id).await;
        assert!(matches!(again, Err(StoreError::Taken(_))));
        assert_eq!(store.user_named("ann").await.unwrap(), ann);
        assert_eq!(store.user_named("carl").await.unwrap().name, "carl");
        assert_eq!(store.project_by_name("news").await.unwrap(), project);
        assert!(matches!(store.project_by_name("olds").await, Err(StoreError::NotFound(_))));
        assert_eq!(store.projects().await.unwrap(), [project]);
        assert_eq!(store.users().await.unwrap().len(), 3);
    }

    async fn roles_are_a_ladder_and_an_owner_stays(store: Store) {
        let (project, ann, bob) = project(&store).await;
        assert!(Role::Annotator < Role::Reviewer && Role::Reviewer < Role::Owner);
        assert_eq!(store.role(project.id, ann.id).await.unwrap(), Some(Role::Owner));
        assert_eq!(store.role(project.id, bob.id).await.unwrap(), None);
        store.set_role(project.id, bob.id, Some(Role::Reviewer)).await.unwrap();
        assert_eq!(store.role(project.id, bob.id).await.unwrap(), Some(Role::Reviewer));
        assert!(store.set_role(project.id, ann.id, Some(Role::Annotator)).await.is_err());
        assert_eq!(store.role(project.id, ann.id).await.unwrap(), Some(Role::Owner));
        assert_eq!(store.members(project.id).await.unwrap().len(), 2);
        store.set_role(project.id, bob.id, None).await.unwrap();
        assert_eq!(store.members(project.id).await.unwrap().len(), 1);
    }

    async fn a_secret_admits_until_it_is_over_or_taken_back(store: Store) {
        let ann = store.create_user("ann", Some("$argon2id$...")).await.unwrap();
        let later = now() + 60_000;
        let access = store.grant("s1", ann.id, AccessKind::Session, "browser", Some(later)).await.unwrap();
        assert_ne!(access.hash, "s1");
        assert_eq!(store.admit("s1", AccessKind::Session).await.unwrap().unwrap().id, ann.id);
        assert_eq!(store.admit("s1", AccessKind::Token).await.unwrap(), None);
        assert_eq!(store.admit("s2", AccessKind::Session).await.unwrap(), None);
        store.prolong("s1", now() - 1).await.unwrap();
        assert_eq!(store.admit("s1", AccessKind::Session).await.unwrap(), None);
        let token = store.grant("t1", ann.id, AccessKind::Token, "ci", None).await.unwrap();
        assert_eq!(store.accesses(ann.id, AccessKind::Token).await.unwrap(), std::slice::from_ref(&token));
        store.revoke(ann.id, &token.hash).await.unwrap();
        assert!(store.revoke(ann.id, &token.hash).await.is_err());
        assert_eq!(store.admit("t1", AccessKind::Token).await.unwrap(), None);
        store.grant("s3", ann.id, AccessKind::Session, "", None).await.unwrap();
        store.leave("s3").await.unwrap();
        assert_eq!(store.admit("s3", AccessKind::Session).await.unwrap(), None);
    }

    async fn who_is_disabled_or_gets_a_new_password_is_out(store: Store) {
        let ann = store.create_user("ann", None).await.unwrap();
        store.grant("s", ann.id, AccessKind::Session, "", None).await.unwrap();
        store.grant("t", ann.id, AccessKind::Token, "", None).await.unwrap();
        store.set_password(ann.id, Some("hash")).await.unwrap();
        assert_eq!(store.admit("s", AccessKind::Session).await.unwrap(), None);
        assert!(store.admit("t", AccessKind::Token).await.unwrap().is_some());
        store.set_disabled(ann.id, true).await.unwrap();
        assert_eq!(store.admit("t", AccessKind::Token).await.unwrap(), None);
        assert!(!format!("{:?}", store.user(ann.id).await.unwrap()).contains("hash"));
    }

    async fn a_schema_changes_by_whoever_saw_the_newest(store: Store) {
        let (project, ann, _) = project(&store).await;
        texts(&store, &project, &ann, &["Ada"]).await;
        let more = Schema::of_labels([label("PER"), label("LOC"), label("ORG")]);
        let changed = store.define(project.id, 1, &more, "Be strict.", ann.id).await.unwrap();
        assert_eq!((changed.version, &changed.schema), (2, &more));
        let stale = store.define(project.id, 1, &more, "", ann.id).await.unwrap_err();
        assert!(matches!(stale, StoreError::Stale { seen: 1, found: 2 }));
        store.save(project.id, 1, nomen_store::Layer::First, save(0, vec![entity("Ada", "Ada", "PER")], "a"), ann.id).await.unwrap();
        let less = Schema::of_labels([label("LOC")]);
        let used = store.define(project.id, 2, &less, "", ann.id).await.unwrap_err().to_string();
        assert!(used.contains("`PER` is in use (document 1)"), "{used}");
        let versions = store.definitions(project.id).await.unwrap();
        assert_eq!(versions.iter().map(|known| known.guidelines.as_str()).collect::<Vec<_>>(), ["Be kind.", "Be strict."]);
    }

    async fn a_run_ends_once(store: Store) {
        let (project, ..) = project(&store).await;
        let new = NewRun {
            project: Some(project.id),
            kind: "train".into(),
            command: vec!["nomen".into(), "train".into(), "a b".into()],
            folder: "runs/1".into(),
        };
        let run = store.begin_run(new.clone()).await.unwrap();
        assert_eq!((run.started, run.state, run.ended), (new, RunState::Running, None));
        assert!(store.forget_run(run.id).await.is_err());
        let ended = store.end_run(run.id, RunState::Failed, "no room").await.unwrap();
        assert_eq!((ended.state, ended.told.as_str()), (RunState::Failed, "no room"));
        assert_eq!(store.end_run(run.id, RunState::Finished, "").await.unwrap(), ended);
        assert_eq!(store.runs(project.id).await.unwrap(), [ended]);
        store.forget_run(run.id).await.unwrap();
        assert!(store.run(run.id).await.is_err());
    }
}
