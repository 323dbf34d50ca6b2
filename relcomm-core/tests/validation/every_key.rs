//! No key of the plan language is silently inert: whoever adds one says here that something acts on it.

use relcomm_core::plan::json_schema;
use std::collections::BTreeSet;

/// The keys on which the engine acts, by the definition of the JSON Schema that holds them.
const ACTED_ON: &[(&str, &str)] = &[
    ("ApprovalsDraft", "covers distinct expire need roles"),
    (
        "CommuniqueDraft",
        "after at covers deadline for if if_blocked indeterminate informed_when not_after occurrences on_slip per profile short subject text text_file to undeclared urgent via",
    ),
    ("DependencyDraft", "communique for share state"),
    ("FullEmbargoDraft", "classified cleared lift until"),
    (
        "FullGroupDraft",
        "between fallback informed_when languages members must_inform only opt_out owner require via waived within zone",
    ),
    ("FullHowDraft", "access circumstances support"),
    ("FullItemDraft", "concerns id kind places text"),
    ("FullMemberDraft", "id language name opted_out place stands_for through vars zone"),
    ("FullStepDraft", "all performer to unless via within"),
    ("FullWhenDraft", "lasts planned"),
    ("IfBlockedDraft", "after then"),
    ("IfDraft", "host kind outcome place"),
    ("MechanismDraft", "address addressing proves"),
    ("MembersFrom", "columns directory file id_key"),
    ("NeedOnly", "only retrospective role"),
    ("OnePer", "among one_per"),
    ("ParamFrom", "env value"),
    ("PartyMap", "id name"),
    ("PlaceDraft", "name needs platforms"),
    (
        "PlanDraft",
        "approvals communiques embargo exposure groups id indeterminate mechanisms params plan profiles protocol release responsible settle zone",
    ),
    ("ProfileDraft", "must_state"),
    ("ProtocolDraft", "approve declare execute prepare"),
    ("ReachColumn", "column"),
    ("ReleaseDraft", "how kind product version what when where why"),
    ("ResponsibleForm", "backup execute id name performers"),
    ("SecretRef", "env file"),
    ("TimeMap", "between from not_after plus spread zone"),
    ("ToldDraft", "perhaps told"),
    ("VariantDraft", "at deadline short subject text text_file via"),
    ("ViaForm", "all also as_told performer to unless via within"),
    ("WaivedDraft", "by why"),
];

fn keys(table: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    table.iter().flat_map(|(of, keys)| keys.split(' ').map(|key| ((*of).to_owned(), key.to_owned()))).collect()
}

#[test]
fn every_key_of_the_schema_is_acted_on() {
    let schema = json_schema();
    let definitions = schema["$defs"].as_object().unwrap().iter().map(|(name, definition)| (name.as_str(), definition));
    let mut in_schema = BTreeSet::new();
    for (name, definition) in definitions.chain([("PlanDraft", &schema)]) {
        let keys = definition["properties"].as_object().into_iter().flat_map(|properties| properties.keys());
        in_schema.extend(keys.map(|key| (name.to_owned(), key.clone())));
    }
    let known = keys(ACTED_ON);
    assert_eq!(in_schema, known);
}
