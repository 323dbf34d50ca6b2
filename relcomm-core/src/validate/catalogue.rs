//! Every code of the standard findings, with what it means.

/// What a code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The stable code.
    pub code: &'static str,
    /// What is wrong, in a phrase.
    pub title: &'static str,
    /// Why it matters and what to do.
    pub text: &'static str,
}

const fn says(code: &'static str, title: &'static str, text: &'static str) -> Explanation {
    Explanation { code, title, text }
}

/// By theme: 00 form, 01 references, 02 answers, 03 coverage, 04 people, 05 mechanisms, 06 times and order, 07 texts, 08 defaults that
/// were used, 09 what nothing acts on yet.
const CATALOGUE: &[Explanation] = &[
    says(
        "RC0001",
        "the file cannot be read as YAML, TOML or JSON",
        "The format is told by the file's name. The position is where reading stopped. A plan is one document, without duplicate keys, tags or merge keys.",
    ),
    says(
        "RC0002",
        "a key that the plan language does not know",
        "A misspelt key would silently change nothing, so that every unknown key is an error. The help names the nearest known one.",
    ),
    says(
        "RC0003",
        "a value of the wrong kind",
        "A list stands where text is meant, or the like. The message says what is expected.",
    ),
    says("RC0004", "a key that is missing", "The language demands this key here."),
    says(
        "RC0005",
        "a value that its key refuses",
        "The value is of the right kind but not one of those that the key takes: an id with a space, a duration without a unit, a time without an anchor.",
    ),
    says(
        "RC0006",
        "a parameter without a value, or a value without a parameter",
        "`params` takes its values from `--set`, the environment, or the plan. A parameter that has none leaves a gap in the plan; one that is set but not declared is most likely misspelt.",
    ),
    says(
        "RC0101",
        "a reference to something that does not exist",
        "A group, place, item, communique, role, profile or performer is named that the plan does not have.",
    ),
    says("RC0102", "something is named twice", "Ids tell things apart; the second one would be lost."),
    says(
        "RC0103",
        "no id can be made",
        "An id is made of a name, address, product or version, but this one holds nothing that an id may hold. Give the id itself.",
    ),
    says(
        "RC0104",
        "two keys that exclude each other, or one that lacks its other half",
        "Such as `at` beside `occurrences`, `text` beside `text_file`, members beside an address of the group's own.",
    ),
    says(
        "RC0105",
        "a text by language for groups without languages",
        "`{{ lang }}` in a file's name stands for the languages of the communique's groups; none of them names any.",
    ),
    says(
        "RC0201",
        "an empty answer",
        "Who, what, why, where, how and when are what people ask about every release. An answer may be short, not empty.",
    ),
    says(
        "RC0202",
        "a placeholder instead of an answer",
        "The answer still holds a word such as TBD that was to be replaced before the plan is used.",
    ),
    says(
        "RC0203",
        "the responsible party cannot be reached",
        "Questions, failures and tasks go to the responsible party, so that an address is needed.",
    ),
    says(
        "RC0204",
        "a part of the plan is missing",
        "A plan answers who, what, why and how, has a group at least, and says something to each.",
    ),
    says(
        "RC0301",
        "a group that nobody tells",
        "Every group is named in `to` of a communique meant for success, or waived by a person with a reason.",
    ),
    says(
        "RC0302",
        "an item that a group is never told of",
        "A text of its own covers an item only if it uses it, or the communique names it in `covers`. An error where the item names the group in `concerns`; a warning where it concerns everybody by default.",
    ),
    says(
        "RC0303",
        "a group that is both waived and told",
        "One of the two is left over from an earlier state of the plan.",
    ),
    says(
        "RC0401",
        "a file that the plan names cannot be read",
        "Paths are relative to the plan and stay at or below its directory.",
    ),
    says(
        "RC0402",
        "a header of member data that cannot be used",
        "Each column is named once, every column that `columns` maps is there, and the columns are divided by commas.",
    ),
    says(
        "RC0403",
        "a row of member data that cannot be read",
        "A row has as many values as the header, in UTF-8; a line of JSON lines is one object.",
    ),
    says(
        "RC0404",
        "a member without an id",
        "A member needs an id, or an email of which one is made. Ids enter the journal and must not change between runs.",
    ),
    says(
        "RC0405",
        "two members of a list with the same id",
        "They would be taken for one person, and one of them would never be told. The local parts of two emails may be the same: add an `id` column.",
    ),
    says(
        "RC0406",
        "one id with different addresses or places in two lists",
        "One person has the same addresses and places in every group. If they are two people, they need different ids.",
    ),
    says(
        "RC0407",
        "a value of member data that cannot be used",
        "A name with a line break, an address with a control character, a language that is none. The message names the column, never the value.",
    ),
    says(
        "RC0408",
        "a member in a place that the release does not have",
        "Members tied to an unknown place would never be told. Places are the ids in `release.where`; several are divided by `;`.",
    ),
    says(
        "RC0409",
        "a list of members with nobody in it",
        "An export that failed looks like this. A group without people says `waived: {why, by}`.",
    ),
    says(
        "RC0410",
        "a member without an address for any step",
        "No step can reach them. The position is that of the first such member.",
    ),
    says(
        "RC0411",
        "an address that cannot be right",
        "It does not have the syntax of its mechanism, or does not match the plan's own pattern. The address itself is not printed.",
    ),
    says(
        "RC0412",
        "a group without people",
        "It has neither members nor an address, and none of its steps posts once for all.",
    ),
    says(
        "RC0413",
        "an address that is no endpoint of the deployment",
        "The addresses of this mechanism are names of endpoints in the deployment's configuration, because hook URLs are secrets.",
    ),
    says(
        "RC0414",
        "a pattern of addresses that is no regular expression",
        "The syntax is that of the Rust crate `regex`: without look-around and back-references.",
    ),
    says(
        "RC0415",
        "people who hear the same once for each place",
        "A member tied to no place belongs to every place. With one gate for each place they are told each time.",
    ),
    says(
        "RC0501",
        "an unknown mechanism",
        "Standard are email, text, pager, phone, website, bulletin, newsletter, presentation, webhook and chat; all others are declared under `mechanisms`.",
    ),
    says(
        "RC0502",
        "a mechanism without a channel",
        "The deployment binds no channel to a mechanism that the plan uses. A person's hands are a channel too: `{ kind: manual }`.",
    ),
    says(
        "RC0503",
        "being informed can never be shown",
        "`informed_when` asks for more than any step can prove, so that nobody would ever count as informed.",
    ),
    says(
        "RC0504",
        "a step that always follows",
        "What would keep the step shut can be proved by none of the steps before it.",
    ),
    says(
        "RC0601",
        "a time in the past",
        "What is due in the past goes out at once. A warning while nobody is really told, an error in a live run.",
    ),
    says(
        "RC0602",
        "an end before the beginning",
        "The communique is due after its `not_after`: it would expire unsent.",
    ),
    says(
        "RC0603",
        "due before what it waits for",
        "The times of a communique and of its `after` contradict each other.",
    ),
    says(
        "RC0604",
        "a step that follows faster than dispatch looks",
        "Where a scheduler calls dispatch, nothing happens between two calls.",
    ),
    says(
        "RC0605",
        "a time that cannot be placed",
        "A local time without a zone, one that the clock skips or passes twice, or business days where a fixed length is needed.",
    ),
    says(
        "RC0606",
        "half a condition on a step",
        "`unless` says what is waited for and `within` how long; both stand on the step that they open, which is never the first.",
    ),
    says(
        "RC0607",
        "a time relative to a planned time that is open",
        "Until the planned time is set, nothing that is relative to it is due.",
    ),
    says("RC0611", "communiques that wait for each other", "A circle of `after` and anchors never begins."),
    says(
        "RC0612",
        "waiting for more than is pursued",
        "A delivery is pursued until it is informed, or until what a move-on condition asks. What is beyond that may never come, and whoever waits for it waits for ever.",
    ),
    says("RC0613", "waiting for a group that is not told", "`after: X STATE for GROUP`, but X is not for that group."),
    says(
        "RC0701",
        "an unknown variable",
        "Templates are strict: a misspelt variable would leave a gap in a text that people read.",
    ),
    says("RC0702", "a template that cannot be parsed", "The position is in the text's own file where it has one."),
    says(
        "RC0703",
        "a text that speaks of a communique for which it does not wait",
        "`told.X` has a value only when X has been sent: say `after: X accepted`.",
    ),
    says(
        "RC0704",
        "a control character where one line is meant",
        "A line break in a name or subject would begin a new header of a mail.",
    ),
    says(
        "RC0705",
        "a place in a text for the release as a whole",
        "With one gate for the release there is no one place: use `places.live`, or say `per: place`.",
    ),
    says("RC0801", "default: the plan's id", "Made of product and version. The journal belongs to it."),
    says("RC0802", "default: where", "One place, `production`."),
    says("RC0803", "default: when", "Open."),
    says("RC0804", "default: a group's owner", "The responsible party."),
    says("RC0805", "default: a group's steps", "The kinds of address that its members have."),
    says("RC0806", "default: when a member counts as informed", "When the far side has accepted."),
    says("RC0807", "default: when a communique is due", "At the declared success, or outcome for which it is meant."),
    says("RC0808", "default: what a communique covers", "Every item that concerns its groups."),
    says("RC0809", "default: the text", "The built-in text of the six answers."),
    says(
        "RC0810",
        "default: one gate for each place or for the release",
        "`place` if a group has members tied to places or the text speaks of the place, else `release`.",
    ),
    says("RC0811", "default: the zone", "UTC for days; local times need a zone."),
    says("RC0812", "default: an item's id", "Made from its place in the list."),
    says(
        "RC0901",
        "not acted on yet: times of the day and spreading",
        "`between`, `spread`, `urgent`, and zones of groups and recipients.",
    ),
    says("RC0902", "not acted on yet: lateness", "`within` of a group, and `deadline`."),
    says("RC0903", "not acted on yet: corrections", "`told`, `as_told`, and `on_slip: correct`."),
    says("RC0904", "not acted on yet: quotas", "`require` other than `all`, and `must_inform`."),
    says("RC0905", "not acted on yet: steps at once and escalation", "`all` and `to` of a step."),
    says("RC0906", "not acted on yet: several languages", "One language for each group and text is."),
    says(
        "RC0907",
        "not acted on yet: more about members",
        "Directories and predicates of the host's, derived ids, opt-outs, `stands_for`, `through`, `zone`.",
    ),
    says(
        "RC0908",
        "not acted on yet: more about dependencies",
        "`any` and shares, `if_blocked`, and `needs` of a place.",
    ),
    says("RC0909", "not acted on yet: embargoes", "`embargo`, times relative to it, and `undeclared`."),
    says("RC0910", "not acted on yet: more about approvals", "`distinct`, `expire`, and `protocol`."),
    says("RC0911", "not acted on yet: profiles", "`profiles`, and `profile` of a communique."),
    says("RC0912", "not acted on yet: kinds of release", "Kinds other than `prerelease`."),
    says(
        "RC1101",
        "a text over its channel's limit",
        "Found when every text is rendered, with late values at their greatest length.",
    ),
    says("RC1102", "characters that the channel's alphabet lacks", "Text messages of the GSM alphabet hold no others."),
    says(
        "RC1103",
        "a text that cannot be rendered",
        "Some stakeholder lacks a value that the template uses, or a filter was given what it cannot print.",
    ),
    says(
        "RC1104",
        "a subject that would break a header",
        "A control character in a subject would begin a new header of a mail.",
    ),
    says(
        "RC1111",
        "the mail relay offers no DSN",
        "Receipts of delivery cannot be asked for; a mail then counts as accepted at most (RFC 3461).",
    ),
    says("RC1112", "the mail relay limits the size", "Texts over it will be refused (RFC 1870)."),
    says("RC1113", "the mail relay takes no 8-bit text", "Texts are sent encoded (RFC 6152)."),
    says(
        "RC1114",
        "the mail relay takes no international addresses",
        "Recipients whose local part is not ASCII will be refused (RFC 6531).",
    ),
    says("RC1115", "the mailbox for receipts cannot be read", "Bounces and delivery reports will not be seen."),
    says("RC1116", "an endpoint cannot be reached", "Name, connection or certificate failed; nothing was sent to it."),
];

/// Every code, in order.
#[must_use]
pub fn catalogue() -> &'static [Explanation] {
    CATALOGUE
}

/// What the code means; `None` for a code that is not of these.
#[must_use]
pub fn explain(code: &str) -> Option<&'static Explanation> {
    CATALOGUE.iter().find(|explanation| explanation.code == code)
}
