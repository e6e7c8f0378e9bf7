//! Runs that one container can show: it answers a request, and is then asked to stop.
//!
//! Starting a container is most of what judging costs. Where one goal asks a port and another one
//! stops the same program once that port takes connections, one start serves both.

use std::collections::BTreeSet;

use crate::goal::Known;
use crate::image::run::Probe;
use crate::image::run::Ready;
use crate::image::run::Run;
use crate::image::run::RunOutcome;

/// What one container is started for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Together {
    first: Run,
    /// The stop that follows the first run's request.
    stop: Option<Run>,
}

impl Together {
    /// All runs, in as few starts as they can be had in.
    pub(super) fn of(runs: &BTreeSet<Run>) -> Vec<Self> {
        let mut left: Vec<Run> = runs.iter().cloned().collect();
        let mut together = Vec::new();
        while !left.is_empty() {
            // A request that comes last would find its stop taken for a run of its own.
            let next = left
                .iter()
                .position(|run| matches!(run.probe, Probe::Http(_)));
            let first = left.remove(next.unwrap_or(0));
            let fits = left
                .iter()
                .position(|other| stopped(&first, other).is_some());
            let stop = fits.map(|index| left.remove(index));
            together.push(Self { first, stop });
        }
        together
    }

    /// What the engine is asked for.
    pub(super) fn run(&self) -> Run {
        let both = self
            .stop
            .as_ref()
            .and_then(|stop| stopped(&self.first, stop));
        both.unwrap_or_else(|| self.first.clone())
    }

    /// What each of the runs would have shown by itself.
    pub(super) fn shown(self, outcome: Known<RunOutcome>) -> Vec<(Run, Known<RunOutcome>)> {
        let Some(stop) = self.stop else {
            return vec![(self.first, outcome)];
        };
        let end = |outcome: &RunOutcome| RunOutcome {
            response: None,
            ..outcome.clone()
        };
        let ended = outcome.as_ref().map(end).map_err(Clone::clone);
        vec![
            (self.first, outcome.map(|outcome| until_answered(&outcome))),
            (stop, ended),
        ]
    }
}

/// A run that stops once a request is answered, where a stop waits for that request's port. Neither
/// may have less time to come up than it asks for.
fn stopped(request: &Run, stop: &Run) -> Option<Run> {
    let Probe::Http(asked) = &request.probe else {
        return None;
    };
    let Probe::Stop {
        signal,
        grace,
        ready: Some(Ready::Port(port)),
    } = &stop.probe
    else {
        return None;
    };
    let fits = *port == asked.port && request.start == stop.start && request.within == stop.within;
    fits.then(|| Run {
        probe: Probe::Stop {
            signal: signal.clone(),
            grace: *grace,
            ready: Some(Ready::Http(asked.clone())),
        },
        ..request.clone()
    })
}

/// What the run had shown when it was answered; all of it, where it never was.
fn until_answered(outcome: &RunOutcome) -> RunOutcome {
    let Some(response) = &outcome.response else {
        return outcome.clone();
    };
    RunOutcome {
        took: response.after,
        response: Some(response.clone()),
        stdout: outcome.stdout.clone(),
        stderr: outcome.stderr.clone(),
        ..RunOutcome::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::image::output::Output;
    use crate::image::run::HttpRequest;
    use crate::image::run::HttpResponse;
    use crate::image::run::Start;

    const WITHIN: Duration = Duration::from_secs(10);

    fn run(probe: Probe) -> Run {
        Run {
            start: Start::default(),
            probe,
            within: WITHIN,
        }
    }

    fn request(port: u16) -> Run {
        run(Probe::Http(HttpRequest {
            port,
            path: "/".to_owned(),
            method: "GET".to_owned(),
            body: None,
        }))
    }

    fn stop(port: Option<u16>) -> Run {
        run(Probe::Stop {
            signal: None,
            grace: Duration::from_secs(2),
            ready: port.map(Ready::Port),
        })
    }

    fn starts(runs: &[Run]) -> usize {
        Together::of(&runs.iter().cloned().collect()).len()
    }

    #[test]
    fn a_stop_follows_the_request_of_its_port_and_of_no_other() {
        assert_eq!(starts(&[request(80), stop(Some(80))]), 1);
        assert_eq!(starts(&[request(80), stop(Some(81))]), 2);
        assert_eq!(starts(&[request(80), stop(None)]), 2);
        assert_eq!(starts(&[run(Probe::Exit), stop(Some(80))]), 2);
        let slow = Run {
            within: WITHIN * 2,
            ..request(80)
        };
        assert_eq!(starts(&[slow, stop(Some(80))]), 2);
        let writing = Run {
            start: Start {
                read_only: true,
                ..Start::default()
            },
            ..request(80)
        };
        assert_eq!(starts(&[writing, stop(Some(80))]), 2);
        assert_eq!(starts(&[request(80), request(81), stop(Some(81))]), 2);
    }

    #[test]
    fn each_run_is_shown_what_it_asked_for() {
        let runs = [request(80), stop(Some(80))].into();
        let together = Together::of(&runs).remove(0);
        let asked = together.run();
        assert!(matches!(
            asked.probe,
            Probe::Stop {
                ready: Some(Ready::Http(_)),
                ..
            }
        ));
        let outcome = RunOutcome {
            exit: Some(0),
            took: Duration::from_secs(3),
            stopped_after: Some(Duration::from_secs(1)),
            response: Some(HttpResponse {
                after: Duration::from_secs(2),
                status: 200,
                headers: Vec::new(),
                body: Output::default(),
            }),
            ..RunOutcome::default()
        };
        let shown = together.shown(Ok(outcome.clone()));
        assert_eq!(shown.len(), runs.len());
        for (run, shown) in shown {
            let shown = shown.unwrap();
            if run == request(80) {
                assert_eq!((shown.exit, shown.stopped_after), (None, None));
                assert_eq!(shown.took, Duration::from_secs(2));
                assert_eq!(shown.response, outcome.response);
            } else {
                assert_eq!(run, stop(Some(80)));
                assert_eq!(
                    (shown.exit, shown.stopped_after),
                    (outcome.exit, outcome.stopped_after)
                );
                assert_eq!(shown.response, None);
            }
        }
    }
}
