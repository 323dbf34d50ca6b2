//! Every plan in the guide is what the guide says of it, and no key, default or word is left out.

use relcomm_core::ChannelSet;
use relcomm_core::id::{CommuniqueId, GroupId};
use relcomm_core::mechanism::{Addressing, Mechanism};
use relcomm_core::plan::draft::SecretRef;
use relcomm_core::plan::source::{Format, Source};
use relcomm_core::plan::{
    Condition, Directory, DirectoryError, HeldFiles, Hosted, MemberRecord, PlanDraft, Predicate, Sources, json_schema,
};
use relcomm_core::prepare::prepare;
use relcomm_core::release::Release;
use relcomm_core::stakeholder::Stakeholder;
use relcomm_core::validate::{Below, Deployment, NAMESPACES, catalogue, standard_rules, validate};
use relcomm_testkit::channel::ScriptedChannel;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Where the keys of each definition of the JSON Schema are told: the heading in the chapter of the plan language.
const SECTIONS: &[(&str, &str)] = &[
    ("ApprovalsDraft", "`approvals`"),
    ("CommuniqueDraft", "`communiques`"),
    ("DependencyDraft", "`after`"),
    ("FullEmbargoDraft", "`embargo`"),
    ("FullGroupDraft", "`groups`"),
    ("FullHowDraft", "`release.how`"),
    ("FullItemDraft", "`release.what`"),
    ("FullMemberDraft", "A member"),
    ("FullStepDraft", "`via`: the steps"),
    ("FullWhenDraft", "`release.when`"),
    ("IfBlockedDraft", "`if_blocked`"),
    ("IfDraft", "`if`"),
    ("MechanismDraft", "`mechanisms`"),
    ("MembersFrom", "`members`"),
    ("NeedOnly", "`approvals.need`"),
    ("OnePer", "`require`"),
    ("ReachColumn", "`via`: the steps"),
    ("ParamFrom", "`params`"),
    ("PartyMap", "A person in parts"),
    ("PlaceDraft", "`release.where`"),
    ("PlanDraft", "The plan"),
    ("ProfileDraft", "`profiles`"),
    ("ProtocolDraft", "`protocol`"),
    ("ReleaseDraft", "`release`"),
    ("ResponsibleForm", "`responsible`"),
    ("SecretRef", "`id_key`"),
    ("TimeMap", "Times"),
    ("ToldDraft", "`told`"),
    ("VariantDraft", "`for`"),
    ("ViaForm", "`via`: the steps"),
    ("WaivedDraft", "`waived`"),
];

