//! Forms: rendered texts in which everything stands but what is a person's own.
//!
//! Of one text to many people only a few words differ. So a template that prints the person, and asks of them no more than
//! [`Asked`] knows, is rendered and parsed once for each case of people, with blanks for the person's fields, and then filled for
//! each. As values are inserted as text and never parsed, the filled form is the text that a rendering would have given. Wherever that
//! is not sure there is no form, or no filling: the text is rendered then.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use minijinja::Value;
use minijinja::value::Object;

use super::Templates;
use super::asked::Asked;
use super::changed::Change;
use super::printed::{Printed, ends_line, holds_reserved, text, words};
use crate::document::{Document, Marks as _, Outline, Run};

/// What is a person's own.
pub(crate) trait Own {
    /// The value of a field; `None` if they have none of that name.
    fn field(&self, name: &str) -> Option<Cow<'_, str>>;
}

/// A field of a person, to be filled in later, and what filters make of it first.
#[derive(Clone, Debug)]
pub(super) struct Blank {
    pub(super) field: Arc<str>,
    changes: Vec<Change>,
}

impl Blank {
    pub(super) fn new(field: &str) -> Self {
        Self { field: field.into(), changes: Vec::new() }
    }

    /// This blank with one more change.
    pub(super) fn changed(&self, change: Change) -> Self {
        let mut blank = self.clone();
        blank.changes.push(change);
        blank
    }

    /// Whether it is filled with the very words of the other, as neither is changed.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.field == other.field && self.changes.is_empty() && other.changes.is_empty()
    }

    /// The words of this person's; `None` if they have none, or none that can be printed as text.
    pub(super) fn words<'a>(&self, own: &'a dyn Own, templates: &Templates) -> Option<Cow<'a, str>> {
        let word = own.field(&self.field)?;
        if self.changes.is_empty() || holds_reserved(&word) {
            return Some(word);
        }
        let mut state = templates.environment.empty_state();
        let word = Value::from(&*word);
        let word = self.changes.iter().try_fold(word, |word, change| change.apply(&mut state, word)).ok()?;
        (!word.is_safe()).then(|| words(&word).ok().map(Cow::Owned))?
    }
}

impl Object for Blank {
    // What is empty is a case of its own, and never a blank.
    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
}

/// The forms of one template: one for each case of people, made when the first of them comes.
pub(crate) struct Forms<F> {
    name: String,
    asked: Option<Asked>,
    made: Vec<OnceLock<Option<F>>>,
}

impl<F: Form> Forms<F> {
    /// What a rendering for this person gives; `None` if it has to be rendered. `values` are the template's, with this for the person.
    pub(crate) fn fill(
        &self,
        templates: &Templates,
        own: &dyn Own,
        values: impl FnOnce(Value) -> Value,
    ) -> Option<F::Filled> {
        let asked = self.asked.as_ref()?;
        let case = asked.case(own);
        let form = self.made.get(case)?.get_or_init(|| F::make(templates, &self.name, &values(asked.person(case))));
        form.as_ref()?.fill(templates, own)
    }

    /// The name of the template.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// A rendering with blanks.
pub(crate) trait Form: Sized {
    /// What it becomes.
    type Filled;

    /// Renders the template with values in which the person's own are blanks; `None` if that cannot be done.
    fn make(templates: &Templates, name: &str, values: &Value) -> Option<Self>;

    /// `None` if this person's has to be rendered.
    fn fill(&self, templates: &Templates, own: &dyn Own) -> Option<Self::Filled>;
}

/// The form of [`Templates::document`].
pub(crate) struct TextForm {
    outline: Outline,
    printed: Printed,
}

/// The form of [`Templates::line`].
pub(crate) struct LineForm(Line);

enum Line {
    Settled(String),
    Open { run: Run, printed: Printed },
}

impl Form for TextForm {
    type Filled = Document;

