//! Asks every endpoint of nginx again and again while the machine runs, from outside, and keeps what came as runs of equal replies.
//!
//! A thread of its own, because a reply takes as long as it takes and must not hold up the steps. It is told what to ask where, and the steps
//! take what it collected, for the recording. It is light: a port that gives no answer is asked by one request at a time, and of many
//! endpoints only some are asked at each beat, in turn.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::probe;
use crate::vocabulary::{HttpEndpoint, Observation, Replies, Reply};

/// Requests of one beat.
const PER_BEAT: usize = 8;
/// More endpoints are not asked; the report says how many.
const ENDPOINTS: usize = 64;
/// Runs of one endpoint that are kept between two takes; a service that flaps at each beat has more.
const RUNS: usize = 256;

/// How it asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rhythm {
    /// What times are counted from.
    pub(super) began: Instant,
    /// From one beat to the next.
    pub(super) beat: Duration,
    /// How long a reply is waited for from what replied before.
    pub(super) patience: Duration,
}

/// The thread's owner: it ends with this.
pub(super) struct Continuity {
    shared: Arc<Shared>,
    rhythm: Rhythm,
}

#[derive(Default)]
struct Shared {
    book: Mutex<Book>,
    changed: Condvar,
}

#[derive(Default)]
struct Book {
    ended: bool,
    /// QEMU's loopback ports: `(guest's, host's)`.
    ports: Vec<(u16, u16)>,
    endpoints: Vec<HttpEndpoint>,
    kept: BTreeMap<HttpEndpoint, Kept>,
}

/// What came of one endpoint since it was taken last.
#[derive(Debug, Default, PartialEq)]
struct Kept {
    runs: Vec<Replies>,
    /// Replies that are in no run.
    dropped: u64,
}

impl Kept {
    fn add(&mut self, reply: Reply, from_ms: u64, to_ms: u64) {
        let is_full = self.runs.len() == RUNS;
        match self.runs.last_mut() {
            Some(last) if last.reply == reply && self.dropped == 0 => {
                last.to_ms = to_ms;
                last.count += 1;
            }
            _ if is_full => self.dropped += 1,
            _ => self.runs.push(Replies {
                reply,
                from_ms,
                to_ms,
                count: 1,
            }),
        }
    }
}

impl Continuity {
    /// Begins; nothing is asked before it is told what.
    pub(super) fn begin(rhythm: Rhythm) -> Self {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        // A thread that cannot be made leaves an empty ledger, and the report says that nothing was asked.
        let _ = std::thread::Builder::new()
            .name("continuity".to_owned())
            .spawn(move || beat(&of_thread, rhythm));
        Self { shared, rhythm }
    }

    pub(super) fn rhythm(&self) -> Rhythm {
        self.rhythm
    }

    /// From now on these are asked, where a port of QEMU's leads to them.
    pub(super) fn ask(&self, endpoints: &[HttpEndpoint]) {
        self.book().endpoints = endpoints.iter().take(ENDPOINTS).cloned().collect();
    }

    /// The machine has these ports now.
    pub(super) fn through(&self, ports: &[(u16, u16)]) {
        self.book().ports = ports.to_vec();
    }

    /// Takes what came since it was taken last.
    pub(super) fn take(&self) -> Vec<Observation> {
        let kept = std::mem::take(&mut self.book().kept);
        let every = self.rhythm.beat;
        kept.into_iter()
            .map(|(endpoint, kept)| Observation::Continuity {
                endpoint,
                beat_ms: milliseconds(every),
                runs: kept.runs,
                dropped: kept.dropped,
            })
            .collect()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.shared.book()
    }
}

