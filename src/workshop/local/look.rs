//! Looks into the image of an attempt.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::SystemTime;

use time::Date;
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Found;
use super::Local;
use super::causes;
use crate::attempt;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::finding::Scan;
use crate::finding::matching;
use crate::image::Contents;
use crate::image::archive::Options;
use crate::image::archive::Probe;
use crate::image::archive::Seen;
use crate::image::archive::Sink;
use crate::image::package::Packages;
use crate::image::package::inventory;
use crate::learner::Home;
use crate::learner::LayerFacts;
use crate::units::Bytes;
use crate::workshop::Trouble;
use crate::workshop::advice;
use crate::workshop::insight::Advised;
use crate::workshop::insight::Insight;

/// How often it is told how far the reading is.
const TELL: Duration = Duration::from_millis(200);

/// The last image that was looked into: two screens show the same one.
pub(super) type LastLook = Arc<Mutex<Option<Arc<Insight>>>>;

/// Counts what the pass has come to.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Probe for Counter {
    fn name(&self) -> &'static str {
        "read"
    }

    fn look(&self, file: &Seen<'_>) -> Option<Box<dyn Sink>> {
        self.0.fetch_add(file.size.0, Ordering::Relaxed);
        None
    }
}

/// Reads `image` and works out what is in it.
pub(super) async fn look(
    local: &Local,
    image: &str,
    read: mpsc::Sender<Bytes>,
    cancel: CancellationToken,
) -> Result<Arc<Insight>, Trouble> {
    if let Some(known) = known(&local.last_look, image) {
        return Ok(known);
    }
    let found = local.engine().await.map_err(|search| {
        Trouble::new(search.error().to_string())
            .advise("The image is on the engine: start it, then look again.")
    })?;
    let there = found.engine.inspect(image).await;
    if !matches!(there, Ok(Some(_))) {
        return Err(gone(there.err()));
    }
    let counter = Arc::new(Counter::default());
    let reading = pass(local, &found, image, Arc::clone(&counter), cancel);
    let telling = async {
        loop {
            tokio::time::sleep(TELL).await;
            let _ = read.try_send(Bytes(counter.0.load(Ordering::Relaxed)));
        }
    };
    let contents = tokio::select! {
        read = reading => read.map_err(|error| unread(&error))?,
        () = telling => return Err(Trouble::new("the reading never ended")),
    };
    let (name, home) = (image.to_owned(), local.home.clone());
    let worked_out = tokio::task::spawn_blocking(move || {
        let advised = advise(&home, &contents);
        Arc::new(Insight::of(&name, &contents, advised))
    });
    let insight = worked_out
        .await
        .map_err(|stopped| Trouble::new(stopped.to_string()))?;
    if let Ok(mut last) = local.last_look.lock() {
        *last = Some(Arc::clone(&insight));
    }
    Ok(insight)
}

/// Compares the packages of `image` with the advisories.
pub(super) async fn scan(
    local: &Local,
    image: &str,
    cancel: CancellationToken,
) -> Result<Arc<Scan>, Trouble> {
    let found = local
        .engine()
        .await
        .map_err(|search| Trouble::new(search.error().to_string()))?;
    let there = found.engine.inspect(image).await;
    if !matches!(there, Ok(Some(_))) {
        return Err(gone(there.err()));
    }
    let contents = pass(local, &found, image, Arc::default(), cancel)
        .await
        .map_err(|error| unread(&error))?;
    let home = local.home.clone();
    let advised = tokio::task::spawn_blocking(move || advise(&home, &contents)).await;
    let advised = advised.map_err(|stopped| Trouble::new(stopped.to_string()))??;
    Ok(advised.scan)
}

/// Reads an image; its unchanged layers are remembered from the pass before.
async fn pass(
    local: &Local,
    found: &Found,
    image: &str,
    counter: Arc<Counter>,
    cancel: CancellationToken,
) -> Result<Contents, EngineError> {
    let options = Options {
        probes: vec![counter, Arc::new(Packages)],
        facts: Some(Arc::new(LayerFacts::at(local.home.state().join("layers")))),
        ..Options::default()
    };
    let engine = Arc::clone(&found.engine) as Arc<dyn Engine>;
    attempt::read_image(engine, image.to_owned(), options, cancel).await
}

/// What the advisories on this machine say of the packages of an image.
fn advise(home: &Home, contents: &Contents) -> Result<Advised, Trouble> {
    let advisories = advice::advisories(Some(home), None).map_err(|error| {
        Trouble::new(format!(
            "No figures: there are no advisories to compare with. {}",
            causes(&error)
        ))
        .advise(format!("{}, then look again.", error.hint()))
    })?;
    let scan = matching::scan(&inventory(contents), advisories.as_ref()).map_err(|error| {
        Trouble::new(format!("No figures: {}", causes(&error)))
            .advise("Run `loadline db update`, then look again.")
    })?;
    Ok(Advised {
        days: age(&scan.database_date, today()),
        scan: Arc::new(scan),
    })
}

fn today() -> Option<Date> {
    Some(OffsetDateTime::from(SystemTime::now()).date())
}

/// The days from a day like `2026-11-20` to another.
fn age(day: &str, today: Option<Date>) -> Option<u32> {
    let day = Date::parse(day, format_description!("[year]-[month]-[day]")).ok()?;
    let days = (today? - day).whole_days();
    u32::try_from(days.max(0)).ok()
}

/// What is known of the image from before. Where the advisories were missing, they are looked for
/// once more.
fn known(last: &LastLook, image: &str) -> Option<Arc<Insight>> {
    let last = last.lock().ok()?;
    last.as_ref()
        .filter(|last| last.image == image && last.advised.is_ok())
        .cloned()
}

fn gone(error: Option<EngineError>) -> Trouble {
    match error {
        Some(error) => unread(&error),
        None => Trouble::new("The image is not on the engine any more.")
            .advise("Build it again; what does not change comes from the cache."),
    }
}

fn unread(error: &EngineError) -> Trouble {
    match error {
        EngineError::Cancelled => Trouble::new("the reading was stopped"),
        error => Trouble::new(format!("The image could not be read: {}", causes(error)))
            .advise("Look again."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advisories_are_as_old_as_their_day() {
        let today = Date::from_calendar_date(2026, time::Month::November, 25).ok();
        assert_eq!(age("2026-11-20", today), Some(5));
        assert_eq!(age("2026-11-25", today), Some(0));
        assert_eq!(age("2026-11-26", today), Some(0), "another time zone");
        assert_eq!(age("", today), None);
    }
}
