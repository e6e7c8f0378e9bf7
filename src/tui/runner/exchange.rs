//! The learner's files, exchanged: for the starter, for the worked answer, for what was put away.

use crate::course::ExerciseId;
use crate::tui::effect::Unwritten;
use crate::tui::effect::Wanted;
use crate::tui::msg::Msg;
use crate::workshop;
use crate::workshop::Trouble;
use crate::workshop::Workshop;

/// Writes what is not on disk, so that it is put away with the rest, then exchanges the files.
/// Where a text can be neither written nor kept, nothing is exchanged.
pub(super) async fn exchange(
    workshop: &dyn Workshop,
    exercise: ExerciseId,
    wanted: Wanted,
    texts: Vec<Unwritten>,
) -> Msg {
    let result = match write(workshop, &exercise, &texts).await {
        Ok(()) => match &wanted {
            Wanted::Starter => workshop.reset(&exercise).await,
            Wanted::Solution(files) => workshop::apply(workshop, &exercise, files).await,
            Wanted::PutAway => workshop.undo_reset(&exercise).await,
        },
        Err(trouble) => Err(trouble),
    };
    let unsaved = if texts.is_empty() {
        None
    } else {
        workshop.unsaved(&exercise).await
    };
    Msg::Exchanged {
        exercise,
        wanted,
        result,
        unsaved,
    }
}

/// Writes each text; keeps what it is written over where somebody else wrote that, and the text
/// itself where it cannot be written.
async fn write(
    workshop: &dyn Workshop,
    exercise: &ExerciseId,
    texts: &[Unwritten],
) -> Result<(), Trouble> {
    for text in texts {
        if let Some(theirs) = text.over.as_ref().filter(|_| text.conflict) {
            workshop.keep(exercise, &text.file, theirs).await?;
        }
        let over = text.over.as_deref();
        let saved = workshop.save(exercise, &text.file, &text.text, over).await;
        if saved.is_err() {
            workshop.keep(exercise, &text.file, &text.text).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::course::load;
    use crate::learner::Home;
    use crate::workshop::KeptTexts;
    use crate::workshop::Local;
    use crate::workshop::Workspace;

    /// A workshop with a home of its own, and the Dockerfile of an exercise in it.
    struct Desk {
        home: tempfile::TempDir,
        local: Local,
        dockerfile: PathBuf,
        starter: String,
    }

    fn id() -> ExerciseId {
        ExerciseId("first-build".to_owned())
    }

    async fn desk() -> Desk {
        let home = tempfile::tempdir().unwrap();
        let course = load::embedded().unwrap();
        let local = Local::new(Arc::new(course), Home::at(home.path()));
        let workspace = local.open(&id()).await.unwrap();
        let dockerfile = workspace.folder.join("Dockerfile");
        let starter = std::fs::read_to_string(&dockerfile).unwrap();
        Desk {
            home,
            local,
            dockerfile,
            starter,
        }
    }

    impl Desk {
        async fn get(
            &self,
            wanted: Wanted,
            texts: Vec<Unwritten>,
        ) -> (Result<Workspace, Trouble>, Option<KeptTexts>) {
            match exchange(&self.local, id(), wanted, texts).await {
                Msg::Exchanged {
                    result, unsaved, ..
                } => (result, unsaved),
                other => panic!("{other:?}"),
            }
        }

        fn text(&self) -> String {
            std::fs::read_to_string(&self.dockerfile).unwrap()
        }
    }

    fn mine(over: Option<&str>, conflict: bool) -> Vec<Unwritten> {
        vec![Unwritten {
            file: "Dockerfile".to_owned(),
            text: "FROM mine\n".to_owned(),
            over: over.map(str::to_owned),
            conflict,
        }]
    }

    #[tokio::test]
    async fn a_text_whose_file_was_deleted_comes_back_after_a_reset() {
        let desk = desk().await;
        std::fs::remove_file(&desk.dockerfile).unwrap();
        let (result, unsaved) = desk.get(Wanted::Starter, mine(None, true)).await;
        assert!(result.is_ok() && unsaved.is_none(), "{result:?}");
        assert_eq!(desk.text(), desk.starter);
        desk.get(Wanted::PutAway, Vec::new()).await.0.unwrap();
        assert_eq!(desk.text(), "FROM mine\n");
    }

    #[tokio::test]
    async fn where_both_sides_changed_a_file_the_other_text_is_kept_and_told() {
        let desk = desk().await;
        std::fs::write(&desk.dockerfile, "FROM theirs\n").unwrap();
        let texts = mine(Some("FROM theirs\n"), true);
        let (_, unsaved) = desk.get(Wanted::Starter, texts).await;
        let place = ".loadline/kept/first-build/unsaved/000001/Dockerfile";
        let theirs = desk.home.path().join(place);
        assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "FROM theirs\n");
        assert_eq!(unsaved, KeptTexts::at(vec![theirs]));
        desk.get(Wanted::PutAway, Vec::new()).await.0.unwrap();
        assert_eq!(desk.text(), "FROM mine\n");
    }

    #[tokio::test]
    async fn a_text_that_cannot_be_written_is_kept_and_told() {
        let desk = desk().await;
        // It changed once more since it was looked at.
        std::fs::write(&desk.dockerfile, "FROM newer\n").unwrap();
        let texts = mine(Some("FROM theirs\n"), false);
        let (result, unsaved) = desk.get(Wanted::Starter, texts).await;
        assert!(result.is_ok(), "{result:?}");
        assert!(unsaved.is_some());
        desk.get(Wanted::PutAway, Vec::new()).await.0.unwrap();
        assert_eq!(desk.text(), "FROM newer\n");
    }

    #[tokio::test]
    async fn where_nothing_can_be_kept_nothing_is_exchanged() {
        let desk = desk().await;
        let kept = desk.home.path().join(".loadline/kept");
        std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
        std::fs::write(&kept, "in the way").unwrap();
        std::fs::write(&desk.dockerfile, "FROM theirs\n").unwrap();
        for wanted in [Wanted::Starter, Wanted::PutAway] {
            let texts = mine(Some("FROM theirs\n"), true);
            assert!(desk.get(wanted, texts).await.0.is_err());
            assert_eq!(desk.text(), "FROM theirs\n");
        }
    }

    #[tokio::test]
    async fn the_worked_answer_puts_away_what_was_there() {
        let desk = desk().await;
        let course = load::embedded().unwrap();
        let exercise = course.exercise("first-build").unwrap();
        let files = exercise.solution.as_ref().unwrap().files.clone();
        let answer = String::from_utf8_lossy(&files["Dockerfile"]).into_owned();
        let texts = mine(Some(&desk.starter), false);
        let wanted = Wanted::Solution(files);
        desk.get(wanted, texts).await.0.unwrap();
        assert_eq!(desk.text(), answer);
        desk.get(Wanted::Starter, Vec::new()).await.0.unwrap();
        desk.get(Wanted::PutAway, Vec::new()).await.0.unwrap();
        assert_eq!(desk.text(), "FROM mine\n");
    }
}
