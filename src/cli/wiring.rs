//! Builds the adapters that the verbs work with. What is here chooses; what it chooses among is in
//! the rooms below.

#![expect(
    clippy::disallowed_methods,
    reason = "looks whether a folder that was named can be read"
)]

use std::ffi::OsString;
use std::future::Future;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use crate::bases;
use crate::cli::CliError;
use crate::cli::Shared;
use crate::cli::cache;
use crate::cli::interrupt::Interrupt;
use crate::course::Course;
use crate::course::Exercise;
use crate::course::load;
use crate::engine::docker::Docker;
use crate::engine::find;
use crate::engine::start::serve;
use crate::image::archive;
use crate::image::package::Packages;
use crate::learner::Home;
use crate::learner::LayerFacts;
use crate::report::CourseRef;
use crate::workshop::Local;
use crate::workshop::Sweep;
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

/// The id of this user's home, where it has one: it marks what is made on an engine.
///
/// # Errors
/// When it has one that cannot be read.
pub(crate) fn home_id() -> Result<Option<String>, CliError> {
    let Ok(home) = Home::find() else {
        return Ok(None);
    };
    home.known_id().map_err(|cause| CliError::Unreadable {
        what: "the folder of your files",
        path: home.state(),
        cause,
    })
}

/// Begins to work for this user's home, where it has an id, on an engine.
pub(crate) fn settle_in(docker: &Arc<Docker>, sweep: &Sweep) {
    sweep.settle_in(Arc::clone(docker), home_id().ok().flatten());
}

/// What is remembered of layers, beside the learner's files; nothing where there is no home.
pub(crate) fn facts() -> Option<Arc<dyn archive::Facts>> {
    let home = Home::find().ok()?;
    Some(Arc::new(LayerFacts::at(home.state().join("layers"))))
}

/// A pass over an image that notes its packages.
pub(crate) fn with_packages() -> archive::Options {
    archive::Options {
        probes: vec![Arc::new(Packages)],
        facts: facts(),
        ..archive::Options::default()
    }
}

/// Does work that blocks on a thread of its own.
///
/// # Errors
/// When the work panics.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CliError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|panicked| CliError::Internal(panicked.to_string()))
}

/// The engine that answers, with its base images.
pub(crate) async fn engine() -> Result<(Arc<Docker>, Arc<bases::Service>), find::Search> {
    engine_with(bases::Options::default()).await
}

/// The same for a verb that cannot go on without one. An engine that is there and says nothing
/// takes its time: a signal ends the wait.
///
/// # Errors
/// When none answers, or the person had enough.
pub(crate) async fn ready(
    interrupt: &Interrupt,
) -> Result<(Arc<Docker>, Arc<bases::Service>), CliError> {
    interrupt.ends(engine()).await?.map_err(no_engine)
}

/// The same, with base images from where `options` say.
pub(crate) async fn engine_with(
    options: bases::Options,
) -> Result<(Arc<Docker>, Arc<bases::Service>), find::Search> {
    let mut search = serve::search().await;
    let Some(docker) = search.found.take().map(Arc::new) else {
        return Err(search);
    };
    match bases::Service::new(docker.clone(), cache::folder(), options) {
        Ok(service) => Ok((docker, Arc::new(service))),
        Err(_unsound) => Err(search),
    }
}

/// What a search that found no engine means for a verb that cannot go on without one.
pub(crate) fn no_engine(search: find::Search) -> CliError {
    search.error().into()
}

/// The course that the command line asks for.
pub(crate) fn course(shared: &Shared) -> Result<Course, CliError> {
    let course = match &shared.course {
        Some(folder) => load::folder(folder)?,
        None => load::embedded()?,
    };
    Ok(course)
}

/// The course as reports name it.
pub(crate) fn course_ref(course: &Course) -> CourseRef {
    CourseRef {
        id: course.id.clone(),
        version: course.version.clone(),
    }
}

/// The learner's workshop on this machine.
pub(crate) fn local(course: &Arc<Course>) -> Result<Local, CliError> {
    let home = Home::find().map_err(CliError::NoHome)?;
    Ok(Local::new(Arc::clone(course), home))
}

/// The names in a folder.
pub(crate) fn folder(folder: &Path) -> std::io::Result<Vec<OsString>> {
    std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect()
}

/// The canary of a folder that is no workspace: the same for the same folder and exercise, so that
/// a second check finds the builder's cache.
pub(crate) fn token(place: &Path, exercise: &Exercise) -> String {
    let place = place.canonicalize().unwrap_or_else(|_| place.to_owned());
    // Its bytes: two paths that are no text may be shown alike.
    let id = exercise.id.as_str().as_bytes();
    let name = [place.as_os_str().as_bytes(), id].join(&0);
    format!("canary-{:032x}", xxhash_rust::xxh3::xxh3_128(&name))
}

/// The id of a workspace on the engine: short, and not its token.
pub(crate) fn owner(token: &str) -> String {
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(token.as_bytes()))
}

/// Looks at the machine for `doctor`. A course that cannot be used needs no base image.
pub(crate) async fn look(shared: &Shared) -> Facts {
    let needed = course(shared).map(|course| course.needed_bases());
    doctor::look(engine().await, &needed.unwrap_or_default()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_whose_paths_are_no_text_have_tokens_of_their_own() {
        let course = load::embedded().unwrap();
        let exercise = course.exercise("first-build").unwrap();
        let of = |path: &[u8]| token(Path::new(std::ffi::OsStr::from_bytes(path)), exercise);
        assert_ne!(of(b"/nonexistent/\xff"), of(b"/nonexistent/\xfe"));
        assert_eq!(of(b"/nonexistent/\xff"), of(b"/nonexistent/\xff"));
    }
}
