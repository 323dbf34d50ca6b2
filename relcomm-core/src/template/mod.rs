//! Strict templates: what they print is always text.
//!
//! A template is Markdown with [Jinja syntax](https://docs.rs/minijinja/3/minijinja/syntax/). It is strict: an unknown
//! variable, a `null`, a list or a map cannot be printed. Every value that `{{ … }}` prints is inserted into the parsed
//! text, so nothing in a person's name is ever taken for Markdown or HTML; only the author's own words are.
//!
//! ```
//! use relcomm_core::template::{Serde, TemplateOptions, Templates, Value};
//!
//! let mut templates = Templates::new(TemplateOptions::default());
//! templates.add("live.md", "Dear {{ person.name }}, **{{ release.product }}** is live.")?;
//! assert!(templates.uses("live.md")?.contains("person.name"));
//!
//! let values = Value::from(Serde(serde_json::json!({
//!     "person": {"name": "*Ann* <b>"},
//!     "release": {"product": "Billing"},
//! })));
//! let document = templates.document("live.md", &values)?;
//! assert_eq!(document.to_plain(), "Dear *Ann* <b>, Billing is live.");
//! # Ok::<(), relcomm_core::template::TemplateError>(())
//! ```
//!
//! Text caught by `{% set x %}…{% endset %}`, a macro or `{% filter %}` stays the author's Markdown with values inside.
//! Tags that reach other templates (`include`, `import`, `from`, `extends`) are refused: a template is whole, so that
//! what it uses can be listed.

mod asked;
mod changed;
mod error;
mod form;
mod instants;
mod named;
mod printed;

use std::collections::BTreeSet;
use std::fmt;

use chrono_tz::Tz;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

pub use self::error::TemplateError;
pub(crate) use self::form::{Forms, LineForm, Own, TextForm};
use self::printed::{Marks, Printed};
use crate::document::{Document, DocumentError, MAX_SOURCE, Marks as _};

/// The values that a template is rendered with; cheap to clone, so that what is shared by many people is built once.
pub use minijinja::Value;
/// Makes a [`Value`] of anything that serde can serialize: `Value::from(Serde(&release))`.
pub use minijinja::value::Serde;

/// How templates are rendered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TemplateOptions {
    /// The zone in which instants are printed, unless a filter names another. Default: UTC.
    pub zone: Tz,
    /// How many instructions one rendering may take. Default: 1 000 000, far beyond any text that people read.
    pub fuel: u64,
}

impl Default for TemplateOptions {
    fn default() -> Self {
        Self { zone: Tz::UTC, fuel: 1_000_000 }
    }
}

impl TemplateOptions {
    /// These options with another zone.
    #[must_use]
    pub fn zone(mut self, zone: Tz) -> Self {
        self.zone = zone;
        self
    }

    /// These options with another bound on instructions.
    #[must_use]
    pub fn fuel(mut self, fuel: u64) -> Self {
        self.fuel = fuel;
        self
    }
}

/// A set of named templates.
///
/// Rendering takes `&self` and keeps nothing, so a set can be shared by threads; the same template and values always
/// give the same text.
pub struct Templates {
    environment: Environment<'static>,
    marks: Marks,
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: BTreeSet<&str> = self.environment.templates().map(|(name, _)| name).collect();
        f.debug_struct("Templates").field("names", &names).finish_non_exhaustive()
    }
}

