//! The figures of a text that come from this machine, looked up in what is known by now. Pure.

use std::collections::BTreeMap;

use super::BaseState;
use super::Progress;
use crate::course::directive::Directive;
use crate::course::directive::Which;
use crate::units::Bytes;

/// A figure, where it is known here.
#[must_use]
pub fn figure(
    wanted: &Directive,
    progress: Option<&Progress>,
    bases: &BTreeMap<String, BaseState>,
) -> Option<Bytes> {
    let record = |exercise: &str| {
        let mut all = progress?.exercises.iter();
        all.find(|(id, _)| id.as_str() == exercise)
            .map(|(_, record)| record)
    };
    match wanted {
        Directive::Mine { exercise, which } => match which {
            Which::Best => {
                record(exercise)?
                    .best
                    .filter(|best| best.met == best.of)?
                    .size
            }
            Which::Last => record(exercise)?.sizes.last().copied(),
        },
        Directive::Baseline { exercise } => {
            let report = record(exercise)?.last.as_ref()?;
            Some(report.baseline.as_ref()?.shipped_bytes)
        }
        Directive::Size { reference } => match bases.get(reference)? {
            BaseState::Ready { size } => *size,
            BaseState::Waiting | BaseState::Working { .. } | BaseState::Failed(_) => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::ExerciseId;
    use crate::workshop::Best;
    use crate::workshop::Record;

    fn size(reference: &str, bases: &BTreeMap<String, BaseState>) -> Option<Bytes> {
        let wanted = Directive::Size {
            reference: reference.to_owned(),
        };
        figure(&wanted, None, bases)
    }

    #[test]
    fn a_base_has_a_size_once_it_is_ready_and_weighed() {
        let ready = |size| BaseState::Ready { size };
        let bases = BTreeMap::from([
            ("a".to_owned(), ready(Some(Bytes(118_000_000)))),
            ("b".to_owned(), ready(None)),
            ("c".to_owned(), BaseState::Waiting),
        ]);
        assert_eq!(size("a", &bases), Some(Bytes(118_000_000)));
        for unknown in ["b", "c", "d"] {
            assert_eq!(size(unknown, &bases), None, "{unknown}");
        }
    }

    #[test]
    fn only_an_attempt_that_met_everything_is_the_best() {
        let id = ExerciseId("shrink-that-image".to_owned());
        let record = Record {
            best: Some(Best {
                met: 3,
                of: 5,
                size: Some(Bytes(412_000_000)),
            }),
            ..Record::default()
        };
        let mut progress = Progress::default();
        progress.exercises.insert(id.clone(), record);
        let best = Directive::Mine {
            exercise: "shrink-that-image".to_owned(),
            which: Which::Best,
        };
        assert_eq!(figure(&best, Some(&progress), &BTreeMap::new()), None);
        let record = progress.exercises.get_mut(&id).unwrap();
        let reached = record.best.as_mut().unwrap();
        reached.met = reached.of;
        let size = reached.size;
        assert_eq!(figure(&best, Some(&progress), &BTreeMap::new()), size);
    }
}
