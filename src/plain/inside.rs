//! The inside of the last image: its layers, and what is known of its vulnerabilities.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::course::Exercise;
use crate::finding::Scan;
use crate::plain::Plain;
use crate::report::ImageReport;
use crate::workshop::Trouble;
use crate::workshop::insight::Insight;
use crate::workshop::insight::Names;
use crate::workshop::insight::cve_lines;

impl Plain<'_> {
    /// Says what each layer of the last image ships and wastes.
    pub(super) async fn layers(&mut self, exercise: &Exercise) -> Result<(), Trouble> {
        let Some((image, dockerfile)) = self.last_image(exercise) else {
            return Ok(());
        };
        let insight = self.look(&image).await?;
        let names = Names {
            dockerfile: &dockerfile,
            image: &image,
        };
        let lines = names.lines(&insight);
        self.pages(&lines).await;
        Ok(())
    }

    /// Says what is known of the last image's vulnerabilities, beside those of the first one.
    pub(super) async fn cves(&mut self, exercise: &Exercise) -> Result<(), Trouble> {
        let Some((image, dockerfile)) = self.last_image(exercise) else {
            return Ok(());
        };
        let insight = self.look(&image).await?;
        let advised = insight.advised.clone()?;
        let record = self.progress.exercises.get(&exercise.id);
        let first = record.and_then(|record| record.first.as_ref()?.image.clone());
        let first = first.filter(|first| first.id != image.id);
        let before = match &first {
            Some(first) => self.first_scan(first).await,
            None => None,
        };
        let names = |image| Names {
            dockerfile: "",
            image,
        };
        let first = first.as_ref().map(names);
        let here = Names {
            dockerfile: &dockerfile,
            image: &image,
        };
        let before = before.as_deref().zip(first.as_ref());
        self.pages(&cve_lines(&advised, &here, before)).await;
        Ok(())
    }

    /// What is known of the first image; says why where nothing is.
    async fn first_scan(&mut self, first: &ImageReport) -> Option<Arc<Scan>> {
        let cancel = self.tty.stop();
        match self.services.workshop.scan(&first.id, cancel).await {
            Ok(scan) => Some(scan),
            Err(trouble) => {
                self.say(format!("first image: not known: {}", trouble.message));
                None
            }
        }
    }

    /// The image of the last attempt with the Dockerfile that it was built from; says where there
    /// is none.
    fn last_image(&mut self, exercise: &Exercise) -> Option<(ImageReport, String)> {
        let record = self.progress.exercises.get(&exercise.id);
        let last = record.and_then(|record| record.last.as_deref());
        let image = last.and_then(|last| last.image.clone());
        let built = record.and_then(|record| record.built.get("Dockerfile"));
        let dockerfile = built.cloned().unwrap_or_default();
        match (image, last) {
            (Some(image), _) => Some((image, dockerfile)),
            (None, Some(_)) => {
                self.say("The last build made no image.");
                None
            }
            (None, None) => {
                self.say("Nothing was built yet: build first.");
                None
            }
        }
    }

    async fn look(&mut self, image: &ImageReport) -> Result<Arc<Insight>, Trouble> {
        self.say(format!(
            "Reading the image, {}. Ctrl-C stops it.",
            image.shipped_bytes
        ));
        let cancel = self.tty.stop();
        let (sender, mut read) = mpsc::channel(4);
        let workshop = Arc::clone(&self.services.workshop);
        // Nothing moves here: how far it is goes untold.
        let drain = async { while read.recv().await.is_some() {} };
        tokio::join!(workshop.look(&image.id, sender, cancel), drain).0
    }
}
