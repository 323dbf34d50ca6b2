//! The templates of a plan, parsed once: where each stands and what it uses.

use super::finding::{Finding, Position};
use super::findings::Findings;
use super::key_path;
use super::sources::Sources as Files;
use crate::communique::{Source, Sources, WordingSource};
use crate::id::{CommuniqueId, GroupId};
use crate::template::{TemplateOptions, Templates};
use std::collections::BTreeSet;

/// Which part of the words a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Part {
    /// The subject line.
    Subject,
    /// The body.
    Text,
    /// The form for pager and text.
    Short,
}

impl Part {
    /// The key in plans.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Text => "text",
            Self::Short => "short",
        }
    }
}

/// One template of a plan and what it uses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Text {
    /// The communique that it is for.
    pub communique: CommuniqueId,
    /// The group for whose deliveries alone it is, where it stands in `for`.
    pub group: Option<GroupId>,
    /// Which part it is.
    pub part: Part,
    /// The path within the plan.
    pub path: String,
    /// The file that it came from.
    pub file: Option<String>,
    /// The variables that it uses, as dotted paths such as `release.product`.
    pub uses: BTreeSet<String>,
    /// Whether it could not be parsed, so that what it uses is not known.
    pub broken: bool,
}

impl Text {
    /// Whether it uses the variable or something within it.
    #[must_use]
    pub fn uses(&self, variable: &str) -> bool {
        self.uses
            .iter()
            .any(|used| used.strip_prefix(variable).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    }
}

/// The path of a text within the plan: `text_file` where it has a file of its own, else its key, and its language where it stands by
/// language. `base` is the path of the communique or of its `for` entry.
pub(crate) fn text_path(base: &str, key: &str, source: &Source) -> String {
    if source.file.is_some() {
        return format!("{base}.text_file");
    }
    let path = format!("{base}.{key}");
    source.lang.as_ref().map_or_else(|| path.clone(), |lang| key_path(&path, lang.as_str()))
}

/// Parses the templates of one wording. `path` is that of the communique or of its `for` entry.
pub(crate) fn parse(
    communique: &CommuniqueId,
    group: Option<&GroupId>,
    path: &str,
    wording: &WordingSource,
    files: &dyn Files,
    out: &mut Findings,
) -> Vec<Text> {
    let mut texts = Vec::new();
    let parts = [(Part::Subject, &wording.subject), (Part::Text, &wording.text), (Part::Short, &wording.short)];
    for (part, sources) in parts {
        let Some(Sources(sources)) = sources else { continue };
        for source in sources {
            let mut text = Text {
                communique: communique.clone(),
                group: group.cloned(),
                part,
                path: text_path(path, part.word(), source),
                file: source.file.clone(),
                uses: BTreeSet::new(),
                broken: false,
            };
            let mut templates = Templates::new(TemplateOptions::default());
            match templates.add(part.word(), source.text.as_str()).and_then(|()| templates.uses(part.word())) {
                Ok(uses) => text.uses = uses,
                Err(e) => {
                    text.broken = true;
                    // Where the text stands in the plan, its lines are not those of the file.
                    let line = e.line().filter(|_| source.file.is_none() && source.text.trim_end().contains('\n'));
                    let line = line.map(|line| format!(", in line {line} of it")).unwrap_or_default();
                    let message = format!("the template cannot be read{line}: {}", e.message());
                    let mut finding = Finding::error("RC0702", &text.path, message);
                    if let (Some(file), Some(line)) = (&source.file, e.line()) {
                        let shown = source.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
                        finding = finding.at(Position::new(files.name(file), line, e.column().unwrap_or(1), shown));
                    }
                    out.push(finding);
                }
            }
            texts.push(text);
        }
    }
    texts
}
