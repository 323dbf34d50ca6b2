//! Verbs that check and send nothing: `schema`, `validate`, `prepare`, `verify`.

use super::annotations::annotations;
use super::desk::Bench;
use super::{json, print, say};
use crate::arguments::{Common, Format, Language};
use crate::deployment::Deployment;
use crate::load::{Loaded, earlier, load, load_with, speaks_of_an_embargo};
use crate::{Exit, Failure};
use relcomm_core::channel::{AttemptContext, Prepared};
use relcomm_core::clock::{Clock, SystemClock};
use relcomm_core::communique::Anchor;
use relcomm_core::plan::{Finding, MOST_FINDINGS, Severity, json_schema};
use relcomm_core::prepare::PreparedPlan;
use relcomm_core::validate::{Deployment as Facts, standard_rules};
use relcomm_testkit::rehearsal::script_schema;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub(super) fn schema(of: Language) -> Result<Exit, Failure> {
    print(&json(&match of {
        Language::Plan => json_schema(),
        Language::Rehearsal => script_schema(),
    }));
    Ok(Exit::Done)
}

pub(super) async fn validate(common: &Common, verbose: bool, against: Option<&Path>) -> Result<Exit, Failure> {
    let mut all = Vec::new();
    let facts = match &common.channels {
        Some(path) => match deployment_facts(common, path, &mut all).await? {
            Some(facts) => facts,
            None => Facts::unknown(),
        },
        None => Facts::unknown(),
    };
    let mut rules = standard_rules();
    if let Some(old) = against {
        rules.push(Box::new(earlier(common, old)?));
    }
    match load_with(common, &facts.now(SystemClock::new().now()), &rules) {
        Ok(Loaded::Plan(judged)) => all.extend(judged.validation.findings().iter().cloned()),
        Ok(Loaded::Bundle(_)) if against.is_some() => {
            return Err(Failure::Tool("a bundle is sealed: compare the plan of which it was made".into()));
        }
        Ok(Loaded::Bundle(_)) => {}
        Err(Failure::Findings(found)) => all.extend(found),
        Err(other) => return Err(other),
    }
    if speaks_of_an_embargo(&common.plan) && !std::io::stdout().is_terminal() {
        // Its lines are for whoever writes it, and not for the log of a build server.
        all = all.into_iter().map(Finding::without_excerpt).collect();
    }
    print(&findings(&all, common.format, verbose));
    Ok(if all.iter().any(Finding::is_error) { Exit::Invalid } else { Exit::Done })
}

/// The facts of a channels file, or what is wrong with it among the findings. Channels whose secrets are not there yet are left out: that
/// is for `verify` to say.
async fn deployment_facts(common: &Common, path: &Path, all: &mut Vec<Finding>) -> Result<Option<Facts>, Failure> {
    let deployment = match Deployment::read(path, common.kinds.clone()) {
        Ok(deployment) => deployment,
        Err(Failure::Findings(found)) => {
            all.extend(found);
            return Ok(None);
        }
        Err(other) => return Err(other),
    };
    let plan = match load(common, &Facts::unknown()) {
        Ok(Loaded::Plan(judged)) => judged.validation.plan().cloned(),
        Ok(Loaded::Bundle(bundle)) => Some(bundle.plan().clone()),
        Err(_) => None,
    };
    match deployment.channels(plan.as_ref()).await {
        Ok(channels) => Ok(Some(deployment.facts(&channels))),
        Err(why) => {
            all.push(Finding::warning(
                "RC1005",
                "",
                format!("the channels cannot be made here, so their limits are not checked: {why}"),
            ));
            Ok(None)
        }
    }
}

