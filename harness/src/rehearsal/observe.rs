//! Looks at the guest in one state: dumps, a window of time, and every HTTP endpoint before and after it.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep_until};

use super::deadlines::Deadlines;
use super::dumps::{self, DumpCommand};
use super::guest::{Guest, GuestError, GuestTrouble, Waited};
use super::probes;
use super::senses::Answer;
use crate::fold;
use crate::probe;
use crate::vocabulary::{
    ClosureFacts, Dump, HttpAnswer, HttpEndpoint, Observation, Probe, ProbeRoute, State, Unproven,
};

const TIME_TOLD: Duration = Duration::from_secs(60);

/// What a look at one state needs to know.
pub(super) struct Look<'a> {
    pub(super) state: State,
    pub(super) closure: &'a ClosureFacts,
    pub(super) probes: &'a [Probe],
    /// The guest's clock when this state began, where its boot is older than it.
    pub(super) since: Option<u64>,
    /// How long systemd may take to call its start finished.
    pub(super) start: Duration,
    pub(super) window: Duration,
    pub(super) deadlines: Deadlines,
    /// QEMU's loopback ports: `(guest's, host's)`.
    pub(super) ports: &'a [(u16, u16)],
}

/// How long an upstream that nginx does not reach is waited for before each further round: a service is active for systemd long
/// before it listens, and a guest may be ten times slower than the machine.
const PATIENCE: [Duration; 2] = [Duration::from_secs(4), Duration::from_secs(8)];

/// Takes the look. The guest's trouble is that the machine went away meanwhile; a dump that fails is told as unproven.
pub(super) async fn look(guest: &mut Guest<'_, '_>, look: &Look<'_>) -> Waited<()> {
    let started = dump(guest, look, dumps::system_state(look.start)).await?;
    let state = match started {
        Ok(answer) => answer.map(|a| a.output.trim().to_owned()),
        Err(gone) => return Ok(Err(gone)),
    };
    if let Err(gone) = dump(guest, look, dumps::units(Dump::UnitsFirst)).await? {
        return Ok(Err(gone));
    }
    let window_ends = Instant::now() + look.window;
    if let Err(gone) = dump(guest, look, dumps::identity()).await? {
        return Ok(Err(gone));
    }
    if let Err(gone) = compare_clocks(guest, look).await? {
        return Ok(Err(gone));
    }
    let mut rounds = HttpRounds::default();
    if let Err(gone) = rounds.ask(guest, look, &look.closure.http).await? {
        return Ok(Err(gone));
    }
    guest
        .recorder()
        .waiting("restarts within the window", look.window);
    if let Err(gone) = guest.during(sleep_until(window_ends)).await? {
        return Ok(Err(gone));
    }
    let mut commands = vec![
        dumps::units(Dump::UnitsLast),
        dumps::journal(look.since),
        dumps::listeners(),
        dumps::file_systems(),
        dumps::fingerprint(),
    ];
    if state.is_none_or(|s| s != "running" && s != "degraded") {
        commands.push(dumps::jobs());
    }
    for command in commands {
        let is_journal = command.dump == Dump::Journal;
        let answer = match dump(guest, look, command).await? {
            Ok(answer) => answer.filter(|_| is_journal),
            Err(gone) => return Ok(Err(gone)),
        };
        let refused = answer.map(|a| fold::refused_executables(&a.output));
        if let Some(refused) = refused.filter(|paths| !paths.is_empty())
            && let Err(gone) = dump(guest, look, dumps::ldd(&refused)).await?
        {
            return Ok(Err(gone));
        }
    }
    let mut late = match rounds.ask(guest, look, &look.closure.http).await? {
        Ok(late) => late,
        Err(gone) => return Ok(Err(gone)),
    };
    for pause in PATIENCE {
        if late.is_empty() {
            break;
        }
        let until = Instant::now() + look.deadlines.watch(pause);
        guest.recorder().waiting(
            "what nginx passes requests on to",
            look.deadlines.watch(pause),
        );
        if let Err(gone) = guest.during(sleep_until(until)).await? {
            return Ok(Err(gone));
        }
        late = match rounds.ask(guest, look, &late).await? {
            Ok(late) => late,
            Err(gone) => return Ok(Err(gone)),
        };
    }
    probes::ask(guest, look).await
}

