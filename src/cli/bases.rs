//! `loadline bases`: which base images are there, and getting those that are not.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::bases::BaseError;
use crate::bases::Listed;
use crate::bases::Progress;
use crate::bases::Ready;
use crate::bases::Service;
use crate::bases::State;
use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::interrupt::Interrupt;
use crate::cli::output::Output;
use crate::cli::progress::Live;
use crate::cli::wiring;
use crate::text::Clean;
use crate::units::show_duration;

/// List the base images that exercises build on, and make those that are missing
///
/// Where no registry answers, a base image is made here from Debian's packages. Such a stand-in
/// never takes the vendor's name: it is `loadline.local/NAME:TAG`, and it is always shown as one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline bases
  loadline bases build
  loadline bases build python:3.13-slim")]
pub(crate) struct Args {
    /// What to do; without one, they are listed
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show which base images are there and which exercises need them
    List,
    /// Make base images ready: as they are, from their registry, or built here
    Build {
        /// References as Dockerfiles name them; without one, all that the course needs
        references: Vec<String>,
    },
}

/// Lists or makes base images.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let needed = wiring::needed_bases(&wiring::course(&context.shared)?);
    let output = context.output;
    wiring::block_on(async {
        let interrupt = Interrupt::listen(output).map_err(CliError::Output)?;
        let (_, service) = wiring::engine().await.map_err(wiring::no_engine)?;
        match &args.action {
            None | Some(Action::List) => {
                let listed = service
                    .list(&needed)
                    .await
                    .map_err(|error| failed(&error))?;
                output.result(&table(&listed))?;
                Ok(Exit::Ok)
            }
            Some(Action::Build { references }) => {
                let wanted = if references.is_empty() {
                    service.in_order(&needed.keys().cloned().collect::<Vec<_>>())
                } else {
                    references.clone()
                };
                build(&service, &wanted, output, &interrupt.asked).await
            }
        }
    })
}

/// Makes each reference ready; goes on after one that cannot be had, and says so at the end.
async fn build(
    service: &Arc<Service>,
    references: &[String],
    output: Output,
    cancel: &CancellationToken,
) -> Result<Exit, CliError> {
    let mut first_error = None;
    for reference in references {
        match one(service, reference, output, cancel).await {
            Ok((ready, took)) => output.result(&format!(
                "{reference} is ready{}{}\n",
                if ready.stand_in {
                    " (a stand-in, made here)"
                } else {
                    ""
                },
                if took > Duration::from_secs(1) {
                    format!(", {}", show_duration(took))
                } else {
                    String::new()
                }
            ))?,
            Err(BaseError::Cancelled) => return Err(CliError::Interrupted),
            Err(error) => {
                output.result(&format!("{reference} is not ready\n"))?;
                first_error.get_or_insert(failed(&error));
            }
        }
    }
    match first_error {
        Some(error) => Err(error),
        None => Ok(Exit::Ok),
    }
}

/// Makes one reference ready, with what is being done on standard error.
async fn one(
    service: &Service,
    reference: &str,
    output: Output,
    cancel: &CancellationToken,
) -> Result<(Ready, Duration), BaseError> {
    let mut live = Live::new(output);
    let (sender, mut receiver) = mpsc::channel::<Progress>(16);
    let ensured = service.ensure(reference, sender, cancel.clone());
    let follow = async {
        let mut phase = None;
        while let Some(progress) = receiver.recv().await {
            let doing = progress.phase.as_str();
            if phase != Some(progress.phase) {
                phase = Some(progress.phase);
                live.finished(&format!("{reference}: {doing}"));
            }
            if progress.total.0 > 0 {
                live.now(&format!(
                    "{reference}: {doing}, {} of {}",
                    progress.done, progress.total
                ));
            }
        }
        live.clear();
        live.elapsed()
    };
    let (ready, took) = tokio::join!(ensured, follow);
    Ok((ready?, took))
}

fn failed(error: &BaseError) -> CliError {
    let mut causes = Vec::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        causes.push(Clean::line(&cause.to_string()).to_string());
        source = cause.source();
    }
    CliError::Bases {
        message: Clean::line(&error.to_string()).to_string(),
        causes,
        next_step: error.hint(),
    }
}

/// The list as lines.
fn table(listed: &[Listed]) -> String {
    let width = listed
        .iter()
        .map(|base| base.reference.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for base in listed {
        let state = match &base.state {
            State::Vendor { .. } => "ready",
            State::StandIn {
                outdated: false, ..
            } => "stand-in",
            State::StandIn { outdated: true, .. } => "outdated",
            State::Missing { can_build: true } => "can be built",
            State::Missing { can_build: false } => "missing",
        };
        let size = match (base.size, base.real_size) {
            (Some(size), _) => size.to_string(),
            (None, Some(real)) => format!("~{real}"),
            (None, None) => String::new(),
        };
        let needed = if base.needed_by.is_empty() {
            String::new()
        } else {
            format!("  {}", base.needed_by.join(", "))
        };
        let line = format!("{:<width$}  {state:<12}  {size:>8}{needed}", base.reference);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    #[test]
    fn the_list_says_what_is_a_stand_in_and_who_needs_it() {
        let base = |reference: &str, state, size, needed: &[&str]| Listed {
            reference: reference.to_owned(),
            state,
            size,
            real_size: Some(Bytes(1_167_000_000)),
            stand_in: None,
            needed_by: needed.iter().map(|who| (*who).to_owned()).collect(),
        };
        let local = || "loadline.local/x".to_owned();
        let listed = [
            base(
                "python:3.13",
                State::StandIn {
                    local: local(),
                    outdated: false,
                },
                Some(Bytes(1_080_000_000)),
                &["shrink-that-image"],
            ),
            base(
                "busybox:latest",
                State::Vendor { local: local() },
                Some(Bytes(4_400_000)),
                &[],
            ),
            base("alpine:3", State::Missing { can_build: false }, None, &[]),
        ];
        insta::assert_snapshot!(table(&listed), @"
        python:3.13     stand-in       1.08 GB  shrink-that-image
        busybox:latest  ready           4.4 MB
        alpine:3        missing       ~1.17 GB
        ");
    }

    #[test]
    fn an_error_keeps_its_causes_and_its_next_step() {
        let error = failed(&BaseError::Cancelled);
        assert!(matches!(error, CliError::Bases { .. }));
    }
}
