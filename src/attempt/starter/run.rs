//! What the starter's image does when it is run.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Work;
use crate::attempt::gather;
use crate::goal::Known;
use crate::goal::Missing;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::text::Clean;

impl Work {
    /// Builds the starter and runs its image in each way; the same reason for all of them where
    /// there is no image.
    pub(in crate::attempt) async fn runs(
        self,
        runs: BTreeSet<Run>,
    ) -> BTreeMap<Run, Known<RunOutcome>> {
        let built = match self.build().await {
            Ok(built) => built,
            Err(missing) => {
                let all = runs.into_iter().map(|run| (run, Err(missing.clone())));
                return all.collect();
            }
        };
        let env = match self.engine.inspect(&built.image).await {
            Ok(Some(summary)) => summary.config.env,
            Ok(None) | Err(_) => Vec::new(),
        };
        let mut outcomes = BTreeMap::new();
        for run in runs {
            let asked = gather::expanded(&run, &env);
            let outcome = self
                .engine
                .run(&built.image, &asked, self.cancel.clone())
                .await;
            let outcome = outcome.map_err(|error| {
                Missing::because(format!(
                    "The engine could not run the starter's image: {}.",
                    Clean::line(&error.to_string())
                ))
            });
            outcomes.insert(run, outcome);
        }
        self.discard(&built).await;
        outcomes
    }
}
