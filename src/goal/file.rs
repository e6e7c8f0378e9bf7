//! `file`: a path is there, or not, with these permissions, this owner and this content.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Missing;
use super::Needs;
use super::Verdict;
use super::base;
use super::field::Mode;
use super::field::TextMatch;
use super::field::some_scalar;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use super::kind::must;
use crate::image::EntryKind;
use crate::image::tree::Lost;
use crate::image::tree::Node;
use crate::image::tree::Tree;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileGoal {
    path: String,
    #[serde(default = "yes")]
    exists: bool,
    #[serde(default, deserialize_with = "some_scalar")]
    mode: Option<Mode>,
    #[serde(default)]
    uid: Option<u64>,
    #[serde(default)]
    content: Option<TextMatch>,
}

const fn yes() -> bool {
    true
}

impl FileGoal {
    fn inner_path(&self) -> &str {
        self.path.trim_start_matches('/')
    }

    /// What is wrong with what was found; `None` where nothing is.
    fn fault(&self, node: &Node<'_>) -> Option<Result<(String, String), Missing>> {
        let entry = node.entry;
        if let Some(mode) = self.mode
            && mode.0 != entry.mode
        {
            let found = format!("permissions {:03o}", entry.mode);
            return Some(Ok((
                found,
                format!("It should have the permissions {mode}."),
            )));
        }
        if let Some(uid) = self.uid
            && uid != entry.uid
        {
            let found = format!("owned by user {}", entry.uid);
            return Some(Ok((found, format!("It should belong to user {uid}."))));
        }
        let content = self.content.as_ref()?;
        let Some(text) = node.kept else {
            return Some(Err(Missing::because(format!(
                "The content of `{}` could not be read: it is no regular file, or larger than 64 kB.",
                self.path
            ))));
        };
        if content.holds_for(&String::from_utf8_lossy(text)) {
            return None;
        }
        Some(Ok((
            String::from("another content"),
            format!("It should be a file {content}."),
        )))
    }
}

impl Kind for FileGoal {
    const ABOUT: About = About {
        name: "file",
        asks: "A file is in the image, as it should be.",
        parameters: &[
            must("path", "path", "The file or folder; links are followed."),
            may("exists", "true or false", "Whether it is there; true."),
            may(
                "mode",
                "permission bits",
                "Its permissions, in octal and in quotes.",
            ),
            may("uid", "number", "Its owner."),
            may(
                "content",
                "text to match",
                "What its content must be, up to 64 kB.",
            ),
        ],
        example: "file: { path: /app/app.py, mode: \"644\", uid: 0 }",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        let path = text.to_owned();
        Some(Ok(Self {
            path,
            exists: true,
            mode: None,
            uid: None,
            content: None,
        }))
    }

    fn check(&self) -> Result<(), String> {
        if self.inner_path().is_empty() {
            return Err(String::from("`path` is empty"));
        }
        let asks_more = self.mode.is_some() || self.uid.is_some() || self.content.is_some();
        if !self.exists && asks_more {
            return Err(String::from(
                "a file that must not exist has no `mode`, `uid` or `content`",
            ));
        }
        Ok(())
    }
}

impl Goal for FileGoal {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        if self.exists {
            self.path.clone()
        } else {
            format!("no {}", self.path)
        }
    }

    fn wanted(&self) -> String {
        if !self.exists {
            return format!("`{}` is not in the image", self.path);
        }
        let mut wanted = format!("`{}` is in the image", self.path);
        if let Some(mode) = self.mode {
            wanted.push_str(&format!(", with permissions {mode}"));
        }
        if let Some(uid) = self.uid {
            wanted.push_str(&format!(", owned by user {uid}"));
        }
        if let Some(content) = &self.content {
            wanted.push_str(&format!(", {content}"));
        }
        wanted
    }

    fn needs(&self) -> Needs {
        let path = self.inner_path().to_owned();
        let files = self.content.iter().map(|_| path.clone()).collect();
        Needs {
            contents: true,
            paths: [path].into(),
            files,
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let contents = match &evidence.contents {
            Ok(contents) => contents,
            Err(missing) => return self.by_path(evidence, missing),
        };
        let tree = Tree::of(contents);
        let node = match (tree.find(self.inner_path()), self.exists) {
            (Ok(node), true) => node,
            (Ok(node), false) => {
                let blame = Blame::line(evidence.line_of_layer(node.layer)).in_layer(node.layer);
                return self.unwanted(evidence, blame);
            }
            (Err(_), false) => return Verdict::met("not there"),
            (Err(lost), true) => return self.missing(&lost),
        };
        let (found, why) = match self.fault(&node) {
            None => return Verdict::met(describe(&node)),
            Some(Err(missing)) => return Verdict::unknown(&missing),
            Some(Ok(fault)) => fault,
        };
        Verdict::unmet(
            format!("`{}`, {found}", self.path),
            why,
            "Look at the instruction that puts it there.",
            Blame::line(evidence.line_of_layer(node.layer))
                .in_layer(node.layer)
                .at_path(&self.path),
        )
    }
}

impl FileGoal {
    fn by_path(&self, evidence: &Evidence, missing: &Missing) -> Verdict {
        match (evidence.paths.get(self.inner_path()), self.exists) {
            (Some(Ok(true)), false) => self.unwanted(evidence, Blame::default()),
            (Some(Ok(false)), true) => self.missing(&Lost::Missing(self.inner_path().to_owned())),
            (Some(Ok(false)), false) => Verdict::met("not there"),
            _ => Verdict::unknown(missing),
        }
    }

