//! Being asked to stop: Ctrl-C (SIGINT), and SIGTERM, by which schedulers and build servers end a job.

use crate::Failure;

/// Listens from when it is made.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A person at the terminal.
    ByHand,
    /// The system, a scheduler, a build server.
    BySystem,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error: std::io::Error| Failure::Tool(format!("signals cannot be listened to: {error}"));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
        })
    }

    /// Waits until somebody asks to stop.
    #[cfg(unix)]
    pub(super) async fn asked(&mut self) -> Asked {
        tokio::select! {
            biased;
            Some(()) = self.interrupt.recv() => Asked::ByHand,
            Some(()) = self.terminate.recv() => Asked::BySystem,
            else => std::future::pending().await,
        }
    }

    #[cfg(not(unix))]
    pub(super) fn new() -> Result<Self, Failure> {
        Ok(Self {})
    }

    /// Waits until somebody asks to stop.
    #[cfg(not(unix))]
    pub(super) async fn asked(&mut self) -> Asked {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Asked::ByHand,
            Err(_) => std::future::pending().await,
        }
    }
}
