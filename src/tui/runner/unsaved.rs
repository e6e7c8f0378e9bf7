//! What was not saved when the workshop is left: nobody sees its screen any more.

use tokio::sync::mpsc;

use crate::course::ExerciseId;
use crate::text::Clean;
use crate::tui::msg::Msg;
use crate::tui::msg::in_words;
use crate::tui::msg::kept;

/// Texts that are on no disk yet, and what is told of those that are kept.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    /// Exercise, file and text of what could not be written.
    pub(super) texts: Vec<(ExerciseId, String, String)>,
    /// A line for each text that is kept, or is lost.
    pub(super) told: Vec<Clean>,
}

impl Unsaved {
    /// Hears all that is told, until nobody tells any more.
    pub(super) async fn hear(&mut self, bus: &mut mpsc::Receiver<Msg>) {
        while let Some(msg) = bus.recv().await {
            self.take(msg);
        }
    }

    /// Takes in what is left of a message when no screen shows it.
    pub(super) fn take(&mut self, msg: Msg) {
        match msg {
            Msg::Saved {
                exercise,
                file,
                text,
                result,
            } => {
                // The last word on a file is the one that counts.
                self.texts
                    .retain(|(other, name, _)| (other, name) != (&exercise, &file));
                if result.is_err() {
                    self.texts.push((exercise, file, text));
                }
            }
            Msg::Kept { file, result } => self.told.push(kept(&file, &result)),
            Msg::Exchanged {
                result, unsaved, ..
            } => {
                self.told.extend(unsaved.map(|unsaved| unsaved.words()));
                let trouble = result.err();
                self.told
                    .extend(trouble.map(|trouble| Clean::line(&in_words(&trouble))));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::effect::Wanted;
    use crate::tui::fixture::workspace;
    use crate::workshop::KeptTexts;
    use crate::workshop::Trouble;

    fn saved(result: Result<(), Trouble>) -> Msg {
        Msg::Saved {
            exercise: ExerciseId("first-build".to_owned()),
            file: "Dockerfile".to_owned(),
            text: "FROM mine\n".to_owned(),
            result,
        }
    }

    #[test]
    fn a_text_that_could_not_be_written_is_not_forgotten() {
        let mut unsaved = Unsaved::default();
        unsaved.take(saved(Ok(())));
        assert!(unsaved.texts.is_empty());
        unsaved.take(saved(Err(Trouble::new("no room"))));
        let (_, file, text) = &unsaved.texts[0];
        assert_eq!(
            (file.as_str(), text.as_str()),
            ("Dockerfile", "FROM mine\n")
        );
        unsaved.take(saved(Err(Trouble::new("still no room"))));
        assert_eq!(unsaved.texts.len(), 1);
        unsaved.take(saved(Ok(())));
        assert!(unsaved.texts.is_empty());
    }

    #[test]
    fn where_a_text_is_kept_is_told_and_what_is_lost_too() {
        let mut unsaved = Unsaved::default();
        for result in [
            Ok("/home/a/kept/Dockerfile".into()),
            Err(Trouble::new("no room").advise("Free some.")),
        ] {
            let file = "Dockerfile".to_owned();
            unsaved.take(Msg::Kept { file, result });
        }
        let told: Vec<String> = unsaved.told.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "the text of Dockerfile that is not on disk now is kept in /home/a/kept/Dockerfile",
                "the text of Dockerfile that is not on disk now could not be kept: no room. Free some.",
            ]
        );
    }

    #[test]
    fn what_an_exchange_said_is_told_when_no_screen_shows_it() {
        let mut unsaved = Unsaved::default();
        for (result, place) in [
            (Ok(workspace()), None),
            (Ok(workspace()), Some("/k/1/Dockerfile")),
            (Err(Trouble::new("no room").advise("Free some.")), None),
        ] {
            unsaved.take(Msg::Exchanged {
                exercise: ExerciseId("first-build".to_owned()),
                wanted: Wanted::Starter,
                result,
                unsaved: KeptTexts::at(place.map(Into::into).into_iter().collect()),
            });
        }
        let told: Vec<String> = unsaved.told.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "Text of yours that is not in the folder is kept in /k/1/Dockerfile: copy what \
                 you want from there.",
                "no room. Free some.",
            ]
        );
    }
}
