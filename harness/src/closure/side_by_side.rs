//! Readers of a closure on several threads, none more than the machine has processors.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// More would wait for the same directory locks of the kernel.
const MAX_THREADS: usize = 16;

/// How many threads read a closure.
pub fn reading_threads() -> usize {
    thread::available_parallelism().map_or(1, |count| count.get().min(MAX_THREADS))
}

/// Does each of the jobs once, begun in their order, on as many threads as [`reading_threads`] says; a thread that finds none left goes on with `rest`.
pub(super) fn run(jobs: &[&(dyn Fn() + Sync)], rest: &(dyn Fn() + Sync)) {
    run_on(reading_threads(), jobs, rest);
}

fn run_on(threads: usize, jobs: &[&(dyn Fn() + Sync)], rest: &(dyn Fn() + Sync)) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            job();
        }
        rest();
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            // A machine that gives no further thread has the work done by those that there are.
            if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
}

/// What a job leaves for the thread that asked for it.
pub(super) struct Slot<T>(Mutex<Option<T>>);

impl<T> Slot<T> {
    pub(super) fn empty() -> Self {
        Self(Mutex::new(None))
    }

    pub(super) fn put(&self, value: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }

    /// What was put; the job has run when [`run`] has returned.
    pub(super) fn take(self) -> T {
        self.0
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .expect("every job runs once, and puts its value")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_runs_once_and_every_thread_goes_on() {
        for threads in [1, 2, 5] {
            let (first, second) = (Slot::empty(), Slot::empty());
            let rest = AtomicUsize::new(0);
            let jobs: &[&(dyn Fn() + Sync)] = &[&|| first.put(1), &|| second.put("two")];
            run_on(threads, jobs, &|| {
                rest.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!((first.take(), second.take()), (1, "two"));
            assert_eq!(rest.into_inner(), threads);
        }
    }
}