impl Templates {
    /// An empty set.
    #[must_use]
    pub fn new(options: TemplateOptions) -> Self {
        let marks = Marks::new();
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(options.fuel));
        // Without it the engine forgets which expression an error is about.
        environment.set_debug(true);
        // Any escaping but none makes the engine tell captured text (the author's) from values.
        environment.set_auto_escape_callback(|_| AutoEscape::Custom("text".into()));
        let own = marks.clone();
        environment.set_formatter(move |out, state, value| own.print(out, state, value));
        // The source check in `add` refuses other templates with a better text; this is the second lock.
        environment.set_path_join_callback(|_, _| "\0".into());
        for filter in ["safe", "escape", "e", "pprint"] {
            environment.remove_filter(filter);
        }
        // It would print every variable, addresses included.
        environment.remove_global("debug");
        changed::add_filters(&mut environment, instants::filters(options.zone));
        Self { environment, marks }
    }

    /// Parses a template and adds it, in place of an earlier one of that name.
    ///
    /// # Errors
    /// A syntax error; a filter that there is not; a tag that reaches another template; a source longer than [`MAX_SOURCE`] or holding one of the
    /// Unicode noncharacters U+FDD0 to U+FDEF, which relcomm uses itself.
    pub fn add(&mut self, name: impl Into<String>, source: impl Into<String>) -> Result<(), TemplateError> {
        let (name, source) = (name.into(), source.into());
        if source.len() > MAX_SOURCE {
            return Err(TemplateError::of(&name, DocumentError::TooLong { length: source.len() }));
        }
        if let Some(at) = source.find(printed::is_reserved) {
            return Err(TemplateError::at(&name, &source, at, "the characters U+FDD0 to U+FDEF cannot be used"));
        }
        if let Some((at, tag)) = foreign_tag(&source) {
            return Err(TemplateError::at(&name, &source, at, format!("tag `{tag}` is not available")));
        }
        if let Some((at, filter)) = named::unknown_filter(&self.environment, &source) {
            return Err(TemplateError::at(&name, &source, at, format_args!("unknown filter `{filter}`")));
        }
        self.environment
            .add_template_owned(name.clone(), source.clone())
            .map_err(|err| TemplateError::from_engine(&name, Some(&source), &err))
    }

    /// The names of the templates.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        self.environment.templates().map(|(name, _)| name).collect()
    }

    /// The variables that a template uses, as dotted paths: `release.product`, `item.csv_v1_off`.
    ///
    /// A path ends at a subscript: `release["what"]` is `release`. What the template names itself (loop variables,
    /// `set`, macros) is not listed, nor are built-in functions. A variable is listed also where a condition may skip it.
    ///
    /// # Errors
    /// The template does not exist.
    pub fn uses(&self, name: &str) -> Result<BTreeSet<String>, TemplateError> {
        let template = self.template(name)?;
        let built_in: BTreeSet<&str> = self.environment.globals().map(|(name, _)| name).collect();
        let all = template.undeclared_variables(true);
        Ok(all.into_iter().filter(|path| !built_in.contains(path.as_str())).collect())
    }

    /// Renders a template as a text tree: the author's words are Markdown, printed values are literal text.
    ///
    /// A line end inside a value becomes a [`Break`], or a space in a heading, a table or inline code. A value in a link
    /// address is percent-encoded ([RFC 3986, 2.1](https://www.rfc-editor.org/rfc/rfc3986#section-2.1)), except at its
    /// beginning, where it must itself be an http, https, mailto or tel address. Control characters and the noncharacters
    /// U+FDD0 to U+FDEF are shown as U+FFFD. Values marked safe by the host
    /// ([`Value::from_safe_string`]) are taken for the author's Markdown.
    ///
    /// [`Break`]: crate::document::Inline::Break
    ///
    /// # Errors
    /// An unknown template, variable, filter or function; a value that cannot be printed; out of fuel; a printed link
    /// address that leads nowhere allowed.
    pub fn document(&self, name: &str, values: &Value) -> Result<Document, TemplateError> {
        let (source, printed) = self.render(name, values)?;
        Document::from_filled(&source, &self.marks, &printed).map_err(|err| TemplateError::of(name, err))
    }

    /// Renders a template as one line without Markdown, for subjects and short texts; values are literal.
    ///
    /// White space around the template is dropped.
    ///
    /// # Errors
    /// As for [`document`](Self::document); and a control character or line separator, named in the error, because a
    /// line end in a subject would begin another header ([RFC 5322, 2.2](https://www.rfc-editor.org/rfc/rfc5322#section-2.2)).
    pub fn line(&self, name: &str, values: &Value) -> Result<String, TemplateError> {
        let (source, printed) = self.render(name, values)?;
        let run = self.marks.run(source.trim());
        let line = run.and_then(|run| printed::text(&run, &printed)).map_err(|err| TemplateError::of(name, err))?;
        match line.chars().find(|c| printed::ends_line(*c)) {
            Some(c) => Err(TemplateError::of(name, format_args!("one line cannot hold {}", printed::name_of(c)))),
            None => Ok(line),
        }
    }

    fn template(&self, name: &str) -> Result<minijinja::Template<'_, '_>, TemplateError> {
        self.environment.get_template(name).map_err(|_| TemplateError::of(name, "no such template"))
    }

    /// The output, with marks where values belong, and the values.
    fn render(&self, name: &str, values: &Value) -> Result<(String, Printed), TemplateError> {
        let template = self.template(name)?;
        let mut captured = template
            .render_captured(values.clone())
            .map_err(|err| TemplateError::from_engine(name, Some(template.source()), &err))?;
        let printed = captured.with_state_mut(|state| state.get_extension_mut::<Printed>().map(std::mem::take));
        Ok((captured.into_output(), printed.unwrap_or_default()))
    }
}

/// The first tag that would reach another template, and where it begins.
fn foreign_tag(source: &str) -> Option<(usize, &str)> {
    source.match_indices("{%").find_map(|(at, open)| {
        let tag = source.get(at + open.len()..)?.trim_start_matches(['-', '+']).trim_start();
        let word = tag.split(|c: char| !c.is_ascii_alphabetic()).next()?;
        matches!(word, "include" | "import" | "from" | "extends").then_some((at, word))
    })
}