impl Drop for Continuity {
    fn drop(&mut self) {
        self.book().ended = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// What a thread that panicked left is as good as any: each entry is whole.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn beat(shared: &Shared, rhythm: Rhythm) {
    let mut first = 0;
    let mut next = Instant::now();
    loop {
        let (asked, ports) = {
            let mut book = shared.book();
            loop {
                if book.ended {
                    return;
                }
                let wait = next.saturating_duration_since(Instant::now());
                if wait.is_zero() {
                    break;
                }
                let waited = shared.changed.wait_timeout(book, wait);
                book = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            (of_this_beat(&book, &mut first), book.ports.clone())
        };
        ask_all(shared, rhythm, &asked, &ports);
        // A beat that was missed is left out: none is made up for.
        next = (next + rhythm.beat).max(Instant::now());
    }
}

/// Those whose turn it is.
fn of_this_beat(book: &Book, first: &mut usize) -> Vec<HttpEndpoint> {
    let all = &book.endpoints;
    if all.is_empty() {
        return Vec::new();
    }
    let count = all.len().min(PER_BEAT);
    let asked = all.iter().cycle().skip(*first % all.len()).take(count);
    let asked = asked.cloned().collect();
    *first = (*first + count) % all.len();
    asked
}

/// Asks each port once; where that is answered, the others of that port too.
fn ask_all(shared: &Shared, rhythm: Rhythm, asked: &[HttpEndpoint], ports: &[(u16, u16)]) {
    for &(guest, host) in ports {
        let mut of_port = asked.iter().filter(|e| e.listener.port == guest);
        let Some(scout) = of_port.next() else {
            continue;
        };
        let others: Vec<&HttpEndpoint> = of_port.collect();
        let came = ask(shared, rhythm, scout, host);
        if came.0.is_of_nginx() {
            std::thread::scope(|scope| {
                for endpoint in others {
                    scope.spawn(move || ask(shared, rhythm, endpoint, host));
                }
            });
        } else {
            let mut book = shared.book();
            for endpoint in others {
                let kept = book.kept.entry(endpoint.clone()).or_default();
                kept.add(came.0, came.1, came.2);
            }
        }
    }
}

fn ask(shared: &Shared, rhythm: Rhythm, endpoint: &HttpEndpoint, port: u16) -> (Reply, u64, u64) {
    let served = |book: &Book| {
        let last = book.kept.get(endpoint).and_then(|kept| kept.runs.last());
        last.is_some_and(|run| run.reply.is_of_nginx())
    };
    // Whoever did not answer before is down, and a long wait would hide when it comes up.
    let patience = if served(&shared.book()) {
        rhythm.patience
    } else {
        rhythm.beat * 2
    };
    let from = milliseconds(rhythm.began.elapsed());
    let reply = Reply::of(&probe::ask(endpoint, port, patience));
    let to = milliseconds(rhythm.began.elapsed());
    let mut book = shared.book();
    let kept = book.kept.entry(endpoint.clone()).or_default();
    kept.add(reply, from, to);
    (reply, from, to)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn equal_replies_are_one_run_and_runs_are_bounded() {
        let mut kept = Kept::default();
        for n in 0..5 {
            kept.add(Reply::Status(200), n, n + 1);
        }
        assert_eq!(kept.runs.len(), 1);
        assert_eq!((kept.runs[0].from_ms, kept.runs[0].to_ms), (0, 5));
        assert_eq!(kept.runs[0].count, 5);
        for n in 0..10_000 {
            let reply = [Reply::Status(502), Reply::Status(200)][n % 2];
            kept.add(reply, 9, 9);
        }
        assert_eq!(kept.runs.len(), RUNS);
        assert!(kept.dropped > 9_000);
    }

    #[test]
    fn of_many_endpoints_each_has_its_turn() {
        let endpoints: Vec<HttpEndpoint> = (0..20)
            .map(|n| testing::endpoint(&format!("host{n}"), 80))
            .collect();
        let book = Book {
            endpoints: endpoints.clone(),
            ..Book::default()
        };
        let mut first = 0;
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..3 {
            let asked = of_this_beat(&book, &mut first);
            assert_eq!(asked.len(), PER_BEAT);
            seen.extend(asked);
        }
        assert_eq!(seen.len(), endpoints.len());
        assert!(of_this_beat(&Book::default(), &mut first).is_empty());
    }

    #[test]
    fn a_port_without_an_answer_is_asked_once_and_told_of_all() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let shared = Shared::default();
        let rhythm = Rhythm {
            began: Instant::now(),
            beat: Duration::from_secs(5),
            patience: Duration::from_secs(10),
        };
        let both = ["alpha", "beta"].map(|name| testing::endpoint(name, 8081));
        ask_all(&shared, rhythm, &both, &[(80, port)]);
        let book = shared.book();
        for endpoint in &both {
            assert_eq!(book.kept[endpoint].runs[0].reply, Reply::Refused);
        }
    }
}
