//! Builds the adapters that the verbs work with. What is here chooses; what it chooses among is in
//! the rooms below.

use std::future::Future;

use crate::cli::CliError;
use crate::cli::Shared;
use crate::engine::Engine as _;
use crate::engine::find;
use crate::workshop::doctor;
use crate::workshop::doctor::Facts;
use crate::workshop::doctor::NoEngine;

/// Runs a verb's work to its end.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| CliError::Internal(format!("no thread can be started: {error}")))?;
    let result = runtime.block_on(work);
    // Work that nobody waits for any more must not keep the program from ending.
    runtime.shutdown_background();
    result
}

/// Looks at the machine for `doctor`.
pub(crate) async fn look(_shared: &Shared) -> Facts {
    let search = find::search().await;
    let free = match &search.found {
        Some(docker) => docker.free_space().await,
        None => None,
    };
    Facts {
        terminal: doctor::terminal(),
        engine: match search.found {
            Some(docker) => Ok(docker.info().clone()),
            None => Err(NoEngine {
                tried: search.tried,
                denied: search.denied,
            }),
        },
        free,
        needed: crate::units::Bytes(0),
        bases: Vec::new(),
        authorities: doctor::authorities(),
        folder: doctor::home(),
    }
}
