//! Every input of a person that is refused: one line that says why, 3, and a record that is what it was.

mod command;

use command::{Folder, relcomm};
use serde_json::Value;

const PLAN: &str = "
plan: 1
id: refused
zone: UTC
release:
  product: Anvil
  version: 2.0.0
  what: [{ id: folders, text: Shared folders }]
  why: Whoever knew the hole could read the folders of others.
  how: Choose Share.
  where: { eu: {}, us: {} }
  when: 2098-05-12T07:00Z
embargo: { until: 2099-01-01T00:00Z, cleared: [desk, partners], classified: [release.why], lift: [owner] }
responsible: { execute: Ada Osei <ada@anvil.example> }
approvals: { roles: { owner: [mia@anvil.example] }, need: [owner] }
protocol: { declare: responsible, execute: [ada, dee] }
groups:
  desk: { members: [{ id: al, phone: \"+41445550101\" }, { id: cy, phone: \"+41445550102\" }], via: phone, informed_when: acknowledged }
  partners: { members: [bea@anvil.example, { id: eva, phone: \"+41445550103\" }], via: email, must_inform: true }
  customers: list@anvil.example
communiques:
  brief: { to: [desk, partners], at: 2020-01-01T00:00Z, text: \"{{ item.folders }}: {{ release.why }}\" }
  live: { to: customers, per: release, at: embargo }
";

/// What people say, in this order, and with what it is refused; `_` is a blank. What is taken says nothing here.
const SAID: &str = "
approve --role nobody --by mia => the plan needs no approval by `nobody`
approve --role owner --by ada => this person does not hold the role `owner`
approve --role owner --by _ => an approval needs a name: who approves?
approve --role owner --by mia --digest 0123456789 => that is not the present digest: what you approve has changed, or was never prepared
approve --role owner --by mia
approve --role owner --by mia => already approved as owner
attest --communique brief --person al --outcome done --by ada => nothing of that communique is out to them yet that is done by hand
accept-gap --person zoe --why away --by ada => nobody of this id is among the people of the plan
accept-gap --person al --why away --by ada => this person has no gap: they can be reached, or nobody says that they must be informed
accept-gap --company Acme --why away --by ada => this company has no gap: it is unknown, or can be reached, or need not be informed
accept-gap --person eva --why _ --by ada => the acceptance of a gap needs a reason: why may they go without?
accept-gap --person eva --why away --by _ => the acceptance of a gap needs a name: who accepts it?
accept-gap --person eva --why away --by ada
dispatch --by zoe => the plan names who executes, and this person is not among them
dispatch --by ada
attest --communique none --person al --outcome done --by ada => `none` is no communique of this plan
attest --communique brief --person zoe --outcome done --by ada => nobody of this id is among the people of the plan
attest --communique brief --group none --outcome done --by ada => `none` is no group of this plan
attest --communique live --person al --outcome done --by ada => nothing of that communique is out to them yet that is done by hand
attest --communique brief --person al --outcome done --by _ => an attestation needs a name: who says so?
declare --place mars --outcome success --by ada => `mars` is no place of this release; there are eu, us
declare --outcome success --by ada => name the place: eu, us
declare --place eu --outcome success --by mia => the plan names who declares, and this person is not among them
declare --place eu --outcome success --by _ => a declaration needs a name: who declares?
declare --place us --outcome success --by ada --at 2098-01-01T00:00:00Z => a declaration cannot lie in the future
declare --place eu --outcome success --by ada
declare --place eu --outcome rolled-back --by ada
declare --place eu --outcome success --by ada => eu was rolled back: what goes out there after that is a release of its own, with another `version`
slip --planned 2020-05-12T07:00:00Z --by ada => the planned time cannot move into the past
slip --planned 2098-06-12T07:00:00Z --by _ => a slip needs a name: who says that the planned time moved?
lift --cause leak --by ada => this person may not lift the embargo: the plan names who may
lift --cause leak --by _ => the embargo needs a name to be lifted: who lifts it?
hold --communique none --by ada => `none` is no communique of this plan
hold --communique live --by _ => a hold needs a name: who holds it, or lets it go on?
resume --communique none --by ada => `none` is no communique of this plan
cancel --communique none --by ada => `none` is no communique of this plan
cancel --communique live --by _ => a cancellation needs a name: who cancels?
retry --communique none --by ada => `none` is no communique of this plan
retry --person zoe --by ada => nobody of this id is among the people of the plan
retry --by _ => trying again needs a name: who wants it?
cancel --communique live --by ada
hold --communique live --by ada => it was cancelled, for good: nothing is left to hold
resume --communique live --by ada => it was cancelled, for good: nothing is left to let go on
erase --person zoe --by ada => nothing of this person is in the record: they are unknown, or were erased
erase --person al --by _ => an erasure needs a name: who erases?
";

fn head(folder: &Folder) -> String {
    let report = relcomm(folder, &["report", "plan.yaml", "--format", "json"]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    report["journal_head"].as_str().unwrap().to_owned()
}

#[test]
fn whatever_is_refused_is_one_line_and_changes_nothing() {
    let folder = Folder::empty();
    std::fs::write(folder.path("plan.yaml"), PLAN).unwrap();
    // The record begins with the first act of anybody.
    relcomm(&folder, &["hold", "plan.yaml", "--by", "ada"]);
    relcomm(&folder, &["resume", "plan.yaml", "--by", "ada"]);
    let mut before = head(&folder);
    let mut refused = 0;
    for said in SAID.trim().lines() {
        let (words, line) = said.split_once(" => ").map_or((said, None), |(words, line)| (words, Some(line)));
        let (act, args) = words.split_once(' ').unwrap();
        let args = args.split(' ').map(|word| if word == "_" { " " } else { word });
        let ran = relcomm(&folder, &[act, "plan.yaml"].into_iter().chain(args).collect::<Vec<_>>());
        let says: Vec<&str> = ran.stderr.lines().filter_map(|line| line.strip_prefix("relcomm: ")).collect();
        let told = format!("{words}: {} {}{}", ran.code, ran.stdout, ran.stderr);
        let after = head(&folder);
        match line {
            Some(line) if line.starts_with("already") => {
                assert_eq!((ran.code, ran.stdout.trim_end(), &after), (0, line, &before), "{told}");
            }
            Some(line) => {
                assert_eq!((ran.code, says.as_slice(), ran.stdout.as_str()), (3, [line].as_slice(), ""), "{told}");
                assert_eq!(after, before, "{told}");
                refused += 1;
            }
            None => {
                assert!(says.is_empty(), "{told}");
                assert_ne!(after, before, "{told}");
                before = after;
            }
        }
    }
    assert_eq!(refused, 38);
    assert_eq!(relcomm(&folder, &["audit", "plan.yaml"]).code, 0);
}
