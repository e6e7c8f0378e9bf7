//! Why `loadline layers` cannot do what it was asked.

use thiserror::Error;

use crate::text::plural;

/// Something on the command line, or in a rule file, that cannot be used.
#[derive(Debug, Error)]
pub enum LayersError {
    /// No image was named.
    #[error("no image was named")]
    NoImage,
    /// The image has fewer layers.
    #[error("there is no layer {asked}: the image has {}", plural(*layers, "layer"))]
    NoLayer {
        /// What was asked for, from 0.
        asked: usize,
        /// How many there are.
        layers: usize,
    },
    /// A rule that an image is to be checked against cannot be used.
    #[error("{message}")]
    Rules {
        /// What is wrong, as a fragment.
        message: String,
        /// The file or the flag.
        place: String,
        /// What to do, where it is known.
        hint: Option<String>,
    },
}

impl LayersError {
    /// Where it stands.
    pub(crate) fn place(&self) -> Option<String> {
        match self {
            Self::Rules { place, .. } => Some(place.clone()),
            Self::NoImage | Self::NoLayer { .. } => None,
        }
    }

    /// What to do.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NoImage => Some(String::from("`loadline layers --help` shows examples")),
            Self::NoLayer { .. } => Some(String::from("layers are counted from 0 at the bottom")),
            Self::Rules { hint, .. } => hint.clone(),
        }
    }
}
