//! What a template asks of a person: the fields on which its course depends.
//!
//! `{% if person.company %}` and its like tell apart a few cases only: the field is missing, or it is one of the words that the
//! template compares it with (an empty one is asked for by every condition), or it is anything else. In each case the template goes the
//! same way for everybody.

use std::sync::{Arc, LazyLock};

use minijinja::Value;
use minijinja::value::Object;
use regex::Regex;

use super::changed::FILTERS;
use super::form::{Blank, Own};

/// More cases than this are not worth a form for each.
const MAX_CASES: usize = 128;

/// A field, and the words which the template may find in it.
#[derive(Clone, Debug)]
struct Field {
    name: String,
    words: Vec<String>,
}

/// What is in a field, as far as the template can tell.
#[derive(Clone, Debug)]
enum Found {
    Nothing,
    Word(String),
    Other,
}

/// The fields on which a template's course depends.
#[derive(Debug)]
pub(super) struct Asked(Vec<Field>);

impl Asked {
    /// Reads them from a template; `None` if more may depend on the person than what is printed and asked in the ways known here. The word
    /// `person` by itself counts as a use wherever it stands, in the author's prose too.
    pub(super) fn of(source: &str) -> Option<Self> {
        let syntax = SYNTAX.as_ref()?;
        let mut asked = Self(Vec::new());
        let mut known = 0;
        for printed in syntax.printed.captures_iter(source) {
            known += 1;
            if printed.name("default").is_some() {
                asked.add(printed.name("field")?.as_str(), None);
            }
        }
        let terms = syntax.condition.find_iter(source).flat_map(|tag| syntax.term.captures_iter(tag.as_str()));
        for term in terms {
            let field = term.name("path").and_then(|path| path.as_str().strip_prefix("person."));
            if let Some(field) = field.filter(|field| !field.contains('.')) {
                known += 1;
                asked.add(field, term.name("word").map(|quoted| quoted.as_str()));
            }
        }
        let cases = asked.0.iter().try_fold(1_usize, |cases, field| cases.checked_mul(field.cases()))?;
        (known == syntax.person.find_iter(source).count() && cases <= MAX_CASES).then_some(asked)
    }

    /// The field, and a quoted word that it is compared with.
    fn add(&mut self, name: &str, quoted: Option<&str>) {
        let word = quoted.map(|quoted| quoted.trim_matches(['"', '\'']));
        let at = self.0.iter().position(|field| field.name == name).unwrap_or_else(|| {
            self.0.push(Field { name: name.to_owned(), words: vec![String::new()] });
            self.0.len() - 1
        });
        if let Some(field) = self.0.get_mut(at)
            && let Some(word) = word
            && !field.words.iter().any(|known| known == word)
        {
            field.words.push(word.to_owned());
        }
    }

    /// How many cases there are.
    pub(super) fn cases(&self) -> usize {
        self.0.iter().map(Field::cases).product()
    }

    /// The number of the case which a person is.
    pub(super) fn case(&self, own: &dyn Own) -> usize {
        self.0.iter().fold(0, |number, field| number * field.cases() + field.case(own))
    }

    /// What stands for a person of that case in the values of a form.
    pub(super) fn person(&self, mut case: usize) -> Value {
        let mut found = Vec::new();
        for field in self.0.iter().rev() {
            found.push((field.name.clone(), field.found(case % field.cases())));
            case /= field.cases();
        }
        Value::from_object(Somebody(found))
    }
}

impl Field {
    fn cases(&self) -> usize {
        self.words.len() + 2
    }

    fn case(&self, own: &dyn Own) -> usize {
        match own.field(&self.name) {
            None => self.words.len() + 1,
            Some(value) => self.words.iter().position(|word| *word == value).unwrap_or(self.words.len()),
        }
    }

    fn found(&self, case: usize) -> Found {
        match self.words.get(case) {
            Some(word) => Found::Word(word.clone()),
            None if case == self.words.len() => Found::Other,
            None => Found::Nothing,
        }
    }
}

/// A person of whom only the case is known: every field that it leaves open is a blank.
#[derive(Debug)]
struct Somebody(Vec<(String, Found)>);

impl Object for Somebody {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        match self.0.iter().find(|(field, _)| field == name) {
            Some((_, Found::Nothing)) => None,
            Some((_, Found::Word(word))) => Some(Value::from(word)),
            Some((_, Found::Other)) | None => Some(Value::from_object(Blank::new(name))),
        }
    }
}

/// The tags that are known here.
struct Syntax {
    /// One that prints a field, or a word where there is none, changed by filters or not.
    printed: Regex,
    /// A condition: terms joined by `and` and `or`.
    condition: Regex,
    /// A variable in a condition: by itself, compared with a word, or whether it is there.
    term: Regex,
    /// The word `person`.
    person: Regex,
}

