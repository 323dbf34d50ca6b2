//! Why a program cannot be set up as a channel.

/// Why a program cannot be set up as a channel. Nothing that the program said is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecSetupError {
    /// It cannot be started.
    #[error("the program cannot be started: {0}")]
    Start(std::io::ErrorKind),
    /// It did not describe itself in time.
    #[error("the program did not describe itself in time")]
    Silent,
    /// What it said of itself is not understood, or of another version of the protocol.
    #[error("what the program says of itself is not understood")]
    Description,
}
