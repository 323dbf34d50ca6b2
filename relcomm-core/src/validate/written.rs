//! The templates of a plan as they were written: where each stands, and what of it is printed word for word.

use super::Subject;
use crate::communique::{Communique, Sources, WordingSource};
use crate::id::GroupId;
use crate::plan::{Finding, Part, Position, Source, Text, key_path, text_path};

/// One template of a plan.
#[derive(Debug)]
pub(super) struct Written<'a> {
    pub(super) communique: &'a Communique,
    pub(super) group: Option<&'a GroupId>,
    pub(super) part: Part,
    pub(super) path: String,
    file: Option<&'a str>,
    pub(super) text: &'a str,
}

/// Words that are printed as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// Where they begin in the template, in octets.
    pub(super) offset: usize,
    pub(super) text: &'a str,
    /// The expression, tag or comment just before them, and what stands before that.
    pub(super) behind: Option<(&'a str, &'a str)>,
}

impl<'a> Written<'a> {
    /// Every template of the plan, in its order.
    pub(super) fn all(cx: &Subject<'a>) -> Vec<Self> {
        let mut all = Vec::new();
        for communique in cx.plan().communiques() {
            let base = key_path("communiques", communique.id.as_str());
            let variants = communique.variants.iter().filter_map(|(group, v)| Some((Some(group), v.wording.as_ref()?)));
            for (group, wording) in std::iter::once((None, &communique.wording)).chain(variants) {
                let path = group.map_or_else(|| base.clone(), |g| key_path(&format!("{base}.for"), g.as_str()));
                all.extend(of_wording(cx.source(), communique, group, &path, wording));
            }
        }
        all
    }

    /// The template of which this is known.
    pub(super) fn of(cx: &Subject<'a>, text: &Text) -> Option<Self> {
        Self::all(cx).into_iter().find(|own| own.parsed(cx).is_some_and(|parsed| std::ptr::eq(parsed, text)))
    }

    /// Where an octet of the template stands: in the text's own file where it has one, else where the plan holds the text.
    pub(super) fn position(&self, source: &Source, offset: usize) -> Position {
        let Some(file) = self.file else { return source.at(&self.path) };
        let before = self.text.get(..offset).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        let line = before.matches('\n').count() + 1;
        let shown = self.text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        Position::new(file, line, column, shown)
    }

    /// What is known of it since it was parsed.
    pub(super) fn parsed(&self, cx: &Subject<'a>) -> Option<&'a Text> {
        cx.texts().iter().find(|text| {
            text.communique == self.communique.id
                && text.group.as_ref() == self.group
                && text.part == self.part
                && text.file.as_deref() == self.file
                && (self.file.is_some() || text.path == self.path)
        })
    }

    /// Whether it stands in a file of its own.
    pub(super) fn is_in_a_file(&self) -> bool {
        self.file.is_some()
    }

    /// A finding about an octet of the template.
    pub(super) fn finding(&self, source: &Source, offset: usize, new: impl FnOnce(&str) -> Finding) -> Finding {
        new(&self.path).at(self.position(source, offset))
    }

    /// A finding about something that the template names, with the line where it first does: of a file its position, of a text in the plan
    /// its number, since how the lines of the text lie in the plan is not known.
    pub(super) fn pointing_at(&self, named: &str, source: &Source, mut finding: Finding) -> Finding {
        let ends = |at: &usize| {
            let behind = self.text.get(at + named.len()..).and_then(|rest| rest.chars().next());
            behind.is_none_or(|c| !c.is_alphanumeric() && c != '_')
        };
        let Some(offset) = self.text.match_indices(named).map(|(at, _)| at).find(ends) else { return finding };
        if self.is_in_a_file() {
            return finding.at(self.position(source, offset));
        }
        if self.text.trim_end().contains('\n') {
            let line = self.text.get(..offset).unwrap_or_default().matches('\n').count() + 1;
            finding.message.push_str(&format!(", in line {line} of the text"));
        }
        finding
    }

    /// What it prints word for word.
    pub(super) fn pieces(&self) -> Vec<Piece<'a>> {
        pieces(self.text)
    }
}

fn of_wording<'a>(
    source: &Source,
    communique: &'a Communique,
    group: Option<&'a GroupId>,
    path: &str,
    wording: &'a WordingSource,
) -> Vec<Written<'a>> {
    let parts = [(Part::Subject, &wording.subject), (Part::Text, &wording.text), (Part::Short, &wording.short)];
    let mut written = Vec::new();
    for (part, sources) in parts {
        for text in sources.iter().flat_map(|Sources(sources)| sources) {
            let path = text_path(path, part.word(), text);
            let by_lang = text.lang.as_ref().filter(|_| text.file.is_some()).map(|lang| key_path(&path, lang.as_str()));
            let path = by_lang.filter(|path| source.get(path).is_some()).unwrap_or(path);
            written.push(Written { communique, group, part, path, file: text.file.as_deref(), text: &text.text });
        }
    }
    written
}

const CODE: [(&str, &str); 3] = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];

/// What a template prints word for word: all but expressions, tags and comments.
pub(super) fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut offset, mut behind) = (0, None);
    loop {
        let rest = template.get(offset..).unwrap_or_default();
        let next = CODE.iter().filter_map(|(open, close)| Some((rest.find(open)?, *close))).min_by_key(|(at, _)| *at);
        let length = next.map_or(rest.len(), |(at, _)| at);
        if length > 0 {
            pieces.push(Piece { offset, text: rest.get(..length).unwrap_or_default(), behind });
        }
        let Some((at, close)) = next else { return pieces };
        let code = rest.get(at..).unwrap_or_default();
        let end = code.find(close).map_or(code.len(), |end| end + close.len());
        behind = Some((code.get(..end).unwrap_or_default(), template.get(..offset + at).unwrap_or_default()));
        offset += at + end;
    }
}

/// The text with what stands between backticks blanked, octet for octet: code is what it is.
pub(super) fn without_code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        out.push_str(before);
        let Some(end) = after.find('`') else {
            out.push('`');
            rest = after;
            continue;
        };
        out.extend(std::iter::repeat_n(' ', end + 2));
        rest = after.get(end + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_printed_word_for_word_is_a_piece() {
        let found = |template| pieces(template).into_iter().map(|p| (p.offset, p.text)).collect::<Vec<_>>();
        assert_eq!(
            found("Dear {{ person.name }},{# later #} all{% if x %}."),
            [(0, "Dear "), (22, ","), (34, " all"), (48, ".")]
        );
        assert_eq!(found("{{ a }}"), []);
        assert_eq!(found("open {{ end"), [(0, "open ")]);
        let behind = pieces("Of {{ release.product }} 2").last().and_then(|p| p.behind);
        assert_eq!(behind, Some(("{{ release.product }}", "Of ")));
    }

    #[test]
    fn code_is_blanked_in_place() {
        assert_eq!(without_code("run `ö x` now"), "run       now".replacen("   ", "    ", 1));
        assert_eq!(without_code("a `lone tick"), "a `lone tick");
        for text in ["run `ö x` now", "``` a ``` b", "`"] {
            assert_eq!(without_code(text).len(), text.len(), "{text}");
        }
    }
}
