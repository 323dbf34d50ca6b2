//! What a personal text costs, beside minijinja rendering the same template.
//!
//! `cargo bench -p relcomm-core --bench render` prints one line of JSON for each measurement, and a last one with the ratios: the median
//! over the rounds, the least and the greatest. Each measurement runs in a process of its own. `-- N ROUNDS` measures another number of
//! people, or of rounds.
//!
//! * `minijinja`: the subject and the text of each person from templates compiled once, the release's value built once, the person's for
//!   each. What comes out is the Markdown.
//! * `relcomm`: [`PreparedPlan::render`] for each person: subject, document and short line; and the document as plain text.
//!
//! Both do it for a template that only prints the person (`printed`), for one with a condition on the person (`asked`) and for one with a
//! filter on what it prints of the person (`changed`), which relcomm fills into forms; and for one that reckons with what it prints of the
//! person in another way (`computed`), which it renders and parses for each.

use relcomm_core::channel::{
    AttemptContext, Batch, Channel, ChannelError, ChannelSet, Descriptor, Outcomes, Part, Prepared, Wording,
};
use relcomm_core::mechanism::{Addressing, Capabilities, Mechanism};
use relcomm_core::plan::{Finding, PlanDir, PlanDraft};
use relcomm_core::prepare::{Late, PreparedPlan, prepare};
use relcomm_core::receipt::Assurance;
use relcomm_core::stakeholder::Address;
use relcomm_core::validate::{Deployment, standard_rules, validate};
use serde_json::{Value, json};
use std::fs;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const SUBJECT: &str = "{{ release.product }} {{ release.version }} is live";
const PRINTED: &str = "
Dear {{ person.name }},

**{{ release.product }} {{ release.version }}** is live since this morning. {{ release.why }}

What is in it:

{% for item in release.what %}
- {{ item.text }}{% if item.kind %} ({{ item.kind }}){% endif %}
{% endfor %}

{{ release.how.access }} What is set up for {{ person.company }} stays as it is.

See [your page](https://ledgerline.example/c/{{ person.id }}) for the details.
";
/// The same words by a condition that depends on the person.
const ASKED: &str = "{% if person.company %}";

fn template(name: &str) -> String {
    match name {
        "asked" => PRINTED
            .replace("{{ release.how", &format!("{ASKED}{{{{ release.how"))
            .replace("stays as it is.", "stays as it is.{% endif %}"),
        "changed" => PRINTED.replace("person.company }}", "person.company | trim }}"),
        "computed" => PRINTED.replace("{{ person.company }}", "{{ person.company ~ '' }}"),
        _ => PRINTED.into(),
    }
}

fn plan(name: &str) -> String {
    let text = template(name).replace('\n', "\n      ");
    format!(
        "
plan: 1
id: bench
zone: UTC
release:
  product: Ledgerline
  version: 4.2.0
  what:
    - {{ id: sharing, kind: feature, text: Folders can be shared with other teams }}
    - {{ id: search, kind: feature, text: Search finds words inside attachments }}
    - {{ id: limits, kind: change, text: Attachments may hold 50 MB }}
    - {{ id: old-export, kind: removal, text: The CSV export is switched off }}
  why: Teams asked to work in one folder.
  how: Open a folder and choose Share.
responsible: Ada <ada@bench.example>
groups: {{ all: members.csv }}
communiques:
  out:
    to: all
    subject: \"{SUBJECT}\"
    text: |{text}
"
    )
}

struct Person {
    id: String,
    name: String,
    company: String,
}

fn person(i: u32) -> Person {
    Person {
        id: format!("c{i:07}"),
        name: format!("Given{} Family{i}", i % 97),
        company: format!("Company {}", i % 4000),
    }
}

#[derive(Debug)]
struct Plain {
    descriptor: Descriptor,
    capabilities: Capabilities,
}

#[async_trait::async_trait]
impl Channel for Plain {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }
    fn check_address(&self, _: &Address) -> Result<(), String> {
        Ok(())
    }
    fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>> {
        Ok(Prepared::new([Part::new("text", "text/plain", wording.document.to_plain())]))
    }
    async fn attempt(&self, _: &AttemptContext, _: &Batch<'_>, _: &mut Outcomes) -> Result<(), ChannelError> {
        unreachable!("nothing is sent")
    }
}

