//! Which actions a few typed letters mean.

use nucleo_matcher::Config;
use nucleo_matcher::Matcher;
use nucleo_matcher::Utf32Str;
use nucleo_matcher::pattern::AtomKind;
use nucleo_matcher::pattern::CaseMatching;
use nucleo_matcher::pattern::Normalization;
use nucleo_matcher::pattern::Pattern;

use crate::tui::action::ACTIONS;
use crate::tui::action::Action;
use crate::tui::action::ActionId;
use crate::tui::model::Model;

/// The enabled actions that fit, best first; all of them, grouped, where nothing is typed.
#[must_use]
pub fn actions(model: &Model, query: &str) -> Vec<ActionId> {
    let mut enabled: Vec<&Action> = ACTIONS
        .iter()
        .filter(|action| (action.when)(model))
        .collect();
    enabled.sort_by_key(|action| action.group);
    if query.trim().is_empty() {
        return enabled.into_iter().map(|action| action.id).collect();
    }
    let pattern = |kind| Pattern::new(query, CaseMatching::Ignore, Normalization::Smart, kind);
    // A few letters of a label mean it. In a whole sentence nearly any letters are found somewhere.
    let (letters, words) = (pattern(AtomKind::Fuzzy), pattern(AtomKind::Substring));
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut found: Vec<(u32, ActionId)> = enabled
        .into_iter()
        .filter_map(|action| {
            let label = action.label(model);
            let key = action.key_name(model);
            // A word of the label counts more than the same word in the sentence.
            let by_label = letters.score(Utf32Str::new(&label, &mut buffer), &mut matcher);
            let text = format!("{key} {}", action.help);
            let by_help = words.score(Utf32Str::new(&text, &mut buffer), &mut matcher);
            let score = by_label.map(|score| score * 4).max(by_help)?;
            Some((score, action.id))
        })
        .collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, id)| id).collect()
}
