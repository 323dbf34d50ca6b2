//! Plans whose times, order or texts are wrong. The mark `«` stands where the finding is.

use crate::cases::{Case, case};

/// Plans whose times, order or texts are wrong.
pub(crate) const PLANS: &[Case] = &[
    case("RC0620", &["embargo: { until: 2027-05-14T07:00Z, classified: [«item.exprot] }\n"]),
    case("RC0620", &["embargo: { until: 2027-05-14T07:00Z, classified: [release.what, «version] }\n"]),
    case(
        "RC0624",
        &[
            "embargo: { until: 2027-05-14T07:00Z, cleared: staff, classified: item.export }\n",
            "groups:\n  staff: { owner: ada, members: [{ id: sam, email: sam@b.example }], via: [email, «{ via: email, to: dee, unless: accepted, within: 1h }], informed_when: accepted }\n  others: { owner: ada, members: [{ id: dee, email: dee@b.example }], via: email, informed_when: accepted }\n",
            "communiques:\n  out: { to: [staff, others], at: embargo, per: release, text: \"{{ release.what | length }}\" }\n  pre: { to: staff, at: planned, per: release, text: \"{{ item.export }}\" }\n",
        ],
    ),
    case("RC0101", &["embargo: { until: 2027-05-14T07:00Z, «cleared: stuff }\n"]),
    case("RC0605", &["embargo: { «until: embargo }\n"]),
    case("RC0605", &["embargo: { «until: out accepted }\n"]),
    case(
        "RC0104",
        &[
            "embargo: 2027-05-14T07:00Z\n",
            "communiques:\n  out: { to: staff, at: embargo, per: release, text: \"{{ release.what | length }}\" }\n  more: { to: staff, at: declared, «undeclared: true, per: release, text: Soon }\n",
        ],
    ),
    case(
        "RC0621",
        &[
            "embargo: { until: 2027-05-14T07:00Z, classified: item.export }\n",
            "communiques:\n  out: { to: staff, at: embargo, per: release, text: \"{{ release.what | length }}\" }\n  pre: { to: staff, «at: planned, per: release, text: \"{{ item.export }}\" }\n",
        ],
    ),
    case(
        "RC0104",
        &[
            "communiques:\n  out: { to: staff, at: declared, via: [{ all: [email, «{ via: phone, unless: delivered, within: 1h }] }], per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0104",
        &[
            "communiques:\n  out: { to: staff, at: declared, via: [{ all: [email, «{ all: [phone] }] }], per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0102",
        &[
            "communiques:\n  out: { to: staff, at: declared, via: [{ all: [email, «email] }], per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0505",
        &[
            "communiques:\n  out: { to: staff, at: declared, via: [email, «{ via: email, to: nobody-here }], per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0505",
        &[
            "communiques:\n  out: { to: staff, at: declared, via: [email, { all: [phone, «{ via: website, to: ada }] }], per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0605",
        &[
            "communiques:\n  out: { to: staff, at: declared, «not_after: { from: declared, plus: 1d, between: \"07:00-20:00\" }, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0602",
        &[
            "communiques:\n  out: { to: staff, «at: { from: planned, between: \"10:00-11:00\", not_after: planned +2h }, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0602",
        &[
            "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, email: all@b.example, zone: Asia/Tokyo, between: \"08:00-12:00\" }\n",
            "communiques:\n  out: { to: staff, «at: { from: declared, between: \"08:00-12:00\" }, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0602",
        &[
            "communiques:\n  out: { to: staff, occurrences: { «early: { from: planned, not_after: planned -1h } }, per: release, text: \"{{ release.what | length }}\" }\n",
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
        "RC0605",
        &[
            "plan: 1\nid: p\n",
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  when: { «planned: 2027-05-12T07:00, lasts: 1h }\n",
        ],
    ),
    case(
        "RC0605",
        &[
            "plan: 1\nid: p\n",
            "communiques:\n  out: { to: staff, «at: 2027-05-12T07:00, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0605",
        &[
            "plan: 1\nid: p\n",
            "communiques:\n  out: { to: staff, «at: planned -1d @09:00, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0605",
        &[
            "plan: 1\nid: p\n",
            "communiques:\n  out: { to: staff, occurrences: { now: declared, «later: 2027-05-13 @09:00 }, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0605",
        &[
            "plan: 1\nid: p\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «not_after: 2027-05-13T07:00 }\n",
        ],
    ),
    case(
        "RC0605",
        &[
            "plan: 1\nid: p\n",
            "communiques:\n  out: { to: staff, «at: { from: declared, not_after: 2027-05-13T07:00 }, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0605",
        &[
            "plan: 1\nid: p\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", for: { staff: { «at: 2027-05-13T07:00 } } }\n",
        ],
    ),
    // The clock is put forward over it.
    case(
        "RC0605",
        &[
            "plan: 1\nid: p\nzone: Europe/London\n",
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: production\n  how: Nothing to do.\n  «when: 2027-03-28T01:30\n",
        ],
    ),
    // The clock passes it twice.
    case(
        "RC0605",
        &[
            "plan: 1\nid: p\nzone: Europe/London\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «not_after: 2027-10-31T01:30 }\n",
        ],
    ),
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
        "RC0615",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: { production: { «needs: out informed } }\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
        ],
    ),
    case(
        "RC0615",
        &[
            "release:\n  product: Billing\n  version: 1.2.3\n  what: [{ id: export, text: Faster export }]\n  why: People wait for it.\n  where: { production: { needs: [«soon informed] } }\n  how: Nothing to do.\n  when: 2027-05-12T07:00Z\n",
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  soon: { to: staff, at: planned, after: out informed, per: release, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0104",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\", «if_blocked: { then: proceed } }\n",
        ],
    ),
    case(
        "RC0104",
        &[
            "communiques:\n  out: { to: staff, at: declared, «per: release, if: { place: production }, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0101",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: place, if: { «place: mars }, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0101",
        &[
            "communiques:\n  brief: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  out: { to: staff, at: declared, per: release, after: brief accepted, if_blocked: { «then: ask owner }, text: \"{{ release.what | length }}\" }\n",
        ],
    ),
    case(
        "RC0614",
        &[
            "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ release.what | length }}\" }\n  more: { to: staff, at: declared, «after: out any accepted, per: release, text: \"{{ release.what | length }}\" }\n",
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
        at: "broken.md:3:21",
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
