//! Parameters: values from outside that `{{ params.NAME }}` stands for, filled in before the plan is decoded.

use super::Finding;
use super::draft::{ParamDraft, ParamFrom};
use super::embargo::{Embargo, lies_within, variable};
use super::excerpt::without_addresses;
use super::source::{Kind, Node, Source, did_you_mean};
use std::collections::BTreeMap;

/// What comes to a plan from outside: the values of `--set`, and the environment. The core reads no environment of its own.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Settings {
    /// Values by the names of parameters; these win over everything else.
    pub set: BTreeMap<String, String>,
    /// Environment variables; those that `params` names are read.
    pub env: BTreeMap<String, String>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values of an environment may be secrets.
        f.debug_struct("Settings").field("set", &self.set.keys()).finish_non_exhaustive()
    }
}

/// Fills every `{{ params.NAME }}` outside templates, and puts the values in the place of the parameters' origins.
///
/// The templates of communiques (`subject`, `text`, `short`) are left alone: there `params` is a name like any other.
pub(super) fn expand(source: &mut Source, settings: &Settings) -> Result<(), Vec<Finding>> {
    let declared: Vec<(String, ParamDraft)> = match source.get("params") {
        // What is wrong with the parameters themselves is found when the whole plan is decoded.
        Some(_) => match source.decode_at::<super::source::Ordered<String, ParamDraft>>("params") {
            Ok(params) => params.into_iter().collect(),
            Err(_) => return Ok(()),
        },
        None => Vec::new(),
    };
    let mut findings = Vec::new();
    let mut values = BTreeMap::new();
    for (name, param) in &declared {
        let from = match param {
            ParamDraft::Value(value) => ParamFrom { env: None, value: Some(value.clone()) },
            ParamDraft::From(from) => from.clone(),
        };
        let env = from.env.as_ref();
        let value = settings.set.get(name).or_else(|| settings.env.get(env?)).or(from.value.as_ref());
        match value {
            Some(value) => {
                values.insert(name.clone(), value.clone());
            }
            None => findings.push(no_value(source, name, env.map(String::as_str))),
        }
    }
    for name in settings.set.keys().filter(|name| !declared.iter().any(|(known, _)| known == *name)) {
        let finding = Finding::error("RC0006", "params", format!("there is no parameter `{name}` to set"));
        let known = declared.iter().map(|(name, _)| name.as_str());
        let help = did_you_mean(name, known).unwrap_or_else(|| "declare it under `params`".to_owned());
        findings.push(finding.help(help).at(source.at("params")));
    }
    let failed: Vec<&str> =
        declared.iter().map(|(name, _)| name.as_str()).filter(|name| !values.contains_key(*name)).collect();
    let mut faults = Vec::new();
    let classified = classified(source);
    let mut told: Vec<(Vec<Step>, String)> = Vec::new();
    walk(
        source.root_mut(),
        &mut Vec::new(),
        &mut |path, text| {
            let of_it = named(text).filter(|name| classified.iter().any(|of| lies_within(name, of)));
            told.extend(of_it.map(|name| (path.to_vec(), name)));
            fill(text, &values, &failed).map_err(|e| (path.to_vec(), e))
        },
        &mut faults,
    );
    for (path, name) in told.into_iter().filter(|(path, _)| !is_kept(path, source, &classified)) {
        let written = written(&path);
        let at = source.get(&written).map_or_else(|| source.at(&written), |node| source.position(node));
        let message = format!("`{name}` is classified, and what stands here is not");
        let help = "classify this as well, or use the parameter in texts alone";
        findings.push(Finding::error("RC0623", written, message).help(help).at(at));
    }
    for (path, (message, help)) in faults {
        let written = written(&path);
        let at = source.get(&written).map_or_else(|| source.at(&written), |node| source.position(node));
        findings.push(Finding::error("RC0006", written, message).help(help).at(at));
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    for (name, value) in values {
        let mut path = "params".to_owned();
        super::source::push_key(&mut path, &name);
        source.set(&path, &value);
    }
    Ok(())
}

fn no_value(source: &Source, name: &str, env: Option<&str>) -> Finding {
    let mut path = "params".to_owned();
    super::source::push_key(&mut path, name);
    let at = source.at(&path);
    let finding = Finding::error("RC0006", path, format!("the parameter `{name}` has no value")).at(at);
    match env {
        Some(env) => finding.help(format!("set the environment variable {env}, or `--set {name}=…`")),
        None => finding.help(format!("`--set {name}=…`")),
    }
}

#[derive(Clone)]
enum Step {
    Key(String),
    Index(usize),
}

/// The path as plans and findings write it.
fn written(path: &[Step]) -> String {
    let mut written = String::new();
    for step in path {
        match step {
            Step::Key(key) => super::source::push_key(&mut written, key),
            Step::Index(index) => written.push_str(&format!("[{index}]")),
        }
    }
    written
}

/// What the plan's embargo classifies, where it says so.
fn classified(source: &Source) -> Vec<String> {
    let said: Vec<String> = match source.get("embargo.classified").map(Node::kind) {
        Some(Kind::Scalar { text, .. }) => vec![text.clone()],
        Some(Kind::List(items)) => items.iter().filter_map(Node::text).map(ToOwned::to_owned).collect(),
        _ => return Vec::new(),
    };
    Embargo::variables(said.iter())
}

/// The parameters that a text names, as variables.
fn named(text: &str) -> impl Iterator<Item = String> {
    let inside = text.split("{{").skip(1).filter_map(|after| after.split_once("}}")).map(|(inside, _)| inside.trim());
    inside.filter(|name| name.starts_with("params.")).map(variable)
}

/// Whether what stands at a path is classified itself, or tells nobody.
fn is_kept(path: &[Step], source: &Source, classified: &[String]) -> bool {
    let keys: Vec<&str> =
        path.iter().filter_map(|step| if let Step::Key(key) = step { Some(key.as_str()) } else { None }).collect();
    if matches!(keys.first(), Some(&("params" | "embargo"))) {
        return true;
    }
    let item = match path {
        [Step::Key(release), Step::Key(what), Step::Index(index), ..]
            if (release.as_str(), what.as_str()) == ("release", "what") =>
        {
            let id = source.get(&format!("release.what[{index}].id")).and_then(Node::text).map(ToOwned::to_owned);
            Some(id.unwrap_or_else(|| format!("item-{}", index + 1)))
        }
        _ => (keys == ["release", "what"]).then(|| "item-1".to_owned()),
    };
    let variables = [Some(keys.join(".")), item.map(|id| variable(&format!("item.{id}")))];
    variables.iter().flatten().any(|own| classified.iter().any(|of| lies_within(own, of)))
}

/// What is wrong with a reference, and what helps.
type Reason = (String, String);
type Fault = (Vec<Step>, Reason);

fn walk(
    node: &mut Node,
    path: &mut Vec<Step>,
    fill: &mut impl FnMut(&[Step], &str) -> Result<Option<String>, Fault>,
    faults: &mut Vec<Fault>,
) {
    match node.kind_mut() {
        Kind::Null => {}
        Kind::Scalar { text, plain } => match fill(path, text) {
            Ok(None) => {}
            Ok(Some(filled)) => {
                *text = filled;
                // YAML demands quotes around `{{ … }}`; the value in its place may be a number all the same.
                *plain = true;
            }
            Err(fault) => faults.push(fault),
        },
        Kind::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                path.push(Step::Index(index));
                walk(item, path, fill, faults);
                path.pop();
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                path.push(Step::Key(entry.key().to_owned()));
                if !is_template(path) {
                    walk(entry.value_mut(), path, fill, faults);
                }
                path.pop();
            }
        }
    }
}

