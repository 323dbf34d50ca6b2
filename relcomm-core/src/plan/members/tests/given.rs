//! What a host gives: keys and directories.

use super::*;

fn keyed(roster: &mut Roster, group: &str, file: &str, content: &str) {
    let key = IdKey::new(&"0123456789abcdef".into()).unwrap();
    let group = GroupId::new(group).unwrap();
    let list = List { group: &group, path: "groups.g.members", file, id_key: Some(&key), only: None };
    roster.file(list, &BTreeMap::new(), None, Box::new(Cursor::new(content.to_owned().into_bytes())));
}

#[test]
fn whoever_stands_in_two_lists_under_one_key_is_one_person() {
    let mut roster = roster();
    keyed(&mut roster, "g", "a.csv", "email,name\nBea@x,Bea\ncho@x,Cho\n");
    keyed(&mut roster, "h", "b.jsonl", "{\"email\":\"dan@x\"}\n{\"email\":\"bea@X\"}\n");
    let (people, _, findings) = roster.finish();
    assert_eq!(findings, []);
    assert_eq!(people.len(), 3);
    assert_eq!(people.members(&GroupId::new("h").unwrap()), [2, 0]);
    // The first spelling is the one that is used.
    assert_eq!(people.get(0).unwrap().addresses["email"].as_str(), "Bea@x");
    assert!((0..3).all(|n| people.at(n).unwrap().id().len() == 26));
}

#[test]
fn an_id_that_is_given_is_not_derived() {
    let mut roster = roster();
    keyed(&mut roster, "g", "a.csv", "id,email\n7,bea@x\n,cho@x\n");
    let (people, _, findings) = roster.finish();
    assert_eq!(findings, []);
    assert_eq!(people.get(0).unwrap().id.as_str(), "7");
    assert_eq!(people.get(1).unwrap().id.as_str().len(), 26);
}

#[test]
fn one_address_twice_and_no_address_are_found() {
    let mut roster = roster();
    keyed(&mut roster, "g", "a.csv", "email,name\nbea@x,Bea\nBEA@x,Bea\n,Cho\n");
    let (_, _, findings) = roster.finish();
    let found: Vec<_> = findings.iter().map(|f| (f.code, f.at.as_ref().unwrap().line)).collect();
    assert_eq!(found, [("RC0404", 4), ("RC0405", 3)]);
    assert!(findings.iter().all(|f| !f.to_string().contains("local part")), "{findings:?}");
}

/// Gives so many members and then says that it cannot go on, if it should.
#[derive(Debug)]
struct Numbered {
    many: usize,
    breaks: bool,
}

impl Directory for Numbered {
    fn members(&self, group: &GroupId, give: &mut dyn FnMut(MemberRecord<'_>)) -> Result<(), DirectoryError> {
        for i in 0..self.many {
            let member = MemberRecord::new().id(format!("{group}-{i}")).address("email", format!("secret{i}@x"));
            give(member.address("phone", "").place(if i == 4 { "mars" } else { "eu" }).var("n", i.to_string()));
        }
        if self.breaks { Err(DirectoryError::new("the far side\nhas closed")) } else { Ok(()) }
    }
}

fn directory(directory: &dyn Directory) -> (People, Origins, Vec<Finding>) {
    let mut roster = roster();
    let group = GroupId::new("g").unwrap();
    let list =
        List { group: &group, path: "groups.g.members.directory", file: "directory crm", id_key: None, only: None };
    roster.directory(list, "crm", None, directory);
    roster.finish()
}

#[test]
fn a_directory_gives_people_as_a_file_does() {
    let (people, origins, findings) = directory(&Numbered { many: 3, breaks: false });
    assert_eq!(findings, []);
    let who = people.get(2).unwrap();
    assert_eq!((who.id.as_str(), who.addresses["email"].as_str()), ("g-2", "secret2@x"));
    assert_eq!((who.places[0].as_str(), who.vars["n"].as_str(), who.addresses.len()), ("eu", "2", 1));
    let at = origins.position(2).unwrap();
    assert_eq!((at.file.as_str(), at.line), ("directory crm", 3));
}

#[test]
fn a_record_that_is_wrong_is_found_by_its_number_and_not_shown() {
    let (_, _, findings) = directory(&Numbered { many: 6, breaks: false });
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    let at = finding.at.as_ref().unwrap();
    assert_eq!((finding.code, at.file.as_str(), at.line), ("RC0408", "directory crm", 5));
    assert!(!finding.to_string().contains("secret") && !finding.to_string().contains("mars"), "{finding}");
}

#[test]
fn a_directory_that_breaks_off_or_names_nobody_is_a_finding() {
    let (_, _, findings) = directory(&Numbered { many: 2, breaks: true });
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!(finding.code, "RC0433");
    assert_eq!(finding.message, "the directory `crm` broke off after 2 records: the far side has closed");
    let (_, _, findings) = directory(&Numbered { many: 0, breaks: false });
    assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), ["RC0409"]);
}

/// Gives this one record.
#[derive(Debug)]
struct One(MemberRecord<'static>);

impl Directory for One {
    fn members(&self, _: &GroupId, give: &mut dyn FnMut(MemberRecord<'_>)) -> Result<(), DirectoryError> {
        give(self.0.clone());
        Ok(())
    }
}

#[test]
fn of_two_values_the_later_holds_and_an_unknown_mechanism_makes_a_variable() {
    let record = MemberRecord::new().id("a").id("b").address("email", "a@x").address("email", "b@x");
    let record = record.place("eu").place("us").address("Phone", "+41445550101").address("pigeon", "loft 7").lang("de");
    let (people, _, findings) = directory(&One(record));
    assert_eq!(findings, []);
    let who = people.get(0).unwrap();
    assert_eq!((who.id.as_str(), who.addresses["email"].as_str(), who.places.len()), ("b", "b@x", 2));
    assert_eq!(who.addresses["phone"].as_str(), "+41445550101");
    assert_eq!((who.vars["pigeon"].as_str(), who.lang.unwrap().as_str()), ("loft 7", "de"));
}

#[test]
fn a_record_of_which_nothing_is_said_is_found() {
    let (_, _, findings) = directory(&One(MemberRecord::new()));
    assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), ["RC0404"]);
}

#[test]
fn neither_a_record_nor_a_key_shows_what_it_holds() {
    let record = MemberRecord::new().id("secret").address("email", "secret@x");
    assert!(!format!("{record:?}").contains("secret"));
    assert!(!format!("{:?}", IdKey::new(&"secret secret secret".into())).contains("secret"));
}
