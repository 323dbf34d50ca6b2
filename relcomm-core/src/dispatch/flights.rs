//! The calls in the air, and the one timer that bounds them all.

use super::flight::Landing;
use crate::clock::{Clock, Moment};
use futures_util::future::{BoxFuture, poll_fn};
use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::task::AtomicWaker;
use futures_util::{FutureExt, pin_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// What flies. A timer for each call would cost more than many a call does, so there is one, for the earliest deadline.
pub(super) struct Flights {
    calls: FuturesUnordered<BoxFuture<'static, (usize, Landing)>>,
    /// The limit of each call, at its place; a place is used again when its call has landed.
    limits: Vec<(Option<Moment>, Arc<Limit>)>,
    free: Vec<usize>,
    timer: Option<(Moment, BoxFuture<'static, ()>)>,
    clock: Arc<dyn Clock>,
}

/// What ends a call whose time is over.
#[derive(Debug, Default)]
pub(super) struct Limit {
    over: AtomicBool,
    waker: AtomicWaker,
}

impl Limit {
    /// What the call comes to, or `None` if its time was over first.
    pub(super) async fn on<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        pin_mut!(call);
        poll_fn(|cx| {
            if let Poll::Ready(done) = call.as_mut().poll(cx) {
                return Poll::Ready(Some(done));
            }
            self.waker.register(cx.waker());
            if self.over.load(Ordering::Acquire) { Poll::Ready(None) } else { Poll::Pending }
        })
        .await
    }
}

impl Flights {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { calls: FuturesUnordered::new(), limits: Vec::new(), free: Vec::new(), timer: None, clock }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Begins a call that is over at `deadline`, whatever it does.
    pub(super) fn begin<F>(&mut self, deadline: Moment, call: impl FnOnce(Arc<Limit>) -> F)
    where
        F: Future<Output = Landing> + Send + 'static,
    {
        let place = self.free.pop().unwrap_or_else(|| {
            self.limits.push(Default::default());
            self.limits.len() - 1
        });
        let Some((at, limit)) = self.limits.get_mut(place) else { return };
        *at = Some(deadline);
        limit.over.store(false, Ordering::Release);
        let call = call(Arc::clone(limit));
        self.calls.push(async move { (place, call.await) }.boxed());
        if self.timer.as_ref().is_none_or(|(at, _)| deadline < *at) {
            self.arm(deadline);
        }
    }

    /// Waits until calls have landed, and takes all that have; for ever while nothing flies.
    pub(super) async fn land(&mut self, landed: &mut Vec<Landing>) {
        poll_fn(|cx| self.poll_land(cx, landed)).await;
    }

    fn poll_land(&mut self, cx: &mut Context<'_>, landed: &mut Vec<Landing>) -> Poll<()> {
        loop {
            let before = landed.len();
            while let Poll::Ready(Some((place, landing))) = self.calls.poll_next_unpin(cx) {
                if let Some((at, _)) = self.limits.get_mut(place) {
                    *at = None;
                }
                self.free.push(place);
                landed.push(landing);
            }
            if landed.len() > before {
                return Poll::Ready(());
            }
            match &mut self.timer {
                Some((_, timer)) if !self.calls.is_empty() => {
                    if timer.poll_unpin(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
                _ => {
                    self.timer = None;
                    return Poll::Pending;
                }
            }
            self.end_overdue();
        }
    }

    fn end_overdue(&mut self) {
        let now = self.clock.now();
        for (at, limit) in &mut self.limits {
            if at.is_some_and(|at| at <= now) {
                *at = None;
                limit.over.store(true, Ordering::Release);
                limit.waker.wake();
            }
        }
        self.timer = None;
        if let Some(next) = self.limits.iter().filter_map(|(at, _)| *at).min() {
            self.arm(next);
        }
    }

    fn arm(&mut self, at: Moment) {
        let clock = Arc::clone(&self.clock);
        self.timer = Some((at, async move { clock.sleep_until(at).await }.boxed()));
    }
}