/// Whether the path is that of a communique's template: `communiques.X.text` and `communiques.X.for.GROUP.text`.
fn is_template(path: &[Step]) -> bool {
    let keys: Vec<&str> = path.iter().map(|s| if let Step::Key(key) = s { key.as_str() } else { "" }).collect();
    matches!(
        keys[..],
        ["communiques", _, "subject" | "text" | "short"] | ["communiques", _, "for", _, "subject" | "text" | "short"]
    )
}

/// The text with its parameters filled in; `None` if it names none.
fn fill(text: &str, values: &BTreeMap<String, String>, failed: &[&str]) -> Result<Option<String>, Reason> {
    let mut filled = String::new();
    let mut rest = text;
    let mut any = false;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((inside, tail)) = after.split_once("}}") else { break };
        filled.push_str(before);
        match inside.trim().strip_prefix("params.") {
            Some(name) => {
                any = true;
                match values
                    .get(name)
                    .or_else(|| values.iter().find(|(n, _)| n.replace('-', "_") == name).map(|(_, v)| v))
                {
                    Some(value) => filled.push_str(value),
                    // Reported where it is declared.
                    None if failed.contains(&name) => {}
                    None if name.contains(|c: char| c.is_whitespace() || c == '|') => {
                        let message = "outside texts a parameter stands alone";
                        return Err((message.into(), "write `{{ params.NAME }}`".into()));
                    }
                    None => {
                        let known = values.keys().map(String::as_str).chain(failed.iter().copied());
                        let help = did_you_mean(name, known).unwrap_or_else(|| "declare it under `params`".into());
                        return Err((
                            format!(
                                "there is no parameter `{}`",
                                without_addresses(&name.chars().take(64).collect::<String>())
                            ),
                            help,
                        ));
                    }
                }
            }
            None => {
                filled.push_str("{{");
                filled.push_str(inside);
                filled.push_str("}}");
            }
        }
        rest = tail;
    }
    filled.push_str(rest);
    Ok(any.then_some(filled))
}
