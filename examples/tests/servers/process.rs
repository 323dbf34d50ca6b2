//! Processes and ports: what every server needs.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a condition is looked at again and again.
const PATIENCE: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(50);

/// Why servers cannot be started here.
#[derive(Debug)]
pub(crate) struct Missing(pub(crate) String);

/// Whether these programs are there and may be run as the servers want it, which is as root.
pub(crate) fn root_and_programs(programs: &[&str]) -> Result<(), Missing> {
    if let Some(program) = programs.iter().find(|p| !Path::new(p).is_file()) {
        return Err(Missing(format!("{program} is not installed")));
    }
    let id = Command::new("id").arg("-u").output().map_err(|e| Missing(format!("id: {e}")))?;
    if id.stdout.trim_ascii() == b"0" { Ok(()) } else { Err(Missing("mail servers are started by root only".into())) }
}

/// A port of the loopback interface that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Looks at a condition until it holds; panics with `what` when patience ends.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        sleep(PAUSE);
    }
}

/// Waits until a server on that port says its greeting.
pub(crate) fn ready(port: u16, greeting: &str) {
    until(&format!("a greeting with {greeting}"), || {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).ok()?;
        line.starts_with(greeting).then_some(())
    });
}

/// Ends a server by its own process id, and waits for it: SIGTERM makes it take its children with it.
pub(super) fn stop(child: &mut Child) {
    // It may have ended by itself; then there is nothing to stop.
    if matches!(child.try_wait(), Ok(None)) {
        let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    }
    let _ = child.wait();
}
