//! What goes and what stays: lines for people, `loadline.clean/v1` for programs. Pure.

use std::fmt::Write as _;

use super::plan::Item;
use super::plan::Plan;
use crate::cli::CliError;
use crate::cli::output;
use crate::text::Clean;
use crate::text::plural;
use crate::units::Bytes;

/// What became of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is gone.
    Removed,
    /// It would go.
    WouldGo,
    /// It could not be removed, for this reason.
    Failed(String),
    /// It is another home's.
    Stays,
}

/// The plan as lines.
pub(super) fn text(plan: &Plan) -> String {
    let mut text = String::new();
    if plan.go.is_empty() {
        text.push_str("nothing to remove\n");
    } else {
        list(&plan.go, &mut text);
        // Layers that images share are counted once per image by the engine, so this is a ceiling.
        let _ = writeln!(
            text,
            "{}, {} at most (shared layers are counted more than once)",
            plural(plan.go.len(), "object"),
            size(&plan.go)
        );
    }
    if !plan.stay.is_empty() {
        text.push_str("made for other homes, and staying:\n");
        list(&plan.stay, &mut text);
        let _ = writeln!(
            text,
            "{}, {} at most; `loadline clean --all` removes what others made, too",
            plural(plan.stay.len(), "object"),
            size(&plan.stay)
        );
    }
    text
}

fn size(items: &[Item]) -> Bytes {
    items.iter().filter_map(Item::size).sum()
}

fn list(items: &[Item], text: &mut String) {
    for item in items {
        let size = item.size().map(|size| size.to_string());
        let size = size.unwrap_or_default();
        let _ = writeln!(
            text,
            "{:<15} {size:>8}  {}",
            item.what().words().0,
            item.name()
        );
    }
}

/// How many are gone.
pub(super) fn count(removed: usize) -> String {
    format!("removed {}\n", plural(removed, "object"))
}

/// What could not be removed, and why.
pub(super) fn failures(plan: &Plan, fates: &[Fate]) -> String {
    let mut text = String::new();
    for (item, fate) in plan.go.iter().zip(fates) {
        if let Fate::Failed(error) = fate {
            let _ = writeln!(text, "{} stays: {}", item.name(), Clean::line(error));
        }
    }
    text
}

/// All of it as JSON: `loadline.clean/v1`. `fates` are those of what goes.
pub(super) fn json(plan: &Plan, fates: Vec<Fate>) -> Result<String, CliError> {
    let stays = plan.stay.iter().map(|item| (item, Fate::Stays));
    let objects = plan.go.iter().zip(fates).chain(stays).map(|(item, fate)| {
        let (fate, error) = match fate {
            Fate::Removed => ("removed", None),
            Fate::WouldGo => ("would_go", None),
            Fate::Failed(error) => ("failed", Some(Clean::line(&error))),
            Fate::Stays => ("stays", None),
        };
        serde_json::json!({
            "kind": item.what().words().1,
            "name": item.name(),
            "size_bytes": item.size(),
            "whose": item.whose().as_str(),
            "fate": fate,
            "error": error,
        })
    });
    let all = serde_json::json!({
        "schema": "loadline.clean/v1",
        "objects": objects.collect::<Vec<_>>(),
    });
    output::json(&all)
}

#[cfg(test)]
mod tests {
    use super::super::plan::Wanted;
    use super::super::plan::tests::images;
    use super::super::plan::tests::left;
    use super::*;
    use crate::engine::LeftoverKind;

    fn plan() -> Plan {
        let left = vec![left(LeftoverKind::Container, "loadline-run-1", "mine")];
        let mut images = images();
        images.truncate(2);
        Plan::choose(left, &images, Some("mine"), Wanted::default())
    }

    #[test]
    fn what_goes_and_what_stays_is_shown_with_its_size() {
        insta::assert_snapshot!(text(&plan()), @"
        left container            loadline-run-1
        attempt             5 MB  loadline.local/attempt/a:mine
        2 objects, 5 MB at most (shared layers are counted more than once)
        made for other homes, and staying:
        attempt             5 MB  loadline.local/attempt/a:theirs
        1 object, 5 MB at most; `loadline clean --all` removes what others made, too
        ");
        assert_eq!(text(&Plan::default()), "nothing to remove\n");
    }

    #[test]
    fn what_fails_is_told_with_its_reason() {
        let fates = vec![Fate::Removed, Fate::Failed("in\u{1b}[31m use".to_owned())];
        assert_eq!(
            failures(&plan(), &fates),
            "loadline.local/attempt/a:mine stays: in use\n"
        );
        let all = json(&plan(), fates).unwrap();
        let all: serde_json::Value = serde_json::from_str(&all).unwrap();
        assert_eq!(all["objects"][0]["fate"], "removed");
        assert!(all["objects"][0]["size_bytes"].is_null());
        assert_eq!(
            all["objects"][1],
            serde_json::json!({
                "kind": "attempt",
                "name": "loadline.local/attempt/a:mine",
                "size_bytes": 5_000_000,
                "whose": "own",
                "fate": "failed",
                "error": "in use",
            })
        );
        assert_eq!(all["objects"][2]["fate"], "stays");
        assert_eq!(all["objects"][2]["whose"], "others");
    }
}
