//! Broken plans, by theme. The mark `«` stands where the finding is.

use super::cases::{Case, case};

/// Plans whose form is wrong.
pub(crate) const FORM: &[Case] = &[
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
    case("RC0004", &["communiques:\n  out: «{ at: declared }\n"]),
    case(
        "RC0005",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", not_after: «soon }\n",
        ],
    ),
    case("RC0006", &["params:\n  «stage: { env: STAGE }\n"]),
];

/// Plans that do not hold together.
pub(crate) const PLANS: &[Case] = &[
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
    case("RC0401", &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, «members: none.csv }\n"]),
    case(
        "RC0401",
        &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: { «file: none.csv } }\n"],
    ),
    case(
        "RC0401",
        &["communiques:\n  out: { to: staff, at: declared, per: release, covers: [export], «text_file: none.md }\n"],
    ),
    Case {
        code: "RC0402",
        parts: &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: { file: good.csv, columns: { id: KEY } } }\n",
        ],
        at: "good.csv:1:1",
    },
    Case {
        code: "RC0403",
        parts: &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: ragged.csv }\n"],
        at: "ragged.csv:3:1",
    },
    case(
        "RC0404",
        &[
            "groups:\n  staff: { owner: ada, informed_when: accepted, members: [«{ phone: +41445550101 }], via: phone }\n",
        ],
    ),
    case(
        "RC0404",
        &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [a@b.example, «Ann] }\n"],
    ),
    Case {
        code: "RC0405",
        parts: &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: twice.csv }\n"],
        at: "twice.csv:3:1",
    },
    case(
        "RC0405",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [ann@b.example, «Ann <ANN@c.example>] }\n",
        ],
    ),
    Case {
        code: "RC0406",
        parts: &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: good.csv }\n  more: { members: other.csv, waived: { why: No need, by: ada } }\n",
        ],
        at: "other.csv:2:1",
    },
    Case {
        code: "RC0407",
        parts: &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: control.csv }\n"],
        at: "control.csv:2:1",
    },
    Case {
        code: "RC0408",
        parts: &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: placed.csv }\n"],
        at: "placed.csv:2:1",
    },
    case(
        "RC0408",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [«{ email: a@b.example, place: mars }] }\n",
        ],
    ),
    case("RC0409", &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, «members: empty.csv }\n"]),
    case("RC0409", &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, «members: [] }\n"]),
    Case {
        code: "RC0410",
        parts: &["groups:\n  staff: { owner: ada, informed_when: accepted, members: phones.csv, via: phone }\n"],
        at: "phones.csv:3:1",
    },
    case(
        "RC0410",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [«{ id: a, phone: +41445550101 }] }\n",
        ],
    ),
    Case {
        code: "RC0411",
        parts: &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: wrong.csv }\n"],
        at: "wrong.csv:3:1",
    },
    case(
        "RC0411",
        &[
            "groups:\n  staff: { owner: ada, informed_when: accepted, members: [«{ id: a, phone: 044 555 }], via: phone }\n",
        ],
    ),
    case(
        "RC0411",
        &[
            "mechanisms: { ticket: { address: '^CHG[0-9]{7}$', proves: accepted } }\n",
            "groups:\n  «staff: { owner: ada, via: ticket, informed_when: accepted, ticket: CHG12 }\n",
        ],
    ),
    case("RC0411", &["«responsible: Ada <ada@b..example>\n"]),
    case("RC0412", &["groups:\n  «staff: { owner: ada, via: email, informed_when: accepted }\n"]),
    case("RC0413", &["groups:\n  «staff: { owner: ada, via: webhook, informed_when: accepted, webhook: forun }\n"]),
    case("RC0414", &["mechanisms: { ticket: { «address: '(', proves: accepted } }\n"]),
    case(
        "RC0501",
        &["groups:\n  staff: { owner: ada, members: good.csv, via: [email, «emial], informed_when: accepted }\n"],
    ),
    case(
        "RC0501",
        &[
            "groups:\n  staff: { owner: ada, «servicenow: CHG1, via: email, email: a@b.example, informed_when: accepted }\n",
        ],
    ),
    case(
        "RC0502",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", via: [email, «pager] }\n",
        ],
    ),
    case("RC0503", &["groups:\n  staff: { owner: ada, members: good.csv, via: website, «informed_when: displayed }\n"]),
    case(
        "RC0503",
        &[
            "mechanisms: { ticket: { proves: accepted } }\n",
            "groups:\n  staff: { owner: ada, ticket: CHG1, via: ticket, informed_when: accepted }\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «informed_when: delivered }\n",
        ],
    ),
    case(
        "RC0504",
        &[
            "groups:\n  staff: { owner: ada, members: good.csv, via: [website, { via: email, «unless: acknowledged, within: 1h }], informed_when: accepted }\n",
        ],
    ),
    case(
        "RC0601",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  «when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0602",
        &[
            "communiques:\n  out: { to: staff, «at: planned +2d, not_after: planned +1d, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0602",
        &[
            "communiques:\n  out: { to: staff, «at: declared +2h, not_after: declared +1h, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0602",
        &[
            "communiques:\n  out: { to: staff, «at: 2027-05-14T07:00Z, not_after: planned +1d, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0603",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  more: { to: staff, «at: declared -1h, after: out accepted, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0603",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  more: { to: staff, at: planned -3d, not_after: planned -2d, «after: pre accepted, per: release, text: \"{{ release.what | length }}\" }\n  pre: { to: staff, at: planned -1d, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0604",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", via: [email, { via: phone, unless: delivered, «within: 4m }] }\n",
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [{ email: a@b.example, phone: +41445550101 }] }\n",
        ],
    ),
    case(
        "RC0605",
        &[
            "plan: 1\nid: p\n",
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  «when: 2027-05-12T07:00\n",
        ],
    ),
    case("RC0605", &["«settle: 3bd\n"]),
    case(
        "RC0606",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", via: [email, { via: phone, «unless: delivered }] }\n",
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [{ email: a@b.example, phone: +41445550101 }] }\n",
        ],
    ),
    case(
        "RC0606",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", via: [{ via: email, «unless: delivered, within: 1h }] }\n",
        ],
    ),
    case(
        "RC0607",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: open\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  pre: { to: staff, «at: planned -1d, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0611",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «after: out settled }\n",
        ],
    ),
    case(
        "RC0611",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", after: more settled }\n  more: { to: staff, at: declared, «after: out settled, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0611",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", after: more settled }\n  more: { to: staff, «at: out settled, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0612",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  a.b: { to: staff, at: declared, «after: out acknowledged, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0612",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  more: { to: staff, «at: out acknowledged +1h, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0612",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  more: { to: staff, at: declared, after: [«out acknowledged], per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0613",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example }\n  more: { email: more@b.example, waived: { why: No need, by: ada } }\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  again: { to: staff, at: declared, «after: out accepted for more, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0701",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «subject: \"{{ realese.product }}\" }\n",
        ],
    ),
    case(
        "RC0701",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «subject: \"{{ release.prodcut }}\" }\n",
        ],
    ),
    case(
        "RC0701",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «subject: \"{{ item.exprt }}\" }\n",
        ],
    ),
    case(
        "RC0701",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", for: { staff: { «short: \"{{ params.stage }}\" } } }\n",
        ],
    ),
    case(
        "RC0702",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «subject: \"{{ release.product\" }\n",
        ],
    ),
    Case {
        code: "RC0702",
        parts: &[
            "communiques:\n  out: { to: staff, at: declared, per: release, covers: [export], text_file: broken.md }\n",
        ],
        at: "broken.md:3:14",
    },
    case(
        "RC0703",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  more: { to: staff, at: declared, per: release, «text: \"{{ told.out.staff.url }}\" }\n",
        ],
    ),
    case(
        "RC0704",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «subject: \"One\\ntwo\" }\n",
        ],
    ),
    case(
        "RC0704",
        &[
            "release:\n  «product: \"Bil\\tling\"\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0705",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «subject: \"{{ place.name }}\" }\n",
        ],
    ),
];