fn chapter(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/guide/{name}.md"));
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn chapters() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let names = paths.filter(|path| path.extension().is_some_and(|end| end == "md"));
    names.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

/// The blocks of a chapter: what stands after the fence, and the text.
fn blocks(chapter: &str) -> Vec<(&str, &str)> {
    chapter.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect()
}

#[derive(Debug)]
struct Contacts;

impl Directory for Contacts {
    fn members(&self, _: &GroupId, give: &mut dyn FnMut(MemberRecord<'_>)) -> Result<(), DirectoryError> {
        give(MemberRecord::new().id("7").address("email", "bea@anvil.example"));
        Ok(())
    }
}

#[derive(Debug)]
struct Paying;

impl Predicate for Paying {
    fn holds(&self, _: &GroupId, _: &Stakeholder) -> bool {
        true
    }
}

/// A release of several things is large; one of these is not.
#[derive(Debug)]
struct IsLarge;

impl Condition for IsLarge {
    fn holds(&self, _: &CommuniqueId, release: &Release) -> bool {
        release.what.len() > 1
    }
}

/// What the host of a chapter's plans has: the files that the chapter shows, by the names after the fences, a directory, a predicate, a
/// condition and two secrets.
fn host(chapter: &str) -> Hosted<HeldFiles> {
    let files =
        blocks(chapter).into_iter().fold(HeldFiles::new(), |files, (fence, text)| match fence.split_once(' ') {
            Some((_, name)) => files.file(name, format!("{text}\n")),
            None => files,
        });
    let secret = "thirty-two octets out of a vault";
    Hosted::new(files)
        .directory("contacts", Contacts)
        .predicate("paying", Paying)
        .condition("is-large", IsLarge)
        .secret(SecretRef::Env("MEMBER_KEY".into()), secret)
        .secret(SecretRef::File("id.key".into()), secret)
}

/// The plans of a chapter. In that of the plan language all but the first are parts, which stand for those of the same names in the first.
fn plans(name: &str) -> Vec<String> {
    let text = chapter(name);
    let blocks = blocks(&text).into_iter().filter(|(fence, _)| *fence == "yaml").map(|(_, text)| text);
    if name != "plan_language" {
        return blocks.filter(|text| text.lines().any(|line| line == "plan: 1")).map(str::to_owned).collect();
    }
    let blocks: Vec<_> = blocks.collect();
    let whole = parts(blocks[0]);
    let replaced = |block: &&str| {
        let mut all = whole.clone();
        all.extend(parts(block));
        all.into_values().collect::<String>()
    };
    blocks.iter().map(replaced).collect()
}

/// The parts of a plan by their keys; comments are one of them.
fn parts(plan: &str) -> BTreeMap<String, String> {
    let mut parts: BTreeMap<String, String> = BTreeMap::new();
    let mut key = "";
    for line in plan.lines() {
        if !line.starts_with([' ', '}']) {
            key = line.split(':').next().filter(|_| !line.starts_with('#')).unwrap_or_default();
        }
        parts.entry(key.to_owned()).or_default().push_str(&format!("{line}\n"));
    }
    parts
}

/// The codes that a plan says it has.
fn said(plan: &str) -> BTreeSet<&str> {
    plan.lines().filter_map(|line| line.strip_prefix("# finds ")).collect()
}

/// The codes of the errors that reading, judging and preparing a plan find.
fn found(plan: &str, host: &dyn Sources) -> BTreeSet<&'static str> {
    let errors = |findings: &[relcomm_core::plan::Finding]| {
        findings.iter().filter(|f| f.is_error()).map(|f| f.code).collect::<BTreeSet<_>>()
    };
    let (draft, source) = match PlanDraft::read("plan.yaml", plan.as_bytes()) {
        Ok(read) => read,
        Err(findings) => return errors(&findings),
    };
    let (plan, people) = match validate(&draft, &source, host, &Deployment::unknown(), &standard_rules()).into_plan() {
        Ok(valid) => valid,
        Err(findings) => return errors(&findings),
    };
    let own = plan.mechanisms().keys().cloned();
    let standard = Mechanism::STANDARD.iter().map(|word| Mechanism::new(word).unwrap());
    let channel = |word: &Mechanism| {
        let any = ScriptedChannel::new("any");
        if plan.addressing(word) == Addressing::Once { any.once() } else { any }
    };
    let channels = own.chain(standard).fold(ChannelSet::new(), |set, word| {
        let channel = channel(&word);
        set.with(word, channel)
    });
    errors(&prepare(plan, people, &channels).findings)
}

#[test]
fn each_plan_can_be_prepared_or_has_the_faults_that_it_shows() {
    let mut seen = 0;
    for name in chapters() {
        let host = host(&chapter(&name));
        for plan in plans(&name) {
            assert_eq!(found(&plan, &host), said(&plan), "{name}:\n{plan}");
            seen += 1;
        }
    }
    assert!(seen > 40, "only {seen} plans were found");
}

#[test]
fn every_block_of_yaml_is_well_formed() {
    for name in chapters() {
        for (fence, text) in blocks(&chapter(&name)) {
            if fence == "yaml" {
                assert!(Source::parse("block.yaml", text.as_bytes(), Format::Yaml).is_ok(), "{name}:\n{text}");
            }
        }
    }
}

/// The keys told in each section, with the code of those that are not acted on yet.
fn told() -> BTreeMap<(String, String), Option<String>> {
    let mut told = BTreeMap::new();
    let mut section = String::new();
    for line in chapter("plan_language").lines() {
        if let Some(heading) = line.strip_prefix("# ").or_else(|| line.strip_prefix("## ")) {
            section = heading.to_owned();
        }
        if section == "Texts" {
            continue;
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", key, .., last, ""] = cells[..]
            && let Some(key) = key.strip_prefix('`').and_then(|key| key.strip_suffix('`'))
        {
            let code = catalogue().iter().find(|known| known.code == last).map(|known| known.code.to_owned());
            assert_eq!(told.insert((section.clone(), key.to_owned()), code), None, "{section}: {key} is told twice");
        }
    }
    told
}

fn section(definition: &str) -> String {
    let found = SECTIONS.iter().find(|(of, _)| *of == definition);
    found.unwrap_or_else(|| panic!("{definition} has no section in the chapter of the plan language")).1.to_owned()
}

/// The keys of the language by the section that tells them.
fn keys(schema: &Value) -> BTreeSet<(String, String)> {
    let definitions = schema["$defs"].as_object().unwrap().iter().map(|(name, definition)| (name.as_str(), definition));
    let mut keys = BTreeSet::new();
    for (name, definition) in definitions.chain([("PlanDraft", schema)]) {
        let properties = definition["properties"].as_object().into_iter().flat_map(|properties| properties.keys());
        keys.extend(properties.map(|key| (section(name), key.clone())));
    }
    keys
}

/// The keys that a value uses, by the section that tells them.
fn used(value: &Value, at: &Value, definition: &str, schema: &Value, keys: &mut BTreeSet<(String, String)>) {
    if let Some(name) = at["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        used(value, &schema["$defs"][name], name, schema, keys);
    }
    for word in ["anyOf", "oneOf", "allOf"] {
        for one in at[word].as_array().into_iter().flatten() {
            used(value, one, definition, schema, keys);
        }
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        match at["properties"].get(key) {
            Some(property) => {
                keys.insert((section(definition), key.clone()));
                used(value, property, definition, schema, keys);
            }
            None => used(value, &at["additionalProperties"], definition, schema, keys),
        }
    }
    for value in value.as_array().into_iter().flatten() {
        used(value, &at["items"], definition, schema, keys);
    }
}

#[test]
fn every_key_of_the_language_is_told_with_an_example() {
    let schema = json_schema();
    let told = told();
    assert_eq!(told.keys().cloned().collect::<BTreeSet<_>>(), keys(&schema));
    // By the codes that the plan finds; a plan without fault stands under no code.
    let mut shown: BTreeMap<Option<String>, BTreeSet<(String, String)>> = BTreeMap::new();
    for plan in plans("plan_language") {
        let tree = Source::parse("plan.yaml", plan.as_bytes(), Format::Yaml).unwrap().root().to_json();
        let mut keys = BTreeSet::new();
        used(&tree, &schema, "PlanDraft", &schema, &mut keys);
        let codes: Vec<_> = said(&plan).into_iter().map(|code| Some(code.to_owned())).collect();
        for code in if codes.is_empty() { vec![None] } else { codes } {
            shown.entry(code).or_default().extend(keys.clone());
        }
    }
    for (key, code) in &told {
        assert!(shown.get(code).is_some_and(|keys| keys.contains(key)), "{key:?} has no example under {code:?}");
        assert!(code.is_none() || !shown[&None].contains(key), "{key:?} is acted on, for all that {code:?} says");
    }
}

#[test]
fn every_default_that_validation_lists_is_told() {
    let chapter = chapter("defaults");
    let rows = chapter.lines().filter_map(|line| line.strip_prefix("| RC08"));
    let told: Vec<(String, String)> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            (format!("RC08{}", cells[0]), format!("default: {}", cells[1]))
        })
        .collect();
    let listed: Vec<(String, String)> = catalogue()
        .iter()
        .filter(|known| known.code.starts_with("RC08"))
        .map(|known| (known.code.to_owned(), known.title.to_owned()))
        .collect();
    assert_eq!(told, listed);
}