fn prepared(name: &str, n: u32, folder: &Path) -> PreparedPlan {
    let mut csv = std::io::BufWriter::new(fs::File::create(folder.join("members.csv")).expect("a temporary file"));
    writeln!(csv, "id,name,email,company").expect("disk");
    for Person { id, name, company } in (0..n).map(person) {
        writeln!(csv, "{id},{name},{id}@bench.example,{company}").expect("disk");
    }
    csv.flush().expect("disk");
    let (draft, source) = PlanDraft::read("plan.yaml", plan(name).as_bytes()).expect("the plan above");
    let validation = validate(&draft, &source, &PlanDir::new(folder), &Deployment::unknown(), &standard_rules());
    let (plan, people) = validation.into_plan().expect("the plan above");
    let capabilities = Capabilities::new(Addressing::Each, Assurance::Accepted);
    let channel = Plain { descriptor: Descriptor::new("plain"), capabilities };
    let channels = ChannelSet::new().with(Mechanism::new("email").expect("a standard word"), channel);
    prepare(plan, people, &channels).prepared.expect("the plan above")
}

/// How long it took, and how many octets came out.
type Measured = (Instant, usize);

fn relcomm(name: &str, n: u32) -> Measured {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plan = prepared(name, n, folder.path());
    let gate = plan.gates().first().expect("a gate");
    let roll = plan.roll(gate);
    let late = Late::specimen(&plan, gate);
    let begun = Instant::now();
    let mut octets = 0;
    for (who, path) in roll.members() {
        let path = roll.path(path).expect("a path");
        let rendered = plan.render(gate, path, Some(who), &late).expect("the template above");
        octets += black_box(rendered.document.to_plain()).len() + black_box(rendered.subject).len();
    }
    (begun, octets)
}

fn minijinja(name: &str, n: u32) -> Measured {
    use minijinja::{Environment, Value, context};
    let mut environment = Environment::new();
    environment.add_template("subject", SUBJECT).expect("the template above");
    environment.add_template_owned("text", template(name)).expect("the template above");
    let people: Vec<Person> = (0..n).map(person).collect();
    let item = |kind: &str, text: &str| context! { kind, text };
    let release = context! {
        product => "Ledgerline",
        version => "4.2.0",
        what => vec![
            item("feature", "Folders can be shared with other teams"),
            item("feature", "Search finds words inside attachments"),
            item("change", "Attachments may hold 50 MB"),
            item("removal", "The CSV export is switched off"),
        ],
        why => "Teams asked to work in one folder.",
        how => context! { access => "Open a folder and choose Share." },
    };
    let begun = Instant::now();
    let subject = environment.get_template("subject").expect("added above");
    let text = environment.get_template("text").expect("added above");
    let mut octets = 0;
    for Person { id, name, company } in &people {
        let values: Value = context! { release => release.clone(), person => context! { id, name, company } };
        octets += black_box(text.render(&values).expect("the template above")).len();
        octets += black_box(subject.render(&values).expect("the template above")).len();
    }
    (begun, octets)
}

fn measure(name: &str, n: u32) {
    let (begun, octets) = match name.split_once(", ") {
        Some(("relcomm", template)) => relcomm(template, n),
        Some(("minijinja", template)) => minijinja(template, n),
        _ => panic!("there is no measurement called {name}"),
    };
    let secs = begun.elapsed().as_secs_f64();
    let line = json!({
        "name": name, "n": n, "secs": (secs * 1000.0).round() / 1000.0, "rate": (f64::from(n) / secs).round(),
        "ns_per": (secs * 1e9 / f64::from(n)).round(), "octets_per": octets / n as usize,
    });
    writeln!(std::io::stdout(), "{line}").expect("standard output");
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let number = |text: &str| text.parse().expect("a number");
    let (n, rounds) = match args.as_slice() {
        [name, n] if name.contains(", ") => return measure(name, number(n)),
        [n, rounds] => (number(n), number(rounds)),
        _ => (100_000, 7),
    };
    let run = |name: &str| {
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        let output = child.args([name, &n.to_string()]).output().expect("this program again");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let line: Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
        writeln!(std::io::stdout(), "{line}").expect("standard output");
        line["ns_per"].as_f64().expect("a number")
    };
    let mut summary = json!({ "name": "ratios, minijinja's time / relcomm's", "n": n, "rounds": rounds });
    for template in ["printed", "asked", "changed", "computed"] {
        // In turn, so that a change of the machine's speed meets both.
        let mut ratios: Vec<f64> = (0..rounds)
            .map(|_| run(&format!("minijinja, {template}")) / run(&format!("relcomm, {template}")))
            .map(|ratio| (ratio * 1000.0).round() / 1000.0)
            .collect();
        ratios.sort_by(f64::total_cmp);
        summary[template] =
            json!({ "median": ratios.get(ratios.len() / 2), "min": ratios.first(), "max": ratios.last() });
    }
    writeln!(std::io::stdout(), "{summary}").expect("standard output");
}
