//! Findings as [workflow commands of GitHub](https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands):
//! annotations that a pull request shows beside the lines that they are about.

use relcomm_core::plan::{Finding, Severity};
use std::path::{Component, Path, PathBuf};

/// One command a line. Files are named from the top of the repository, which the runner tells in `GITHUB_WORKSPACE`; without it, from the
/// working directory.
pub(super) fn annotations(findings: &[&Finding]) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let top = std::env::var_os("GITHUB_WORKSPACE").map_or_else(|| here.clone(), PathBuf::from);
    findings.iter().map(|finding| annotation(finding, &here, &top)).collect()
}

fn annotation(finding: &Finding, here: &Path, top: &Path) -> String {
    let kind = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(at) = &finding.at {
        let file = property(&from_top(&at.file, here, top));
        properties.push(format!("file={file},line={},col={}", at.line, at.column));
    }
    properties.push(format!("title={}", property(finding.code)));
    let help = finding.help.iter().map(|help| format!("\n{help}"));
    let message: String = std::iter::once(finding.message.clone()).chain(help).collect();
    format!("::{kind} {}::{}\n", properties.join(","), data(&message))
}

/// A file that was named from `here`, as it is named from the top of the repository; as it was where it lies elsewhere.
fn from_top(file: &str, here: &Path, top: &Path) -> String {
    let mut whole = PathBuf::new();
    for part in here.join(file).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    match whole.strip_prefix(top) {
        Ok(inside) => inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"),
        Err(_) => file.to_owned(),
    }
}

/// The text of a command: what would end its line is escaped.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command: what would end it is escaped too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use relcomm_core::plan::Position;

    fn shown(finding: &Finding) -> String {
        annotation(finding, Path::new("/repository/releases"), Path::new("/repository"))
    }

    #[test]
    fn a_finding_is_one_command_with_file_line_column_and_code() {
        let finding = Finding::error("RC0101", "to", "there is no group `suport`").help("did you mean `support`?");
        assert_eq!(
            shown(&finding.at(Position::new("plan.yaml", 7, 3, "to: suport"))),
            "::error file=releases/plan.yaml,line=7,col=3,title=RC0101::there is no group `suport`%0Adid you mean `support`?\n"
        );
        assert_eq!(shown(&Finding::warning("RC1005", "", "no channels")), "::warning title=RC1005::no channels\n");
        assert_eq!(shown(&Finding::note("RC0801", "", "default")), "::notice title=RC0801::default\n");
    }

    #[test]
    fn nothing_ends_a_command_or_a_property_early() {
        let finding = Finding::error("RC0001", "", "100% of\r\n::error::it: a, b");
        assert_eq!(
            shown(&finding.at(Position::new("a,b:c%\n.yaml", 1, 1, ""))),
            "::error file=releases/a%2Cb%3Ac%25%0A.yaml,line=1,col=1,title=RC0001::100%25 of%0D%0A::error::it: a, b\n"
        );
    }

    #[test]
    fn files_are_named_from_the_top_of_the_repository() {
        let name = |file| from_top(file, Path::new("/repository/releases"), Path::new("/repository"));
        assert_eq!(name("members/a.csv"), "releases/members/a.csv");
        assert_eq!(name("./plan.yaml"), "releases/plan.yaml");
        assert_eq!(name("../plans/plan.yaml"), "plans/plan.yaml");
        assert_eq!(name("/repository/plan.yaml"), "plan.yaml");
        assert_eq!(name("/elsewhere/plan.yaml"), "/elsewhere/plan.yaml");
        assert_eq!(name("../../elsewhere/plan.yaml"), "../../elsewhere/plan.yaml");
    }
}
