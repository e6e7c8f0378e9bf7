//! Colour roles and glyphs. Screens ask for a role, never for a colour.
//!
//! The default palette uses the terminal's own 16 colours and never paints a background, so that it
//! is readable wherever the terminal is. The mono palette yields [`Color::Reset`] everywhere: with
//! `NO_COLOR`, the terminal library would turn each colour change into an empty sequence that also
//! drops bold and reverse, so no colour change may ever be queued.

use ratatui::style::Color;
use ratatui::style::Modifier;
use ratatui::style::Style;

/// What a piece of text is for; decides its look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Plain text.
    Text,
    /// Headings and the thing that matters most.
    Strong,
    /// Text that repeats what is known elsewhere; never the only bearer of a meaning.
    Muted,
    /// Keys in the footer and the mark of the focused pane.
    Key,
    /// The current row.
    Select,
    /// A met goal, a finished step.
    Pass,
    /// An unmet goal, a failed step.
    Fail,
    /// Worth a look.
    Warn,
    /// Work going on.
    Running,
    /// The starter's bar.
    Before,
    /// The learner's bar and size.
    You,
    /// The goal's mark.
    Goal,
    /// Added in a diff.
    Added,
    /// Changed in a diff.
    Changed,
    /// Removed in a diff.
    Removed,
    /// Bytes that need not be there.
    Waste,
    /// An instruction of a Dockerfile or a keyword of a language.
    Keyword,
    /// A string.
    StringLiteral,
    /// A variable.
    Variable,
    /// A flag such as `--from`.
    Flag,
    /// A number.
    Number,
    /// A comment.
    Comment,
    /// A link.
    Link,
    /// Lines between panes.
    Rule,
}

/// Where colours come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Palette {
    /// The terminal's own colours.
    #[default]
    Terminal,
    /// No colour at all.
    Mono,
}

/// The characters of the interface; each is one column wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// Met, finished.
    pub pass: &'static str,
    /// Unmet, failed.
    pub fail: &'static str,
    /// Worth a look.
    pub warn: &'static str,
    /// Going on.
    pub running: &'static str,
    /// Not begun.
    pub todo: &'static str,
    /// Not known.
    pub unknown: &'static str,
    /// The mark of the focused pane and the current row.
    pub focus: &'static str,
    /// A horizontal line.
    pub horizontal: &'static str,
    /// A vertical line.
    pub vertical: &'static str,
    /// The done part of a progress line.
    pub progress: &'static str,
    /// The open part of a progress line.
    pub remaining: &'static str,
    /// A full cell of a bar.
    pub full: &'static str,
    /// Parts of a cell, from one eighth to seven; empty where only full cells exist.
    pub eighths: &'static [&'static str],
    /// A cell of the starter's bar where it is only context.
    pub shade: &'static str,
    /// The goal's mark on a bar.
    pub goal: &'static str,
    /// The foot of the goal's mark, before its words.
    pub goal_foot: &'static str,
    /// Leads to.
    pub arrow: &'static str,
    /// More below; following.
    pub down: &'static str,
    /// More above.
    pub up: &'static str,
    /// Text was cut.
    pub ellipsis: &'static str,
    /// Between two parts of a phrase.
    pub dot: &'static str,
    /// A filled dot: connected.
    pub disc: &'static str,
    /// A bullet of a list.
    pub bullet: &'static str,
    /// The bar beside a quoted or marked block.
    pub quote: &'static str,
    /// Between a whole and its part in a title.
    pub inside: &'static str,
    /// The minus of a difference.
    pub minus: &'static str,
    /// A folder whose rows follow.
    pub open: &'static str,
    /// A folder whose rows are hidden.
    pub closed: &'static str,
}

const UNICODE: Glyphs = Glyphs {
    pass: "✓",
    fail: "✗",
    warn: "!",
    running: "◐",
    todo: "○",
    unknown: "?",
    focus: "▌",
    horizontal: "─",
    vertical: "│",
    progress: "━",
    remaining: "─",
    full: "█",
    eighths: &["▏", "▎", "▍", "▌", "▋", "▊", "▉"],
    shade: "░",
    goal: "┃",
    goal_foot: "┗",
    arrow: "→",
    down: "↓",
    up: "↑",
    ellipsis: "…",
    dot: "·",
    disc: "●",
    bullet: "•",
    quote: "▎",
    inside: "›",
    minus: "−",
    open: "▾",
    closed: "▸",
};

