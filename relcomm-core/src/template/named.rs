//! The filters that a template names: the engine looks for them only when it comes to them, and a plan is judged before.

use minijinja::{Environment, ErrorKind, context};

/// The first filter that there is not, and where its name begins.
pub(super) fn unknown_filter<'a>(environment: &Environment<'_>, source: &'a str) -> Option<(usize, &'a str)> {
    filters(source).into_iter().find(|(_, name)| {
        // The engine itself says whether it knows it; what else it says to nothing at all does not matter.
        let use_of_it = format!("none|{name}");
        let asked = environment.compile_expression(&use_of_it).and_then(|asked| asked.eval(context! {}));
        asked.is_err_and(|error| error.kind() == ErrorKind::UnknownFilter)
    })
}

/// The names behind `|` in tags and behind `filter` at the beginning of one. Comments, quotations and raw text hold none.
fn filters(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = source.get(at..).and_then(|rest| rest.find('{')).map(|open| at + open) {
        let rest = source.get(open..).unwrap_or_default();
        let end = match rest.get(1..2) {
            Some("#") => rest.find("#}").map(|end| end + 2),
            Some("{") => Some(2 + within(rest.get(2..).unwrap_or_default(), "}}", open + 2, &mut found)),
            Some("%") => {
                let inner = rest.get(2..).unwrap_or_default();
                let length = within(inner, "%}", open + 2, &mut found);
                let (before, word) = first_word(inner);
                match word {
                    "raw" => source.get(open + 2 + length..).and_then(|raw| Some(2 + length + end_of_raw(raw)?)),
                    "filter" => {
                        let from = before + word.len();
                        let (gap, name) = first_word(inner.get(from..).unwrap_or_default());
                        found.extend((!name.is_empty()).then_some((open + 2 + from + gap, name)));
                        Some(2 + length)
                    }
                    _ => Some(2 + length),
                }
            }
            _ => Some(1),
        };
        let Some(end) = end else { break };
        at = open + end;
    }
    found
}

/// Where raw text ends: at the tag that ends it.
fn end_of_raw(text: &str) -> Option<usize> {
    text.match_indices("{%").map(|(at, _)| at).find(|at| {
        let tag = text.get(at + 2..).unwrap_or_default();
        first_word(tag).1 == "endraw"
    })
}

/// Looks through the inside of a tag, and returns how long it is.
fn within<'a>(tag: &'a str, close: &str, offset: usize, found: &mut Vec<(usize, &'a str)>) -> usize {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in tag.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if tag.get(at..).is_some_and(|rest| rest.starts_with(close)) => return at + close.len(),
            None if c == '|' => {
                let (gap, name) = first_word(tag.get(at + 1..).unwrap_or_default());
                found.extend((!name.is_empty()).then_some((offset + at + 1 + gap, name)));
            }
            None => {}
        }
    }
    tag.len()
}

/// The word with which a text begins, behind spaces and the signs of a tag that trims what is before it; and where it begins.
fn first_word(text: &str) -> (usize, &str) {
    let rest = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '+'));
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    (text.len() - rest.len(), rest.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_named_in_tags_alone() {
        for (source, names) in [
            ("{{ a | upper }} {{ b|lower|trim }}", &["upper", "lower", "trim"][..]),
            ("{{- a | replace('|x', \"}} | y\") | first -}}", &["replace", "first"]),
            ("{% if a|length > 1 %}{% for b in c | sort %}{% endfor %}{% endif %}", &["length", "sort"]),
            ("{%- filter upper | trim %}a | b{% endfilter %}", &["trim", "upper"]),
            ("| a {# {{ b | c }} #} { | d } {{ 'it\\'s | e' }}", &[]),
            ("{% raw %}{{ a | b }} {% c | d %}{%- endraw %}{{ e | f }}", &["f"]),
            ("{{ a | }} {{ a |", &[]),
            ("{% raw %} {{ a | b }}", &[]),
        ] {
            let found = filters(source);
            assert_eq!(found.iter().map(|(_, name)| *name).collect::<Vec<_>>(), names, "{source}");
            assert!(found.iter().all(|(at, name)| source[*at..].starts_with(name)), "{source}");
        }
    }
}
