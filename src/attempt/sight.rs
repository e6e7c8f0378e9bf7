//! Files what the pass over the image found, and looks whether there is one truth about it.

use super::gather::Gathering;
use super::scan::Pass;
use super::weigh;
use crate::engine::Engine;
use crate::goal::Evidence;
use crate::goal::Known;
use crate::goal::Missing;
use crate::goal::canary;
use crate::image::Contents;
use crate::image::doubt;
use crate::image::secrets;
use crate::text::Clean;

/// What is asked of an engine before the contents of an image that it built are believed.
#[derive(Debug)]
pub(super) struct Sight {
    /// How many of the image's layers came with its base.
    pub(super) base: usize,
    /// The line of the Dockerfile that made each layer.
    pub(super) lines: Vec<Option<u32>>,
}

impl Sight {
    /// Whether the image is the same for the engine that built it and for whoever unpacks it.
    pub(super) async fn look(
        &self,
        engine: &dyn Engine,
        image: &str,
        contents: &Contents,
    ) -> Known<()> {
        if let Some((layer, path)) = doubt::shipped(contents, self.base) {
            return Err(self.two_images(layer, &path));
        }
        let marks = doubt::marks(contents);
        if marks.is_empty() {
            return Ok(());
        }
        let hidden: Vec<String> = marks.iter().map(|mark| mark.hides.clone()).collect();
        let found = engine.paths(image, &hidden).await.map_err(|error| {
            let error = Clean::line(&error.to_string());
            Missing::because(format!(
                "The engine could not tell what is deleted: {error}."
            ))
        })?;
        let there = |hides: &String| found.get(hides).copied().unwrap_or(false);
        match marks.iter().find(|mark| there(&mark.hides)) {
            Some(mark) => Err(self.two_images(mark.layer, &mark.path)),
            None => Ok(()),
        }
    }

    fn two_images(&self, layer: usize, path: &str) -> Missing {
        let path = Clean::path(path);
        let maker = match self.lines.get(layer).copied().flatten() {
            Some(line) if layer >= self.base => format!("Line {line} makes a file `/{path}`."),
            _ => format!("The image has a file `/{path}`."),
        };
        Missing::because(format!(
            "{maker} In an image, a name that begins with `.wh.` stands for a deleted file: this engine shows the image otherwise than whoever gets it from a registry. Give it another name."
        ))
    }
}

/// Files what the pass over the image found. Where there are two truths about what is in it, what
/// its layers ship can be judged, and nothing else.
pub(super) fn file(pass: Known<Box<Pass>>, work: &Gathering<'_>, evidence: &mut Evidence) {
    match pass {
        Ok(pass) => {
            let Pass {
                contents,
                scan,
                sight,
            } = *pass;
            evidence.sizes = Ok(weigh::sizes_by_count(&contents, &work.lines));
            evidence.canaries = Ok(canary::hits(&contents, &work.canaries, |layer| {
                work.lines.get(layer).copied().flatten()
            }));
            evidence.secrets = Ok(secrets::in_image(&contents, work.base_layers));
            (evidence.contents, evidence.scan) = match sight {
                Ok(()) => (Ok(contents), scan),
                Err(missing) => (Err(missing.clone()), Err(missing)),
            };
        }
        Err(missing) => {
            if evidence.sizes.is_err() {
                evidence.sizes = Err(missing.clone());
            }
            evidence.contents = Err(missing.clone());
            evidence.scan = Err(missing.clone());
            evidence.canaries = Err(missing.clone());
            evidence.secrets = Err(missing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::fake::Building;
    use crate::attempt::fake::Fake;
    use crate::image::Entry;
    use crate::image::EntryKind;
    use crate::image::Layer;
    use crate::units::Bytes;

    fn layer(path: &str, kind: EntryKind, size: u64) -> Layer {
        let entry = Entry {
            path: path.to_owned(),
            kind,
            size: Bytes(size),
            mode: 0o600,
            uid: 0,
            gid: 0,
            content: None,
            capabilities: false,
        };
        Layer {
            entries: vec![entry],
            ..Layer::default()
        }
    }

    async fn seen(whiteout: u64, there: bool) -> Known<()> {
        let mut fake = Fake::new(Building::Well);
        if there {
            fake.paths = vec![String::from("bin/sh")];
        }
        let base = layer("bin/sh", EntryKind::File, 9);
        let contents = Contents {
            layers: vec![base, layer("bin/sh", EntryKind::Whiteout, whiteout)],
            ..Contents::default()
        };
        let sight = Sight {
            base: 1,
            lines: vec![Some(1), Some(3)],
        };
        sight.look(&fake, "sha256:built", &contents).await
    }

    #[tokio::test]
    async fn a_file_that_is_named_like_a_whiteout_makes_two_images() {
        assert_eq!(seen(0, false).await, Ok(()), "it was deleted");
        for (whiteout, there) in [(0, true), (5, false)] {
            let missing = seen(whiteout, there).await.unwrap_err();
            assert_eq!(
                missing.reason.as_str(),
                "Line 3 makes a file `/bin/.wh.sh`. In an image, a name that begins with `.wh.` stands for a deleted file: this engine shows the image otherwise than whoever gets it from a registry. Give it another name."
            );
        }
    }

    #[tokio::test]
    async fn an_image_that_is_built_upon_two_images_is_two() {
        let contents = Contents {
            layers: vec![
                layer("bin/sh", EntryKind::File, 9),
                layer("bin/sh", EntryKind::Whiteout, 0),
            ],
            ..Contents::default()
        };
        let mut fake = Fake::new(Building::Well);
        fake.paths = vec![String::from("bin/sh")];
        let sight = Sight {
            base: 2,
            lines: vec![Some(1), Some(1)],
        };
        let seen = sight.look(&fake, "sha256:built", &contents).await;
        let reason = seen.unwrap_err().reason;
        let told = reason.as_str();
        assert!(
            told.starts_with("The image has a file `/bin/.wh.sh`."),
            "{told}"
        );
    }
}
