//! Plans whose people or mechanisms are wrong. The mark `«` stands where the finding is.

use crate::cases::{Case, case};

/// Plans whose people or mechanisms are wrong.
pub(crate) const PLANS: &[Case] = &[
    case(
        "RC0411",
        &[
            "approvals: { roles: { duty: [«{ id: dee, email: nowhere }] } }\n",
            "communiques:\n  out: { to: staff, at: declared, via: [email, { via: email, to: duty }], per: release, text: \"{{ release.what | length }}\" }\n",
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
    // A post is credited to those who are there: for nobody there is none.
    case("RC0412", &["groups:\n  «staff: { owner: ada, via: website, informed_when: accepted }\n"]),
    case("RC0413", &["groups:\n  «staff: { owner: ada, via: webhook, informed_when: accepted, webhook: forun }\n"]),
    case(
        "RC0414",
        &[
            "mechanisms: { ticket: { «address: '(', proves: accepted } }\n",
            "groups:\n  staff: { owner: ada, via: ticket, informed_when: accepted, ticket: CHG1 }\n",
        ],
    ),
    case(
        "RC0415",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: [eu, us]\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
            "communiques:\n  «out: { to: staff, at: declared, per: place, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0430",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: { file: unnumbered.csv, «id_key: { env: NO_KEY } } }\n",
        ],
    ),
    case(
        "RC0431",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: { file: unnumbered.csv, «id_key: { file: short.key } } }\n",
        ],
    ),
    case(
        "RC0432",
        &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: { «directory: ldap } }\n"],
    ),
    case(
        "RC0433",
        &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: { «directory: broken } }\n"],
    ),
    Case {
        code: "RC0404",
        parts: &[
            "groups:\n  staff: { owner: ada, informed_when: accepted, via: email, members: { directory: people, id_key: { env: KEY } } }\n",
        ],
        at: "directory people:2:1",
    },
    case(
        "RC0104",
        &[
            "groups:\n  staff: { owner: ada, informed_when: accepted, via: email, members: { directory: staff, «columns: { id: KEY } } }\n",
        ],
    ),
    case(
        "RC0102",
        &[
            "groups:\n  staff: { owner: ada, informed_when: accepted, via: email, members: { file: good.csv, columns: { company: id, «role: id } } }\n",
        ],
    ),
    case(
        "RC0005",
        &[
            "groups:\n  staff: { owner: ada, informed_when: accepted, via: email, members: { file: good.csv, id_key: «{ env: KEY, file: short.key } } }\n",
        ],
    ),
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
        "RC0506",
        &[
            "groups:\n  staff: { owner: ada, members: good.csv, via: [email, «{ via: email, unless: acknowledged, within: 1h }], informed_when: accepted }\n",
        ],
    ),
    case(
        "RC0420",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [a@b.example, «{ id: b, through: nobody }] }\n",
        ],
    ),
    case(
        "RC0421",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [a@b.example], require: { «one_per: company } }\n",
        ],
    ),
    case(
        "RC0420",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [{ id: a, email: a@b.example, opted_out: true }, «{ id: b, through: a }] }\n",
        ],
    ),
    case(
        "RC0422",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [{ id: a, email: a@b.example, vars: { firm: acme, role: dev } }, { id: b, email: b@b.example, vars: { firm: bolt } }], require: { one_per: firm, «among: { role: dev } } }\n",
        ],
    ),
    case(
        "RC0422",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [{ id: a, email: a@b.example, vars: { firm: acme, role: dev } }, { id: b, email: b@b.example, vars: { firm: bolt } }, { id: c, email: c@b.example, opted_out: true, vars: { firm: bolt, role: dev } }], require: { one_per: firm, «among: { role: dev } } }\n",
        ],
    ),
    // Whoever is in both goes by the steps of the first, which prove less than the second one's rule asks.
    case(
        "RC0503",
        &[
            "mechanisms: { fax: { proves: accepted } }\n",
            "groups:\n  staff: { owner: ada, via: fax, informed_when: accepted, members: [{ id: a, fax: one, email: a@b.example }] }\n  more: { via: email, «informed_when: acknowledged, members: [{ id: a, fax: one, email: a@b.example }, { id: b, email: b@b.example }] }\n",
            "communiques:\n  out: { to: [staff, more], at: declared, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    // Whoever is in both has the words for the first one, which do not hold what concerns the second.
    case(
        "RC0302",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [«{ id: export, text: Faster export, concerns: more }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [a@b.example] }\n  more: { via: email, informed_when: accepted, members: [a@b.example, b@b.example] }\n",
            "communiques:\n  out: { to: [staff, more], at: declared, per: release, text: \"{{ release.what | length }}\", for: { staff: { text: Ready. } } }\n",
        ],
    ),
    case(
        "RC0434",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, if: { «host: urgent }, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0434",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [a@b.example], «only: paying }\n",
        ],
    ),
    Case {
        code: "RC0407",
        parts: &["groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: opted.csv }\n"],
        at: "opted.csv:4:1",
    },
];
