//! `loadline check --structure-tests`: the tests of container-structure-test files on an image that
//! is there already.

use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;

use serde::Serialize;
use tokio::sync::mpsc;

use crate::advisories::Shipped;
use crate::attempt;
use crate::attempt::Existing;
use crate::attempt::Judged;
use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::input;
use crate::cli::interrupt::Interrupt;
use crate::cli::output;
use crate::cli::wiring;
use crate::course::GoalEntry;
use crate::course::exercise::structure_goals;
use crate::report::GoalReport;
use crate::report::Outcome;
use crate::report::VerdictName;
use crate::report::lines;
use crate::text::Clean;
use crate::text::plural;

/// The name of this version of the JSON.
const SCHEMA: &str = "loadline.structure/v1";

/// The result as JSON.
#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: &'a str,
    tool_version: &'a str,
    image: ImageName<'a>,
    files: Vec<String>,
    outcome: Outcome,
    passed: usize,
    failed: usize,
    unknown: usize,
    tests: &'a [GoalReport],
}

/// The image that was judged.
#[derive(Debug, Serialize)]
struct ImageName<'a> {
    reference: &'a str,
    id: &'a str,
}

/// Judges `image` by the tests of all files.
pub(super) fn run(
    image: &str,
    files: &[PathBuf],
    json: bool,
    context: &Context,
) -> Result<Exit, CliError> {
    let output = context.output;
    let mut goals = Vec::new();
    for file in files {
        goals.extend(read(file)?);
    }
    number(&mut goals);
    let judged = wiring::block_on(async {
        let interrupt = Interrupt::listen(output).map_err(CliError::Output)?;
        let (docker, _) = wiring::ready(&interrupt).await?;
        let work = Existing {
            image: image.to_owned(),
            goals,
            // No test of these files asks for them.
            advisories: Ok(Shipped::get()),
            facts: wiring::facts(),
        };
        let (events, mut quiet) = mpsc::channel(16);
        let judging = attempt::judge_image(docker, work, events, interrupt.asked.clone());
        let listening = async { while quiet.recv().await.is_some() {} };
        let (judged, ()) = tokio::join!(judging, listening);
        Ok(judged?)
    })?;
    let text = if json {
        document(image, files, &judged)?
    } else {
        show(image, &judged)
    };
    output.result(&text)?;
    Ok(Exit::of(judged.outcome))
}

fn read(file: &Path) -> Result<Vec<GoalEntry>, CliError> {
    let bytes = input::read("the file of tests", file)?;
    let source = String::from_utf8_lossy(&bytes);
    let name = file.display().to_string();
    structure_goals(Clean::line(&name).as_str(), &source).map_err(|error| {
        let error = if error.hint().is_none() && !source.contains("schemaVersion") {
            error.with_hint(
                "name a file of container-structure-test: it begins with `schemaVersion: 2.0.0`",
            )
        } else {
            error
        };
        error.into()
    })
}

/// Tests of several files may share a name; their ids differ.
fn number(goals: &mut [GoalEntry]) {
    let mut taken = std::collections::BTreeSet::new();
    for goal in goals {
        let plain = goal.id.clone();
        let mut next = 2;
        while !taken.insert(goal.id.clone()) {
            goal.id = format!("{plain}-{next}");
            next += 1;
        }
    }
}

/// How many tests ended so.
fn count(judged: &Judged, verdict: VerdictName) -> usize {
    let goals = judged.goals.iter();
    goals.filter(|goal| goal.verdict == verdict).count()
}

/// Each test on a line, then how many hold.
fn show(image: &str, judged: &Judged) -> String {
    let mut text: String = judged.goals.iter().map(lines::show_goal).collect();
    let _ = write!(
        text,
        "{} of {} hold for `{}`",
        count(judged, VerdictName::Met),
        plural(judged.goals.len(), "test"),
        Clean::line(image)
    );
    let unknown = count(judged, VerdictName::Unknown);
    if unknown > 0 {
        let _ = write!(text, "; {unknown} could not be judged");
    }
    text.push_str(".\n");
    text
}

fn document(image: &str, files: &[PathBuf], judged: &Judged) -> Result<String, CliError> {
    let document = Document {
        schema: SCHEMA,
        tool_version: env!("CARGO_PKG_VERSION"),
        image: ImageName {
            reference: image,
            id: &judged.id,
        },
        files: files
            .iter()
            .map(|file| file.display().to_string())
            .collect(),
        outcome: judged.outcome,
        passed: count(judged, VerdictName::Met),
        failed: count(judged, VerdictName::Unmet),
        unknown: count(judged, VerdictName::Unknown),
        tests: &judged.goals,
    };
    output::json(&document)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TESTS: &str = "schemaVersion: 2.0.0\nfileExistenceTests:\n  - { name: It is there, path: /app }\n  - { name: It is there, path: /lib }\n";

    #[test]
    fn tests_that_share_a_name_have_ids_of_their_own() {
        let mut goals = structure_goals("a.yaml", TESTS).unwrap();
        goals.extend(structure_goals("b.yaml", TESTS).unwrap());
        number(&mut goals);
        let ids: Vec<&str> = goals.iter().map(|goal| goal.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "structure_tests.it-is-there",
                "structure_tests.it-is-there-2",
                "structure_tests.it-is-there-3",
                "structure_tests.it-is-there-2-2",
            ]
        );
    }

    #[test]
    fn a_file_of_another_kind_is_not_printed_back() {
        use std::io::Write as _;
        for text in [
            "a".repeat(500_000),
            "root:x:0:0::/root:/bin/sh\n".repeat(5_000),
        ] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let error = read(file.path()).unwrap_err();
            let told = error.render(output::Paint::none());
            assert!(told.len() < 1_500, "{}", told.len());
            assert!(told.contains("`schemaVersion: 2.0.0`"), "{told}");
            assert!(told.contains("it holds no document of tests"), "{told}");
        }
    }

    #[test]
    fn a_file_that_is_none_is_named_with_the_place() {
        let error = structure_goals("tests.yaml", "schemaVersion: 2.0.0\ncommandTest: []\n");
        let error = error.unwrap_err().to_string();
        assert!(error.contains("tests.yaml"), "{error}");
        assert!(error.contains("commandTest"), "{error}");
    }
}
