//! One process: started for one request, talked to in lines, and ended with all that it started.

use super::error::Mishap;
use super::hidden::Hidden;
use super::options::ExecOptions;
use relcomm_core::channel::AttemptContext;
use relcomm_core::clock::Clock;
use serde::Serialize;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// The longest line of an answer, in octets.
pub(super) const LONGEST_LINE: usize = 1 << 20;
/// The longest answer to one request, in octets.
pub(super) const LONGEST_ANSWER: usize = 1 << 24;
/// How much of what one process says on its standard error is logged, in octets.
const LOGGED: usize = 1 << 16;
/// The longest line of a log, in characters.
const LOGGED_LINE: usize = 500;
/// How long a process may take to end by itself once it has answered.
const GRACE: Duration = Duration::from_secs(1);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(1);

/// A process at work on one request. Dropping it kills the process and all that it started.
pub(super) struct Process {
    // The group goes first: its number is taken only as long as the process was not waited for.
    group: Group,
    child: Child,
    input: Option<ChildStdin>,
    output: Option<ChildStdout>,
    errors: Option<ChildStderr>,
    to_write: Vec<u8>,
    read: Vec<u8>,
    taken: usize,
    log: Log,
    clock: Arc<dyn Clock>,
}

impl Process {
    /// Starts the program and has the request on its way to it.
    pub(super) fn start(
        options: &ExecOptions,
        request: &impl Serialize,
        hidden: Hidden,
        cx: &AttemptContext,
    ) -> Result<Self, Mishap> {
        let mut command = Command::from(options.command());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| Mishap::NotStarted(error.kind()))?;
        let mut process = Self {
            group: Group::of(&child),
            input: child.stdin.take(),
            output: child.stdout.take(),
            errors: child.stderr.take(),
            child,
            to_write: Vec::new(),
            read: Vec::new(),
            taken: 0,
            log: Log { hidden, line: Vec::new(), left: LOGGED },
            clock: Arc::clone(&cx.clock),
        };
        process.say(request)?;
        Ok(process)
    }

    /// Puts a line on its way. It is written while the next line is waited for.
    pub(super) fn say(&mut self, line: &impl Serialize) -> Result<(), Mishap> {
        serde_json::to_writer(&mut self.to_write, line)
            .map_err(|_| Mishap::Breach("a request cannot be written as JSON"))?;
        self.to_write.push(b'\n');
        Ok(())
    }

    /// The next line that it says; `None` at the end of its output. Dropping this future loses nothing.
    pub(super) async fn line(&mut self) -> Result<Option<Vec<u8>>, Mishap> {
        loop {
            if let Some(at) = self.read.iter().position(|octet| *octet == b'\n') {
                let rest = self.read.split_off(at + 1);
                let mut line = std::mem::replace(&mut self.read, rest);
                line.pop();
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                return Ok(Some(line));
            }
            if self.read.len() > LONGEST_LINE {
                return Err(Mishap::Breach("a line is longer than 1 MiB"));
            }
            if self.output.is_none() {
                let last = std::mem::take(&mut self.read);
                return Ok((!last.is_empty()).then_some(last));
            }
            self.turn().await?;
        }
    }

    /// Writes, reads or logs a little, whichever can be done first.
    async fn turn(&mut self) -> Result<(), Mishap> {
        let mut said = Vec::new();
        tokio::select! {
            written = write(&mut self.input, &self.to_write) => match written {
                Some(n) => drop(self.to_write.drain(..n)),
                // It does not read what it has no need of. If it needed it, it will not answer.
                None => {
                    self.input = None;
                    self.to_write.clear();
                }
            },
            read = read(&mut self.output, &mut self.read) => match read {
                Some(n) => {
                    self.taken += n;
                    if self.taken > LONGEST_ANSWER {
                        return Err(Mishap::Breach("an answer is longer than 16 MiB"));
                    }
                }
                None => self.output = None,
            },
            read = read(&mut self.errors, &mut said) => match read {
                Some(_) => self.log.take(&said),
                None => self.errors = None,
            },
        }
        Ok(())
    }

    /// Lets the process end by itself for a moment, and ends whatever of its group is still there.
    pub(super) async fn end(mut self) -> Option<ExitStatus> {
        self.input = None;
        let until = self.clock.now() + GRACE;
        while !self.group.has_ended(&mut self.child) && self.clock.now() < until {
            let clock = Arc::clone(&self.clock);
            tokio::select! {
                () = clock.sleep(LOOK) => {}
                // Whoever writes more than a pipe holds would never end.
                turn = self.turn(), if self.output.is_some() || self.errors.is_some() => {
                    self.read.clear();
                    if turn.is_err() {
                        break;
                    }
                }
            }
        }
        let _ = self.child.start_kill();
        self.group.end();
        let ended = self.child.wait().await.ok();
        self.drain().await;
        ended
    }

    /// Logs what it still said. Whoever could say more has ended, but for one who left the group: nobody waits long for that.
    async fn drain(&mut self) {
        let clock = Arc::clone(&self.clock);
        let until = clock.now() + GRACE;
        let mut said = Vec::new();
        while self.errors.is_some() && self.log.is_heard() {
            tokio::select! {
                biased;
                read = read(&mut self.errors, &mut said) => match read {
                    Some(_) => self.log.take(&std::mem::take(&mut said)),
                    None => self.errors = None,
                },
                () = clock.sleep_until(until) => break,
            }
        }
        self.log.close();
    }
}

