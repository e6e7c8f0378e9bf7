//! The learner's records, opened when something first asks for them.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::sync::OnceCell;

use super::trouble;
use crate::engine::BuildEvent;
use crate::learner::Home;
use crate::learner::Records;
use crate::learner::records::RecordsError;
use crate::text::Clean;
use crate::workshop::Trouble;

/// The records of a home; clones share them.
#[derive(Clone)]
pub(super) struct Kept {
    home: Home,
    records: Arc<OnceCell<Records>>,
    /// Where damaged ones lie, until somebody was told.
    damaged: Arc<Mutex<Option<PathBuf>>>,
}

impl Kept {
    /// The records of `home`; nothing is opened yet.
    pub(super) fn of(home: Home) -> Self {
        Self {
            home,
            records: Arc::default(),
            damaged: Arc::default(),
        }
    }

    /// Opens the records where they are not open yet, and works with them on a thread of its own:
    /// writing them waits for the disk.
    pub(super) async fn with<T, Work, Done>(&self, work: Work) -> Result<T, Trouble>
    where
        T: Send + 'static,
        Work: FnOnce(Records) -> Done + Send + 'static,
        Done: Future<Output = Result<T, RecordsError>>,
    {
        let this = self.clone();
        let runtime = tokio::runtime::Handle::current();
        let worked = tokio::task::spawn_blocking(move || {
            runtime.block_on(async { work(this.open().await?).await })
        });
        match worked.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(trouble(&error, &error.hint(&self.home))),
            Err(stopped) => Err(Trouble::new(stopped.to_string())),
        }
    }

    async fn open(&self) -> Result<Records, RecordsError> {
        let open = async || {
            let opened = Records::open(&self.home).await?;
            if opened.set_aside.is_some() {
                *self.damaged.lock().await = opened.set_aside;
            }
            Ok(opened.records)
        };
        self.records.get_or_try_init(open).await.cloned()
    }

    /// What there is to say of records that were damaged when they were opened; once.
    pub(super) async fn damage(&self) -> Option<Trouble> {
        let aside = self.damaged.lock().await.take()?;
        let told = format!(
            "Your records were damaged; they lie in {}, and new ones were begun",
            aside.display()
        );
        let next = "Your files are as they were; attempts, hints and lessons count from now on.";
        Some(Trouble::new(told).advise(next))
    }
}

/// What is said of an attempt that could not be kept, before its verdicts are shown.
pub(super) fn unrecorded(trouble: &Trouble) -> BuildEvent {
    let next = trouble.next_step.as_ref().map(ToString::to_string);
    BuildEvent::Warning {
        line: None,
        text: Clean::line(&format!(
            "your records miss this attempt: {}; {}",
            trouble.message,
            next.unwrap_or_default()
        )),
    }
}
