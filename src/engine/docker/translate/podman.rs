//! Podman's text as events.

use super::Ledger;
use crate::engine::LogStream;
use crate::engine::StepEnd;
use crate::engine::StepId;

/// A step that Podman works on.
#[derive(Debug)]
struct Open {
    stage: usize,
    step: StepId,
    /// The image that is said to be its result in the cache.
    cached: Option<String>,
    /// Whether that image was said to be its result: nothing more comes of it, unless a command
    /// wrote both.
    ended: bool,
}

/// Where the stream stands. Stages overlap: one that needs another's files waits with a step open.
///
/// What a command writes stands among Podman's own lines. That a step is from the cache is believed
/// where it is the first that comes, where the step's result is the image that it names, and where
/// nothing comes after: no command knows the image that comes of it.
#[derive(Debug, Default)]
pub(super) struct Text {
    open: Vec<Open>,
}

impl Text {
    pub(super) fn feed(&mut self, text: &str, ledger: &mut Ledger) {
        let line = text.trim_end();
        if let Some((stage, n, instruction)) = step_line(line) {
            self.settle(ledger);
            self.next(stage, n, instruction, ledger);
            return;
        }
        if let Some(rest) = line.strip_prefix("--> ") {
            if let Some(id) = rest.strip_prefix("Using cache ")
                && is_id(id, 64)
                && self.take_from_cache(id, ledger)
            {
                return;
            }
            if is_id(rest, 11) {
                self.end(rest, ledger);
                return;
            }
        }
        if is_own(line) {
            self.settle(ledger);
            self.told(line, ledger);
            return;
        }
        if let Some(open) = self.open.last_mut() {
            open.cached = None;
            open.ended = false;
        }
        let step = self.open.last().map(|open| open.step);
        ledger.log(step, LogStream::Out, text.as_bytes());
    }

    /// Notes that the step at work is said to be from the cache; `false` where that cannot be.
    fn take_from_cache(&mut self, id: &str, ledger: &Ledger) -> bool {
        let Some(open) = self.open.last_mut() else {
            return true;
        };
        let wrote = ledger.known(open.step).is_some_and(|known| known.wrote);
        if wrote || open.cached.is_some() {
            return false;
        }
        open.cached = Some(id.to_owned());
        true
    }

    /// Ends the step at work, whose result is an image with this short id.
    fn end(&mut self, id: &str, ledger: &mut Ledger) {
        let waits = self.open.len() > 1;
        let Some(open) = self.open.last_mut() else {
            return;
        };
        if open.ended && waits {
            // The result of the step that waited for this one.
            self.settle(ledger);
            self.end(id, ledger);
            return;
        }
        let named = |cached: &String| cached.starts_with(id);
        if !open.ended && open.cached.as_ref().is_some_and(named) {
            open.ended = true;
            return;
        }
        let step = open.step;
        self.open.pop();
        ledger.finish(step, false, None, StepEnd::Done);
    }

    /// Ends the steps that came from the cache: Podman went on.
    fn settle(&mut self, ledger: &mut Ledger) {
        let ended = self.open.extract_if(.., |open| open.ended);
        for open in ended {
            ledger.finish(open.step, true, None, StepEnd::Done);
        }
    }

    fn next(&mut self, stage: usize, n: usize, instruction: &str, ledger: &mut Ledger) {
        // FROM, and the last step of a stage that comes from the cache, end without a line.
        while let Some(at) = self.open.iter().position(|open| open.stage == stage) {
            let open = self.open.remove(at);
            ledger.finish(open.step, open.cached.is_some(), None, StepEnd::Done);
        }
        let step = ledger.name(ledger.plan.podman(stage, n), instruction);
        if let Some(known) = ledger.known_mut(step) {
            known.command = instruction.strip_prefix("RUN ").map(command);
        }
        ledger.start(step);
        self.open.push(Open {
            stage,
            step,
            cached: None,
            ended: false,
        });
    }

    /// A line of Podman's own.
    fn told(&self, line: &str, ledger: &mut Ledger) {
        ledger.moved = ledger.now;
        let Some(open) = self.open.last() else {
            return;
        };
        let Some(known) = ledger.known_mut(open.step) else {
            return;
        };
        // It waits for a registry from this line until the next one; a RUN only says that it does.
        known.reference = line
            .strip_prefix("Trying to pull ")
            .filter(|_| known.command.is_none())
            .map(|image| image.trim_end_matches("...").to_owned());
    }
}

/// A RUN's command without its flags.
fn command(mut run: &str) -> String {
    while let Some((flag, rest)) = run.trim_start().split_once(' ')
        && flag.starts_with("--")
    {
        run = rest;
    }
    run.trim().to_owned()
}

/// `[1/3] STEP 2/5: WORKDIR /src`, or without the first part where there is one stage.
fn step_line(line: &str) -> Option<(usize, usize, &str)> {
    let (stage, rest) = match line.strip_prefix('[') {
        Some(rest) => {
            let (numbers, rest) = rest.split_once("] ")?;
            let (stage, of) = numbers.split_once('/')?;
            of.parse::<usize>().ok()?;
            (stage.parse().ok()?, rest)
        }
        None => (1, line),
    };
    let (numbers, instruction) = rest.strip_prefix("STEP ")?.split_once(": ")?;
    let (n, of) = numbers.split_once('/')?;
    of.parse::<usize>().ok()?;
    Some((stage, n.parse().ok()?, instruction))
}

