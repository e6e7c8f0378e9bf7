//! A run of an image whose opened files are compared with what the image ships.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::gather;
use super::scan;
use crate::course::Exercise;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::image::archive::Facts;
use crate::image::archive::Options;
use crate::image::run::Probe;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::image::touched::Touched;
use crate::text::Clean;
use crate::units::show_duration;

/// What a traced run showed of its image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    /// How the run went.
    pub outcome: RunOutcome,
    /// Why opened files may be missing, as a fragment; `None` where none is.
    pub gaps: Option<Clean>,
    /// What it opened.
    pub touched: Touched,
}

/// Runs `image` as `run` says, then reads it, and compares. `lines` are the Dockerfile's lines of
/// its layers, as far as they are known, `facts` what is remembered of layers; `say` is told what
/// goes on.
///
/// # Errors
/// When the engine fails, when it was cancelled, and with [`EngineError::Refused`] where opens
/// cannot be watched on this engine.
pub async fn trace_image(
    engine: Arc<dyn Engine>,
    image: &str,
    run: &Run,
    lines: &[Option<u32>],
    facts: Option<Arc<dyn Facts>>,
    say: &(dyn Fn(&str) + Send + Sync),
    cancel: CancellationToken,
) -> Result<Traced, EngineError> {
    say("running the image and watching what it opens");
    let summary = engine.inspect(image).await?;
    let summary = summary.ok_or_else(|| EngineError::NoSuchImage(image.to_owned()))?;
    let run = gather::expanded(run, &summary.config.env);
    let trace = engine.trace(image, &run, cancel.clone()).await?;
    let touched = if trace.outcome.start_error.is_some() {
        Touched::default()
    } else {
        say("reading what the image ships");
        let options = Options {
            facts,
            ..Options::default()
        };
        let contents = scan::read_image(engine, image.to_owned(), options, cancel).await?;
        Touched::of(&contents, &trace.opened.paths, lines)
    };
    Ok(Traced {
        outcome: trace.outcome,
        gaps: trace.opened.gaps,
        touched,
    })
}

/// The run that shows best what an exercise's image needs: the one that is asked over HTTP, or else
/// the first that runs to its end; `None` where no goal runs it.
#[must_use]
pub fn run_to_trace(exercise: &Exercise) -> Option<Run> {
    let runs: Vec<Run> = exercise
        .all_goals()
        .flat_map(|(entry, _)| {
            let needs = entry.goal.needs();
            needs.runs.into_iter().collect::<Vec<Run>>()
        })
        .collect();
    let of = |wanted: fn(&Probe) -> bool| runs.iter().find(|run| wanted(&run.probe)).cloned();
    of(|probe| matches!(probe, Probe::Http(_))).or_else(|| of(|probe| *probe == Probe::Exit))
}

/// What was not as asked for in a traced run, as a fragment; `None` where all was.
#[must_use]
pub fn trouble(run: &Run, outcome: &RunOutcome) -> Option<String> {
    let within = show_duration(run.within);
    if let Some(why) = &outcome.start_error {
        return Some(format!("the container does not start: {why}"));
    }
    if outcome.out_of_memory {
        return Some(String::from("the container ran out of memory"));
    }
    match (&run.probe, outcome.exit) {
        (Probe::Http(_), _) if outcome.response.is_some() => None,
        (Probe::Http(request), Some(exit)) => Some(format!(
            "the container ended with status {exit} before it answered on port {}",
            request.port
        )),
        (Probe::Http(request), None) => Some(format!(
            "nothing answered on port {} within {within}",
            request.port
        )),
        (Probe::Exit | Probe::Stop { .. } | Probe::Health, Some(0) | None) => None,
        (Probe::Exit | Probe::Stop { .. } | Probe::Health, Some(exit)) => {
            Some(format!("the container ended with status {exit}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::image::run::HttpRequest;
    use crate::image::run::HttpResponse;
    use crate::image::run::Start;

    fn run(probe: Probe) -> Run {
        Run {
            start: Start::default(),
            probe,
            within: Duration::from_secs(30),
        }
    }

    fn http() -> Run {
        run(Probe::Http(HttpRequest {
            port: 8000,
            path: String::from("/"),
            method: String::from("GET"),
            body: None,
        }))
    }

    fn ended(exit: Option<i64>) -> RunOutcome {
        RunOutcome {
            exit,
            ..RunOutcome::default()
        }
    }

    #[test]
    fn what_was_not_as_asked_for_is_told() {
        let told = |run: &Run, outcome: &RunOutcome| trouble(run, outcome).unwrap_or_default();
        assert_eq!(told(&run(Probe::Exit), &ended(Some(0))), "");
        assert_eq!(told(&run(Probe::Exit), &ended(None)), "");
        assert_eq!(
            told(&run(Probe::Exit), &ended(Some(3))),
            "the container ended with status 3"
        );
        assert_eq!(
            told(&http(), &ended(None)),
            "nothing answered on port 8000 within 30 s"
        );
        assert_eq!(
            told(&http(), &ended(Some(1))),
            "the container ended with status 1 before it answered on port 8000"
        );
        let answered = RunOutcome {
            response: Some(HttpResponse {
                status: 200,
                headers: Vec::new(),
                body: crate::image::output::Output::default(),
                after: Duration::from_millis(4),
            }),
            ..RunOutcome::default()
        };
        assert_eq!(told(&http(), &answered), "");
        let missing = RunOutcome {
            start_error: Some(Clean::line("no such file")),
            ..RunOutcome::default()
        };
        assert_eq!(
            told(&http(), &missing),
            "the container does not start: no such file"
        );
    }

    #[test]
    fn the_run_that_is_asked_over_http_shows_most() {
        let course = crate::course::load::embedded().unwrap();
        let probe = |id: &str| {
            let exercise = course.exercise(id).unwrap();
            run_to_trace(exercise).map(|run| run.probe)
        };
        assert!(matches!(probe("shrink-that-image"), Some(Probe::Http(_))));
    }
}
