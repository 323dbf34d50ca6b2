//! What the deployment makes right or wrong, and times at their limits.

use super::support::{COMMUNIQUES, GROUPS, HEAD, RELEASE, RESPONSIBLE, findings, is_fault};
use relcomm_core::mechanism::{Addressing, Capabilities, Mechanism};
use relcomm_core::plan::HeldFiles;
use relcomm_core::receipt::Assurance;
use relcomm_core::validate::{ChannelFacts, Deployment};
use std::time::Duration;

fn word(word: &str) -> Mechanism {
    Mechanism::new(word).unwrap()
}

fn channel(proves: Assurance) -> ChannelFacts {
    ChannelFacts::new(Capabilities::new(Addressing::Each, proves))
}

fn codes(plan: &[&str], deployment: &Deployment) -> Vec<&'static str> {
    let found = findings(&plan.concat(), &HeldFiles::new(), deployment);
    found.iter().filter(|finding| is_fault(finding)).map(|finding| finding.code).collect()
}

#[test]
fn what_can_be_proved_is_for_the_channel_to_say_where_it_is_known() {
    let groups = GROUPS.replace("accepted", "delivered");
    let plan = [HEAD, RELEASE, RESPONSIBLE, &groups, COMMUNIQUES];
    let with = |proves| Deployment::unknown().channels([(word("email"), channel(proves))]);
    assert_eq!(codes(&plan, &Deployment::unknown()), Vec::<&str>::new());
    assert_eq!(codes(&plan, &with(Assurance::Delivered)), Vec::<&str>::new());
    assert_eq!(codes(&plan, &with(Assurance::Relayed)), ["RC0503"]);
}

#[test]
fn a_mechanism_of_the_plans_own_proves_no_more_than_both_it_and_its_channel_say() {
    let own = "mechanisms: { ticket: { proves: delivered } }\n";
    let groups = "groups: { staff: { owner: ada, ticket: CHG1, via: ticket, informed_when: delivered } }\n";
    let plan = [HEAD, RELEASE, RESPONSIBLE, own, groups, COMMUNIQUES];
    let with = |proves| Deployment::unknown().channels([(word("ticket"), channel(proves))]);
    assert_eq!(codes(&plan, &with(Assurance::Acknowledged)), Vec::<&str>::new());
    assert_eq!(codes(&plan, &with(Assurance::Accepted)), ["RC0503"]);
    let more = groups.replace("informed_when: delivered", "informed_when: acknowledged");
    let plan = [HEAD, RELEASE, RESPONSIBLE, own, &more, COMMUNIQUES];
    assert_eq!(codes(&plan, &with(Assurance::Acknowledged)), ["RC0503"]);
}

#[test]
fn only_mechanisms_that_a_step_goes_by_need_a_channel() {
    let groups = "groups: { staff: { owner: ada, via: email, informed_when: accepted, members: [{ email: a@b.example, pager: rota }] } }\n";
    let mail = Deployment::unknown().channels([(word("email"), channel(Assurance::Accepted))]);
    assert_eq!(codes(&[HEAD, RELEASE, RESPONSIBLE, groups, COMMUNIQUES], &mail), Vec::<&str>::new());
    let any = groups.replace("via: email, ", "");
    assert_eq!(codes(&[HEAD, RELEASE, RESPONSIBLE, &any, COMMUNIQUES], &mail), ["RC0502"]);
}

#[test]
fn what_a_correction_goes_by_as_well_is_judged_as_all_other_steps_are() {
    let undo = |also: &str| {
        let to = "to: { told: out }, if: { outcome: rolled-back }, per: place";
        format!("{COMMUNIQUES}  undo: {{ {to}, via: {{ as_told: true, also: {also} }}, text: Taken back. }}\n")
    };
    let mail = Deployment::unknown().channels([(word("email"), channel(Assurance::Acknowledged))]);
    for (also, found) in [
        ("{ staff: { via: email, unless: acknowledged, within: 1h } }", &[][..]),
        ("{ staff: { via: email, unless: acknowledged } }", &["RC0606"]),
        ("{ staff: pager }", &["RC0502"]),
        ("{ staff: pagger }", &["RC0501"]),
        ("{ stuff: email }", &["RC0101"]),
        ("{ staff: { via: email, to: nobody } }", &["RC0505"]),
    ] {
        assert_eq!(codes(&[HEAD, RELEASE, RESPONSIBLE, GROUPS, &undo(also)], &mail), found, "{also}");
    }
}

#[test]
fn an_endpoint_is_an_address_and_where_nothing_else_can_be_the_only_one() {
    let groups = "groups: { staff: { owner: ada, BY: AT, via: BY, informed_when: accepted } }\n";
    let hooks = Deployment::unknown().channels([
        (word("email"), channel(Assurance::Accepted).endpoints(["list"])),
        (word("webhook"), channel(Assurance::Accepted).endpoints(["forum"])),
    ]);
    let with = |by: &str, at: &str| {
        let groups = groups.replace("BY", by).replace("AT", at);
        codes(&[HEAD, RELEASE, RESPONSIBLE, &groups, COMMUNIQUES], &hooks)
    };
    let fine: [&str; 0] = [];
    assert_eq!(with("email", "list"), fine);
    assert_eq!(with("email", "a@b.example"), fine);
    assert_eq!(with("email", "lost"), ["RC0411"]);
    assert_eq!(with("webhook", "forum"), fine);
    assert_eq!(with("webhook", "https://hooks.example/1"), ["RC0413"]);
}

#[test]
fn times_at_their_limits_are_right() {
    let groups = "groups: { staff: { owner: ada, informed_when: accepted, \
                  via: [email, { via: phone, unless: acknowledged, within: 5m }], \
                  members: [{ email: a@b.example, phone: +41445550101 }] } }\n";
    let ticking = |seconds| Deployment::unknown().tick(Duration::from_secs(seconds));
    let plan = [HEAD, RELEASE, RESPONSIBLE, groups, COMMUNIQUES];
    assert_eq!(codes(&plan, &ticking(300)), Vec::<&str>::new());
    assert_eq!(codes(&plan, &ticking(301)), ["RC0604"]);

    let due = |keys: &str| {
        let out = "out: { to: staff, at: planned, text: '{{ release.what | length }}' }";
        let communiques = format!(
            "communiques:\n  {out}\n  more: {{ to: staff, text: '{{{{ release.what | length }}}}', {keys} }}\n"
        );
        codes(&[HEAD, RELEASE, RESPONSIBLE, GROUPS, &communiques], &Deployment::unknown())
    };
    let fine: [&str; 0] = [];
    assert_eq!(due("at: declared +1h, not_after: declared +1h"), fine);
    assert_eq!(due("at: declared +1h, not_after: declared +59m"), ["RC0602"]);
    // A day may be shorter or longer than 24 hours: nothing is known.
    assert_eq!(due("at: declared +24h, not_after: declared +1d"), fine);
    assert_eq!(due("at: planned +1d, not_after: planned +23h"), ["RC0602"]);
    assert_eq!(due("at: planned, after: out accepted"), fine);
    assert_eq!(due("at: planned -1s, after: out accepted"), ["RC0603"]);
    assert_eq!(due("at: 2027-05-12T06:59:59Z, after: out accepted"), ["RC0603"]);
    assert_eq!(due("at: 2027-05-12T07:00:00Z, after: out accepted"), fine);
    assert_eq!(due("after: out accepted"), fine);
}