/// Lines that Podman writes itself.
fn is_own(line: &str) -> bool {
    const OWN: [&str; 8] = [
        "Trying to pull ",
        "Resolving ",
        "Resolved ",
        "Getting image source signatures",
        "Copying blob ",
        "Copying config ",
        "Writing manifest to image destination",
        "Storing signatures",
    ];
    let end = line.starts_with("Successfully built ") || line.starts_with("Successfully tagged ");
    let commit = line.starts_with("COMMIT ") || line.contains("] COMMIT ");
    end || commit || is_id(line, 64) || OWN.iter().any(|own| line.starts_with(own))
}

/// Whether a text is an image's id of at least `length` digits.
fn is_id(text: &str, length: usize) -> bool {
    text.len() >= length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
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
    use crate::engine::StepEnd;

    #[test]
    fn a_commands_flags_are_not_part_of_it() {
        assert_eq!(super::command("make all "), "make all");
        let mounted = "--mount=type=cache,target=/c --network=none make --all";
        assert_eq!(super::command(mounted), "make --all");
    }

    #[test]
    fn a_build_that_begins_again_names_no_step_twice() {
        let stream = [
            "[1/2] STEP 1/4: FROM python AS build\n",
            "[1/2] STEP 3/4: WORKDIR /src\n",
            "--> e9ef1b112ac\n",
            "[1/2] STEP 4/4: RUN make\n",
        ];
        let mut translator = Translator::new(Builder::Buildah, &dockerfile(STAGES));
        let mut events = Vec::new();
        for round in 0..2 {
            for text in stream {
                events.extend(translator.feed(Item::Text(text.to_owned()), Duration::ZERO));
            }
            if round == 0 {
                translator.restart();
            }
        }
        events.extend(translator.feed(Item::Text("--> cbf2fbd3df0\n".to_owned()), Duration::ZERO));
        events.extend(translator.close(StepEnd::Done, Duration::ZERO));
        let planned = |event: &&BuildEvent| matches!(event, BuildEvent::StepPlanned { .. });
        assert_eq!(events.iter().filter(planned).count(), 3);
        let mut ends: Vec<u32> = events
            .iter()
            .filter_map(|event| match event {
                BuildEvent::StepFinished { step, .. } => Some(step.0),
                _ => None,
            })
            .collect();
        ends.sort_unstable();
        assert_eq!(ends, [0, 1, 2], "and none ends twice");
    }

    #[test]
    fn overlapping_stages_end_the_steps_that_they_began() {
        let id = "21c8d87f4c6855009847750eb2faf6a19064a1592e002c0ad345713c052cc20d";
        let cached = format!("--> Using cache {id}\n");
        let stream = [
            "[2/2] STEP 1/4: FROM python\n",
            "[2/2] STEP 2/4: ENV A=1\n",
            "--> e9ef1b112ac\n",
            "[2/2] STEP 3/4: COPY --from=build /a /a\n",
            "--> not an id\n",
            "[1/2] STEP 1/4: FROM python AS build\n",
            "[1/2] STEP 4/4: RUN make\n",
            cached.as_str(),
            "--> 21c8d87f4c6\n",
            "--> cbf2fbd3df0\n",
            "[2/2] STEP 4/4: CMD [\"/a\"]\n",
            "[2/2] COMMIT docker.io/library/trace:1\n",
            "--> 48d4f6b8634\n",
        ];
        let mut translator = Translator::new(Builder::Buildah, &dockerfile(STAGES));
        let mut lines = Vec::new();
        let mut ends = Vec::new();
        let mut logs = 0;
        let mut events = Vec::new();
        for text in stream {
            events.extend(translator.feed(Item::Text(text.to_owned()), Duration::ZERO));
        }
        events.extend(translator.close(StepEnd::Done, Duration::ZERO));
        for event in events {
            match event {
                BuildEvent::StepPlanned { line, .. } => lines.push(line.unwrap()),
                BuildEvent::StepFinished { step, cached, .. } => ends.push((step.0, cached)),
                BuildEvent::Log { .. } => logs += 1,
                _ => {}
            }
        }
        assert_eq!(lines, [6, 7, 8, 2, 5, 9]);
        assert_eq!(
            ends,
            [
                (0, false),
                (1, false),
                (3, false),
                (4, true),
                (2, false),
                (5, false)
            ]
        );
        assert_eq!(logs, 1, "what looks like an id and is none is output");
    }
    #[test]
    fn what_a_command_writes_makes_no_step_a_cached_one() {
        let id = "21c8d87f4c6855009847750eb2faf6a19064a1592e002c0ad345713c052cc20d";
        let using = format!("--> Using cache {id}\n");
        let using = using.as_str();
        let short = "--> 21c8d87f4c6\n";
        let real = "--> cbf2fbd3df0\n";
        // What comes of a RUN that is the first step of a stage, and whether it was cached.
        let cases: [(&[&str], bool); 7] = [
            (&[using, short], true),
            (&[using], true),
            (&[using, real], false),
            (&["hi\n", using, short, real], false),
            (&[using, "hi\n", real], false),
            (&[using, short, "hi\n", real], false),
            (&[using, short, real], false),
        ];
        for (written, wanted) in cases {
            let mut translator = Translator::new(Builder::Buildah, &dockerfile(STAGES));
            let before = "[1/2] STEP 4/4: RUN make\n";
            let after = ["[1/2] STEP 1/4: FROM x\n", "[1/2] COMMIT x\n"];
            let stream = [before].into_iter().chain(written.iter().copied());
            let mut events = Vec::new();
            for text in stream.chain(after) {
                events.extend(translator.feed(Item::Text(text.to_owned()), Duration::ZERO));
            }
            let end = events.iter().find_map(|event| match event {
                BuildEvent::StepFinished { step, cached, .. } if step.0 == 0 => Some(*cached),
                _ => None,
            });
            assert_eq!(end, Some(wanted), "{written:?}");
        }
    }
}
