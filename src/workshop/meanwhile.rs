//! The base images that are prepared while the learner reads: how they stand, as front ends keep it,
//! and which of them come first.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::BaseEvent;
use super::BaseState;
use super::Check;
use super::CheckState;
use super::Workshop;
use super::doctor;
use crate::course::Course;
use crate::text::Clean;

/// How base images stand, by the reference that Dockerfiles name them with.
pub type BaseStates = BTreeMap<String, BaseState>;

/// The end of a preparation that a front end holds: it reads how far it is, and says which base
/// images are to come first.
#[derive(Debug)]
pub struct Preparation {
    /// How the base images stand.
    pub states: watch::Receiver<BaseStates>,
    /// What is to be prepared first.
    pub first: watch::Sender<Vec<String>>,
}

/// Takes in news of one base image. One that is here stays here while it waits to be looked at
/// once more.
pub fn hear(states: &mut BaseStates, event: BaseEvent) {
    let here = matches!(states.get(&event.reference), Some(BaseState::Ready { .. }));
    if !(here && event.state == BaseState::Waiting) {
        states.insert(event.reference, event.state);
    }
}

/// Nothing more is done: what was not reached is not on its way any more.
pub fn settle(states: &mut BaseStates) {
    states.retain(|_, state| matches!(state, BaseState::Ready { .. } | BaseState::Failed(_)));
}

/// How many of the base images that the course's exercises need are ready, and how many there are.
/// Images that only a lesson names are not counted: nobody prepares them.
#[must_use]
pub fn ready(states: &BaseStates, course: &Course) -> (usize, usize) {
    let bases = course.exercises.iter().flat_map(|one| &one.bases);
    let needed: BTreeSet<&String> = bases.collect();
    let ready = |base: &&&String| matches!(states.get(**base), Some(BaseState::Ready { .. }));
    (needed.iter().filter(ready).count(), needed.len())
}

/// The doctor's checks, with the reason of each base image that cannot be had: the doctor sees only
/// that it is not here.
#[must_use]
pub fn with_reasons(checks: &[Check], states: &BaseStates) -> Vec<Check> {
    let failed = states.iter().filter_map(|(reference, state)| match state {
        BaseState::Failed(why) => Some(format!("{reference}: {why}")),
        BaseState::Ready { .. } | BaseState::Waiting | BaseState::Working { .. } => None,
    });
    let failed: Vec<String> = failed.collect();
    let mut checks = checks.to_vec();
    let bases = checks.iter_mut().find(|check| check.title == doctor::BASES);
    if let Some(check) = bases
        && check.state == CheckState::Limited
        && !failed.is_empty()
    {
        let found = format!("{}; {}", check.found, failed.join("; "));
        check.found = Clean::line(&found);
        let fix = "Once that is mended, `loadline bases build` makes them.";
        check.fix = Some(Clean::line(fix));
    }
    checks
}

/// Whether somebody who needs `bases` would wait for the preparation of others: one of them has
/// still to come and is not what is being made.
#[must_use]
pub fn keeps_waiting(states: &BaseStates, bases: &[String]) -> bool {
    bases.iter().any(|base| {
        matches!(states.get(base), None | Some(BaseState::Waiting)) && base != "scratch"
    })
}

/// Prepares base images until `leave` is cancelled or nobody can ask any more. When others are to
/// come first the work begins again with those; what was downloaded is kept.
pub async fn prepare(
    workshop: &dyn Workshop,
    states: watch::Sender<BaseStates>,
    mut first: watch::Receiver<Vec<String>>,
    leave: CancellationToken,
) {
    loop {
        let wanted = first.borrow_and_update().clone();
        let run = leave.child_token();
        let (sender, mut news) = mpsc::channel(64);
        let mut preparing = std::pin::pin!(async {
            let hearing = async {
                while let Some(event) = news.recv().await {
                    // What a run says that was cancelled is not true of the next one.
                    if !run.is_cancelled() {
                        states.send_modify(|states| hear(states, event));
                    }
                }
            };
            tokio::join!(workshop.prepare_bases(wanted, sender, run.clone()), hearing);
        });
        let asked = tokio::select! {
            () = &mut preparing => {
                states.send_modify(settle);
                first.changed().await
            }
            asked = first.changed() => {
                run.cancel();
                preparing.await;
                asked
            }
        };
        if asked.is_err() || leave.is_cancelled() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::load;

    fn told(reference: &str, state: BaseState) -> BaseEvent {
        BaseEvent {
            reference: reference.to_owned(),
            state,
        }
    }

    fn working() -> BaseState {
        BaseState::Working {
            doing: Clean::line("downloading packages"),
            bytes: None,
        }
    }

    #[test]
    fn the_doctor_tells_why_a_base_image_cannot_be_had() {
        let check = |title: &str, state| Check {
            title: title.to_owned(),
            state,
            found: Clean::line("1 of 2 ready"),
            fix: None,
            mendable: false,
        };
        let why = BaseState::Failed(Clean::line("no registry answers"));
        let states = BaseStates::from([("python:3.13".to_owned(), why)]);
        let checks = [
            check("Disk", CheckState::Limited),
            check(doctor::BASES, CheckState::Limited),
        ];
        let told = with_reasons(&checks, &states);
        assert_eq!(told[0], checks[0]);
        let found = told[1].found.as_str();
        assert_eq!(found, "1 of 2 ready; python:3.13: no registry answers");
        assert!(told[1].fix.is_some());
        assert_eq!(with_reasons(&checks, &BaseStates::new()), checks);
        // It came in another way since.
        let here = [check(doctor::BASES, CheckState::Good)];
        assert_eq!(with_reasons(&here, &states), here);
    }

    #[test]
    fn what_only_a_lesson_names_is_not_counted() {
        let course = load::embedded().expect("it is sound");
        let needed = course.needed_bases();
        let here = BaseState::Ready { size: None };
        let mut states = BaseStates::from([("nobody/needs-this".to_owned(), here.clone())]);
        assert_eq!(ready(&states, &course), (0, needed.len()));
        states.extend(needed.keys().map(|base| (base.clone(), here.clone())));
        assert_eq!(ready(&states, &course), (needed.len(), needed.len()));
    }

    #[test]
    fn a_base_that_is_here_does_not_wait_again() {
        let mut states = BaseStates::new();
        hear(&mut states, told("a", BaseState::Ready { size: None }));
        hear(&mut states, told("a", BaseState::Waiting));
        hear(&mut states, told("b", working()));
        hear(&mut states, told("b", BaseState::Waiting));
        assert_eq!(states["a"], BaseState::Ready { size: None });
        assert_eq!(states["b"], BaseState::Waiting);
        settle(&mut states);
        assert_eq!(states.keys().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn who_needs_what_is_made_or_here_or_not_to_be_had_waits_for_nothing_else() {
        let states = BaseStates::from([
            ("here".to_owned(), BaseState::Ready { size: None }),
            ("made".to_owned(), working()),
            ("failed".to_owned(), BaseState::Failed(Clean::line("no"))),
            ("later".to_owned(), BaseState::Waiting),
        ]);
        let waits = |bases: &[&str]| {
            let bases: Vec<String> = bases.iter().map(|base| (*base).to_owned()).collect();
            keeps_waiting(&states, &bases)
        };
        assert!(!waits(&["here", "made", "failed", "scratch"]));
        assert!(waits(&["here", "later"]));
        assert!(waits(&["unheard"]));
    }
}