    fn unwanted(&self, evidence: &Evidence, blame: Blame) -> Verdict {
        let line = blame
            .line
            .and_then(|line| Some((line, base::quote_line(&evidence.dockerfile, line)?)));
        let why = match line {
            Some((line, quoted)) => format!("Line {line}, {quoted}, brings it."),
            None => String::from("The final stage brings it."),
        };
        Verdict::unmet(
            format!("`{}` is there", self.path),
            why,
            "Find out what it is needed for.",
            blame.at_path(&self.path),
        )
    }

    fn missing(&self, lost: &Lost) -> Verdict {
        let why = match lost {
            Lost::Missing(part) if part != self.inner_path() => {
                format!("The image has no `/{part}`, and so nothing below it.")
            }
            Lost::Missing(_) => String::from("No instruction of the final stage puts it there."),
            Lost::NotAFolder(part) => format!("`/{part}` is not a folder."),
            Lost::Loop => String::from("The links on its way lead in circles."),
        };
        Verdict::unmet(
            format!("no `{}`", self.path),
            why,
            "Follow the file from where it is made to the final stage.",
            Blame::default().at_path(&self.path),
        )
    }
}

fn describe(node: &Node<'_>) -> String {
    match node.entry.kind {
        EntryKind::Directory => format!("a folder, {:03o}", node.entry.mode),
        _ => format!("{}, {:03o}", node.entry.size, node.entry.mode),
    }
}

#[cfg(test)]
mod tests {
    use crate::goal::fixture::contents;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::layer;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::sizes;
    use crate::goal::fixture::try_goal;

    fn judge(yaml: &str) -> String {
        let mut evidence = nothing("FROM a\nCOPY app.py /app/");
        let mut copied = layer(&["app/", "644 app/app.py", "current -> app"]);
        copied
            .kept
            .insert(String::from("app/app.py"), b"print('hi')\n".to_vec());
        evidence.contents = Ok(contents(vec![layer(&["etc/"]), copied]));
        evidence.sizes = Ok(sizes(&[(Some(1), 1), (Some(2), 1)]));
        show(&goal(yaml).evaluate(&evidence))
    }

    #[test]
    fn a_file_as_it_should_be_meets_it() {
        assert_eq!(judge("file: /app/app.py"), "met: 10 B, 644");
        assert_eq!(judge("file: /current"), "met: a folder, 755");
        let all = "file: { path: /current/app.py, mode: '644', uid: 0, content: print }";
        assert_eq!(judge(all), "met: 10 B, 644");
        assert_eq!(judge("file: { path: /x, exists: false }"), "met: not there");
    }

    #[test]
    fn each_difference_is_named() {
        insta::assert_snapshot!(judge("file: { path: /app/app.py, mode: '755' }"), @r"
        unmet: `/app/app.py`, permissions 644
        why:   It should have the permissions 755.
        next:  Look at the instruction that puts it there.
        blame: line 2, layer 1, /app/app.py
        ");
        insta::assert_snapshot!(judge("file: { path: /app/app.py, uid: 5 }"), @r"
        unmet: `/app/app.py`, owned by user 0
        why:   It should belong to user 5.
        next:  Look at the instruction that puts it there.
        blame: line 2, layer 1, /app/app.py
        ");
        insta::assert_snapshot!(judge("file: { path: /app/app.py, content: flask }"), @r#"
        unmet: `/app/app.py`, another content
        why:   It should be a file with "flask".
        next:  Look at the instruction that puts it there.
        blame: line 2, layer 1, /app/app.py
        "#);
        insta::assert_snapshot!(judge("file: { path: /app, exists: false }"), @r"
        unmet: `/app` is there
        why:   Line 2, `COPY app.py /app/`, brings it.
        next:  Find out what it is needed for.
        blame: line 2, layer 1, /app
        ");
        insta::assert_snapshot!(judge("file: /srv/app.py"), @r"
        unmet: no `/srv/app.py`
        why:   The image has no `/srv`, and so nothing below it.
        next:  Follow the file from where it is made to the final stage.
        blame: /srv/app.py
        ");
        insta::assert_snapshot!(judge("file: /app/app.py/x"), @r"
        unmet: no `/app/app.py/x`
        why:   `/app/app.py` is not a folder.
        next:  Follow the file from where it is made to the final stage.
        blame: /app/app.py/x
        ");
    }

    #[test]
    fn content_that_was_not_kept_is_unknown() {
        assert!(judge("file: { path: /etc, content: x }").starts_with("unknown: The content of"));
    }

    #[test]
    fn presence_alone_decides_before_the_image_is_read() {
        let mut evidence = nothing("FROM a");
        evidence.paths.insert(String::from("app"), Ok(false));
        assert!(show(&goal("file: /app").evaluate(&evidence)).starts_with("unmet: no `/app`"));
        let absent = goal("file: { path: /app, exists: false }").evaluate(&evidence);
        assert_eq!(show(&absent), "met: not there");
        evidence.paths.insert(String::from("app"), Ok(true));
        assert!(show(&goal("file: /app").evaluate(&evidence)).starts_with("unknown"));
    }

    #[test]
    fn fields_that_contradict_each_other_are_refused() {
        let error = try_goal("file: { path: /a, exists: false, uid: 1 }")
            .err()
            .unwrap();
        assert!(error.contains("must not exist"), "{error}");
        assert!(
            try_goal("file: { path: /a, mode: 999 }")
                .err()
                .unwrap()
                .contains("permission")
        );
    }
}
