//! The learner's folder of an exercise, as far into it as a task needs: who only puts a text away
//! must not fail because of another file.

use std::sync::Arc;

use super::Local;
use super::trouble;
use crate::course::Exercise;
use crate::course::ExerciseId;
use crate::learner;
use crate::learner::records;
use crate::workshop::Trouble;
use crate::workshop::Workspace;
use crate::workshop::WorkspaceFile;

impl Local {
    pub(super) fn exercise(&self, id: &ExerciseId) -> Result<&Exercise, Trouble> {
        self.course
            .exercise(id.as_str())
            .ok_or_else(|| Trouble::new(format!("The course has no exercise `{id}`.")))
    }

    /// The exercise's folder as the exercise wants it, with this learner's token planted, and the
    /// token.
    pub(super) async fn workspace(
        &self,
        id: &ExerciseId,
    ) -> Result<(learner::Workspace, String), Trouble> {
        let (workspace, token) = self.opened(id).await?;
        workspace
            .restore()
            .map_err(|error| trouble(&error, error.hint()))?;
        Ok((workspace, token))
    }

    /// The exercise's folder as it is, made where it was not there, and the token.
    pub(super) async fn opened(
        &self,
        id: &ExerciseId,
    ) -> Result<(learner::Workspace, String), Trouble> {
        let exercise = self.exercise(id)?;
        let name = id.clone();
        let kept = self
            .with_records(move |records| async move { records.token(name.as_str()).await })
            .await;
        // Without records it stays the one that is in the folder.
        let token = match kept {
            Ok(token) => token,
            Err(_) => self.planted(exercise).unwrap_or_else(records::new_token),
        };
        let planted = Arc::new(exercise.planted(&token));
        let workspace = learner::Workspace::open(&self.home, planted)
            .map_err(|error| trouble(&error, error.hint()))?;
        Ok((workspace, token))
    }

    /// The exercise's folder for what lies beside it, whatever has become of the folder itself.
    pub(super) fn beside(&self, id: &ExerciseId) -> Result<learner::Workspace, Trouble> {
        let exercise = Arc::new(self.exercise(id)?.clone());
        Ok(learner::Workspace::at(&self.home, exercise))
    }

    /// The token that an exercise's folder holds.
    fn planted(&self, exercise: &Exercise) -> Option<String> {
        let folder = self.home.workspace(exercise.id.as_str());
        let file = WorkspaceFile::read(&folder, exercise.canary.as_ref()?);
        Some(exercise.planted_in(&file.text?)?.to_owned())
    }

    pub(super) fn shown(&self, workspace: &learner::Workspace) -> Workspace {
        let exercise = workspace.exercise();
        let files = exercise.edit.iter();
        let files = files.map(|name| WorkspaceFile::read(workspace.path(), name));
        Workspace {
            folder: workspace.path().to_owned(),
            log: self.log(&exercise.id),
            files: files.collect(),
            // Where that cannot be read, nothing is promised.
            put_away: workspace.is_undoable().unwrap_or_default(),
        }
    }
}
