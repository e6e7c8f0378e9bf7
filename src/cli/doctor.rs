//! `loadline doctor`: what the workshop needs of this machine, what was found, what to do.
#![expect(
    clippy::disallowed_methods,
    reason = "measures how long the commands take that it runs for the user"
)]

mod course;

use std::fmt::Write as _;
use std::time::Instant;

use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::Silence;
use crate::cli::interrupt::Interrupt;
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::output::Paint;
use crate::cli::typed;
use crate::cli::typed::Typed;
use crate::cli::wiring;
use crate::engine::Engine as _;
use crate::engine::start;
use crate::engine::start::WaitError;
use crate::engine::start::plan;
use crate::engine::start::plan::Plan;
use crate::units::show_duration;
use crate::workshop::Check;
use crate::workshop::CheckState;
use crate::workshop::doctor::Facts;
use crate::workshop::doctor::NoEngine;
use crate::workshop::doctor::checks;

/// Say what is missing on this machine, and mend it
///
/// Looks at the terminal, the container engine and its builder, room on disk, base images,
/// certificates and the folder of your files. It changes nothing unless you say `--fix`.
///
/// With `--course DIR` it looks at that course as well: what cannot be used, and what its author
/// should hear before learners do.
///
/// With `--fix` it installs Debian's own `docker.io` where there is no engine, or starts one that is
/// installed and does not run, and puts you into its group where you are not root. It shows the
/// commands and asks first. Where Podman is the only one installed, every verb runs its service for
/// as long as it needs it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline doctor
  loadline doctor --fix
  loadline --course DIR doctor
  loadline doctor --json | jq '.checks[] | select(.state != \"good\")'")]
pub(crate) struct Args {
    /// Install or start an engine where none answers, after asking
    #[arg(long)]
    fix: bool,
    /// Agree beforehand to what `--fix` asks
    #[arg(long, requires = "fix")]
    yes: bool,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

/// Looks, mends where it was asked to, and prints what it found.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let output = context.output;
    wiring::block_on(async {
        let interrupt = Interrupt::listen(output).map_err(CliError::Output)?;
        let mut facts = interrupt.ends(wiring::look(&context.shared)).await?;
        if args.fix {
            match &facts.engine {
                Ok(info) => output.tell(&format!(
                    "nothing to fix: {} {} answers at {}\n",
                    info.name.title(),
                    info.version,
                    info.address
                )),
                Err(missing) => {
                    mend(args, output, missing, &interrupt).await?;
                    facts = interrupt.ends(wiring::look(&context.shared)).await?;
                }
            }
        }
        let mut found = checks(&facts);
        found.extend(course::checks(&context.shared));
        let text = if args.json {
            json(&facts, &found)?
        } else {
            text(&facts, &found, output.paint())
        };
        output.result(&text)?;
        Ok(exit(&facts, &found))
    })
}

/// A machine that is not ready is something that was found, not a failure of the program.
fn exit(facts: &Facts, checks: &[Check]) -> Exit {
    let bad = checks.iter().any(|check| check.state == CheckState::Bad);
    match (facts.engine.is_err(), bad) {
        (true, _) => Exit::NoEngine,
        (false, true) => Exit::NotMet,
        (false, false) => Exit::Ok,
    }
}

/// Shows the plan, asks, and carries it out.
async fn mend(
    args: &Args,
    output: Output,
    missing: &NoEngine,
    interrupt: &Interrupt,
) -> Result<(), CliError> {
    let plan = missing.remedy.clone().map_err(|none| CliError::CannotFix {
        reason: none.reason,
        commands: none.commands,
    })?;
    output.tell(&shown(&plan));
    if !args.yes {
        agree(output, interrupt).await?;
    }
    carry_out(&plan, output, interrupt).await
}

/// The plan as the user reads it before saying yes.
fn shown(plan: &Plan) -> String {
    let mut text = format!("{}\n\nThese commands will be run:\n", plan.summary);
    for step in &plan.steps {
        let _ = writeln!(text, "  {}\n      because {}", step.shown(), step.why);
    }
    text.push('\n');
    text
}

/// Asks whether to go on. A signal ends the question, too.
async fn agree(output: Output, interrupt: &Interrupt) -> Result<(), CliError> {
    let question = "run these commands?";
    if !output.can_ask() {
        return Err(CliError::NoAnswer {
            question: question.to_owned(),
        });
    }
    output.tell("Run these commands? [y/N] ");
    if let Typed::Line(answer) = interrupt.ends(typed::line()).await?
        && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
    {
        return Ok(());
    }
    output.tell("nothing was changed\n");
    Err(CliError::Interrupted)
}

