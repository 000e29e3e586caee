//! Asks once in each state for what the user's probes name: from outside, or from inside where the VM's network does not reach it.

use std::time::Duration;

use super::guest::{Guest, Waited};
use super::observe::Look;
use crate::probe::{self, Answered};
use crate::vocabulary::{
    Certificate, HttpAnswer, HttpEndpoint, Observation, Probe, ProbeRoute, State, Unproven,
};

/// Asks for everything; the guest's trouble is that the machine went away meanwhile.
pub(super) async fn ask(guest: &mut Guest<'_, '_>, look: &Look<'_>) -> Waited<()> {
    // A network that does not match is waited for once.
    let mut only_inside = false;
    for probe in look.probes {
        for endpoint in probe.endpoints(look.closure) {
            let outside = if only_inside {
                None
            } else {
                match outside(guest, look, &endpoint).await? {
                    Ok(answered) => answered,
                    Err(gone) => return Ok(Err(gone)),
                }
            };
            let is_answer = |answered: &Answered| {
                matches!(
                    answered.answer,
                    HttpAnswer::Status { .. } | HttpAnswer::Failed { .. }
                )
            };
            let (route, answered) = match outside {
                Some(answered) if is_answer(&answered) => (ProbeRoute::Outside, answered),
                _ => match inside(guest, look, &endpoint).await? {
                    // Somebody may listen, and want TLS, which the guest's shell does not speak.
                    Ok(answered)
                        if endpoint.listener.tls && answered.answer != HttpAnswer::Refused =>
                    {
                        guest.recorder().unproven(tls_unproven(look, &endpoint))?;
                        continue;
                    }
                    Ok(answered) => {
                        only_inside |= matches!(answered.answer, HttpAnswer::Status { .. });
                        (ProbeRoute::Inside, answered)
                    }
                    Err(trouble) if trouble.machine_runs_on() => continue,
                    Err(gone) => return Ok(Err(gone)),
                },
            };
            let certificate = match certificate(guest, look, probe, &endpoint).await? {
                Ok(certificate) => certificate,
                Err(gone) => return Ok(Err(gone)),
            };
            guest.recorder().record(Observation::Probed {
                state: look.state,
                probe: probe.clone(),
                endpoint,
                route,
                answer: answered.answer,
                body: probe.body.as_ref().and(answered.body),
                certificate,
            })?;
        }
    }
    Ok(Ok(()))
}

fn tls_unproven(look: &Look<'_>, endpoint: &HttpEndpoint) -> Unproven {
    Unproven {
        state: Some(look.state),
        subject: "probes".to_owned(),
        reason: format!(
            "{} speaks TLS, which cannot be asked from inside the guest, and the VM's network does not reach it",
            endpoint.url()
        ),
        decisive: look.state != State::Before,
    }
}

/// `None` where no port of the host leads there.
async fn outside(
    guest: &mut Guest<'_, '_>,
    look: &Look<'_>,
    endpoint: &HttpEndpoint,
) -> Waited<Option<Answered>> {
    let port = endpoint.listener.port;
    let Some((_, host)) = look.ports.iter().find(|(guest, _)| *guest == port) else {
        return Ok(Ok(None));
    };
    let (endpoint, host, deadline) = (endpoint.clone(), *host, look.deadlines.http());
    guest.recorder().waiting("a probe's answer", deadline);
    let request =
        tokio::task::spawn_blocking(move || probe::ask_for_body(&endpoint, host, deadline));
    Ok(guest.during(request).await?.map(Result::ok))
}

/// `None` where none is expected, or no port of the host leads there.
async fn certificate(
    guest: &mut Guest<'_, '_>,
    look: &Look<'_>,
    probe: &Probe,
    endpoint: &HttpEndpoint,
) -> Waited<Option<Certificate>> {
    let wanted = probe.tls_name.clone().filter(|_| endpoint.listener.tls);
    let port = endpoint.listener.port;
    let leads_there = look.ports.iter().find(|(guest, _)| *guest == port);
    let (Some(name), Some((_, host))) = (wanted, leads_there) else {
        return Ok(Ok(None));
    };
    let (server_name, host) = (endpoint.server_name.clone(), *host);
    let deadline = look.deadlines.http();
    let request = tokio::task::spawn_blocking(move || {
        probe::certificate(&server_name, &name, host, deadline)
    });
    Ok(guest.during(request).await?.map(Result::ok))
}

async fn inside(
    guest: &mut Guest<'_, '_>,
    look: &Look<'_>,
    endpoint: &HttpEndpoint,
) -> Waited<Answered> {
    let deadline = look.deadlines.http();
    let script = probe::script(endpoint, deadline.as_secs());
    let told = guest
        .run(
            "ask over loopback",
            &script,
            deadline + Duration::from_secs(30),
        )
        .await?;
    Ok(told.map(|told| Answered {
        answer: probe::answer_of_script(told.exit_code, &told.output),
        body: probe::body_of_script(&told.output),
    }))
}
