//! The command line: one file per verb, what each prints, and how the program ends.
//!
//! The only code that writes to standard output. Results go there; progress, questions and errors
//! go to standard error.

mod bases;
mod cache;
mod check;
mod clean;
mod compare;
mod completions;
mod db;
mod doctor;
mod error;
mod exit;
mod goals;
mod input;
mod inside;
mod interrupt;
mod layers;
mod learn;
mod lint;
mod log;
mod output;
mod progress;
mod sbom;
mod scan;
mod target;
mod trace;
mod typed;
mod whole;
mod wiring;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::CommandFactory as _;
use clap::FromArgMatches as _;
use clap::Parser;
use clap::Subcommand;
use clap::builder::FalseyValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
pub use error::CliError;
pub use error::Silence;
pub use exit::Exit;
pub use output::Color;
use output::Output;

/// Learn to build small, secure container images by building them.
///
/// Loadline walks you through lessons, builds your Dockerfile on a real container engine, and
/// judges the image that comes out: is it under the line, does it still run, what is in it that
/// need not be.
///
/// Start with `loadline`. When something does not work, `loadline doctor` says what is missing.
#[derive(Debug, Parser)]
#[command(name = "loadline", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// What to do; without a verb, the workshop opens
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    shared: Shared,
}

/// What every verb understands.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Shared {
    /// Lines of text only: no colour, no line that is written over
    #[arg(long, global = true, env = "LOADLINE_PLAIN", hide_env_values = true,
          value_parser = FalseyValueParser::new())]
    plain: bool,
    /// Whether the flag itself was given, and not its variable
    #[arg(skip)]
    plain_asked: bool,
    /// A course's folder in place of the built-in course
    #[arg(long, global = true, value_name = "DIR")]
    course: Option<PathBuf>,
    /// When to colour labels
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto,
          hide_possible_values = true)]
    color: Color,
}

/// The verbs.
#[derive(Debug, Subcommand)]
enum Verb {
    Learn(learn::Args),
    Check(check::Args),
    Doctor(doctor::Args),
    Bases(bases::Args),
    Layers(layers::Args),
    Sbom(sbom::Args),
    Clean(clean::Args),
    Inside(inside::Args),
    Compare(compare::Args),
    Db(db::Args),
    Scan(scan::Args),
    Trace(trace::Args),
    Goals(goals::Args),
    Lint(lint::Args),
    Completions(completions::Args),
}

/// What a verb is given besides its own arguments.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// The two streams.
    pub(crate) output: Output,
    /// The flags of every verb.
    pub(crate) shared: Shared,
}

/// The command with its examples and exit codes.
fn command() -> clap::Command {
    Cli::command().after_long_help(Exit::table())
}

/// Reads the command line, does what it says, and tells how that ended.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    heed_limits();
    let cli = match parse(args) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let output = Output::new(cli.shared.color, cli.shared.plain);
    let context = Context {
        output,
        shared: cli.shared,
    };
    match log::begin().and_then(|()| dispatch(cli.verb, &context)) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output.tell(&error.render(output.paint_err()));
            error.exit().into()
        }
    }
}

/// Where a file may not grow (`ulimit -f`), that is an error of the write that asked for more; the
/// system would end the program.
fn heed_limits() {
    // Where no handler can be installed, it is as it was.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// Reads the command line.
fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let matches = command().try_get_matches_from(args)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    if let Some(Verb::Bases(args)) = &cli.verb
        && args.is_json_of_nothing()
    {
        let why = "`--json` prints the list of base images; nothing else of `bases` has one";
        return Err(command().error(ErrorKind::ArgumentConflict, why));
    }
    cli.shared.plain_asked = matches.value_source("plain") == Some(ValueSource::CommandLine);
    Ok(cli)
}

/// Prints help where it was asked for, and what is wrong with the command line otherwise.
fn usage(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    if error.use_stderr() {
        return Exit::Usage.into();
    }
    match printed {
        // Nobody may read it any more (`loadline --help | head -1`); that is not an error.
        Err(why) if why.kind() != std::io::ErrorKind::BrokenPipe => {
            let (error, output) = (CliError::Output(why), Output::new(Color::Auto, false));
            output.tell(&error.render(output.paint_err()));
            error.exit().into()
        }
        _ => Exit::Ok.into(),
    }
}

fn dispatch(verb: Option<Verb>, context: &Context) -> Result<Exit, CliError> {
    match verb {
        None => learn::run(&learn::Args::default(), context),
        Some(Verb::Learn(args)) => learn::run(&args, context),
        Some(Verb::Check(args)) => check::run(&args, context),
        Some(Verb::Bases(args)) => bases::run(&args, context),
        Some(Verb::Layers(args)) => layers::run(&args, context),
        Some(Verb::Sbom(args)) => sbom::run(&args, context),
        Some(Verb::Clean(args)) => clean::run(&args, context),
        Some(Verb::Inside(args)) => inside::run(&args, context),
        Some(Verb::Compare(args)) => compare::run(&args, context),
        Some(Verb::Db(args)) => db::run(&args, context),
        Some(Verb::Scan(args)) => scan::run(&args, context),
        Some(Verb::Trace(args)) => trace::run(&args, context),
        Some(Verb::Goals(args)) => goals::run(&args, context),
        Some(Verb::Lint(args)) => lint::run(&args, context),
        Some(Verb::Doctor(args)) => doctor::run(&args, context),
        Some(Verb::Completions(args)) => completions::run(&args, context),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_verb_teaches_by_an_example() {
        for verb in command().get_subcommands() {
            let help = verb.clone().render_long_help().to_string();
            let example = format!("  loadline {}", verb.get_name());
            assert!(help.contains("Examples:"), "{}", verb.get_name());
            assert!(help.contains(&example), "{}", verb.get_name());
        }
    }

    #[test]
    fn flags_of_every_verb_are_read_after_the_verb_too() {
        let args = ["loadline", "check", "a", "--plain", "--course", "here"];
        let parsed = parse(args.map(OsString::from)).expect("it is a command line");
        assert!(parsed.shared.plain);
        assert!(parsed.shared.plain_asked);
        assert_eq!(parsed.shared.course, Some(PathBuf::from("here")));
    }

    #[test]
    fn flags_of_every_verb_are_read_before_an_action_too_and_its_own_are_not_taken_for_them() {
        let parsed = |line: &str| parse(line.split(' ').map(OsString::from));
        for line in [
            "loadline bases --course here build busybox",
            "loadline bases --plain list",
            "loadline bases --color never --json list",
            "loadline --plain bases --json",
        ] {
            assert!(parsed(line).is_ok(), "{line}");
        }
        for line in [
            "loadline bases --json build",
            "loadline bases --json import a.pack",
        ] {
            let error = parsed(line).expect_err(line);
            assert_eq!(error.kind(), ErrorKind::ArgumentConflict);
        }
    }
}
