//! The fields of a delivery status (RFC 3464, 2.1): groups of header-like lines, read with forgiveness and bounds.

/// No report has more groups than a transaction may have recipients, and some.
const MOST_GROUPS: usize = 2000;
/// A value longer than this says nothing that is asked here.
const LONGEST_VALUE: usize = 4096;

/// One group: lower-case names and unfolded values, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group(Vec<(String, String)>);

impl Group {
    /// The first value of that name, which is in lower case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// Reads all groups. Lines end with CRLF, LF or CR; a blank line ends a group; so does a second `Action` or `Final-Recipient`, since
/// some systems forget the blank line.
pub(super) fn groups(text: &str) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut current = Group::default();
    for line in text.replace("\r\n", "\n").split(['\r', '\n']) {
        if line.trim().is_empty() {
            close(&mut groups, &mut current);
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = current.0.last_mut()
                && value.len() + line.len() < LONGEST_VALUE
            {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            let name = name.trim().to_ascii_lowercase();
            let starts_anew = matches!(name.as_str(), "action" | "final-recipient") && current.get(&name).is_some();
            if starts_anew {
                close(&mut groups, &mut current);
            }
            if value.len() < LONGEST_VALUE {
                current.0.push((name, value.trim().to_owned()));
            }
        }
        if groups.len() >= MOST_GROUPS {
            return groups;
        }
    }
    close(&mut groups, &mut current);
    groups
}

fn close(groups: &mut Vec<Group>, current: &mut Group) {
    if !current.0.is_empty() {
        groups.push(std::mem::take(current));
    }
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn groups_end_at_blank_lines_whatever_the_line_end() {
        for end in ["\n", "\r\n", "\r"] {
            let text =
                ["Reporting-MTA: dns; x", "", "Final-Recipient: rfc822; a@b", "ACTION: failed", "Status: 5.1.1", ""];
            let found = groups(&text.join(end));
            assert_eq!(found.len(), 2, "{end:?}");
            assert_eq!(found[1].get("action"), Some("failed"));
        }
    }

    #[test]
    fn folded_values_are_joined_and_forgotten_blank_lines_are_seen() {
        let text = "Action: failed\nDiagnostic-Code: smtp; 550\n  no such\n\tuser\nFinal-Recipient: rfc822; a@b\nAction: delayed\n";
        let found = groups(text);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].get("diagnostic-code"), Some("smtp; 550 no such user"));
        assert_eq!(found[1].get("action"), Some("delayed"));
    }
}
