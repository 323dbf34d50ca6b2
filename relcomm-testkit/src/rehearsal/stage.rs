//! Where a rehearsal takes place: futures are polled until all wait for time, and then time passes.

use crate::clock::VirtualClock;
use relcomm_core::clock::Moment;
use relcomm_core::dispatch::{DispatchError, Dispatcher, Standing};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

type Step = Pin<Box<dyn Future<Output = Result<Standing, DispatchError>> + Send>>;

/// Whether somebody wants to be polled again.
#[derive(Debug, Default)]
struct Called(AtomicBool);

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Polls until it is done or waits for time. No thread waits for anything else here.
fn turn<F: Future + ?Sized>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    let called = Arc::new(Called::default());
    let waker = Waker::from(Arc::clone(&called));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut cx) {
            return Poll::Ready(done);
        }
        if !called.0.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
    }
}

/// What somebody says, or what is read: it takes no time. `None` if it waits for some.
pub(super) fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match turn(std::pin::pin!(future)) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

/// A dispatcher that is called by a scheduler.
pub(super) struct OnCall {
    dispatcher: Dispatcher,
    step: Option<Step>,
    /// When it asked to be called again, in what the machine shows.
    next: Option<Moment>,
    /// Whether it is to be called now, whatever it asked.
    poked: bool,
    /// Until when, truly, it is dead.
    dead_until: Option<Moment>,
    /// Who is called in its place as soon as it has ended what it does.
    successor: Option<Dispatcher>,
}

impl fmt::Debug for OnCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnCall").field("next", &self.next).finish_non_exhaustive()
    }
}

impl OnCall {
    pub(super) fn new(dispatcher: Dispatcher) -> Self {
        Self { dispatcher, step: None, next: None, poked: true, dead_until: None, successor: None }
    }

    pub(super) fn poke(&mut self) {
        self.poked = true;
    }

    /// It dies: whatever it was doing ends here.
    pub(super) fn die(&mut self, back: Moment) {
        self.step = None;
        self.dead_until = Some(back);
        self.succeed();
    }

    /// Goes on with another bundle, as a process that is started with it would. What is in flight ends first: nobody kills it.
    pub(super) fn replace(&mut self, dispatcher: Dispatcher) {
        self.successor = Some(dispatcher);
        if self.step.is_none() {
            self.succeed();
        }
    }

    fn succeed(&mut self) {
        if let Some(successor) = self.successor.take() {
            self.dispatcher = successor;
            self.poked = true;
        }
    }

    /// Does what is due now. `true` if it got anywhere.
    pub(super) fn go(&mut self, clock: &VirtualClock) -> Result<bool, DispatchError> {
        use relcomm_core::clock::Clock;
        if self.dead_until.is_some_and(|at| at > clock.truly()) {
            return Ok(false);
        }
        if self.dead_until.take().is_some() {
            self.poked = true;
        }
        let due = self.poked || self.next.is_some_and(|at| at <= clock.now());
        let step = match &mut self.step {
            Some(step) => step,
            None if due => {
                self.poked = false;
                let dispatcher = self.dispatcher.clone();
                self.step.insert(Box::pin(async move { dispatcher.step().await }))
            }
            None => return Ok(false),
        };
        match turn(step.as_mut()) {
            Poll::Pending => Ok(false),
            Poll::Ready(standing) => {
                self.step = None;
                self.next = match standing {
                    Ok(standing) => standing.next_due,
                    // The record went on with what its successor brought.
                    Err(DispatchError::Refused(_)) if self.successor.is_some() => None,
                    Err(error) => return Err(error),
                };
                self.succeed();
                Ok(true)
            }
        }
    }

    /// When, truly, it is next called by itself.
    pub(super) fn next(&self, clock: &VirtualClock) -> Option<Moment> {
        match (self.dead_until, &self.step) {
            (Some(back), _) => Some(back),
            // It waits on the clock.
            (None, Some(_)) => None,
            (None, None) => self.next.map(|at| clock.truly_at(at)),
        }
    }
}
