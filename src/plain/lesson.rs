//! A lesson, page by page, and its questions.

use std::collections::BTreeSet;

use crate::course::Lesson;
use crate::course::Quiz;
use crate::course::directive;
use crate::course::quiz::TRIES;
use crate::plain::Plain;
use crate::plain::prose;
use crate::workshop;
use crate::workshop::Answered;

/// How many lines are said before the person is asked to go on.
const PAGE: usize = 20;

impl Plain<'_> {
    /// Reads a lesson out, asks its questions, and notes that it was read to its end.
    pub(super) async fn lesson(&mut self, lesson: &Lesson) {
        self.say("");
        self.say(format!("Lesson {}: {}", lesson.number, lesson.title));
        self.hear_of_bases();
        let text = self.with_figures(&lesson.markdown);
        if !self.pages(&prose::lines(&text)).await {
            return;
        }
        for quiz in &lesson.quizzes {
            if !self.quiz(&lesson.slug, quiz).await {
                return;
            }
        }
        self.say("This is the end of the lesson.");
        if let Err(trouble) = self.services.workshop.lesson_read(&lesson.slug).await {
            self.say_trouble(&trouble);
        }
    }

    /// A text with the figures that are known on this machine.
    pub(super) fn with_figures(&self, text: &str) -> String {
        directive::expand(text, |wanted| {
            let known = workshop::figure(wanted, Some(&self.progress), &self.base_states)?;
            Some(known.to_string())
        })
    }

    /// Says lines a page at a time. False where the person stopped reading.
    pub(super) async fn pages(&mut self, lines: &[String]) -> bool {
        let mut pages = lines.chunks(PAGE).peekable();
        while let Some(page) = pages.next() {
            self.say_all(page.to_vec());
            if pages.peek().is_none() {
                return true;
            }
            let answer = self.ask("Enter for more, q to stop: ").await;
            if answer.is_none_or(|answer| answer.trim().eq_ignore_ascii_case("q")) {
                return false;
            }
        }
        true
    }

    /// Asks a question, twice at most over all visits, and explains every choice. False where the
    /// person left.
    async fn quiz(&mut self, lesson: &str, quiz: &Quiz) -> bool {
        self.say("");
        self.say("Question:");
        self.say_all(prose::lines(&quiz.question));
        for (index, choice) in quiz.choices.iter().enumerate() {
            self.say(format!("{:>3}  {}", index + 1, choice.text));
        }
        let key = (lesson.to_owned(), quiz.id.clone());
        let mut answer = self.progress.answers.get(&key).cloned().unwrap_or_default();
        if answer.tries > 0 {
            self.say(format!("You answered: {}", numbers(&answer.chosen)));
        }
        let mut once_more = answer.tries > 0;
        while !answer.right && answer.tries < TRIES {
            if std::mem::take(&mut once_more) {
                self.say("Not quite. Try once more.");
            }
            let Some(said) = self.ask(prompt(quiz)).await else {
                return false;
            };
            if said.trim().eq_ignore_ascii_case("q") {
                return false;
            }
            let chosen = match chosen(&said, quiz.choices.len()) {
                Ok(chosen) if chosen.is_empty() => break,
                Ok(chosen) => chosen,
                // A slip of the finger is no try.
                Err(most) => {
                    self.say(format!("The choices are numbered from 1 to {most}."));
                    continue;
                }
            };
            answer = Answered {
                right: quiz.is_right(&chosen),
                chosen: chosen.into_iter().collect(),
                tries: answer.tries + 1,
            };
            once_more = true;
            self.record(key.clone(), answer.clone()).await;
        }
        self.say(if answer.right {
            "Right."
        } else {
            "Here is what each choice means:"
        });
        for (index, choice) in quiz.choices.iter().enumerate() {
            let word = if choice.right { "right" } else { "wrong" };
            self.say(format!("{:>3}  {word}: {}", index + 1, choice.why));
        }
        true
    }

    /// Keeps a try, on disk and for this session.
    async fn record(&mut self, key: (String, String), answer: Answered) {
        let workshop = self.services.workshop.clone();
        if let Err(trouble) = workshop.answered(&key.0, &key.1, answer.clone()).await {
            self.say_trouble(&trouble);
        }
        self.progress.answers.insert(key, answer);
    }
}

fn prompt(quiz: &Quiz) -> &'static str {
    if quiz.several() {
        "Numbers with spaces between, Enter to skip: "
    } else {
        "Number, Enter to skip: "
    }
}

/// Choices as people count them, from 1.
fn numbers(chosen: &BTreeSet<usize>) -> String {
    let numbers: Vec<String> = chosen.iter().map(|at| (at + 1).to_string()).collect();
    numbers.join(" ")
}

/// The choices that an answer names, from 0; how many there are where it names another.
fn chosen(answer: &str, most: usize) -> Result<Vec<usize>, usize> {
    let numbers = answer
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter_map(|word| word.parse::<usize>().ok());
    numbers
        .map(|number| {
            let at = number.checked_sub(1).filter(|at| *at < most);
            at.ok_or(most)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_numbers_in_any_dress() {
        assert_eq!(chosen("1, 3", 3), Ok(vec![0, 2]));
        assert_eq!(chosen(" 2\n", 3), Ok(vec![1]));
        assert_eq!(chosen("x", 3), Ok(Vec::new()));
        assert_eq!(chosen("", 3), Ok(Vec::new()));
    }

    #[test]
    fn a_number_that_no_choice_has_is_no_answer() {
        assert_eq!(chosen("4", 3), Err(3));
        assert_eq!(chosen("1 0", 3), Err(3));
    }
}
