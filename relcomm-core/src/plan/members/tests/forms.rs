//! What files look like in the world.

use super::*;

fn found_in(file: &str, content: &str) -> Vec<(&'static str, usize)> {
    let mut roster = roster();
    load(&mut roster, "g", file, &[], content);
    roster.finish().2.iter().map(|f| (f.code, f.at.as_ref().map_or(0, |at| at.line))).collect()
}

#[test]
fn the_line_is_right_however_many_values_before_it_hold_line_breaks() {
    let mut csv = "id,email,note\r\n".to_owned();
    let mut line = 2;
    while line < 4711 {
        // Two lines, a blank one, a mark that opens nothing, an escaped one, and three lines.
        csv.push_str(&format!(
            "a{line},a@x,\"one\r\ntwo\"\r\n\r\nb{line},b@x,5\" wide\r\nc{line},c@x,\"a \"\"b\n,\n\"\n"
        ));
        line += 7;
    }
    assert_eq!(line, 4713);
    csv.push_str("short\r\n");
    assert_eq!(found(&csv), [("RC0403", 4713)]);
    assert_eq!(found(&csv.replacen("one\r\ntwo", "one", 1).replacen("a \"\"b\n,\n", "", 1)), [("RC0403", 4710)]);
    let lines: String = (1..4711).map(|i| format!("{{\"id\":\"p{i}\"}}\r\n")).collect();
    assert_eq!(found_in("m.jsonl", &(lines + "short\n")), [("RC0403", 4711)]);
}

#[test]
fn a_byte_order_mark_is_dropped_even_where_it_is_read_in_pieces() {
    for (file, rest) in [("m.csv", "id,email\na,a@x\n"), ("m.jsonl", "{\"id\":\"a\",\"email\":\"a@x\"}\n")] {
        let mut roster = roster();
        let group = GroupId::new("g").unwrap();
        let list = List { group: &group, path: "", file, id_key: None, only: None };
        let octets = format!("\u{feff}{rest}").into_bytes();
        roster.file(list, &BTreeMap::new(), None, Box::new(Octets(octets.into_iter())));
        let (people, _, findings) = roster.finish();
        assert_eq!((people.len(), findings), (1, Vec::new()), "{file}");
        assert_eq!(people.get(0).unwrap().id.as_str(), "a");
    }
}

/// Gives one octet at each read.
struct Octets(std::vec::IntoIter<u8>);

impl Read for Octets {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some((to, byte)) = buf.first_mut().zip(self.0.next()) else { return Ok(0) };
        *to = byte;
        Ok(1)
    }
}

#[test]
fn a_mark_that_is_never_closed_swallows_nobody() {
    assert_eq!(found("id,email,note\na,a@x,\"one\nb,b@x,two\n"), [("RC0403", 2)]);
    assert_eq!(found("id,email,note\na,a@x,one\nb,b@x,\"two\n\n"), [("RC0403", 3)]);
    assert_eq!(found("id,email,note\na,a@x,5\" wide\n"), []);
}

#[test]
fn a_row_that_does_not_end_is_found_where_it_begins_and_not_held() {
    let row = "b,b@x,two\n";
    let mut csv = "id,email,note\na,a@x,\"one\n".to_owned();
    csv.push_str(&row.repeat(2 * LONGEST / row.len()));
    assert_eq!(found(&csv), [("RC0403", 2)]);
    let long = format!("{{\"id\":\"{}\"}}", "x".repeat(3 * LONGEST));
    let lines = format!("{{\"id\":\"a\"}}\n{long}\n{{\"id\":\"a\"}}\n");
    assert_eq!(found_in("m.jsonl", &lines), [("RC0403", 2), ("RC0405", 3)]);
}

#[test]
fn rows_that_end_in_a_cr_alone_are_rows() {
    let mut roster = roster();
    let rows: String = (0..LONGEST / 8).map(|i| format!("p{i},p{i}@x\r")).collect();
    load(&mut roster, "g", "m.csv", &[], &format!("id,email\r{rows}"));
    let (people, _, findings) = roster.finish();
    assert_eq!((people.len(), findings), (LONGEST / 8, Vec::new()));
}

#[test]
fn a_column_without_a_name_is_nothing_as_long_as_it_is_empty() {
    assert_eq!(found("id,email,,\na,a@x,,\n"), []);
    assert_eq!(found("id,email,,\na,a@x,,\nb,b@x,,lost\n"), [("RC0403", 3)]);
}

#[test]
fn a_header_is_found_where_it_stands() {
    assert_eq!(found("\n\nid,email,id\n"), [("RC0402", 3)]);
    assert_eq!(found("id,Email,email\n"), [("RC0402", 1)]);
}

#[test]
fn a_key_that_stands_twice_on_a_line_is_found() {
    assert_eq!(found_in("m.jsonl", "{\"id\":\"a\"}\n{\"id\":\"b\",\"id\":\"c\"}\n"), [("RC0403", 2)]);
    assert_eq!(found_in("m.jsonl", "{\"id\":\"a\",\"email\":\"a@x\",\"Email\":\"b@x\"}\n"), [("RC0403", 1)]);
}

#[test]
fn a_number_that_would_lose_its_digits_is_refused() {
    assert_eq!(found_in("m.jsonl", "{\"id\":12345678901234567890123,\"email\":\"a@x.example\"}\n"), [("RC0407", 1)]);
    assert_eq!(found_in("m.jsonl", "{\"id\":1234567890123456789,\"email\":\"a@x.example\"}\n"), []);
}
