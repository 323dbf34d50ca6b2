use super::*;
use crate::plan::directory::DirectoryError;

mod forms;
mod given;

fn roster() -> Roster {
    Roster::new(Vocabulary {
        mechanisms: Mechanism::STANDARD.iter().map(|m| Mechanism::new(m).unwrap()).collect(),
        places: ["eu", "us"].iter().map(|p| PlaceId::new(p).unwrap()).collect(),
    })
}

fn load(roster: &mut Roster, group: &str, file: &str, columns: &[(&str, &str)], content: &str) {
    let group = GroupId::new(group).unwrap();
    let columns = columns.iter().map(|(f, c)| ((*f).to_owned(), (*c).to_owned())).collect();
    let list = List { group: &group, path: "groups.g.members", file, id_key: None, only: None };
    roster.file(list, &columns, None, Box::new(Cursor::new(content.to_owned().into_bytes())));
}

fn found(content: &str) -> Vec<(&'static str, usize)> {
    let mut roster = roster();
    load(&mut roster, "g", "m.csv", &[], content);
    roster.finish().2.iter().map(|f| (f.code, f.at.as_ref().map_or(0, |at| at.line))).collect()
}

#[test]
fn columns_become_fields_addresses_and_variables() {
    let mut roster = roster();
    let columns = [("id", "CONTACT_ID"), ("email", "MAIL"), ("language", "LANG"), ("place", "REGION")];
    let csv =
        "\u{feff}CONTACT_ID,MAIL,LANG,REGION,Phone,Tier\n\n7, a@b.example ,de-CH,eu; us;eu,\"+41 44\",gold\n,,,,,\n";
    load(&mut roster, "g", "m.csv", &columns, csv);
    let (people, origins, findings) = roster.finish();
    assert_eq!(findings, []);
    assert_eq!(people.len(), 1);
    let who = people.get(0).unwrap();
    assert_eq!((who.id.as_str(), who.lang.as_ref().unwrap().as_str()), ("7", "de-CH"));
    assert_eq!(who.addresses["email"].as_str(), "a@b.example");
    assert_eq!(who.addresses["phone"].as_str(), "+41 44");
    assert_eq!(who.places.iter().map(PlaceId::as_str).collect::<Vec<_>>(), ["eu", "us"]);
    assert_eq!(who.vars["Tier"], "gold");
    assert_eq!(origins.position(0).unwrap().line, 3);
}

#[test]
fn an_id_is_made_of_the_email_but_never_holds_its_domain() {
    let mut roster = roster();
    load(&mut roster, "g", "m.csv", &[], "email\nJane.Doe@Example.org\n");
    assert_eq!(roster.finish().0.get(0).unwrap().id.as_str(), "jane.doe");
}

#[test]
fn each_broken_row_is_found_at_its_line() {
    assert_eq!(found("id,email\na,a@x\nb\n\n\nc,c@x,more\n"), [("RC0403", 3), ("RC0403", 6)]);
    assert_eq!(found("id,email\r\na,a@x\r\n\r\nb\r\n"), [("RC0403", 4)]);
    assert_eq!(found("\n\nid,email\na,a@x\nb\n"), [("RC0403", 5)]);
    assert_eq!(found("id,name\na,\"x\ry\"\n"), [("RC0407", 2)]);
    assert_eq!(found("id,name,email\na,\"two\nlines\",a@x\nb,n,b@x\nc\n"), [("RC0403", 5), ("RC0407", 2)]);
    assert_eq!(found("id,place\na,eu\nb,mars\n"), [("RC0408", 3)]);
    assert_eq!(found("name\nx\n"), [("RC0404", 2)]);
    assert_eq!(found("id,email\na b,a@x\n"), [("RC0407", 2)]);
    assert_eq!(found("id,email\na,a@x\na,b@x\na,c@x\n"), [("RC0405", 3)]);
    assert_eq!(found("id,id\n"), [("RC0402", 1)]);
    assert_eq!(found("id;email\na;b\n"), [("RC0402", 1)]);
    assert_eq!(found("id,lang,language\n"), [("RC0402", 1)]);
    assert_eq!(found("id,email\n"), [("RC0409", 0)]);
    assert_eq!(found(""), [("RC0409", 0)]);
}

#[test]
fn rows_broken_alike_are_one_finding() {
    let mut roster = roster();
    let csv: String =
        std::iter::once("id,place\n".to_owned()).chain((0..1000).map(|i| format!("p{i},mars\n"))).collect();
    load(&mut roster, "g", "m.csv", &[], &csv);
    let (_, _, findings) = roster.finish();
    assert_eq!(findings.len(), 1);
    assert!(findings[0].message.contains("1000 rows"), "{}", findings[0].message);
}

