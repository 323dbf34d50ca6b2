//! Every code of the standard findings, with its page: one file for each in `pages`, and nothing said of it elsewhere.
//!
//! A page begins with `# CODE: title`. It says why the finding matters and how to mend it, and shows a plan that breaks that and one that
//! passes; a test judges them all.

/// What a code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The stable code.
    pub code: &'static str,
    /// What is wrong, in a phrase.
    pub title: &'static str,
    /// The whole page, Markdown: why it matters, how to mend it, and plans that show it.
    pub page: &'static str,
}

/// `# RC0101: title`.
const CODE: std::ops::Range<usize> = 2..8;
const TITLE: usize = 10;

/// Takes code and title from the page's first line.
const fn page(page: &'static str) -> Explanation {
    let mut end = TITLE;
    while page.as_bytes()[end] != b'\n' {
        end += 1;
    }
    let (head, _) = page.split_at(end);
    let (code, title) = head.split_at(TITLE);
    Explanation { code: code.split_at(CODE.end).0.split_at(CODE.start).1, title, page }
}

macro_rules! pages {
    ($($code:literal),* $(,)?) => { &[$(page(include_str!(concat!("pages/", $code, ".md")))),*] };
}

/// By theme: 00 form, 01 references, 02 answers, 03 coverage, 04 people, 05 mechanisms, 06 times and order, 07 texts, 08 defaults that
/// were used, 09 what nothing acts on yet, 11 what preparation and channels find.
#[rustfmt::skip] // One line for each theme.
const CATALOGUE: &[Explanation] = pages![
    "RC0001", "RC0002", "RC0003", "RC0004", "RC0005", "RC0006", "RC0007", "RC0008",
    "RC0101", "RC0102", "RC0103", "RC0104", "RC0105", "RC0106", "RC0107",
    "RC0201", "RC0202", "RC0203", "RC0204", "RC0205",
    "RC0301", "RC0302", "RC0303", "RC0304", "RC0305", "RC0306", "RC0307",
    "RC0401", "RC0402", "RC0403", "RC0404", "RC0405", "RC0406", "RC0407", "RC0408", "RC0409", "RC0410", "RC0411", "RC0412", "RC0413",
    "RC0414", "RC0415", "RC0416", "RC0417", "RC0418", "RC0419", "RC0420", "RC0421", "RC0422", "RC0430", "RC0431", "RC0432", "RC0433",
    "RC0434", "RC0435",
    "RC0501", "RC0502", "RC0503", "RC0504", "RC0505", "RC0506",
    "RC0601", "RC0602", "RC0603", "RC0604", "RC0605", "RC0606", "RC0607", "RC0608", "RC0609", "RC0611", "RC0612", "RC0613", "RC0614", "RC0615", "RC0616", "RC0617", "RC0618",
    "RC0620", "RC0621", "RC0622", "RC0623", "RC0624",
    "RC0701", "RC0702", "RC0703", "RC0704", "RC0705", "RC0706", "RC0707", "RC0708", "RC0709", "RC0710", "RC0711", "RC0712", "RC0713",
    "RC0714", "RC0715",
    "RC0801", "RC0802", "RC0803", "RC0804", "RC0805", "RC0806", "RC0807", "RC0808", "RC0809", "RC0810", "RC0811", "RC0812",
    "RC1101", "RC1102", "RC1103", "RC1104", "RC1105", "RC1106", "RC1111", "RC1112", "RC1113", "RC1114", "RC1115", "RC1116", "RC1117",
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
