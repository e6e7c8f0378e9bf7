//! Questions inside a lesson.

/// A question with its choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiz {
    /// Unique in its lesson; answers are recorded under it.
    pub id: String,
    /// The question, as Markdown.
    pub question: String,
    /// What can be chosen.
    pub choices: Vec<Choice>,
}

/// One choice of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The text, as Markdown.
    pub text: String,
    /// Whether it belongs to the right answer.
    pub right: bool,
    /// Why it is right or wrong.
    pub why: String,
}

/// How many times a learner may answer before the explanations are shown.
pub const TRIES: u32 = 2;

impl Quiz {
    /// Whether several choices are right.
    #[must_use]
    pub fn several(&self) -> bool {
        self.choices.iter().filter(|choice| choice.right).count() > 1
    }

    /// Whether exactly the right choices, by their index, were chosen.
    #[must_use]
    pub fn is_right(&self, chosen: &[usize]) -> bool {
        let mut choices = self.choices.iter().enumerate();
        choices.all(|(index, choice)| choice.right == chosen.contains(&index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiz(right: &[bool]) -> Quiz {
        let choice = |right: &bool| Choice {
            text: "a choice".to_owned(),
            right: *right,
            why: "because".to_owned(),
        };
        Quiz {
            id: "q1".to_owned(),
            question: "?".to_owned(),
            choices: right.iter().map(choice).collect(),
        }
    }

    #[test]
    fn an_answer_is_right_when_it_names_all_right_choices_and_no_other() {
        let both = quiz(&[true, false, true]);
        assert!(both.several());
        assert!(both.is_right(&[2, 0]));
        assert!(!both.is_right(&[0]));
        assert!(!both.is_right(&[0, 1, 2]));
        assert!(!quiz(&[true, false]).is_right(&[]));
    }
}
