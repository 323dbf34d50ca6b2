//! What a program may repeat and nobody may read: it is struck out of all that it says.

use relcomm_core::channel::Batch;
use secrecy::{ExposeSecret, SecretString};

/// Shorter values of variables and lines of a text stand in too many innocent words.
const SHORTEST: usize = 4;
/// What stands in the place of what was struck out.
const STRUCK: &str = "…";

/// Values of the environment; of an attempt, addresses, names, tokens and the lines of the text.
#[derive(Clone, Default)]
pub(super) struct Hidden(Vec<String>);

impl Hidden {
    pub(super) fn of<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut hidden = Self::default();
        for secret in secrets {
            hidden.add(secret.expose_secret(), SHORTEST);
        }
        hidden
    }

    /// These, and all that an attempt brings.
    pub(super) fn and(&self, batch: &Batch<'_>) -> Self {
        let mut hidden = self.clone();
        for item in batch.items {
            if let Some(address) = &item.address {
                hidden.add(address.as_str(), 1);
            }
            hidden.add(item.name.as_deref().unwrap_or_default(), 1);
            hidden.add(item.token().as_str(), 1);
        }
        for line in batch.text.parts.iter().flat_map(|part| part.content.lines()) {
            hidden.add(line, SHORTEST);
        }
        // A longer one may hold a shorter one.
        hidden.0.sort_by_key(|text| std::cmp::Reverse(text.len()));
        hidden
    }

    fn add(&mut self, text: &str, shortest: usize) {
        let text = text.trim();
        if text.len() >= shortest {
            self.0.push(text.to_ascii_lowercase());
        }
    }

    /// The text without what is hidden, whatever the case of its letters.
    pub(super) fn strike(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for hidden in &self.0 {
            let mut from = 0;
            while let Some(at) = text.get(from..).and_then(|rest| rest.to_ascii_lowercase().find(hidden.as_str())) {
                let at = from + at;
                text.replace_range(at..at + hidden.len(), STRUCK);
                from = at + STRUCK.len();
            }
        }
        text
    }

    /// Whether there is nothing hidden in it.
    pub(super) fn clears(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        !self.0.iter().any(|hidden| text.contains(hidden.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::Hidden;

    #[test]
    fn what_is_hidden_is_struck_out_whatever_its_case() {
        let hidden = Hidden::of(&["Hush-hush".into(), "abc".into()]);
        assert_eq!(hidden.strike("ü HUSH-HUSHhush-hush abc"), "ü …… abc");
        assert!(hidden.clears("hush") && !hidden.clears("say hush-HUSH"));
    }
}
