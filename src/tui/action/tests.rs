//! The table as a whole.

use std::collections::BTreeMap;

use super::ACTIONS;
use super::ActionId;
use crate::tui::theme::Theme;

/// Actions that share a key because they are one idea on different screens.
const SAME: [&[ActionId]; 4] = [
    // What the screen is for.
    &[ActionId::Main, ActionId::TakeTheirs],
    // Out of here.
    &[ActionId::Back, ActionId::KeepMine],
    // The next of what is gone through, and the one before: layers, or lessons and exercises.
    &[ActionId::NextUnit, ActionId::NextLayer],
    &[ActionId::PreviousUnit, ActionId::PreviousLayer],
];

#[test]
fn a_letter_means_one_thing_on_every_screen() {
    let mut meanings: BTreeMap<String, Vec<ActionId>> = BTreeMap::new();
    for action in ACTIONS {
        for chord in action.keys {
            meanings
                .entry(chord.name(Theme::default()))
                .or_default()
                .push(action.id);
        }
    }
    for (key, actions) in meanings {
        let one_idea = SAME
            .iter()
            .any(|same| actions.iter().all(|id| same.contains(id)));
        // A choice is ticked where a question has the keys, and the page moves on elsewhere; what
        // it does now is what the foot of the screen and help say.
        let known = key == "Space" && actions == [ActionId::Tick, ActionId::PageDown];
        assert!(
            actions.len() == 1 || one_idea || known,
            "{key} means {actions:?}"
        );
    }
}