/// How a process ended, in a code for reports.
pub(super) fn code(ended: ExitStatus) -> Option<String> {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&ended) {
        return Some(format!("signal {signal}"));
    }
    ended.code().map(|code| format!("exit {code}"))
}

/// Writes what it takes; never ready while there is nothing to write.
async fn write(to: &mut Option<ChildStdin>, what: &[u8]) -> Option<usize> {
    match to {
        Some(to) if !what.is_empty() => to.write(what).await.ok(),
        _ => std::future::pending().await,
    }
}

/// Reads what there is; `None` at the end, and never ready after it.
async fn read(from: &mut Option<impl AsyncReadExt + Unpin>, into: &mut Vec<u8>) -> Option<usize> {
    match from {
        Some(from) => from.read_buf(into).await.ok().filter(|n| *n > 0),
        None => std::future::pending().await,
    }
}

/// What a process says on its standard error, line by line to the log.
struct Log {
    hidden: Hidden,
    line: Vec<u8>,
    left: usize,
}

impl Log {
    fn is_heard(&self) -> bool {
        tracing::enabled!(tracing::Level::DEBUG)
    }

    fn take(&mut self, said: &[u8]) {
        let cut = said.len() > self.left;
        let said = said.get(..said.len().min(self.left)).unwrap_or_default();
        self.left -= said.len();
        for octet in said {
            if *octet == b'\n' { self.close() } else { self.line.push(*octet) }
        }
        // Of what is cut nobody could tell that it is a secret.
        if cut {
            self.line.clear();
        }
    }

    fn close(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !self.is_heard() {
            return;
        }
        let line = self.hidden.strike(&String::from_utf8_lossy(&line));
        let line: String = line.chars().filter(|c| !c.is_control()).take(LOGGED_LINE).collect();
        if !line.trim().is_empty() {
            tracing::debug!(line, "the program says");
        }
    }
}

/// The process and all that it started, unless they left its group.
#[cfg(unix)]
struct Group(Option<rustix::process::Pid>);

#[cfg(unix)]
impl Group {
    fn of(child: &Child) -> Self {
        let number = child.id().and_then(|id| i32::try_from(id).ok());
        Self(number.and_then(rustix::process::Pid::from_raw))
    }

    /// Whether the process has ended. It is not waited for, so that its number stays its own.
    fn has_ended(&self, _: &mut Child) -> bool {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let Some(leader) = self.0 else { return true };
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(leader), look), Ok(None))
    }

    /// Kills what there is. Only as long as the process was not waited for.
    fn end(&mut self) {
        if let Some(group) = self.0.take() {
            // None left is what is wanted.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

/// The process alone: there are no groups.
#[cfg(not(unix))]
struct Group;

#[cfg(not(unix))]
impl Group {
    fn of(_: &Child) -> Self {
        Self
    }

    fn has_ended(&self, child: &mut Child) -> bool {
        !matches!(child.try_wait(), Ok(None))
    }

    fn end(&mut self) {}
}