/// Runs one dump and records it, or why it is missing. `None` where it is missing while the machine runs on.
async fn dump(
    guest: &mut Guest<'_, '_>,
    look: &Look<'_>,
    command: DumpCommand,
) -> Waited<Option<Answer>> {
    let deadline = look.deadlines.scale(command.deadline);
    match guest.run(command.what, &command.script, deadline).await? {
        Ok(answer) => {
            guest.recorder().record(Observation::Dumped {
                state: look.state,
                dump: command.dump,
                exit_code: answer.exit_code,
                output: answer.output.clone(),
                truncated: answer.truncated,
            })?;
            Ok(Ok(Some(answer)))
        }
        Err(trouble) if trouble.machine_runs_on() => {
            guest.recorder().unproven(Unproven {
                state: Some(look.state),
                subject: "guest".to_owned(),
                reason: format!("the guest did not {}: {}", command.what, trouble.reason),
                decisive: command.dump.is_decisive(),
            })?;
            Ok(Ok(None))
        }
        Err(gone) => Ok(Err(gone)),
    }
}

/// Asks the guest for its time, and records it beside the host's. A guest that does not tell it has no clock that could be judged.
async fn compare_clocks(guest: &mut Guest<'_, '_>, look: &Look<'_>) -> Waited<()> {
    let answer = match guest
        .run("tell its time", "date +%s", look.deadlines.scale(TIME_TOLD))
        .await?
    {
        Ok(answer) => answer.output.trim().parse().ok(),
        Err(trouble) if trouble.machine_runs_on() => None,
        Err(gone) => return Ok(Err(gone)),
    };
    let host = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let host = host.and_then(|since| i64::try_from(since.as_secs()).ok());
    match (answer, host) {
        (Some(guests), Some(host)) => guest.recorder().record(Observation::Clock {
            state: look.state,
            guest: guests,
            host,
        })?,
        _ => guest.recorder().unproven(Unproven {
            state: Some(look.state),
            subject: "clock".to_owned(),
            reason: "the guest did not tell its time".to_owned(),
            decisive: false,
        })?,
    }
    Ok(Ok(()))
}

/// Which endpoints have to be asked from inside, so that the second round does not wait for the network again.
#[derive(Default)]
struct HttpRounds {
    asked: u32,
    only_inside: bool,
}

