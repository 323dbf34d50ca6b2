//! The text of a file and its lines: from octet offsets to positions.

use super::{Fault, LARGEST};
use crate::plan::excerpt::without_addresses;
use crate::plan::{Finding, Position};

pub(super) struct Lines {
    file: String,
    text: String,
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Self, Box<Finding>> {
        if bytes.len() > LARGEST {
            let message = format!("the file is larger than {} MiB", LARGEST >> 20);
            return Err(Box::new(Finding::error("RC0001", "", message).at(Position::new(file, 1, 1, ""))));
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let (text, broken) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(e) => {
                (std::str::from_utf8(bytes.get(..e.valid_up_to()).unwrap_or_default()).unwrap_or_default(), Some(e))
            }
        };
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        let lines = Self { file: file.to_owned(), text: text.to_owned(), starts };
        match broken {
            None => Ok(lines),
            Some(_) => {
                let fault = Fault::new(lines.text.len(), "the file is not UTF-8 from here on").help("save it as UTF-8");
                Err(lines.finding(&fault))
            }
        }
    }

    pub(super) fn file(&self) -> &str {
        &self.file
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let end = self.starts.get(line).copied().unwrap_or(self.text.len());
        let before = self.text.get(start..offset).unwrap_or_default();
        let after = self.text.get(offset..end).unwrap_or_default().trim_end_matches(['\n', '\r']);
        // What stands between CR and LF stands at the line's end.
        let before = if after.is_empty() { before.trim_end_matches('\r') } else { before };
        Position::between(&self.file, line, before, after)
    }

    pub(super) fn finding(&self, fault: &Fault) -> Box<Finding> {
        // Parsers repeat what they found.
        let finding = Finding::error("RC0001", "", without_addresses(&fault.message)).at(self.position(fault.offset));
        Box::new(match &fault.help {
            Some(help) => finding.help(help.clone()),
            None => finding,
        })
    }
}
