//! The container engine of the host, which the tests on images use.

use std::io::Write as _;
use std::sync::Arc;

use loadline::engine::Engine;

/// Whether the person who runs the tests said that there is no engine; names the test that is
/// skipped then.
pub(crate) fn is_left_out() -> bool {
    let left_out = std::env::var("LOADLINE_TEST_ENGINE").is_ok_and(|value| value == "none");
    if left_out {
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("a test");
        // Not `eprintln!`, which is kept back of a test that passes.
        let _ = writeln!(
            std::io::stderr(),
            "skipped {test}: LOADLINE_TEST_ENGINE=none"
        );
    }
    left_out
}

/// The engine; `None` only where the person who runs the tests said that there is none.
pub(crate) async fn engine() -> Option<Arc<dyn Engine>> {
    if is_left_out() {
        return None;
    }
    match loadline::engine::find::find().await {
        Ok(engine) => Some(Arc::new(engine)),
        Err(error) => panic!("{error}: start one with `make engine`"),
    }
}
