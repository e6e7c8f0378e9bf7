//! The learner's files through the workshop on this machine.

use super::*;
use crate::course::load;
use crate::workshop::Barred;

/// A workshop with a home of its own, and an exercise of it that is open.
async fn opened() -> (tempfile::TempDir, Local, ExerciseId, Workspace) {
    let folder = tempfile::tempdir().unwrap();
    let course = load::embedded().unwrap();
    let local = Local::new(Arc::new(course), Home::at(folder.path()));
    let id = ExerciseId("first-build".to_owned());
    let workspace = local.open(&id).await.unwrap();
    (folder, local, id, workspace)
}

#[tokio::test]
async fn a_save_is_refused_where_something_else_is_on_disk_than_what_was_read() {
    let (_home, local, id, workspace) = opened().await;
    let read = workspace.files[0].text.as_deref();
    let path = workspace.folder.join("Dockerfile");
    std::fs::write(&path, "FROM theirs\n").unwrap();
    let save =
        async |text: &str, read: Option<&str>| local.save(&id, "Dockerfile", text, read).await;
    assert_eq!(save("FROM mine\n", read).await, Err(NotSaved::Changed));
    assert_eq!(save("FROM mine\n", None).await, Err(NotSaved::Changed));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "FROM theirs\n");
    assert_eq!(save("FROM theirs\n", read).await, Ok(()), "it is there");
    assert_eq!(save("FROM mine\n", Some("FROM theirs\n")).await, Ok(()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "FROM mine\n");
    std::fs::remove_file(&path).unwrap();
    let gone = save("FROM more\n", Some("FROM mine\n")).await;
    assert_eq!(gone, Err(NotSaved::Changed));
    assert!(!path.exists());
    assert_eq!(save("FROM more\n", None).await, Ok(()));
}

#[tokio::test]
async fn a_text_that_is_not_saved_is_kept_and_no_reset_to_undo() {
    let (home, local, id, workspace) = opened().await;
    for (number, text) in ["FROM a\n", "FROM b\n"].into_iter().enumerate() {
        let kept = local.keep(&id, "Dockerfile", text).await.unwrap();
        let place = format!(
            ".loadline/kept/first-build/unsaved/{:06}/Dockerfile",
            number + 1
        );
        assert_eq!(kept, home.path().join(place));
        assert_eq!(std::fs::read_to_string(kept).unwrap(), text);
    }
    assert!(local.undo_reset(&id).await.is_err());
    assert_eq!(local.open(&id).await.unwrap(), workspace);
    assert!(local.keep(&id, "../other", "x").await.is_err());
}

#[tokio::test]
async fn the_next_opening_tells_of_what_was_kept_and_no_other() {
    let (_home, local, id, _) = opened().await;
    assert_eq!(local.unsaved(&id).await, None);
    let kept = local.keep(&id, "Dockerfile", "FROM a\n").await.unwrap();
    assert_eq!(local.unsaved(&id).await, KeptTexts::at(vec![kept]));
    assert_eq!(local.unsaved(&id).await, None);
}

#[tokio::test]
async fn a_file_that_no_build_takes_opens_and_says_so() {
    let (_home, local, id, workspace) = opened().await;
    let path = workspace.folder.join("Dockerfile");
    let barred = async |content: &[u8]| {
        std::fs::write(&path, content).unwrap();
        local.open(&id).await.unwrap().files[0].barred
    };
    let large = "#".repeat(2_000_000);
    assert_eq!(barred(large.as_bytes()).await, Some(Barred::TooLarge));
    assert_eq!(barred(b"# caf\xe9\n").await, Some(Barred::NotUtf8));
    assert_eq!(barred(b"FROM a\r\n").await, None);
}

#[tokio::test]
async fn a_text_is_saved_and_kept_where_another_file_cannot_be_put_back() {
    let (_home, local, id, workspace) = opened().await;
    let other = workspace.folder.join("greeting.txt");
    std::fs::remove_file(&other).unwrap();
    std::fs::create_dir(&other).unwrap();
    assert!(local.open(&id).await.is_err());
    let read = workspace.files[0].text.as_deref();
    let saved = local.save(&id, "Dockerfile", "FROM a\n", read).await;
    assert_eq!(saved, Ok(()));
    let kept = local.keep(&id, "Dockerfile", "FROM b\n").await.unwrap();
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "FROM b\n");
    assert_eq!(local.unsaved(&id).await, KeptTexts::at(vec![kept]));
}

#[tokio::test]
async fn a_text_is_kept_where_the_folder_itself_is_none_any_more() {
    let (_home, local, id, workspace) = opened().await;
    std::fs::remove_dir_all(&workspace.folder).unwrap();
    std::fs::write(&workspace.folder, "").unwrap();
    let kept = local.keep(&id, "Dockerfile", "FROM b\n").await.unwrap();
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "FROM b\n");
}
