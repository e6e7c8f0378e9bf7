//! `loadline trace`: which files of an image a run opens, and how much of it that is.

use std::path::Path;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::attempt;
use crate::attempt::Traced;
use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::input;
use crate::cli::interrupt::Interrupt;
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::target::Target;
use crate::cli::wiring;
use crate::dockerfile::BuildArgs;
use crate::dockerfile::Dockerfile;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::image::run::HttpRequest;
use crate::image::run::Probe;
use crate::image::run::Run;
use crate::image::run::Start;
use crate::image::touched;
use crate::units::parse_duration;
use crate::workshop::Sweep;

/// How long an image may take to answer, or runs, where nothing else is said.
const WITHIN: Duration = Duration::from_secs(60);

/// Run an image and show which of its files the run opens
///
/// The image runs as it would anyway: its own command, its own user, no capability, no network. A
/// small program that the container starts with writes down every file that is opened, until the
/// image has answered over HTTP, until it ends, or for as long as `--for` says.
///
/// "Opened in this run" is all that the figures say: a file that only a rare request needs was not
/// opened either. So none of it says "safe to delete".
///
/// For your own images only: until the image's command starts, the container has rights that no
/// stranger's image should be near.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline trace my-app:latest --http 8000/health
  loadline trace my-tool --for 10s -- --version
  loadline trace my-app:latest --http 8000 --file Dockerfile --all
  loadline trace my-app:latest --http 8000 --json | jq .share_percent")]
pub(crate) struct Args {
    /// The image: a reference or an id that the engine knows
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Stop when this answers inside the container: a port and a path
    #[arg(long, value_name = "PORT[/PATH]")]
    http: Option<Asked>,
    /// The longest that it runs; 1 min
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    within: Option<Duration>,
    /// The Dockerfile that made the image, to name its lines
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Leave no folder and no file out
    #[arg(long)]
    all: bool,
    /// Print all of it as JSON
    #[arg(long)]
    json: bool,
    /// What the image is given in place of its own command
    #[arg(last = true, value_name = "CMD")]
    command: Vec<String>,
}

/// A port and a path: `8000`, `8000/health`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    port: u16,
    path: String,
}

impl FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim_start_matches(':');
        let (port, path) = text.split_once('/').unwrap_or((text, ""));
        let port: u16 = port
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or("write a port and, where it is not `/`, a path, such as `8000/health`")?;
        if path.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(String::from("a path has no blanks; write `%20` for one"));
        }
        Ok(Self {
            port,
            path: format!("/{path}"),
        })
    }
}

/// The longest that a run may take.
fn duration(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() || duration > Duration::from_secs(3600) {
        return Err(String::from("write a time between 1 ms and 1 h"));
    }
    Ok(duration)
}

/// Runs the image and shows what it opened.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    if let Target::Archive(path) | Target::Folder(path) = Target::of(&args.image) {
        return Err(CliError::NeedsEngine { path });
    }
    let dockerfile = args.file.as_deref().map(read).transpose()?;
    let output = context.output;
    let run = args.run();
    let traced = wiring::block_on(async {
        let interrupt = Interrupt::listen(output).map_err(CliError::Output)?;
        let (docker, _) = wiring::ready(&interrupt).await?;
        let sweep = Sweep::default();
        wiring::settle_in(&docker, &sweep);
        let work = trace(
            docker,
            &args.image,
            &run,
            dockerfile.as_deref(),
            output,
            &interrupt,
        );
        tokio::select! {
            biased;
            () = interrupt.forced.cancelled() => Err(CliError::Interrupted),
            traced = work => {
                sweep.finish().await;
                traced
            }
        }
    })?;
    let trouble = attempt::trouble(&run, &traced.outcome);
    if traced.outcome.start_error.is_some() {
        return Err(CliError::NotTraced {
            image: args.image.clone(),
            why: trouble.unwrap_or_default(),
        });
    }
    if args.json {
        output.result(&json(args, &run, &traced)?)?;
    } else {
        output.result(&text(args, &traced))?;
    }
    for warning in trouble.iter().cloned().chain(gaps(&traced)) {
        let label = output.paint_err().warn("warning:");
        output.tell(&format!("{label} {warning}\n"));
    }
    // What was to be seen did not happen: the figures are those of another run.
    Ok(if trouble.is_some() {
        Exit::NotJudged
    } else {
        Exit::Ok
    })
}

