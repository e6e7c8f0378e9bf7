//! `loadline goals`: every goal kind, for authors of exercises.

use std::fmt::Write as _;

use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::output;
use crate::course::suggest;
use crate::goal::About;
use crate::goal::registry;

/// List the goal kinds that an exercise can ask for
///
/// With a name, its parameters and an example too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline goals
  loadline goals max_size
  loadline goals --json | jq -r '.goals[].name'")]
pub(crate) struct Args {
    /// One goal kind, to see all about it
    kind: Option<String>,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

/// Prints the goal kinds.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let kinds: Vec<&About> = match &args.kind {
        None => registry::ALL.iter().collect(),
        Some(name) => vec![registry::about(name).ok_or_else(|| CliError::UnknownGoal {
            asked: name.clone(),
            nearest: suggest::nearest(name, registry::names()).map(str::to_owned),
        })?],
    };
    let text = if args.json {
        json(&kinds)?
    } else if args.kind.is_some() {
        kinds.iter().map(|kind| whole(kind)).collect()
    } else {
        list(&kinds)
    };
    context.output.result(&text)?;
    Ok(Exit::Ok)
}

/// One line per kind.
fn list(kinds: &[&About]) -> String {
    let width = kinds.iter().map(|kind| kind.name.len()).max().unwrap_or(0);
    kinds
        .iter()
        .map(|kind| format!("{:<width$}  {}\n", kind.name, kind.asks))
        .collect()
}

/// All about one kind.
fn whole(kind: &About) -> String {
    let mut text = format!("{}\n  {}\n", kind.name, kind.asks);
    if !kind.parameters.is_empty() {
        text.push_str("\nParameters:\n");
    }
    for parameter in kind.parameters {
        let must = if parameter.required {
            " (required)"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "  {}: {}{must}\n      {}",
            parameter.name, parameter.shape, parameter.means
        );
    }
    let _ = writeln!(text, "\nExample:");
    for line in kind.example.lines() {
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// The kinds as JSON: `loadline.goals/v1`.
fn json(kinds: &[&About]) -> Result<String, CliError> {
    let all = serde_json::json!({ "schema": "loadline.goals/v1", "goals": kinds });
    output::json(&all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_told_with_an_example() {
        for kind in registry::ALL {
            let text = whole(kind);
            assert!(text.contains(kind.name), "{}", kind.name);
            assert!(text.contains("Example:\n  "), "{}", kind.name);
        }
        assert_eq!(
            list(&registry::ALL.iter().collect::<Vec<_>>())
                .lines()
                .count(),
            registry::ALL.len()
        );
    }
}
