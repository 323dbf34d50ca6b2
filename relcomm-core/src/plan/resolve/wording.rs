//! The words: templates in the plan and in files, by language.

use super::Resolver;
use crate::communique::{Source, Sources, WordingSource};
use crate::document::MAX_SOURCE;
use crate::id::{GroupId, Lang};
use crate::plan::draft::TextDraft;
use crate::plan::finding::{Finding, Position};
use crate::plan::members::unreadable;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::string::FromUtf8Error;

/// The keys of one wording.
#[derive(Clone, Copy)]
pub(super) struct Words<'d> {
    pub(super) subject: Option<&'d TextDraft>,
    pub(super) text: Option<&'d TextDraft>,
    pub(super) text_file: Option<&'d TextDraft>,
    pub(super) short: Option<&'d TextDraft>,
}

impl Words<'_> {
    pub(super) fn are_said(&self) -> bool {
        self.subject.is_some() || self.text.is_some() || self.text_file.is_some() || self.short.is_some()
    }
}

impl Resolver<'_> {
    /// Loads the words at `path`, that of a communique or of its `for` entry, for these groups.
    pub(super) fn wording(&mut self, path: &str, words: Words<'_>, groups: &[GroupId]) -> WordingSource {
        if words.text.is_some() && words.text_file.is_some() {
            self.error("RC0104", format!("{path}.text_file"), "either `text` or `text_file`");
        }
        let text = match (words.text, words.text_file) {
            (Some(text), _) => Some(inline_text(text)),
            (None, Some(file)) => self.text_files(&format!("{path}.text_file"), file, groups),
            (None, None) => None,
        };
        WordingSource { subject: words.subject.map(inline_text), text, short: words.short.map(inline_text) }
    }

    fn text_files(&mut self, path: &str, file: &TextDraft, groups: &[GroupId]) -> Option<Sources> {
        let named: Vec<(Option<Lang>, String)> = match file {
            TextDraft::All(file) => match by_language(file) {
                None => vec![(None, file.clone())],
                Some((before, after)) => {
                    let languages: BTreeSet<&Lang> = self
                        .draft
                        .groups
                        .iter()
                        .filter(|(id, _)| groups.contains(id))
                        .flat_map(|(_, group)| group.full.languages.iter().chain(&group.full.fallback))
                        .collect();
                    if languages.is_empty() {
                        self.error(
                            "RC0105",
                            path,
                            "the file is named by language, but none of the groups has `languages`",
                        );
                    }
                    languages.into_iter().map(|lang| (Some(lang.clone()), format!("{before}{lang}{after}"))).collect()
                }
            },
            TextDraft::ByLang(files) => files.iter().map(|(lang, file)| (Some(lang.clone()), file.clone())).collect(),
        };
        let mut sources = Vec::new();
        for (lang, file) in named {
            match self.read_text(&file).map(String::from_utf8) {
                Ok(Ok(text)) => sources.push(Source { lang, file: Some(file), text }),
                Ok(Err(e)) => {
                    let at = end_of(&self.sources.name(&file), &String::from_utf8_lossy(valid(&e)));
                    let message = format!("the text file `{file}` is not UTF-8 from here on");
                    self.out.push(Finding::error("RC0401", path, message).help("save it as UTF-8").at(at));
                }
                Err(e) => {
                    let at = Some(self.source.at(path));
                    self.out.push(unreadable(path, "text file", &file, &e, at.as_ref()));
                }
            }
        }
        (!sources.is_empty()).then_some(Sources(sources))
    }

    fn read_text(&self, file: &str) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let longest = u64::try_from(MAX_SOURCE).unwrap_or(u64::MAX);
        let read = self.sources.open(file)?.take(longest.saturating_add(1)).read_to_end(&mut text)?;
        if read > MAX_SOURCE {
            return Err(io::Error::other(format!("it is longer than {MAX_SOURCE} octets")));
        }
        Ok(text.strip_prefix(b"\xEF\xBB\xBF").map(<[u8]>::to_vec).unwrap_or(text))
    }
}

fn inline_text(text: &TextDraft) -> Sources {
    match text {
        TextDraft::All(text) => Sources(vec![Source::inline(text.as_str())]),
        TextDraft::ByLang(texts) => {
            let in_lang =
                |(lang, text): &(Lang, String)| Source { lang: Some(lang.clone()), file: None, text: text.clone() };
            Sources(texts.iter().map(in_lang).collect())
        }
    }
}

/// The octets before the first that is not UTF-8.
fn valid(error: &FromUtf8Error) -> &[u8] {
    error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default()
}

/// The place right behind a text.
fn end_of(file: &str, text: &str) -> Position {
    let last = text.rsplit('\n').next().unwrap_or_default();
    Position::new(file, 1 + text.matches('\n').count(), 1 + last.chars().count(), last)
}

/// What stands before and after `{{ lang }}` in a file's name.
fn by_language(file: &str) -> Option<(&str, &str)> {
    let (before, rest) = file.split_once("{{")?;
    let (inside, after) = rest.split_once("}}")?;
    (inside.trim() == "lang").then_some((before, after))
}