/// What stands in the first column of the tables of a text.
fn words(text: &str) -> BTreeSet<&str> {
    text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).collect()
}

/// The words in backticks of a cell.
fn quoted(cell: &str) -> BTreeSet<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_variable_of_texts_is_told() {
    let language = chapter("plan_language");
    let rows: BTreeMap<&str, BTreeSet<&str>> = language
        .lines()
        .skip_while(|line| !line.starts_with("| variable | names below it |"))
        .skip(2)
        .map_while(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(name, rest)| (name, quoted(rest.split(" | ").next().unwrap_or_default())))
        .collect();
    assert_eq!(rows.keys().copied().collect::<BTreeSet<_>>(), NAMESPACES.iter().map(|space| space.name).collect());
    for space in NAMESPACES {
        if let Below::Names(names) | Below::Told(names) = space.below {
            assert_eq!(rows[space.name], names.iter().copied().collect(), "{}", space.name);
        }
    }
}

#[test]
fn the_chapter_of_the_words_has_those_of_the_readme() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let (_, table) = readme.split_once("\n## Words\n").expect("the README has a table of the words");
    let (table, _) = table.split_once("\n## ").expect("something follows the table");
    let chapter = chapter("vocabulary");
    assert!(words(table).len() > 20);
    assert_eq!(words(table).difference(&words(&chapter)).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn every_chapter_is_a_module() {
    let modules = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide/mod.rs")).unwrap();
    for name in chapters() {
        assert!(modules.contains(&format!("#[doc = include_str!(\"{name}.md\")]\npub mod {name} {{}}")), "{name}");
        assert!(modules.contains(&format!("| [`{name}`] |")), "{name} is not in the list");
    }
}

#[test]
fn the_channel_of_the_guide_is_the_example_and_has_sixty_lines() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/channel_in_60_lines.rs");
    let example = fs::read_to_string(example).unwrap();
    let from = example.find("use async_trait").unwrap();
    let to = example.find("\n#[allow(dead_code").unwrap();
    let code = &example[from..to];
    assert!(
        chapter("a_channel").contains(&format!("```rust\n{code}# fn main() {{}}\n```")),
        "the example is another one"
    );
    let lines = code.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= 60, "{lines} lines");
}
