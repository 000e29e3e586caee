//! Real boots take turns: a guest under TCG keeps two thirds of a core busy on average, because each state is watched for a while in which
//! little happens; its deadlines are for a machine that is not overrun.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

/// Leave to boot guests, one after another, until it is dropped.
pub struct Turn(());

/// Waits until fewer than three guests run in this process for two cores.
pub fn turn() -> Turn {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let guests = (cores * 3 / 2).max(1);
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut running = ENDED
        .wait_while(running, |running| *running >= guests)
        .unwrap_or_else(PoisonError::into_inner);
    *running += 1;
    Turn(())
}

impl Drop for Turn {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ENDED.notify_one();
    }
}
