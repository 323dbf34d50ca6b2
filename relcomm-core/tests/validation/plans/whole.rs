//! Plans whose form, references, answers or coverage are wrong. The mark `«` stands where the finding is.

use crate::cases::{Case, case};

/// Plans whose form, references, answers or coverage are wrong.
pub(crate) const PLANS: &[Case] = &[
    case("RC0001", &["plan: 1\nid: p\nzone: UTC\n«zone: UTC\n"]),
    case(
        "RC0002",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «vai: email }\n",
        ],
    ),
    case(
        "RC0003",
        &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: { file: «[x] } }\n"],
    ),
    case("RC0004", &["communiques:\n  «out: { at: declared }\n"]),
    case(
        "RC0005",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", not_after: «soon }\n",
        ],
    ),
    case("RC0006", &["params:\n  «stage: { env: STAGE }\n"]),
    case(
        "RC0101",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  more: { to: [staff, «stuff], at: declared, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0101",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «after: outt accepted }\n",
        ],
    ),
    case(
        "RC0101",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", covers: [«exprot] }\n",
        ],
    ),
    case(
        "RC0101",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «after: more accepted for stuff }\n  more: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0101",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «not_after: moer accepted }\n  more: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0101",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", for: { «more: { at: planned } } }\n",
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example }\n  more: { email: more@b.example, waived: { why: No need, by: ada } }\n",
        ],
    ),
    case(
        "RC0101",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", via: [email, { via: phone, «performer: ada }] }\n",
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [{ id: a, email: a@b.example, phone: +41445550101 }] }\n",
        ],
    ),
    case(
        "RC0101",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export, concerns: [staff, «stuff] }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0101",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export, places: [production, «mars] }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case("RC0101", &["approvals:\n  roles: { owner: [mia] }\n  need: [owner, «legal]\n"]),
    case("RC0101", &["approvals:\n  roles: { owner: [mia] }\n  need: [{ role: owner, only: [out, «in] }]\n"]),
    case(
        "RC0102",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }, { «id: export, text: More }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0102",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: [eu, us, «eu]\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0102",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  more: { to: [staff, «staff], at: declared, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case("RC0103", &["responsible:\n  «execute: { name: Ada Osei, phone: +41445550101 }\n"]),
    case(
        "RC0103",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  «where: \"///\"\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case("RC0103", &["approvals:\n  roles: { owner: [«Mia M] }\n  need: owner\n"]),
    case(
        "RC0104",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «text_file: good.en.md }\n",
        ],
    ),
    case(
        "RC0104",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «occurrences: { early: planned -1d } }\n",
        ],
    ),
    case(
        "RC0104",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example, «members: good.csv }\n",
        ],
    ),
    case(
        "RC0104",
        &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, «members: { columns: { id: id } } }\n"],
    ),
    case(
        "RC0104",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", via: [email, «{ performer: ada }] }\n",
            "responsible: { execute: Ada <ada@b.example>, performers: { ada: Ada <ada@b.example> } }\n",
        ],
    ),
    case(
        "RC0104",
        &[
            "communiques:\n  out: { to: staff, at: { from: declared, not_after: declared +1h }, «not_after: declared +2h, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0104",
        &[
            "communiques:\n  out: { to: staff, at: { from: declared, between: \"07:00-20:00\" }, «urgent: true, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0105",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, covers: [export], «text_file: \"good.{{ lang }}.md\" }\n",
        ],
    ),
    case(
        "RC0201",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  «why: \" \"\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0201",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }, «{ id: more, text: \"\" }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0201",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  «what: []\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0201",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: { «access: \"\" }\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0201",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example }\n  more: { email: more@b.example, waived: { «why: \"\", by: ada } }\n",
        ],
    ),
    case(
        "RC0202",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  «why: TBD by Ada\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0202",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: { access: Nothing, «support: TBA }\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case("RC0203", &["«responsible: ada\n"]),
    case("RC0203", &["responsible: { execute: Ada <ada@b.example>, «backup: ben }\n"]),
    case(
        "RC0204",
        &[
            "«release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0204",
        &[
            "«release:\n  product: Billing\n  version: 1.2.3\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0204",
        &[
            "«release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0204",
        &[
            "communiques:\n  out: { «to: [], at: declared, per: release, text: \"{{ release.what | length }}\" }\n",
            "groups:\n  staff: { email: all@b.example, waived: { why: No need, by: ada } }\n",
        ],
    ),
    case(
        "RC0204",
        &["«communiques: {}\n", "groups:\n  staff: { email: all@b.example, waived: { why: No need, by: ada } }\n"],
    ),
    case(
        "RC0201",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  «where: []\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0301",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example }\n  «more: { email: more@b.example }\n",
        ],
    ),
    case(
        "RC0301",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example }\n  «more: { email: more@b.example }\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  bad: { to: more, if: { outcome: failure }, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0302",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }, «{ id: more, text: More, concerns: staff }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ item.export }}\" }\n",
        ],
    ),
    case(
        "RC0302",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: Ready. }\n",
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [«{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0303",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example }\n  more: { email: more@b.example, «waived: { why: No need, by: ada } }\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  again: { to: more, at: declared, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0101",
        &[
            "profiles: { legal: { must_state: release.why } }\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «profile: legl }\n",
        ],
    ),
];
