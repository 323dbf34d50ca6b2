//! Plans that a careful reader would stumble over. The mark `«` stands where the finding is.

use crate::cases::{Case, case};

/// Plans that a careful reader would stumble over.
pub(crate) const PLANS: &[Case] = &[
    case(
        "RC0007",
        &[
            "release:\n  product: Billing\n  «version: 1.10\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0007",
        &[
            "release:\n  product: Billing\n  «version: 2026.0\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0008",
        &[
            "groups:\n  staff: { owner: ada, via: webhook, informed_when: accepted, webhook: «\"https://ada:hunter2hunter2@hooks.example/x\" }\n",
        ],
    ),
    case(
        "RC0008",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: { access: Nothing., support: «\"password: hunter2hunter2\" }\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0008",
        &[
            "params: { api_key: «q1w2e3r4t5y6 }\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", subject: \"{{ params.api_key }}\" }\n",
        ],
    ),
    Case {
        code: "RC0008",
        parts: &[
            "communiques:\n  out: { to: staff, at: declared, per: release, covers: [export], text_file: secret.md }\n",
        ],
        at: "secret.md:3:9",
    },
    case("RC0106", &["params:\n  «stage: blue\n"]),
    case("RC0106", &["mechanisms: { «ticket: { proves: accepted } }\n"]),
    case("RC0106", &["profiles: { «legal: { must_state: release.why } }\n"]),
    case("RC0106", &["approvals:\n  roles: { owner: [mia], «legal: [jon] }\n  need: owner\n"]),
    case("RC0106", &["responsible: { execute: Ada <ada@b.example>, performers: { «lead: Lea <lea@b.example> } }\n"]),
    case("RC0107", &["approvals:\n  roles: { owner: [] }\n  need: [«owner]\n"]),
    case(
        "RC0107",
        &["approvals:\n  roles: { owner: [mia], ops: [cal] }\n  need: [«owner]\nprotocol: { approve: ops }\n"],
    ),
    case(
        "RC0107",
        &[
            "approvals: { roles: { owner: [] } }\n",
            "communiques:\n  brief: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  out: { to: staff, at: declared, per: release, after: brief accepted, if_blocked: { «then: ask owner }, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case("RC0202", &["groups:\n  staff: { «owner: TBD, via: email, informed_when: accepted, email: all@b.example }\n"]),
    case(
        "RC0202",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  «why: Because ???\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case("RC0205", &["approvals:\n  roles: { owner: [ada] }\n  need: [«owner]\n"]),
    case(
        "RC0305",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: [eu, «us]\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [{ email: a@b.example, place: eu }] }\n",
        ],
    ),
    case(
        "RC0306",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  kind: hotfix\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
            "groups:\n  staff: { owner: ada, email: all@b.example, via: email, informed_when: accepted }\n  «more: { email: more@b.example }\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  news: { to: more, at: declared, per: release, if: { kind: feature }, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0307",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: [eu, us]\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [{ email: a@b.example, place: eu }, «{ email: c@b.example, place: us }] }\n",
            "communiques:\n  out: { to: staff, at: declared, per: place, if: { place: eu }, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0416",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [ann@b.example, «{ id: bob, email: Ann@b.example }, { id: cho, email: c@b.example }] }\n",
        ],
    ),
    Case {
        code: "RC0416",
        parts: &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [ann@b.example] }\n  more: { members: alike.csv, waived: { why: No need, by: ada } }\n",
        ],
        at: "alike.csv:3:1",
    },
    case(
        "RC0416",
        &[
            "groups:\n  staff: { owner: ada, via: phone, informed_when: accepted, members: [{ id: a, phone: +41 44 555 0101 }, «{ id: b, phone: +41445550101 }] }\n",
        ],
    ),
    case(
        "RC0608",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  «when: 1997-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0608",
        &[
            "communiques:\n  out: { to: staff, «at: 1999-12-31T23:59:59Z, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0609",
        &[
            "groups:\n  staff: { owner: ada, via: [email, { via: phone, unless: delivered, within: 4h }], informed_when: accepted, members: [{ email: a@b.example, phone: +41445550101 }] }\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «not_after: declared +3h }\n",
        ],
    ),
    // What is waited for takes four hours, if nobody is told by mail.
    case(
        "RC0609",
        &[
            "groups:\n  staff: { owner: ada, via: [email, { via: phone, unless: delivered, within: 4h }], informed_when: delivered, members: [{ email: a@b.example, phone: +41445550101 }] }\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  more: { to: staff, at: declared, via: email, informed_when: accepted, after: out informed, «not_after: declared +1h, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0706",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «subject: TBD }\n",
        ],
    ),
    case(
        "RC0706",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", for: { staff: { «short: \"Call ???\" } } }\n",
        ],
    ),
    Case {
        code: "RC0706",
        parts: &[
            "communiques:\n  out: { to: staff, at: declared, per: release, covers: [export], text_file: unfinished.md }\n",
        ],
        at: "unfinished.md:3:6",
    },
    case(
        "RC0707",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «subject: Billing 1.1 is live }\n",
        ],
    ),
    case(
        "RC0708",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «subject: Planned for 2027-05-11 }\n",
        ],
    ),
    case(
        "RC0711",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «subject: \"See http://localhost/x\" }\n",
        ],
    ),
    case(
        "RC0711",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: { access: Nothing., «support: \"https://help.example.com/\" }\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0710",
        &[
            "profiles: { legal: { must_state: [release.why] } }\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, profile: legal, «text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0710",
        &[
            "profiles: { legal: { must_state: [release.what, place.name] } }\n",
            "communiques:\n  out: { to: staff, at: declared, per: place, «profile: legal }\n",
        ],
    ),
    case(
        "RC0005",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: «2027-02-30T07:00Z\n",
        ],
    ),
];