async fn carry_out(plan: &Plan, output: Output, interrupt: &Interrupt) -> Result<(), CliError> {
    for step in &plan.steps {
        output.tell(&format!("running {}\n", step.shown()));
        let began = Instant::now();
        start::take(step, |_line| {}, &interrupt.asked)
            .await
            .map_err(|error| {
                if interrupt.asked.is_cancelled() {
                    return CliError::Interrupted;
                }
                CliError::Command {
                    command: error.command,
                    last_words: error.last_words,
                }
            })?;
        output.tell(&format!("  done in {}\n", show_duration(began.elapsed())));
    }
    output.tell("waiting for the engine to answer\n");
    let began = Instant::now();
    let docker = start::wait_for_engine(plan.log.as_deref(), &interrupt.asked)
        .await
        .map_err(|error| unusable(error, plan))?;
    let info = docker.info();
    output.tell(&format!(
        "  {} {} answers at {} after {}\n",
        info.name.title(),
        info.version,
        info.address,
        show_duration(began.elapsed())
    ));
    Ok(())
}

/// What is said where the steps were taken and no engine can be used.
fn unusable(error: WaitError, plan: &Plan) -> CliError {
    let reason = error.to_string();
    match error {
        WaitError::Cancelled => CliError::Interrupted,
        WaitError::NoPermission { .. } => CliError::CannotFix {
            reason: format!("{reason} yet"),
            commands: vec![plan::ENTER_GROUP.to_owned()],
        },
        WaitError::Silent { last_words } => CliError::EngineSilent(Silence {
            reason,
            last_words,
            log: plan.log.clone(),
        }),
    }
}

/// The findings as lines.
fn text(facts: &Facts, checks: &[Check], paint: Paint) -> String {
    let mut text = String::new();
    for Check {
        title,
        state,
        found,
        fix,
        mendable: _,
    } in checks
    {
        let label = format!("{:<8}", state.word());
        let label = match state {
            CheckState::Good => paint.good(&label),
            CheckState::Limited => paint.warn(&label),
            CheckState::Bad => paint.bad(&label),
            CheckState::Off => label,
        };
        let _ = writeln!(text, "{label} {title:<13} {found}");
        if let (true, Err(missing)) = (title == "Engine", &facts.engine) {
            for tried in &missing.tried {
                let _ = writeln!(
                    text,
                    "{:23}tried {} ({}): {}",
                    "", tried.address, tried.because, tried.outcome
                );
            }
        }
        if let Some(fix) = fix {
            let _ = writeln!(text, "{:23}{fix}", "");
        }
    }
    text
}

/// The findings as JSON: `loadline.doctor/v1`.
fn json(facts: &Facts, checks: &[Check]) -> Result<String, CliError> {
    let checks: Vec<serde_json::Value> = checks
        .iter()
        .map(|check| {
            serde_json::json!({
                "title": check.title,
                "state": check.state.word(),
                "found": check.found,
                "fix": check.fix,
            })
        })
        .collect();
    let tried = facts.engine.as_ref().err().map(|missing| &missing.tried);
    let tried: Vec<serde_json::Value> = tried
        .into_iter()
        .flatten()
        .map(|tried| {
            serde_json::json!({
                "address": tried.address,
                "because": tried.because,
                "outcome": tried.outcome,
            })
        })
        .collect();
    let found = serde_json::json!({
        "schema": "loadline.doctor/v1",
        "engine_answers": facts.engine.is_ok(),
        "checks": checks,
        "tried": tried,
    });
    output::json(&found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::Trouble;
    use crate::workshop::doctor::fixture;

    #[test]
    fn something_bad_was_found_and_is_no_failure_of_the_program() {
        let exit = |facts: &Facts| exit(facts, &checks(facts));
        assert_eq!(exit(&fixture::sound()), Exit::Ok);
        let folder = Err(Trouble::new("there is no home folder"));
        let facts = Facts {
            folder,
            ..fixture::sound()
        };
        assert_eq!(exit(&facts), Exit::NotMet);
        let facts = Facts {
            engine: Err(fixture::no_engine()),
            ..facts
        };
        assert_eq!(exit(&facts), Exit::NoEngine);
    }
}