impl HttpRounds {
    /// Asks for every one of these endpoints once, from outside where that is answered, else from inside. Gives those for which nginx
    /// did not reach what is behind it.
    async fn ask(
        &mut self,
        guest: &mut Guest<'_, '_>,
        look: &Look<'_>,
        endpoints: &[HttpEndpoint],
    ) -> Waited<Vec<HttpEndpoint>> {
        if endpoints.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        self.asked += 1;
        let round = self.asked;
        let outside = if self.only_inside {
            BTreeMap::new()
        } else {
            match ask_outside(guest, look, endpoints).await? {
                Ok(answers) => answers,
                Err(gone) => return Ok(Err(gone)),
            }
        };
        let answered = |answer: &HttpAnswer| matches!(answer, HttpAnswer::Status { .. });
        let mut answered_only_inside = 0;
        let mut unreached = Vec::new();
        for endpoint in endpoints {
            let (route, answer) = match outside.get(endpoint) {
                Some(answer) if answered(answer) || matches!(answer, HttpAnswer::Failed { .. }) => {
                    (ProbeRoute::Outside, answer.clone())
                }
                _ => match ask_inside(guest, look, endpoint).await? {
                    // nginx listens, and says that it wants TLS.
                    Ok(answer) if endpoint.listener.tls && answered(&answer) => {
                        tls_unproven(guest, look, endpoint)?;
                        continue;
                    }
                    Ok(answer) => {
                        answered_only_inside += u32::from(answered(&answer));
                        (ProbeRoute::Inside, answer)
                    }
                    Err(trouble) if trouble.machine_runs_on() => continue,
                    Err(gone) => return Ok(Err(gone)),
                },
            };
            if answer.is_gateway_error() {
                unreached.push(endpoint.clone());
            }
            guest.recorder().record(Observation::Http {
                state: look.state,
                round,
                endpoint: endpoint.clone(),
                route,
                answer,
            })?;
        }
        let nothing_outside = !outside.values().any(answered);
        if round == 1 && answered_only_inside > 0 && nothing_outside {
            self.only_inside = true;
            guest.recorder().unproven(Unproven {
                state: Some(look.state),
                subject: "http-outside".to_owned(),
                reason: "nginx answers on loopback in the guest and not through the VM's network, which has another \
                         interface or address than the closure configures"
                    .to_owned(),
                decisive: false,
            })?;
        }
        Ok(Ok(unreached))
    }
}

fn tls_unproven(
    guest: &mut Guest<'_, '_>,
    look: &Look<'_>,
    endpoint: &HttpEndpoint,
) -> Result<(), GuestError> {
    guest.recorder().unproven(Unproven {
        state: Some(look.state),
        subject: endpoint.url(),
        reason: "it speaks TLS, which cannot be asked from inside the guest, and the VM's network does not reach it"
            .to_owned(),
        decisive: true,
    })?;
    Ok(())
}

/// How many requests are under way at once.
const PARALLEL: usize = 8;

async fn ask_outside(
    guest: &mut Guest<'_, '_>,
    look: &Look<'_>,
    endpoints: &[HttpEndpoint],
) -> Waited<BTreeMap<HttpEndpoint, HttpAnswer>> {
    let deadline = look.deadlines.http();
    let asked: Vec<(HttpEndpoint, u16)> = endpoints
        .iter()
        .filter_map(|endpoint| {
            let host = look
                .ports
                .iter()
                .find(|(guest, _)| *guest == endpoint.listener.port)?;
            Some((endpoint.clone(), host.1))
        })
        .collect();
    guest.recorder().waiting("nginx's answers", deadline);
    let requests = tokio::task::spawn_blocking(move || {
        let mut answers = BTreeMap::new();
        for batch in asked.chunks(PARALLEL) {
            std::thread::scope(|scope| {
                let running: Vec<_> = batch
                    .iter()
                    .map(|(endpoint, port)| {
                        (
                            endpoint,
                            scope.spawn(|| probe::ask(endpoint, *port, deadline)),
                        )
                    })
                    .collect();
                for (endpoint, thread) in running {
                    let answer = thread.join().unwrap_or_else(|_| HttpAnswer::Failed {
                        reason: "the probe panicked".to_owned(),
                    });
                    answers.insert(endpoint.clone(), answer);
                }
            });
        }
        answers
    });
    match guest.during(requests).await? {
        Ok(answers) => Ok(Ok(answers.unwrap_or_default())),
        Err(gone) => Ok(Err(gone)),
    }
}

async fn ask_inside(
    guest: &mut Guest<'_, '_>,
    look: &Look<'_>,
    endpoint: &HttpEndpoint,
) -> Waited<HttpAnswer> {
    let deadline = look.deadlines.http();
    let script = probe::script(endpoint, deadline.as_secs());
    let answered: Result<Answer, GuestTrouble> = guest
        .run(
            "ask nginx over loopback",
            &script,
            deadline + Duration::from_secs(30),
        )
        .await?;
    Ok(answered.map(|answer| probe::answer_of_script(answer.exit_code, &answer.output)))
}
