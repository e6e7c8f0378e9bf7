//! What a set of goals needs together.

use super::Goal;
use super::Needs;

/// The union of what `goals` need: nothing is gathered that none asks for, and each thing once.
#[must_use]
pub fn needs_of<'a>(goals: impl IntoIterator<Item = &'a dyn Goal>) -> Needs {
    let mut needs = Needs::default();
    for goal in goals {
        needs.extend(goal.needs());
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::fixture::goal;

    #[test]
    fn equal_runs_are_asked_for_once() {
        let goals = [
            goal("http: { port: 8000 }"),
            goal("http: { port: 8000, status: 200, body: ok }"),
            goal("no_shell"),
            goal("max_size: 10 MB"),
        ];
        let needs = needs_of(goals.iter().map(AsRef::as_ref));
        assert_eq!(needs.runs.len(), 1);
        assert!(needs.sizes && needs.contents && !needs.secrets);
        assert!(needs.paths.contains("bin/sh"));
    }
}
