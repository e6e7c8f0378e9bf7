//! Runs that say no for want of time alone.
//!
//! Where many attempts share a host, a program may be short of CPU for longer than it has time. Such
//! a run is done once more, with nothing else of the attempt beside it, after such runs of other
//! attempts (for some minutes at most), and the second time counts.

use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::engine::Turn;
use crate::goal::Known;
use crate::image::run::Probe;
use crate::image::run::Run;
use crate::image::run::RunOutcome;

/// Whether a run is done once more: it had no time, and the host had none to give.
pub(super) fn is_worth_a_turn(engine: &dyn Engine, run: &Run, outcome: &Known<RunOutcome>) -> bool {
    let late = |outcome| for_want_of_time(run, outcome);
    outcome.as_ref().is_ok_and(late) && engine.is_short_of_cpu()
}

/// Whether more time could have shown something else.
fn for_want_of_time(run: &Run, outcome: &RunOutcome) -> bool {
    let other = outcome.start_error.is_some() || outcome.out_of_memory || outcome.crowd.is_some();
    let stopped_late = match &run.probe {
        Probe::Stop { grace, .. } => outcome.stopped_after.is_some_and(|after| after > *grace),
        Probe::Exit | Probe::Health | Probe::Http(_) => false,
    };
    !other && (outcome.timed_out || outcome.killed || stopped_late)
}

/// Waits for the turn of such a run; none where the attempt is stopped first.
pub(super) async fn turn(engine: &dyn Engine, cancel: &CancellationToken) -> Option<Turn> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        turn = engine.turn() => turn,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::image::run::Start;

    #[test]
    fn only_what_more_time_could_change_is_done_once_more() {
        let run = Run {
            start: Start::default(),
            probe: Probe::Stop {
                signal: None,
                grace: Duration::from_secs(2),
                ready: None,
            },
            within: Duration::from_secs(10),
        };
        let outcome = RunOutcome::default;
        let after = |seconds| Some(Duration::from_secs(seconds));
        let cases = [
            (outcome(), false),
            (
                RunOutcome {
                    exit: Some(1),
                    ..outcome()
                },
                false,
            ),
            (
                RunOutcome {
                    stopped_after: after(1),
                    ..outcome()
                },
                false,
            ),
            (
                RunOutcome {
                    stopped_after: after(3),
                    ..outcome()
                },
                true,
            ),
            (
                RunOutcome {
                    killed: true,
                    ..outcome()
                },
                true,
            ),
            (
                RunOutcome {
                    timed_out: true,
                    ..outcome()
                },
                true,
            ),
            (
                RunOutcome {
                    timed_out: true,
                    crowd: Some(256),
                    ..outcome()
                },
                false,
            ),
        ];
        for (outcome, wanted) in cases {
            assert_eq!(for_want_of_time(&run, &outcome), wanted, "{outcome:?}");
        }
    }
}
