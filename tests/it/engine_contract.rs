//! The engine contract: the same cases on every engine.
//!
//! `LOADLINE_TEST_ENGINES` lists addresses (`.ci/engines list`); without it the engine that the
//! program itself finds is used.

mod bench;
mod builds;
mod dead;
mod files;
mod probes;
mod things;
mod tidy;
mod trace;
mod verdicts;

use loadline::engine::BuildError;
use loadline::engine::docker::Docker;

/// A build that takes half a minute, and how it failed.
pub(crate) async fn slow_build(engine: &Docker) -> BuildError {
    use loadline::engine::Engine as _;

    let bench = bench::Bench {
        engine: engine.clone(),
        address: engine.info().address.clone(),
        built: std::sync::Mutex::default(),
    };
    let text = format!(
        "{}RUN busybox sleep 30; : {}\n",
        bench::BASE,
        bench::fresh("slow")
    );
    bench
        .build(&bench::fresh("killed"), &text)
        .await
        .expect_err("the engine is killed meanwhile")
}