const ASCII: Glyphs = Glyphs {
    pass: "+",
    fail: "x",
    warn: "!",
    running: "*",
    todo: ".",
    unknown: "?",
    focus: ">",
    horizontal: "-",
    vertical: "|",
    progress: "=",
    remaining: "-",
    full: "#",
    eighths: &[],
    shade: ".",
    goal: "|",
    goal_foot: "^",
    arrow: ">",
    down: "v",
    up: "^",
    ellipsis: "~",
    dot: "-",
    disc: "*",
    bullet: "*",
    quote: "|",
    inside: ">",
    minus: "-",
    open: "v",
    closed: ">",
};

/// Roles and glyphs for one terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    palette: Palette,
    /// The characters of the interface.
    pub glyphs: &'static Glyphs,
}

impl Default for Theme {
    fn default() -> Self {
        Self::new(Palette::Terminal, false)
    }
}

impl Theme {
    /// A theme; `ascii` for terminals that show nothing else.
    #[must_use]
    pub const fn new(palette: Palette, ascii: bool) -> Self {
        Self {
            palette,
            glyphs: if ascii { &ASCII } else { &UNICODE },
        }
    }

    /// Whether only ASCII may be drawn.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.glyphs.eighths.is_empty()
    }

    /// The look of a role.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        let style = Style::new();
        let (color, modifier) = match role {
            Role::Text => (Color::Reset, Modifier::empty()),
            Role::Rule | Role::Muted | Role::Before => (Color::DarkGray, Modifier::empty()),
            Role::Comment => (Color::DarkGray, Modifier::empty()),
            Role::Strong | Role::Goal => (Color::Reset, Modifier::BOLD),
            Role::Key => (Color::Cyan, Modifier::BOLD),
            Role::Select => (Color::Reset, Modifier::REVERSED),
            Role::Pass | Role::Added => (Color::Green, Modifier::empty()),
            Role::StringLiteral => (Color::Green, Modifier::empty()),
            Role::Fail | Role::Removed => (Color::Red, Modifier::empty()),
            Role::Warn | Role::Changed => (Color::Yellow, Modifier::empty()),
            Role::Flag => (Color::Yellow, Modifier::empty()),
            Role::Running | Role::Variable => (Color::Cyan, Modifier::empty()),
            Role::You => (Color::Blue, Modifier::empty()),
            Role::Waste | Role::Number => (Color::Magenta, Modifier::empty()),
            Role::Keyword => (Color::Blue, Modifier::BOLD),
            Role::Link => (Color::Cyan, Modifier::UNDERLINED),
        };
        match self.palette {
            Palette::Terminal => style.fg(color).add_modifier(modifier),
            Palette::Mono => style.add_modifier(modifier),
        }
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    const ROLES: [Role; 24] = [
        Role::Text,
        Role::Strong,
        Role::Muted,
        Role::Key,
        Role::Select,
        Role::Pass,
        Role::Fail,
        Role::Warn,
        Role::Running,
        Role::Before,
        Role::You,
        Role::Goal,
        Role::Added,
        Role::Changed,
        Role::Removed,
        Role::Waste,
        Role::Keyword,
        Role::StringLiteral,
        Role::Variable,
        Role::Flag,
        Role::Number,
        Role::Comment,
        Role::Link,
        Role::Rule,
    ];

    #[test]
    fn mono_never_changes_a_colour() {
        let theme = Theme::new(Palette::Mono, false);
        for role in ROLES {
            let style = theme.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
    }

    #[test]
    fn no_role_paints_a_background() {
        let theme = Theme::default();
        for role in ROLES {
            assert_eq!(theme.style(role).bg, None, "{role:?}");
        }
    }

    #[test]
    fn ascii_glyphs_are_ascii_and_every_glyph_is_one_column() {
        for (glyphs, ascii) in [(&UNICODE, false), (&ASCII, true)] {
            for glyph in [
                glyphs.pass,
                glyphs.fail,
                glyphs.warn,
                glyphs.running,
                glyphs.todo,
                glyphs.unknown,
                glyphs.focus,
                glyphs.horizontal,
                glyphs.vertical,
                glyphs.progress,
                glyphs.remaining,
                glyphs.full,
                glyphs.shade,
                glyphs.goal,
                glyphs.goal_foot,
                glyphs.arrow,
                glyphs.down,
                glyphs.up,
                glyphs.ellipsis,
                glyphs.dot,
                glyphs.disc,
                glyphs.bullet,
                glyphs.quote,
                glyphs.inside,
                glyphs.minus,
                glyphs.open,
                glyphs.closed,
            ]
            .iter()
            .chain(glyphs.eighths)
            {
                assert_eq!(glyph.width(), 1, "{glyph}");
                assert!(!ascii || glyph.is_ascii(), "{glyph}");
            }
        }
    }
}
