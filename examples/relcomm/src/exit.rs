//! Exit codes, and what leads to them. Others script against these.

use relcomm_core::dispatch::DispatchError;
use relcomm_core::journal::{JournalError, JournalErrorKind};
use relcomm_core::plan::Finding;
use relcomm_core::report::{ReportError, Verdict};
use std::process::ExitCode;

/// How a verb ended. Of several reasons, the first of 1, 2, 3, 5, 4, 0 counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// 0: informed, or all exempt; the verb did what it should.
    Done,
    /// 1: the tool failed, usage errors included.
    Failed,
    /// 2: the plan, bundle, script or a file that they name is invalid or missing.
    Invalid,
    /// 3: a due step lacks approval, or an input was refused.
    Refused,
    /// 4: someone who was due is not informed.
    NotInformed,
    /// 5: pending.
    Pending,
}

impl Exit {
    /// The code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Invalid => 2,
            Self::Refused => 3,
            Self::NotInformed => 4,
            Self::Pending => 5,
        }
    }

    /// What a verdict comes to.
    #[must_use]
    pub const fn of(verdict: Verdict) -> Self {
        Self::of_code(verdict.exit_code())
    }

    /// What a code that the engine gives means.
    #[must_use]
    pub const fn of_code(code: u8) -> Self {
        match code {
            0 => Self::Done,
            2 => Self::Invalid,
            3 => Self::Refused,
            4 => Self::NotInformed,
            5 => Self::Pending,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a verb could not do what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The tool failed: a file on the command line is missing, the journal cannot be written.
    #[error("{0}")]
    Tool(String),
    /// The plan or a file that it names is invalid.
    #[error("{0}")]
    Invalid(String),
    /// Findings, at least one of them an error.
    #[error("the plan is not valid")]
    Findings(Vec<Finding>),
    /// An input was refused, or an approval is missing.
    #[error("{0}")]
    Refused(String),
}

impl Failure {
    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Tool(_) => Exit::Failed,
            Self::Invalid(_) | Self::Findings(_) => Exit::Invalid,
            Self::Refused(_) => Exit::Refused,
        }
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        match error.kind {
            JournalErrorKind::Missing => {
                let makes = "in the sandbox the first declare, dispatch or deliver makes one, live only --new-journal";
                Self::Refused(format!("{error}; {makes}"))
            }
            JournalErrorKind::Mode => Self::Refused(error.to_string()),
            _ => Self::Tool(format!("the journal failed: {error}")),
        }
    }
}

impl From<DispatchError> for Failure {
    fn from(error: DispatchError) -> Self {
        match error {
            DispatchError::Refused(refusal) => Self::Refused(refusal.to_string()),
            DispatchError::Journal(error) => error.into(),
            DispatchError::Withheld => Self::Invalid(error.to_string()),
            other => Self::Tool(other.to_string()),
        }
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        Self::Tool(format!("{error}: {cause}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;
    use relcomm_core::report::Verdict;

    #[test]
    fn a_code_means_what_it_says() {
        for exit in [Exit::Done, Exit::Failed, Exit::Invalid, Exit::Refused, Exit::NotInformed, Exit::Pending] {
            assert_eq!(Exit::of_code(exit.code()), exit);
        }
        let of = |verdict| Exit::of(verdict).code();
        assert_eq!((of(Verdict::Informed), of(Verdict::Pending)), (0, 5));
        assert_eq!((of(Verdict::NotInformed), of(Verdict::NotCompliant)), (4, 4));
    }
}
