//! Answers that no unit explains, and a start that does not end.

use crate::vocabulary::Check;

use super::super::rule::{Groups, Of, Related, Rule, any, errors};
use super::super::upstream;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "system-state",
        takes: &[errors(&[Check::SystemState])],
        groups: Groups::OneEach,
        headline: &["{summary}"],
        next: &[
            "see which job does not end: `systemctl list-jobs`, quoted below where it said anything",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "upstream-down",
        takes: &[
            errors(&[Check::HttpGateway, Check::HttpUnanswered]).where_it(upstream::is_explained)
        ],
        before: &[Related {
            what: any(&[Check::UnitInactive]).where_it(upstream::is_behind_an_error),
            of: Of::SameState,
            words: &[],
        }],
        headline: &["{what is wrong behind}"],
        next: &["{next behind}"],
        ..Rule::BASE
    },
    Rule {
        id: "tls-broken",
        takes: &[errors(&[Check::HttpUnanswered]).quoting(&[
            "tls",
            "TLS",
            "certificate",
            "handshake",
        ])],
        headline: &[
            "{only summary}",
            "TLS does not come about with {subjects}: {reason}",
            "TLS does not come about with {subjects}",
        ],
        next: &[
            "ask as a client would: `openssl s_client -connect HOST:443 -servername NAME`; compare `ssl_certificate`, its key and its days with what comes",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "http-unanswered",
        takes: &[errors(&[Check::HttpUnanswered])],
        headline: &["{only summary}", "no answer from: {subjects}"],
        next: &[
            "see whether nginx listens on that address and port, and whether the firewall lets it through",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "gateway-timeout",
        takes: &[errors(&[Check::HttpGateway]).quoting(&["504 Gateway Timeout"])],
        headline: &[
            "{upstreams} does not answer nginx in time: 504 Gateway Timeout for {subjects}",
            "{only summary}",
            "nginx answers 504 Gateway Timeout for {subjects}",
        ],
        next: &[
            "ask the upstream itself from inside the guest, and see what it waits for; `proxy_read_timeout` is how long nginx waits",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "bad-gateway",
        takes: &[errors(&[Check::HttpGateway]).quoting(&["502 Bad Gateway"])],
        headline: &[
            "nginx gets no proper answer from {upstreams}: 502 Bad Gateway for {subjects}",
            "{only summary}",
            "nginx answers 502 Bad Gateway for {subjects}",
        ],
        next: &[
            "no unit that counts explains it: ask the upstream from inside the guest, and compare its address with nginx's",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "http-gateway",
        takes: &[errors(&[Check::HttpGateway])],
        headline: &[
            "{only summary}",
            "nginx answers with a gateway error: {subjects}",
        ],
        next: &[
            "no unit that counts explains it: ask the upstream from inside the guest, and compare its address with nginx's",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "probe-failed",
        takes: &[errors(&[Check::ProbeFailed])],
        headline: &[
            "{only summary}",
            "these are not answered as the configuration expects: {subjects}",
        ],
        next: &[
            "compare what came with what bootproof.toml expects: either the candidate or the probe is wrong",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "page-empty",
        takes: &[errors(&[Check::HttpEmpty])],
        headline: &[
            "{only summary}",
            "200 with an empty body, where the baseline's has something in it: {subjects}",
        ],
        next: &[
            "ask the upstream itself from inside the guest, and see whether the file that it serves is empty in the closure too",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "http-gap",
        takes: &[errors(&[Check::HttpGap])],
        headline: &[
            "{only summary}",
            "these served, and then did not: {subjects}",
        ],
        next: &[
            "see what systemd and the journal say of what is behind it at that time (the report's page has both over time)",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "upstream-late",
        takes: &[any(&[Check::HttpLate])],
        headline: &[
            "{units behind}: active before it listens, so that nginx answers with a gateway error for {subjects} at first",
            "{only summary}",
            "nginx reaches late what is behind {subjects}",
        ],
        next: &[
            "nothing has to be done for this verdict; the gap goes where systemd knows when the service listens: `Type=notify`, a socket unit, or an `ExecStartPost=` that waits for the port",
        ],
        ..Rule::BASE
    },
];
