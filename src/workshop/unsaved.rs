//! Texts of the learner that are not in the folder: not saved when the workshop was left, or put back
//! by the exercise.

use std::path::PathBuf;

use crate::text::Clean;

/// Where texts are kept that were not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptTexts {
    /// The files, oldest first; never none.
    places: Vec<PathBuf>,
}

impl KeptTexts {
    /// Those at `places`, oldest first; `None` where there are none.
    #[must_use]
    pub fn at(places: Vec<PathBuf>) -> Option<Self> {
        (!places.is_empty()).then_some(Self { places })
    }

    /// Where they are and what to do, as one sentence.
    #[must_use]
    pub fn words(&self) -> Clean {
        let places = self.places.iter().map(|place| place.display().to_string());
        let places: Vec<String> = places.collect();
        Clean::line(&format!(
            "Text of yours that is not in the folder is kept in {}: copy what you want \
             from there.",
            places.join(" and ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_places_are_told_and_none_is_no_news() {
        assert_eq!(KeptTexts::at(Vec::new()), None);
        let kept = KeptTexts::at(vec!["/k/1/Dockerfile".into(), "/k/2/app.py".into()]);
        assert_eq!(
            kept.expect("there are two").words().as_str(),
            "Text of yours that is not in the folder is kept in /k/1/Dockerfile and \
             /k/2/app.py: copy what you want from there."
        );
    }
}