    fn make(templates: &Templates, name: &str, values: &Value) -> Option<Self> {
        let (source, printed) = templates.render(name, values).ok()?;
        let outline = Outline::parse(&source, &templates.marks, &printed).ok()?;
        Some(Self { outline, printed })
    }

    fn fill(&self, templates: &Templates, own: &dyn Own) -> Option<Document> {
        self.outline.filled(&self.printed.filled(own, templates)?).ok()
    }
}

impl Form for LineForm {
    type Filled = String;

    fn make(templates: &Templates, name: &str, values: &Value) -> Option<Self> {
        let (source, printed) = templates.render(name, values).ok()?;
        if printed.has_blanks() {
            let run = templates.marks.run(source.trim()).ok()?;
            return Some(Self(Line::Open { run, printed }));
        }
        templates.line(name, values).ok().map(|line| Self(Line::Settled(line)))
    }

    fn fill(&self, templates: &Templates, own: &dyn Own) -> Option<String> {
        let (run, printed) = match &self.0 {
            Line::Settled(line) => return Some(line.clone()),
            Line::Open { run, printed } => (run, printed),
        };
        let line = text(run, &printed.filled(own, templates)?).ok()?;
        (!line.contains(ends_line)).then_some(line)
    }
}

impl Templates {
    /// The forms of a template, none made yet.
    pub(crate) fn forms<F: Form>(&self, name: String) -> Forms<F> {
        let asked = self.template(&name).ok().and_then(|template| Asked::of(template.source()));
        let cases = asked.as_ref().map_or(0, Asked::cases);
        Forms { name, asked, made: (0..cases).map(|_| OnceLock::new()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::changed::FILTERS;
    use super::super::printed::is_reserved;
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

    /// Everywhere in a text where a person can be printed or asked for, and what looks like it and is not.
    const PIECES: [&str; 48] = [
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
        "{% if person.company == 'One' %}x{% endif %}\n",
        "{% if person.name %}**{{ person.name }}**{% elif not person.company %}- {{ person.id }}{% else %}# x{% endif %}\n",
        "{%- if person.name != \"# h\" and person.company == '*b* [x](y)' or release -%}`{{ person.id }}`{%- endif -%}\n\n",
        "{% if person.missing is defined %}x{% endif %}{% if person.name is not defined or not person.id %}y{% endif %}\n",
        "{% if person.missing %}x{% endif %}\n",
        "{% if release == 'One' or person.name == 'One' %}{{ person.company }}{% endif %}\n\n",
        "{{ person.missing | default(\"your *team*\") }}\n\n",
        "{{ person.company | default('nobody', true) }}\n\n",
        "[x](https://a.example/{{ person.id | default(\"x\", true) }})\n\n",
        "{% for i in [1, 2] %}{% if person.id %}- {{ i }} {{ person.id }}\n{% endif %}{% endfor %}\n",
        "{{ \"{% if a == \" ~ release ~ \" %}\" }}\n\n",
        "{% raw %}{% if person.name == 'One' %}{% endraw %}\n\n",
        "{{ person.name | upper }} {{ person.name | split(\" \") | first }} {{ person.name }}\n",
        "# {{ person.company | default('a *team*') | title }} {{ person.missing | default('of *you*') | capitalize }}\n\n",
        "[{{ person.id | length }}](https://a.example/{{ person.id | trim | replace('a', ' *b* ') }})\n\n",
        "{% for i in [1, 2] %}- {{ person.name | lower }}{{ person.id | trim(\"abc\") }}\n{% endfor %}\n",
        "{{ person.missing | upper }}\n\n",
        "{{ person.name | int }}\n\n",
        "{{ person.company | lines | last | date }}\n\n",
        "{{ person.name | split }}\n\n",
        "{{ person.name | replace('x', 'y', 'z') }}\n\n",
        "{{ person.name ~ \"!\" }}\n",
        "{% if person.name | length > 2 %}x{% endif %}\n",
    ];

    /// Whatever holds one of these cannot be rendered for anybody of the test below.
    const NEVER_RENDERED: [&str; 7] =
        ["missing }", "if person.missing %", "missing | upper", "| int", "| date", "| split }", "'z'"];

    const HOSTILE: [&str; 11] =
        ["", " ", "One", "*b* [x](y)", "a\nb", "\r\n\u{2028}b\n", "# h", "`c`", "a | b", "\u{fdd0}", "\0\u{1b}"];

    fn with(release: &str, person: Value) -> Value {
        Value::from(BTreeMap::from([("release", Value::from(release)), ("person", person)]))
    }

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
            let values = |person| with(&release, person);
            let whole = values(Value::from(Serde(person.clone())));
            let is_known = Asked::of(&source).is_some();
            let asks_more = source.contains("~ \"!\"") || source.contains("| length >");
            // Many pieces may ask for more cases than are kept.
            prop_assert!(is_known != asks_more || (!is_known && pieces.len() > 1), "{}", source);
            let is_sure = !person.values().any(|v| v.contains(is_reserved));

            let document = templates.document("t", &whole);
            let filled = templates.forms::<TextForm>("t".into()).fill(&templates, &person, values);
            if filled.is_some() || (is_known && is_sure) {
                prop_assert_eq!(&filled, &document.ok(), "{}", source);
            }

            let line = templates.line("t", &whole);
            let filled = templates.forms::<LineForm>("t".into()).fill(&templates, &person, values);
            if filled.is_some() || (is_known && is_sure) {
                prop_assert_eq!(&filled, &line.ok(), "{}", source);
            }
        }
    }

    #[test]
    fn every_filter_that_waits_gives_what_it_gives_at_once() {
        for filter in FILTERS {
            // What it takes before it, and what makes it words again.
            let chain = match filter {
                "replace" => "replace('a', 'b')".to_owned(),
                "round" => "float | round".to_owned(),
                "date" => "date('%d.%m.%Y')".to_owned(),
                "split" | "lines" => format!("{filter} | first"),
                _ => filter.to_owned(),
            };
            let source = format!("{{{{ person.v | {chain} }}}}");
            let mut templates = Templates::new(TemplateOptions::default());
            templates.add("t", source.as_str()).unwrap();
            let mut filled = 0;
            for value in ["12", "1.5", " aB\nc ", "2027-03-02T10:00:00Z"] {
                let person = Person::from([("v".to_owned(), value.to_owned())]);
                let rendered = templates.document("t", &with("One", Value::from(Serde(person.clone())))).ok();
                let form = templates.forms::<TextForm>("t".into()).fill(&templates, &person, |p| with("One", p));
                assert_eq!(form, rendered, "{source} of {value:?}");
                filled += usize::from(form.is_some());
            }
            assert!(filled > 0, "{source}");
        }
    }

    #[test]
    fn forms_are_made_and_filled_for_people_of_every_case() {
        let mut templates = Templates::new(TemplateOptions::default());
        for piece in PIECES {
            templates.add("t", piece).unwrap();
            for value in ["https://a.example/One", "", "One", "# h", "*b* [x](y)"] {
                let person: Person = ["name", "company", "id"].map(|field| (field.to_owned(), value.to_owned())).into();
                let document = templates.document("t", &with("One", Value::from(Serde(person.clone()))));
                let filled = templates.forms::<TextForm>("t".into()).fill(&templates, &person, |p| with("One", p));
                let is_slow = piece.contains("~ \"!\"") || piece.contains("| length >");
                let cannot_be_rendered = NEVER_RENDERED.iter().any(|part| piece.contains(part))
                    || (piece.contains("]({{ person") && !value.starts_with("https:"));
                assert_eq!(document.is_err(), cannot_be_rendered, "{piece}: {document:?}");
                assert_eq!(filled, document.ok().filter(|_| !is_slow), "{piece}");
            }
        }
    }
}