/// Plans that use a default, or a part on which nothing acts yet.
pub(crate) const MORE: &[Case] = &[
    case("RC0801", &["«plan: 1\nzone: UTC\n"]),
    case(
        "RC0802",
        &[
            "«release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0803",
        &[
            "«release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n",
        ],
    ),
    case("RC0804", &["groups:\n  «staff: { email: all@b.example, via: email, informed_when: accepted }\n"]),
    case("RC0805", &["groups:\n  «staff: { owner: ada, email: all@b.example, informed_when: accepted }\n"]),
    case("RC0806", &["groups:\n  «staff: { owner: ada, via: email, email: all@b.example }\n"]),
    case("RC0807", &["communiques:\n  «out: { to: staff, per: release, text: \"{{ release.what | length }}\" }\n"]),
    case("RC0808", &["communiques:\n  «out: { to: staff, at: declared, per: release }\n"]),
    case("RC0809", &["communiques:\n  «out: { to: staff, at: declared, per: release, covers: [export] }\n"]),
    case("RC0810", &["communiques:\n  «out: { to: staff, at: declared, text: \"{{ release.what | length }}\" }\n"]),
    case("RC0811", &["«plan: 1\nid: p\n"]),
    case(
        "RC0812",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [«Faster export]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0901",
        &[
            "communiques:\n  out: { to: staff, at: { from: declared, «between: \"07:00-20:00\" }, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0901",
        &[
            "communiques:\n  out: { to: staff, at: { from: declared, «spread: 1h }, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0901",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «urgent: true }\n",
        ],
    ),
    case(
        "RC0901",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example, «zone: Europe/Paris }\n",
        ],
    ),
    case(
        "RC0901",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example, «between: \"07:00-20:00\" }\n",
        ],
    ),
    case(
        "RC0902",
        &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example, «within: 1d }\n"],
    ),
    case(
        "RC0902",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «deadline: declared +1h }\n",
        ],
    ),
    case(
        "RC0902",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", for: { staff: { «deadline: declared +1h } } }\n",
        ],
    ),
    case(
        "RC0903",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  undo: { «to: { told: out }, if: { outcome: rolled-back }, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0903",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «on_slip: correct }\n",
        ],
    ),
    case(
        "RC0903",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  undo: { to: staff, «via: { as_told: true }, if: { outcome: rolled-back }, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0904",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example, «require: 98% }\n",
        ],
    ),
    case(
        "RC0904",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example, «must_inform: true }\n",
        ],
    ),
    case(
        "RC0905",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", via: [«{ all: [email, phone] }] }\n",
        ],
    ),
    case(
        "RC0905",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", via: [email, { via: email, «to: ben }] }\n",
        ],
    ),
    case(
        "RC0906",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example, «languages: [en, de] }\n",
        ],
    ),
    case(
        "RC0906",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «subject: { en: Ready, de: Fertig } }\n",
        ],
    ),
    Case {
        code: "RC0907",
        parts: &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: opted.csv }\n"],
        at: "opted.csv:3:1",
    },
    case(
        "RC0907",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [{ email: a@b.example, «stands_for: 20 }] }\n",
        ],
    ),
    case(
        "RC0907",
        &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: { «directory: ldap } }\n"],
    ),
    case(
        "RC0907",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example, «only: paying }\n",
        ],
    ),
    case(
        "RC0907",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example, «opt_out: respect }\n",
        ],
    ),
    case(
        "RC0908",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  more: { to: staff, at: declared, «after: out any accepted, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0908",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «if_blocked: { then: proceed } }\n",
        ],
    ),
    case(
        "RC0908",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: { production: { «needs: out informed } }\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case("RC0909", &["«embargo: declared\n"]),
    case(
        "RC0909",
        &["communiques:\n  out: { to: staff, «at: embargo, per: release, text: \"{{ release.what | length }}\" }\n"],
    ),
    case(
        "RC0909",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «undeclared: true }\n",
        ],
    ),
    case("RC0910", &["«protocol: { declare: ada }\n"]),
    case("RC0910", &["approvals:\n  «distinct: [approve, declare]\n"]),
    case("RC0910", &["approvals:\n  «expire: 10d\n"]),
    case("RC0911", &["«profiles: { legal: { must_state: release.why } }\n"]),
    case(
        "RC0912",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n  «kind: hotfix\n",
        ],
    ),
    case(
        "RC0912",
        &[
            "communiques:\n  out: { to: staff, at: declared, if: { «kind: hotfix }, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
];