#[test]
fn no_finding_repeats_an_address_or_an_id() {
    let mut roster = roster();
    load(
        &mut roster,
        "g",
        "m.csv",
        &[],
        "id,email,name\nsecret-id,secret@x,a\nsecret-id,secret@x,a\nsecret id,b,\"se\rcret\"\nsecret\n",
    );
    load(
        &mut roster,
        "h",
        "m.jsonl",
        &[],
        "{\"id\":\"secret-id\",\"email\":\"secret2@x\"}\n{\"secret\n{\"email\":[\"secret\"]}",
    );
    let (_, _, findings) = roster.finish();
    assert!(findings.len() >= 6, "{findings:?}");
    for finding in findings {
        assert!(!finding.to_string().contains("secret"), "{finding}");
    }
}

#[test]
fn one_person_in_two_groups_is_one_with_the_same_addresses_and_a_finding_with_others() {
    let mut roster = roster();
    load(&mut roster, "g", "a.csv", &[], "id,email\na,a@x\nb,b@x\n");
    load(&mut roster, "h", "b.csv", &[], "id,email\nb,b@x\na,other@x\n");
    let (people, _, findings) = roster.finish();
    assert_eq!(people.len(), 2);
    assert_eq!(people.members(&GroupId::new("h").unwrap()), [1]);
    assert_eq!(findings.iter().map(|f| (f.code, f.at.as_ref().unwrap().line)).collect::<Vec<_>>(), [("RC0406", 3)]);
}

#[test]
fn what_a_later_list_says_more_is_added_and_what_it_says_otherwise_is_found() {
    let mut roster = roster();
    load(&mut roster, "g", "a.csv", &[], "id,email,role\nz,z@x,none\na,a@x,dev\nb,b@x,dev\n");
    load(&mut roster, "h", "b.csv", &[], "id,email,name,language,role,team\nb,b@x,Bea,de,ops,red\na,a@x,Ann,en,dev,\n");
    load(&mut roster, "i", "c.csv", &[], "id,email,name,team\nb,b@x,Beatrice,blue\nz,z@x,,\n");
    let (people, _, findings) = roster.finish();
    let who = |number| {
        let who = people.at(number).unwrap();
        let vars: Vec<_> = who.vars().collect();
        (who.id(), who.name(), who.lang().map(ToString::to_string), vars)
    };
    assert_eq!(who(0), ("z", None, None, vec![("role", "none")]));
    assert_eq!(who(1), ("a", Some("Ann"), Some("en".into()), vec![("role", "dev")]));
    assert_eq!(who(2), ("b", Some("Bea"), Some("de".into()), vec![("role", "dev"), ("team", "red")]));
    assert_eq!(people.at(2).unwrap().addresses().count(), 1);
    assert!(people.groups().map(|(_, members)| members.to_vec()).eq([vec![0, 1, 2], vec![2, 1], vec![2, 0]]));
    let found: Vec<_> = findings.iter().map(|f| (f.code, f.at.as_ref().unwrap().line, f.message.as_str())).collect();
    let says = |what| format!("another list says otherwise of the same id, and holds: {what}");
    let (b, c) = (says("`role`"), says("`name`, `team`"));
    assert_eq!(found, [("RC0435", 2, b.as_str()), ("RC0435", 2, c.as_str())]);
}

#[test]
fn json_lines_are_read_as_the_columns_of_a_csv_are() {
    let mut roster = roster();
    let lines = "{\"KEY\": 7, \"email\": \"a@x\", \"places\": [\"eu\", \"us\"], \"vip\": true, \"note\": null}\n\n{\"KEY\":8}\n";
    load(&mut roster, "g", "m.jsonl", &[("id", "KEY")], lines);
    let (people, origins, findings) = roster.finish();
    assert_eq!(findings, []);
    let who = people.get(0).unwrap();
    assert_eq!((who.id.as_str(), who.places.len(), who.vars["vip"].as_str()), ("7", 2, "true"));
    assert!(!who.vars.contains_key("note"));
    assert_eq!(origins.position(1).unwrap().line, 3);
}

#[test]
fn a_hundred_thousand_rows_are_read_one_by_one() {
    let mut roster = roster();
    let group = GroupId::new("g").unwrap();
    let rows = (0..100_000).map(|i| format!("p{i},p{i}@example.org,Person {i},eu\n"));
    let rows = std::iter::once("id,email,name,place\n".to_owned()).chain(rows);
    roster.file(
        List { group: &group, path: "", file: "m.csv", id_key: None, only: None },
        &BTreeMap::new(),
        None,
        Box::new(Piecewise(rows, Vec::new())),
    );
    let (people, _, findings) = roster.finish();
    assert_eq!((people.len(), findings.len()), (100_000, 0));
}

/// Gives one row at each read, so that a reader that wants the whole file first would still be seen to work row by row.
struct Piecewise<I>(I, Vec<u8>);

impl<I: Iterator<Item = String>> Read for Piecewise<I> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.1.is_empty() {
            self.1 = self.0.next().unwrap_or_default().into_bytes();
        }
        let n = self.1.len().min(buf.len());
        buf[..n].copy_from_slice(&self.1[..n]);
        self.1.drain(..n);
        Ok(n)
    }
}
