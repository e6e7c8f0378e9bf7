//! The classic builder's text as events.

use super::Ledger;
use crate::engine::LogStream;
use crate::engine::StepEnd;
use crate::engine::StepId;

/// Where the stream stands.
#[derive(Debug, Default)]
pub(super) struct Text {
    step: Option<StepId>,
    /// Whether the step's command runs: before that, and after its container is removed, lines are
    /// the builder's own.
    running: bool,
}

impl Text {
    pub(super) fn feed(&mut self, text: &str, ledger: &mut Ledger) {
        if let Some((n, instruction)) = step_line(text) {
            self.next(n, instruction, ledger);
            return;
        }
        let line = text.trim_end();
        if line == " ---> Using cache" {
            if let Some(step) = self.step {
                ledger.cache(step);
            }
        } else if line.starts_with(" ---> Running in ") {
            self.running = true;
        } else if line.starts_with("Removing intermediate container ") {
            self.running = false;
        } else if !self.running || line.is_empty() {
            ledger.moved = ledger.now;
            let own = line.is_empty() || line.starts_with(" --->") || is_end(line);
            if !own {
                ledger.log(self.step, LogStream::Out, text.as_bytes());
            }
        } else if let Some(coloured) = text.strip_prefix("\u{1b}[91m") {
            // Standard error comes in red.
            let coloured = coloured.strip_suffix("\u{1b}[0m").unwrap_or(coloured);
            ledger.log(self.step, LogStream::Err, coloured.as_bytes());
        } else {
            ledger.log(self.step, LogStream::Out, text.as_bytes());
        }
    }

    fn next(&mut self, n: usize, instruction: &str, ledger: &mut Ledger) {
        if let Some(step) = self.step.take() {
            ledger.finish(step, false, None, StepEnd::Done);
        }
        self.running = false;
        let step = ledger.name(ledger.plan.classic(n), instruction);
        ledger.start(step);
        if let Some(known) = ledger.known_mut(step) {
            known.reference = base(instruction);
        }
        self.step = Some(step);
    }
}

/// `Step 4/6 : RUN make`.
fn step_line(text: &str) -> Option<(usize, &str)> {
    let (numbers, instruction) = text.strip_prefix("Step ")?.split_once(" : ")?;
    let (n, of) = numbers.split_once('/')?;
    of.parse::<usize>().ok()?;
    Some((n.parse().ok()?, instruction.trim_end()))
}

/// The image that an instruction asks a registry for.
fn base(instruction: &str) -> Option<String> {
    let rest = instruction.strip_prefix("FROM ").or_else(|| {
        instruction
            .split(' ')
            .find_map(|word| word.strip_prefix("--from="))
    })?;
    let image = rest.split(' ').find(|word| !word.starts_with("--"))?;
    (image != "scratch").then(|| image.to_owned())
}

/// The builder's last lines.
fn is_end(line: &str) -> bool {
    line.starts_with("Successfully built ") || line.starts_with("Successfully tagged ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Item;
    use super::super::Translator;
    use super::super::plan::tests::STAGES;
    use super::super::plan::tests::dockerfile;
    use crate::engine::BuildEvent;
    use crate::engine::Builder;
    use crate::engine::LogStream;
    use crate::engine::StepEnd;
    use crate::engine::StepId;
    use crate::text::Clean;

    #[test]
    fn recorded_text_becomes_steps_with_lines_and_streams() {
        let stream = [
            "Step 5/9 : RUN make",
            "\n",
            " ---> Running in 14031af8cc78\n",
            "hi\n",
            "\u{1b}[91merr\n\u{1b}[0m",
            "Removing intermediate container 14031af8cc78\n",
            " ---> 1335a006dcfd\n",
            "Step 6/9 : FROM build",
            "\n",
            " ---> Using cache\n",
            " ---> f64b3e54cb90\n",
            "Successfully built 644b711be0c6\n",
        ];
        let mut translator = Translator::new(Builder::Classic, &dockerfile(STAGES));
        let mut events = Vec::new();
        for (second, text) in stream.iter().enumerate() {
            let now = Duration::from_secs(u64::try_from(second).unwrap());
            events.extend(translator.feed(Item::Text((*text).to_owned()), now));
        }
        events.extend(translator.close(StepEnd::Done, Duration::from_secs(20)));
        let (first, second) = (StepId(0), StepId(1));
        let log = |stream, text| BuildEvent::Log {
            step: Some(first),
            stream,
            line: Clean::line(text),
        };
        assert_eq!(
            events,
            [
                BuildEvent::StepPlanned {
                    step: first,
                    line: Some(5),
                    stage: Some(0),
                    title: Clean::line("RUN make"),
                },
                BuildEvent::StepStarted { step: first },
                log(LogStream::Out, "hi"),
                log(LogStream::Err, "err"),
                BuildEvent::StepFinished {
                    step: first,
                    cached: false,
                    took: Duration::from_secs(7),
                    end: StepEnd::Done,
                },
                BuildEvent::StepPlanned {
                    step: second,
                    line: Some(6),
                    stage: Some(1),
                    title: Clean::line("FROM build"),
                },
                BuildEvent::StepStarted { step: second },
                BuildEvent::StepFinished {
                    step: second,
                    cached: true,
                    took: Duration::from_secs(13),
                    end: StepEnd::Done,
                },
            ]
        );
    }
}