impl Args {
    fn run(&self) -> Run {
        let probe = match &self.http {
            Some(asked) => Probe::Http(HttpRequest {
                port: asked.port,
                path: asked.path.clone(),
                method: String::from("GET"),
                body: None,
            }),
            None => Probe::Exit,
        };
        Run {
            start: Start {
                args: (!self.command.is_empty()).then(|| self.command.clone()),
                ..Start::default()
            },
            probe,
            within: self.within.unwrap_or(WITHIN),
        }
    }
}

fn read(path: &Path) -> Result<String, CliError> {
    Ok(String::from_utf8_lossy(&input::read("the Dockerfile", path)?).into_owned())
}

async fn trace(
    engine: Arc<dyn Engine>,
    image: &str,
    run: &Run,
    dockerfile: Option<&str>,
    output: Output,
    interrupt: &Interrupt,
) -> Result<Traced, CliError> {
    let mut lines = Vec::new();
    if let Some(text) = dockerfile {
        let summary = engine.inspect(image).await?;
        let summary = summary
            .ok_or_else(|| CliError::NothingToRun(EngineError::NoSuchImage(image.to_owned())))?;
        let parsed = Dockerfile::parse(text);
        let layers = summary.diff_ids.len();
        lines = attempt::layer_lines(&parsed, &BuildArgs::new(), &summary.history, layers, 0);
    }
    let say = |doing: &str| output.tell(&format!("{doing}\n"));
    let cancel = interrupt.asked.clone();
    let traced =
        attempt::trace_image(engine, image, run, &lines, wiring::facts(), &say, cancel).await;
    let mut traced = traced.map_err(|error| match error {
        EngineError::Refused { detail, .. } => CliError::NotTraced {
            image: image.to_owned(),
            why: detail.to_string(),
        },
        missing @ EngineError::NoSuchImage(_) => CliError::NothingToRun(missing),
        other => other.into(),
    })?;
    if let Some(text) = dockerfile {
        traced.touched.quote(text);
    }
    Ok(traced)
}

fn gaps(traced: &Traced) -> Option<String> {
    let gaps = traced.gaps.as_ref()?;
    Some(format!("some opened files may be missing: {gaps}"))
}

fn text(args: &Args, traced: &Traced) -> String {
    let mut lines = touched::lines(&traced.touched, args.all);
    lines.push(String::new());
    lines.push(touched::COMMENT.to_owned());
    lines.join("\n") + "\n"
}

/// What was traced as JSON: `loadline.trace/v1`.
fn json(args: &Args, run: &Run, traced: &Traced) -> Result<String, CliError> {
    let (touched, outcome) = (&traced.touched, &traced.outcome);
    let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let share = (touched.share().0 * 100.0).round() / 100.0;
    let value = serde_json::json!({
        "schema": "loadline.trace/v1",
        "image": args.image,
        "run": {
            "http": args.http.as_ref().map(|asked| format!("{}{}", asked.port, asked.path)),
            "command": run.start.args,
            "within_ms": milliseconds(run.within),
        },
        "outcome": {
            "exit": outcome.exit,
            "status": outcome.response.as_ref().map(|response| response.status),
            "timed_out": outcome.timed_out,
            "took_ms": milliseconds(outcome.took),
            "trouble": attempt::trouble(run, outcome),
        },
        "complete": traced.gaps.is_none(),
        "gaps": traced.gaps,
        "touched_files": touched.opened.files,
        "touched_bytes": touched.opened.bytes,
        "live_files": touched.live.files,
        "live_bytes": touched.live.bytes,
        "share_percent": share,
        "made_files": touched.made,
        "layers": touched.layers,
        "folders": touched.folders,
        "unopened_folders": touched.unopened,
        "files": touched.files,
    });
    output::json(&value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_and_a_path_are_read() {
        let read = |text: &str| {
            let asked: Result<Asked, String> = text.parse();
            asked.map(|asked| format!("{} {}", asked.port, asked.path))
        };
        assert_eq!(read("8000").unwrap(), "8000 /");
        assert_eq!(read("8000/").unwrap(), "8000 /");
        assert_eq!(read(":80/a/b?c=d").unwrap(), "80 /a/b?c=d");
        for wrong in ["", "0", "health", "70000/", "/health", "80/a b"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_run_is_bounded() {
        assert_eq!(duration("10s").unwrap(), Duration::from_secs(10));
        assert!(duration("0s").is_err());
        assert!(duration("2h").is_err());
        assert!(duration("soon").is_err());
    }
}
