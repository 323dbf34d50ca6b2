//! The thread that owns the connection. While one commit is synced the next commands gather: they are the next transaction.

use super::codec::{Res, unavailable};
use super::store::Store;
use crate::journal::JournalError;
use tokio::sync::{mpsc, oneshot};

/// How many commands wait at most, and how many are one transaction at most.
pub(super) const MOST: usize = 1024;

/// Whether a command writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
    /// It is about the file as a whole, and stands in no transaction.
    Whole,
}

/// A command and the way back to whoever gave it.
pub(super) trait Job: Send {
    fn kind(&self) -> Kind;
    fn run(&mut self, store: &mut Store);
    /// Answers, once it is settled what became of the transaction.
    fn answer(self: Box<Self>, transaction: Result<(), JournalError>);
}

pub(super) struct Task<T, F> {
    kind: Kind,
    work: Option<F>,
    result: Option<Result<T, JournalError>>,
    back: oneshot::Sender<Result<T, JournalError>>,
}

impl<T, F> Task<T, F>
where
    T: Send + 'static,
    F: FnOnce(&mut Store) -> Res<T> + Send + 'static,
{
    pub(super) fn with_answer(kind: Kind, work: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, JournalError>>) {
        let (back, answer) = oneshot::channel();
        (Box::new(Self { kind, work: Some(work), result: None, back }), answer)
    }
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: FnOnce(&mut Store) -> Res<T> + Send,
{
    fn kind(&self) -> Kind {
        self.kind
    }

    fn run(&mut self, store: &mut Store) {
        let Some(work) = self.work.take() else { return };
        if self.back.is_closed() {
            // Whoever asked is gone: a lease begun for nobody would only be lost.
            return;
        }
        let result = match self.kind {
            Kind::Read | Kind::Whole => work(store),
            Kind::Write => store.whole(work, |_| true),
        };
        self.result = Some(result.map_err(super::codec::Fault::into_error));
    }

    fn answer(self: Box<Self>, transaction: Result<(), JournalError>) {
        let result = match (transaction, self.result) {
            (Ok(()), Some(result)) => result,
            (Err(error), _) => Err(error),
            (Ok(()), None) => return,
        };
        // Whoever dropped the question does not hear the answer.
        let _ = self.back.send(result);
    }
}

/// Serves commands until nobody can give any.
pub(super) fn serve(mut store: Store, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut batch = Vec::new();
    // One that stands alone, and came after others.
    let mut kept = None;
    while let Some(first) = kept.take().or_else(|| queue.blocking_recv()) {
        let mut alone = first.kind() == Kind::Whole;
        batch.push(first);
        while !alone
            && batch.len() < MOST
            && let Ok(next) = queue.try_recv()
        {
            alone = next.kind() == Kind::Whole;
            if alone {
                kept = Some(next);
            } else {
                batch.push(next);
            }
        }
        let outcome = transact(&mut store, &mut batch).map_err(super::codec::Fault::into_error);
        if outcome.is_err() {
            store.roll_back();
        }
        for job in batch.drain(..) {
            job.answer(outcome.clone());
        }
    }
}

fn transact(store: &mut Store, batch: &mut [Box<dyn Job>]) -> Res<()> {
    if let [job] = batch
        && job.kind() == Kind::Whole
    {
        job.run(store);
        return Ok(());
    }
    let writes = batch.iter().any(|job| job.kind() == Kind::Write);
    store.open(writes)?;
    for job in batch {
        job.run(store);
        if store.connection.is_autocommit() {
            return Err(unavailable("the store gave the transaction up"));
        }
    }
    store.commit()
}
