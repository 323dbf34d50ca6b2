//! Plans that use a default, or a part on which nothing acts yet. The mark `«` stands where the finding is.

use crate::cases::{Case, case};

/// Plans that use a default, or a part on which nothing acts yet.
pub(crate) const PLANS: &[Case] = &[
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
];
