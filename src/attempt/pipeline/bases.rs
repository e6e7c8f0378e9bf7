//! The base images of an attempt, made ready before its build: as many as the build needs, and for
//! as long as a build may take.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Attempt;
use super::BUILD_WITHIN;
use super::Stopped;
use crate::attempt::AttemptEvent;
use crate::attempt::BaseSupply;
use crate::attempt::prepare;
use crate::attempt::prepare::Stages;
use crate::attempt::problem;
use crate::dockerfile::Dockerfile;
use crate::engine::Builder;
use crate::engine::EngineError;
use crate::engine::EngineInfo;
use crate::engine::Store;
use crate::report::BaseReport;
use crate::report::Outcome;
use crate::text::plural;
use crate::units::show_duration;

/// The most images from outside that a Dockerfile may need: each may be one of a registry that says
/// nothing, which takes seconds.
const MOST: usize = 32;

/// How long making them ready may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// All of it.
    within: Duration,
    /// The end of it, once it was given up.
    leaving: Duration,
}

const LIMITS: Limits = Limits {
    within: BUILD_WITHIN,
    leaving: Duration::from_secs(10),
};

impl Attempt {
    pub(super) async fn ready_bases(
        &self,
        dockerfile: &Dockerfile,
    ) -> Result<Vec<BaseReport>, Stopped> {
        let references = prepare::references(dockerfile, built(self.engine.info()));
        if references.len() > MOST {
            return Err(too_many(references.len()));
        }
        let bases = self.bases.as_ref();
        let (events, cancel) = (self.events.clone(), &self.cancel);
        let ready = ensure(bases, &references, events, cancel, LIMITS).await;
        let bases = ready.map_err(|stopped| match stopped {
            NotReady::Supply(error) => problem::of_supply(&error, dockerfile).into(),
            NotReady::Late(within) => late(within),
        })?;
        if self.cancel.is_cancelled() {
            return Err(EngineError::Cancelled.into());
        }
        Ok(bases)
    }
}

/// The stages that an engine builds. BuildKit leaves out what the last one does not need; an engine
/// that cannot be asked for BuildKit over its address falls back to the classic builder.
fn built(info: &EngineInfo) -> Stages {
    let falls_back = info.store == Store::Containerd && !info.address.starts_with("unix:");
    if info.builder == Builder::Buildkit && !falls_back {
        Stages::Needed
    } else {
        Stages::All
    }
}

/// Why bases are not ready.
#[derive(Debug)]
enum NotReady {
    Supply(crate::attempt::SupplyError),
    Late(Duration),
}

/// Makes bases ready, or gives it up.
async fn ensure(
    bases: &dyn BaseSupply,
    references: &[String],
    events: mpsc::Sender<AttemptEvent>,
    cancel: &CancellationToken,
    limits: Limits,
) -> Result<Vec<BaseReport>, NotReady> {
    // A pull that was given up is to end, and the attempt goes on to its report.
    let own = cancel.child_token();
    let mut ensuring = bases.ensure(references, events, own.clone());
    if let Ok(ended) = tokio::time::timeout(limits.within, &mut ensuring).await {
        return ended.map_err(NotReady::Supply);
    }
    own.cancel();
    let _ = tokio::time::timeout(limits.leaving, ensuring).await;
    Err(NotReady::Late(limits.within))
}

fn too_many(count: usize) -> Stopped {
    let message = format!(
        "The Dockerfile names {}, and at most {MOST} are looked for.",
        plural(count, "image")
    );
    let next = "Take out the stages that the last one does not need.";
    (Outcome::BuildFailed, problem::problem(&message, next, None)).into()
}

fn late(within: Duration) -> Stopped {
    let message = format!(
        "The base images were not ready after {}.",
        show_duration(within)
    );
    let next = "Run `loadline bases pull` with the name of each to see which one takes so long.";
    (
        Outcome::CouldNotJudge,
        problem::problem(&message, next, None),
    )
        .into()
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::attempt::SupplyError;
    use crate::attempt::fake::Building;
    use crate::attempt::fake::Fake;

    /// A supply that never answers, not even when it is told to end.
    struct Never;

    #[async_trait]
    impl BaseSupply for Never {
        async fn ensure(
            &self,
            _references: &[String],
            _events: mpsc::Sender<AttemptEvent>,
            _cancel: CancellationToken,
        ) -> Result<Vec<BaseReport>, SupplyError> {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn a_supply_that_never_answers_ends_with_its_time() {
        let (events, _receiver) = mpsc::channel(1);
        let limits = Limits {
            within: Duration::from_millis(1),
            leaving: Duration::from_millis(1),
        };
        let cancel = CancellationToken::new();
        let ended = ensure(&Never, &[], events, &cancel, limits).await;
        assert!(matches!(ended, Err(NotReady::Late(_))), "{ended:?}");
        assert!(!cancel.is_cancelled(), "the attempt's report still comes");
        let stopped = late(LIMITS.within);
        assert_eq!(stopped.outcome, Outcome::CouldNotJudge);
        assert_eq!(
            stopped.problem.message.as_str(),
            "The base images were not ready after 30 min."
        );
    }

    #[test]
    fn only_a_builder_that_leaves_stages_out_spares_their_images() {
        let mut info = Fake::new(Building::Well).info;
        assert_eq!(built(&info), Stages::Needed);
        info.store = Store::Containerd;
        info.address = "ssh://lab".to_owned();
        assert_eq!(built(&info), Stages::All, "it is asked for the classic one");
        info.address = "unix:///x".to_owned();
        for (builder, wanted) in [
            (Builder::Buildkit, Stages::Needed),
            (Builder::Classic, Stages::All),
            (Builder::Buildah, Stages::All),
        ] {
            info.builder = builder;
            assert_eq!(built(&info), wanted);
        }
    }
}