/// Findings as text, as JSON, or as annotations of a pull request.
pub(super) fn findings(all: &[Finding], format: Format, verbose: bool) -> String {
    let shown: Vec<&Finding> = all.iter().filter(|f| verbose || f.severity > Severity::Note).collect();
    let count = |severity| all.iter().filter(|f| f.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    match format {
        Format::Json => {
            json(&json!({ "valid": errors == 0, "errors": errors, "warnings": warnings, "findings": shown }))
        }
        Format::Github => annotations(&shown),
        Format::Text => {
            let mut out = shown.iter().fold(String::new(), |mut out, f| {
                let _ = writeln!(out, "{f}\n");
                out
            });
            let s = |n: usize| if n == 1 { "" } else { "s" };
            if errors + warnings >= MOST_FINDINGS {
                out.push_str("no more are looked for\n");
            }
            let _ = match (errors, warnings) {
                (0, 0) => writeln!(out, "valid"),
                (0, w) => writeln!(out, "valid, {w} warning{}", s(w)),
                (e, 0) => writeln!(out, "not valid: {e} error{}", s(e)),
                (e, w) => writeln!(out, "not valid: {e} error{}, {w} warning{}", s(e), s(w)),
            };
            out
        }
    }
}

pub(super) async fn prepare(
    common: &Common,
    out: Option<&Path>,
    bundle: Option<&Path>,
    by: Option<String>,
) -> Result<Exit, Failure> {
    let mut bench = Bench::open(common).await?;
    match by {
        Some(by) => bench.prepared = bench.prepared.prepared_by(by).map_err(Failure::Refused)?,
        None if bundle.is_some() && bench.asks_who_prepares() => {
            return Err(Failure::Refused("the plan asks who prepares: say it with --by".into()));
        }
        None => {}
    }
    super::warn(&bench.findings);
    let mut texts = 0;
    let mut written = BTreeSet::new();
    let over = !bench.prepared.has_classified()
        || match bench.embargo_is_over(common).await? {
            Some(over) => over,
            None => ends_by_itself(&bench.prepared),
        };
    let mut withheld = 0;
    for text in bench.prepared.texts(&bench.channels) {
        texts += 1;
        if let (Some(dir), Ok(prepared)) = (out, &text.result) {
            let who = text.person.and_then(|n| bench.prepared.people().get(n));
            let lang = text.lang.as_ref().map(|lang| format!(".{lang}")).unwrap_or_default();
            let name = who.map_or_else(|| format!("{}-all{lang}", text.group), |w| w.id.as_str().to_owned());
            let folder = dir.join(text.gate.to_string().replace('/', "-")).join(text.mechanism.as_str());
            let hide = text.classified && !over;
            withheld += usize::from(hide);
            let file = if hide {
                write_text(&folder, &name, &prepared.withheld(), &written)
            } else {
                write_text(&folder, &name, prepared, &written)
            };
            written.insert(file.map_err(|e| Failure::Tool(format!("{}: {e}", folder.display())))?);
        }
    }
    if withheld > 0 {
        say(&format!("{withheld} classified texts are written as digest and length: the embargo has not ended"));
    }
    if let Some(dir) = out {
        let left = earlier_texts(dir, 2).iter().filter(|file| !written.contains(*file)).count();
        if left > 0 {
            say(&format!("{left} texts of an earlier preparation are left in {}", dir.display()));
        }
    }
    if let Some(path) = bundle {
        let whole = over && !bench.prepared.is_withheld();
        let done = if whole { bench.prepared.write_classified(path) } else { bench.prepared.write(path) };
        done.map_err(|e| Failure::Tool(format!("{}: {e}", path.display())))?;
        say(&format!("bundle written to {}", path.display()));
        if !whole && bench.prepared.has_classified() {
            say("it holds no classified text: to send before it is prepared again, name the plan itself");
        }
    }
    let digests = bench.prepared.digests();
    let (people, gates) = (bench.prepared.people().len(), bench.prepared.gates().len());
    let value = json!({ "plan": bench.prepared.plan().id(), "digests": digests, "people": people, "gates": gates, "texts": texts });
    let line = format!(
        "prepared {}: {people} people, {gates} gates, {texts} different texts\ntexts {}\npeople {}",
        bench.prepared.plan().id(),
        digests.texts,
        digests.people
    );
    super::answer(common.format, &line, &value);
    Ok(Exit::Done)
}

/// Whether the embargo has ended by the plan alone, where there is no record: only at an instant, since a planned time may have moved.
fn ends_by_itself(prepared: &PreparedPlan) -> bool {
    let now = SystemClock::new().now();
    let is_instant = prepared.plan().embargo().is_some_and(|of| matches!(of.until.anchor, Anchor::At(_)));
    is_instant && prepared.embargo_ends().is_some_and(|ends| ends <= now)
}

/// One file for each text, its parts one after another. The name may be a person's id, so whatever a path could stumble over is replaced; a
/// number stands behind it where another text has that name already.
fn write_text(folder: &Path, name: &str, prepared: &Prepared, written: &BTreeSet<PathBuf>) -> std::io::Result<PathBuf> {
    let name: String = name.chars().map(|c| if c.is_alphanumeric() || "-_.+@".contains(c) { c } else { '_' }).collect();
    std::fs::create_dir_all(folder)?;
    let mut content = String::new();
    for part in &prepared.parts {
        // Writing to a string does not fail.
        let _ = write!(content, "=== {} ({})\n{}\n\n", part.name, part.media, part.content);
    }
    let name = name.trim_start_matches('.');
    let mut file = folder.join(format!("{name}.txt"));
    for number in 2.. {
        if !written.contains(&file) || std::fs::read_to_string(&file)? == content {
            break;
        }
        file = folder.join(format!("{name}-{number}.txt"));
    }
    std::fs::write(&file, content)?;
    Ok(file)
}

/// The texts in a directory, so many folders deep: by gate and mechanism.
fn earlier_texts(dir: &Path, deep: usize) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
    if deep == 0 {
        return files.into_iter().filter(|file| file.extension().is_some_and(|e| e == "txt")).collect();
    }
    folders.iter().flat_map(|folder| earlier_texts(folder, deep - 1)).collect()
}

pub(super) async fn verify(common: &Common) -> Result<Exit, Failure> {
    let bench = Bench::open(common).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (mut lines, mut values, mut bad) = (Vec::new(), Vec::new(), false);
    for (mechanism, binding) in bench.channels.iter() {
        let cx = AttemptContext::new(Arc::clone(&clock), Duration::from_secs(30));
        match binding.channel.verify(&cx).await {
            Ok(found) => {
                let notes: Vec<String> =
                    found.iter().map(|f| format!("{} {}: {}", f.code, f.severity, f.message)).collect();
                let failed = found.iter().any(Finding::is_error);
                bad |= failed;
                lines.push(format!("{mechanism}: {}", if failed { "not usable" } else { "ready" }));
                lines.extend(notes.iter().map(|n| format!("  {n}")));
                values.push(json!({ "mechanism": mechanism, "ready": !failed, "findings": found }));
            }
            Err(error) => {
                bad = true;
                lines.push(format!("{mechanism}: {error}"));
                values.push(json!({ "mechanism": mechanism, "ready": false, "error": error.to_string() }));
            }
        }
    }
    super::answer(common.format, &lines.join("\n"), &values);
    Ok(if bad { Exit::Invalid } else { Exit::Done })
}
