//! The calls in the air, and the one timer that bounds them all.

use super::flight::Landing;
use crate::clock::{Clock, Moment};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, poll_fn};
use futures_util::task::AtomicWaker;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use tokio_util::sync::ReusableBoxFuture;

/// What flies. Each call has a place, and what a place needs — memory, a waker, a limit — is used again by the next call there. A timer
/// for each call would cost more than many a call does, so there is one, for the earliest deadline.
pub(super) struct Flights {
    places: Vec<Place>,
    free: Vec<usize>,
    /// Those that were just begun: they are polled first, without being woken.
    begun: Vec<usize>,
    flying: usize,
    awake: Arc<Awake>,
    timer: Option<(Moment, BoxFuture<'static, ()>)>,
    clock: Arc<dyn Clock>,
}

struct Place {
    call: ReusableBoxFuture<'static, Landing>,
    /// Until when the call may take; `None` once it has landed or was told that its time is over.
    deadline: Option<Moment>,
    is_flying: bool,
    limit: Arc<Limit>,
    waker: Waker,
}

/// What wakes a call, and what ends it when its time is over.
pub(super) struct Limit {
    place: usize,
    over: AtomicBool,
    is_awake: AtomicBool,
    awake: Arc<Awake>,
}

/// The places whose calls want to be polled, and who polls them.
#[derive(Default)]
struct Awake {
    places: Mutex<Vec<usize>>,
    waker: AtomicWaker,
}

impl Wake for Limit {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_awake.swap(true, Ordering::AcqRel) {
            self.awake.places.lock().unwrap_or_else(PoisonError::into_inner).push(self.place);
            self.awake.waker.wake();
        }
    }
}

impl Limit {
    /// What the call comes to, or `None` if its time was over first.
    pub(super) async fn on<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        let mut call = std::pin::pin!(call);
        poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            // Whoever sets this wakes the place as well.
            Poll::Pending if self.over.load(Ordering::Acquire) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }
}

impl Flights {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            begun: Vec::new(),
            flying: 0,
            awake: Arc::default(),
            timer: None,
            clock,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.flying == 0
    }

    pub(super) fn count(&self) -> usize {
        self.flying
    }

    /// Whether there are calls that were not polled yet.
    pub(super) fn begins(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Begins a call that is over at `deadline`, whatever it does.
    pub(super) fn begin<F>(&mut self, deadline: Moment, call: impl FnOnce(Arc<Limit>) -> F)
    where
        F: Future<Output = Landing> + Send + 'static,
    {
        let no = match self.free.pop().and_then(|no| Some((no, self.places.get_mut(no)?))) {
            Some((no, place)) => {
                place.limit.over.store(false, Ordering::Release);
                place.call.set(call(Arc::clone(&place.limit)));
                (place.deadline, place.is_flying) = (Some(deadline), true);
                no
            }
            None => {
                let no = self.places.len();
                let limit = Arc::new(Limit {
                    place: no,
                    over: AtomicBool::new(false),
                    is_awake: AtomicBool::new(false),
                    awake: Arc::clone(&self.awake),
                });
                self.places.push(Place {
                    call: ReusableBoxFuture::new(call(Arc::clone(&limit))),
                    deadline: Some(deadline),
                    is_flying: true,
                    waker: Waker::from(Arc::clone(&limit)),
                    limit,
                });
                no
            }
        };
        self.flying += 1;
        self.begun.push(no);
        if self.timer.as_ref().is_none_or(|(at, _)| deadline < *at) {
            self.arm(deadline);
        }
    }

    /// Waits until calls have landed, and takes all that have; for ever while nothing flies.
    pub(super) async fn land(&mut self, landed: &mut Vec<Landing>) {
        poll_fn(|cx| self.poll_land(cx, landed)).await;
    }

    fn poll_land(&mut self, cx: &Context<'_>, landed: &mut Vec<Landing>) -> Poll<()> {
        self.awake.waker.register(cx.waker());
        if self.poll_awake(landed) {
            return Poll::Ready(());
        }
        while self.flying > 0 {
            let Some((_, timer)) = &mut self.timer else { break };
            if timer.poll_unpin(&mut Context::from_waker(cx.waker())).is_pending() {
                return Poll::Pending;
            }
            self.end_overdue();
            if self.poll_awake(landed) {
                return Poll::Ready(());
            }
        }
        self.timer = None;
        Poll::Pending
    }

    /// Polls every call that was woken, once: one that wakes itself does not keep the others waiting.
    fn poll_awake(&mut self, landed: &mut Vec<Landing>) -> bool {
        let before = landed.len();
        let mut awake = std::mem::take(&mut *self.awake.places.lock().unwrap_or_else(PoisonError::into_inner));
        for no in self.begun.drain(..).chain(awake.drain(..)) {
            let Some(place) = self.places.get_mut(no) else { continue };
            place.limit.is_awake.store(false, Ordering::Release);
            // A waker may outlive the call for which it was made.
            if !place.is_flying {
                continue;
            }
            if let Poll::Ready(landing) = place.call.poll(&mut Context::from_waker(&place.waker)) {
                (place.deadline, place.is_flying) = (None, false);
                self.flying -= 1;
                self.free.push(no);
                landed.push(landing);
            }
        }
        let mut places = self.awake.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.is_empty() {
            *places = awake;
        }
        landed.len() > before
    }

    fn end_overdue(&mut self) {
        let now = self.clock.now();
        for place in &mut self.places {
            if place.deadline.is_some_and(|at| at <= now) {
                place.deadline = None;
                place.limit.over.store(true, Ordering::Release);
                place.waker.wake_by_ref();
            }
        }
        self.timer = None;
        if let Some(next) = self.places.iter().filter_map(|place| place.deadline).min() {
            self.arm(next);
        }
    }

    fn arm(&mut self, at: Moment) {
        let clock = Arc::clone(&self.clock);
        self.timer = Some((at, async move { clock.sleep_until(at).await }.boxed()));
    }
}
