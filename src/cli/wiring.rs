//! Builds the adapters that the verbs work with. What is here chooses; what it chooses among is in
//! the rooms below.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use crate::bases;
use crate::cli::CliError;
use crate::cli::Shared;
use crate::engine::docker::Docker;
use crate::engine::find;
use crate::learner::Home;
use crate::workshop::doctor;
use crate::workshop::doctor::Facts;

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

/// Where downloads of base images are kept: beside the learner's files, or among temporary files
/// where there is no home.
pub(crate) fn cache() -> PathBuf {
    Home::find().map_or_else(
        |_no_home| std::env::temp_dir().join("loadline-bases"),
        |home| home.state().join("bases"),
    )
}

/// The engine that answers, with its base images.
pub(crate) async fn engine() -> Result<(Arc<Docker>, Arc<bases::Service>), find::Search> {
    let mut search = find::search().await;
    let Some(docker) = search.found.take().map(Arc::new) else {
        return Err(search);
    };
    match bases::Service::new(docker.clone(), cache(), bases::Options::default()) {
        Ok(service) => Ok((docker, Arc::new(service))),
        Err(_unsound) => Err(search),
    }
}

/// Looks at the machine for `doctor`.
pub(crate) async fn look(_shared: &Shared) -> Facts {
    let needed = BTreeMap::new();
    doctor::look(engine().await, &needed).await
}
