//! Forms: rendered texts in which everything stands but what is a person's own.
//!
//! Of one text to many people only a few words differ. So a template in which the person is printed and nothing else
//! depends on them is rendered and parsed once, with blanks for the person's fields, and then filled for each. As values are
//! inserted as text and never parsed, the filled form is the text that a rendering would have given. Wherever that is
//! not sure there is no form, or no filling: the text is rendered then.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use minijinja::Value;
use minijinja::value::Object;
use regex::Regex;

use super::Templates;
use super::printed::{Marks, Printed, ends_line};
use crate::document::{Document, Outline};

/// What is a person's own.
pub(crate) trait Own {
    /// The value of a field; `None` if they have none of that name.
    fn field(&self, name: &str) -> Option<Cow<'_, str>>;
}

/// A field of a person, to be filled in later.
#[derive(Debug)]
pub(super) struct Blank(pub(super) Arc<str>);

impl Object for Blank {}

/// A person of whom nothing is known yet: every field is a blank.
#[derive(Debug)]
struct Blanks;

impl Object for Blanks {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        key.as_str().map(|name| Value::from_object(Blank(name.into())))
    }
}

/// What stands for `person` in the values of a form.
pub(crate) fn blanks() -> Value {
    Value::from_object(Blanks)
}

/// Whether the person is printed and nothing else: then nothing but the printed words can depend on them. The word by itself counts as
/// a use wherever it stands, in the author's prose too.
fn only_prints_person(source: &str) -> bool {
    static PRINTED: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\{\{[-+]?\s*person\.[A-Za-z_][A-Za-z0-9_]*\s*[-+]?\}\}").ok());
    static NAMED: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?:^|[^A-Za-z0-9_])person(?:[^A-Za-z0-9_]|$)").ok());
    let (Some(printed), Some(named)) = (&*PRINTED, &*NAMED) else { return false };
    !named.is_match(&printed.replace_all(source, "{{ 0 }}"))
}

/// A text with blanks.
pub(crate) struct TextForm {
    outline: Outline,
    printed: Printed,
    marks: Marks,
}

/// A line with blanks.
pub(crate) struct LineForm(Line);

enum Line {
    Settled(String),
    Open { source: String, printed: Printed, marks: Marks },
}

impl TextForm {
    /// The text of this person; `None` if it has to be rendered.
    pub(crate) fn fill(&self, own: &dyn Own) -> Option<Document> {
        let values = self.printed.filled(own)?;
        self.outline.filled(&self.marks.filling_with(values)).ok()
    }
}

impl LineForm {
    /// The line of this person; `None` if it has to be rendered.
    pub(crate) fn fill(&self, own: &dyn Own) -> Option<String> {
        let (source, printed, marks) = match &self.0 {
            Line::Settled(line) => return Some(line.clone()),
            Line::Open { source, printed, marks } => (source, printed, marks),
        };
        let line = marks.filling_with(printed.filled(own)?).text(source).ok()?;
        (!line.contains(ends_line)).then_some(line)
    }
}

impl Templates {
    /// The form of [`document`](Self::document), from values in which [`blanks`] stand for the person. `None` if more may depend on the
    /// person than what is printed, or if the template cannot be rendered.
    pub(crate) fn text_form(&self, name: &str, values: &Value) -> Option<TextForm> {
        let (source, printed) = self.opened(name, values)?;
        let outline = Outline::parse(&source, &self.marks.filling(&printed)).ok()?;
        Some(TextForm { outline, printed, marks: self.marks.clone() })
    }

    /// The form of [`line`](Self::line), likewise.
    pub(crate) fn line_form(&self, name: &str, values: &Value) -> Option<LineForm> {
        let (source, printed) = self.opened(name, values)?;
        if printed.has_blanks() {
            let source = source.trim().to_owned();
            return Some(LineForm(Line::Open { source, printed, marks: self.marks.clone() }));
        }
        self.line(name, values).ok().map(|line| LineForm(Line::Settled(line)))
    }

    fn opened(&self, name: &str, values: &Value) -> Option<(String, Printed)> {
        let only_printed = only_prints_person(self.template(name).ok()?.source());
        only_printed.then(|| self.render(name, values).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Serde, TemplateOptions};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Person = BTreeMap<String, String>;

    impl Own for Person {
        fn field(&self, name: &str) -> Option<Cow<'_, str>> {
            self.get(name).map(Into::into)
        }
    }

