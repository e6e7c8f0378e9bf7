//! The container engine of the host, which the tests on images use.

use std::sync::Arc;

use loadline::engine::Engine;

/// The engine; `None` only where the person who runs the tests said that there is none.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) async fn engine() -> Option<Arc<dyn Engine>> {
    match loadline::engine::find::find().await {
        Ok(engine) => Some(Arc::new(engine)),
        Err(_) if std::env::var("LOADLINE_TEST_ENGINE").is_ok_and(|value| value == "none") => {
            eprintln!("skipped: LOADLINE_TEST_ENGINE=none");
            None
        }
        Err(error) => panic!("{error}: start one with `make engine`"),
    }
}
