//! Texts of `Name: value` lines, as dpkg and Python write them: paragraphs, continued lines.

/// One paragraph: the first line of each field's value, in the order of the text.
#[derive(Debug, Default)]
pub(super) struct Paragraph<'a> {
    fields: Vec<(&'a str, &'a str)>,
}

impl<'a> Paragraph<'a> {
    /// The value of the first field of that name, in whatever case it is written.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// The values of all fields of that name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let wanted = move |field: &&(&'a str, &'a str)| field.0.eq_ignore_ascii_case(name);
        let named: Vec<&'a str> = self.fields.iter().filter(wanted).map(|f| f.1).collect();
        named.into_iter()
    }
}

/// The paragraphs of a text; empty lines part them.
pub(super) fn paragraphs(text: &str) -> impl Iterator<Item = Paragraph<'_>> {
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        let mut paragraph = Paragraph::default();
        for line in lines.by_ref() {
            if line.trim().is_empty() {
                if paragraph.fields.is_empty() {
                    continue;
                }
                break;
            }
            if line.starts_with([' ', '\t', '#']) {
                continue;
            }
            if let Some((name, value)) = line.split_once(':') {
                paragraph.fields.push((name.trim(), value.trim()));
            }
        }
        (!paragraph.fields.is_empty()).then_some(paragraph)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_parted_by_empty_lines() {
        let text = "\n\nPackage: a\nDescription: one\n two: three\n .\nX:  y \n \n\nPackage: b";
        let all: Vec<Paragraph<'_>> = paragraphs(text).collect();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].get("package"), Some("a"));
        assert_eq!(all[0].get("two"), None);
        assert_eq!(all[0].get("X"), Some("y"));
        assert_eq!(all[1].get("Package"), Some("b"));
    }
}