// A quoted word holds neither braces nor quotation marks: a tag that seems to begin within a quotation of the template ends within one, and
// what stands outside quotations between the two is a quoted word here, in which `person` counts as not known.
static SYNTAX: LazyLock<Option<Syntax>> = LazyLock::new(|| {
    let name = "[A-Za-z_][A-Za-z0-9_]*";
    let quoted = r#"(?:"[^"'\\{}]*"|'[^"'\\{}]*')"#;
    let default = format!(r"\|\s*default\(\s*{quoted}\s*(?:,\s*true\s*)?\)");
    let argument = format!(r"(?:{name}\s*=\s*)?(?:{quoted}|-?[0-9]+(?:\.[0-9]+)?|true|false)");
    let arguments = format!(r"\(\s*(?:{argument}(?:\s*,\s*{argument})*)?\s*\)");
    let change = format!(r"\|\s*(?:{})(?-u:\b)\s*(?:{arguments})?", FILTERS.join("|"));
    let printed =
        format!(r"\{{\{{[-+]?\s*person\.(?<field>{name})\s*(?<default>{default})?\s*(?:{change}\s*)*[-+]?\}}\}}");
    let term = |path: &str, word: &str| {
        format!(r"(?:not\s+)*({path}{name}(?:\.{name})*)(?:\s*[=!]=\s*({word}{quoted})|\s+is\s+(?:not\s+)?defined)?")
    };
    let any = term("?:", "?:");
    Some(Syntax {
        printed: Regex::new(&printed).ok()?,
        condition: Regex::new(&format!(r"\{{%[-+]?\s*(?:if|elif)\s+{any}(?:\s+(?:and|or)\s+{any})*\s*[-+]?%\}}"))
            .ok()?,
        term: Regex::new(&term("?<path>", "?<word>")).ok()?,
        person: Regex::new(r"(?-u:\b)person(?-u:\b)").ok()?,
    })
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_more_than_is_known_here_has_no_cases() {
        for (source, cases) in [
            ("{{ person.name }}{{- person.id -}}", Some(1)),
            ("the persons and impersonators of {{ release }}", Some(1)),
            ("{{ person.name | default(\"you\") }}", Some(3)),
            ("{% if person.name %}x{% endif %}", Some(3)),
            ("{%- if not person.name and release.why -%}x{%- elif person.name -%}{% endif %}", Some(3)),
            ("{% if person.plan == 'pro' or person.plan != \"free\" %}x{% endif %}", Some(5)),
            ("{% if person.plan == 'pro' and person.name is not defined %}x{% endif %}", Some(12)),
            ("{% if person.a and person.b and person.c and person.d %}{% endif %}", Some(81)),
            ("{% if person.a and person.b and person.c and person.d and person.e %}{% endif %}", None),
            ("{{ person.name | upper }}", Some(1)),
            ("{{ person.name|split(' ')|first | replace(\"a\", 'b') -}}", Some(1)),
            (
                "{{ person.since | date(zone=\"Europe/Zurich\") }}{{ person.fee | float | round(precision = 2) }}",
                Some(1),
            ),
            ("{{ person.name | default('you') | title }}", Some(3)),
            ("{{ person.name | trim | default('you') }}", None),
            ("{{ person.name | uppercase }}", None),
            ("{{ person.name | replace(release, 'x') }}", None),
            ("{{ person.name | replace('person', 'x') }}", None),
            ("{{ person.name | upper ~ 1 }}", None),
            ("{% if person.name | upper == 'A' %}x{% endif %}", None),
            ("{{ person['name'] }}", None),
            ("{{ person.name ~ 1 }}", None),
            ("{{ person }}", None),
            ("person", None),
            ("{% if person %}x{% endif %}", None),
            ("{% if person.name.first %}x{% endif %}", None),
            ("{% if person.name | length %}x{% endif %}", None),
            ("{% if person.name == release.why %}x{% endif %}", None),
            ("{% if release.why == person.name %}x{% endif %}", None),
            ("{% if person.name < 'a' %}x{% endif %}", None),
            ("{% if person.name in 'a' %}x{% endif %}", None),
            ("{% if f(a or person.name and b) %}x{% endif %}", None),
            ("{% if person.name == '\\x41' %}x{% endif %}", None),
            ("{% if a == 'person' %}x{% endif %}", None),
            ("{% set person = 1 %}{{ person.name }}", None),
            ("{{ \"}}\" ~ person.name }}", None),
            ("{{ \"{% if a == \" ~ person.name ~ \" %}\" }}", None),
            ("{{ \"{{ person.name | default(\" ~ person.name ~ \") }}\" }}", None),
        ] {
            assert_eq!(Asked::of(source).map(|asked| asked.cases()), cases, "{source}");
        }
    }
}