    /// Everywhere in a text where a person can be printed, and what looks like it and is not.
    const PIECES: [&str; 27] = [
        "Dear {{ person.name }},\n\n",
        "# {{ person.name }} *at* {{ person.company }}\n\n",
        "{{ person.name }}\n===\n\n",
        "- {{ person.company }}, `{{ person.id }}`\n- {{ release }}\n\n",
        "1. {{ person.name }}\n\n   {{ person.id }}\n\n",
        "[{{ person.name }}](https://a.example/{{ person.id }}?q={{ person.company }})\n\n",
        "[x]({{ person.company }}) ![{{ person.name }}](mailto:{{ person.id }}@a.example)\n\n",
        "> {{ person.name }}\\\n> *{{ release }}*\n\n",
        "| a | {{ person.name }} |\n|---|---|\n| {{ person.company }} | {{ release }} |\n\n",
        "```{{ person.id }}\n{{ person.name }}\n```\n\n",
        "    {{ person.name }}\n\n",
        "<b title='{{ person.name }}'>{{ person.id }}</b>\n\n",
        "{{ person.name }}",
        "{{- person.name -}}\n",
        "***\n",
        "words of the author\n",
        "{% for i in [1, 2] %}{{ i }} {{ person.name }}\n{% endfor %}\n",
        "{% if release == 'One' %}{{ person.name }}{% else %}{{ person.company }}{% endif %}\n\n",
        "{% set x %}**{{ person.name }}**{% endset %}{{ x }} {{ x | length }}{% if x %}!{% endif %}\n\n",
        "{% macro m() %}{{ person.id }}!{% endmacro %}{{ m() }}\n\n",
        "{% filter upper %}by {{ person.name }}{% endfilter %}\n\n",
        "{% raw %}{{ person.name }}{% endraw %}\n\n",
        "{{ \"{{ person.name }}\" }}\n\n",
        "{# {{ person.name }} #}",
        "{{ person.missing }}\n\n",
        "{{ person.name | upper }}\n",
        "{% if person.company == 'One' %}x{% endif %}\n",
    ];

    const HOSTILE: [&str; 11] =
        ["", " ", "One", "*b* [x](y)", "a\nb", "\r\n\u{2028}b\n", "# h", "`c`", "a | b", "\u{fdd0}", "\0\u{1b}"];

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![prop::sample::select(&HOSTILE).prop_map(str::to_owned), "https://b.example/[a-z ]{1,4}", ".{0,12}"]
    }

    proptest! {
        #[test]
        fn a_filled_form_is_what_a_rendering_gives(
            pieces in prop::collection::vec(prop::sample::select(&PIECES), 1..6),
            [name, company, id, release] in [value(), value(), value(), value()],
        ) {
            let source = pieces.concat();
            let mut templates = Templates::new(TemplateOptions::default());
            templates.add("t", source.as_str()).unwrap();
            let person: Person =
                [("name", name), ("company", company), ("id", id)].map(|(k, v)| (k.to_owned(), v)).into();
            let values = |person: Value| Value::from_iter([("release", Value::from(&release)), ("person", person)]);
            let (whole, open) = (values(Value::from(Serde(person.clone()))), values(blanks()));
            let only_printed = !source.contains("| upper") && !source.contains("{% if person");
            let is_sure = !person.values().any(|v| v.contains('\u{fdd0}'));

            let document = templates.document("t", &whole);
            let form = templates.text_form("t", &open);
            prop_assert!(form.is_none() || only_printed);
            let filled = form.and_then(|form| form.fill(&person));
            if filled.is_some() || (only_printed && is_sure) {
                prop_assert_eq!(&filled, &document.ok(), "{}", source);
            }

            let line = templates.line("t", &whole);
            let form = templates.line_form("t", &open);
            prop_assert!(form.is_none() || only_printed);
            let filled = form.and_then(|form| form.fill(&person));
            if filled.is_some() || (only_printed && is_sure) {
                prop_assert_eq!(&filled, &line.ok(), "{}", source);
            }
        }
    }

    #[test]
    fn what_is_more_than_printing_has_no_form() {
        for (source, only_printed) in [
            ("{{ person.name }}{{- person.id -}}", true),
            ("the persons and impersonators of {{ release }}", true),
            ("{{ person.name | upper }}", false),
            ("{{ person['name'] }}", false),
            ("{{ person.name ~ 1 }}", false),
            ("{% if person.name %}x{% endif %}", false),
            ("{% set person = 1 %}{{ person.name }}", false),
            ("{{ \"}}\" ~ person.name }}", false),
        ] {
            assert_eq!(only_prints_person(source), only_printed, "{source}");
        }
    }
}
