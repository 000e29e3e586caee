//! What nginx needs and the rest of the closure does not have.

use super::rules::{Outcome, Subject};
use crate::vocabulary::{Check, Finding, State};

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let nginx = &subject.survey.nginx;
    for (directive, path) in &nginx.missing {
        let summary =
            format!("nginx will not start: {directive} names a file that is not in the closure");
        let headline = format!("{summary} ({path})");
        let finding = Finding::new(Check::NginxConfig, State::Inspected, directive, summary);
        outcome.cause(
            headline,
            "correct the path, or add the package that holds it to the configuration",
            [finding.with_evidence(directive, path)],
        );
    }
    // A program may listen where its own source says: this can be no more than a warning.
    for upstream in nginx.upstreams.iter().filter(|upstream| !upstream.named) {
        let summary = format!(
            "nginx passes requests on to port {}, which no unit and no configuration of the closure names",
            upstream.port
        );
        outcome.findings.push(
            Finding::new(
                Check::NginxConfig,
                State::Inspected,
                format!("port {}", upstream.port),
                summary,
            )
            .as_warning()
            .with_evidence("nginx", &upstream.written),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::{FakeClosure, elf};
    use crate::inspect::testing::{ids, inspected, server, unit};
    use crate::vocabulary::{ElfClass, Verdict};

    const GONE: &str = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone/x";

    fn with_nginx(http: &str) -> FakeClosure {
        let fake = server();
        let program = fake.program("nginx", "bin/nginx", elf(ElfClass::X86_64));
        let config = fake.store_file("nginx.conf", "", format!("http {{ {http} }}"));
        let text = format!("[Service]\nExecStart={program} -c {config}\n");
        unit(&fake, "nginx.service", &text);
        fake
    }

    const PASS: &str = "server { location / { proxy_pass http://127.0.0.1:8081; } }";

    #[test]
    fn an_upstream_that_nothing_names_is_a_warning() {
        let fake = with_nginx(PASS);
        unit(
            &fake,
            "other.service",
            "[Service]\nExecStart=/run/x -p 8082\n",
        );
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/nginx-config/port 8081"]);
        assert_eq!(inspection.verdict, Verdict::Pass);
        let fake = with_nginx(
            "upstream a { server localhost:8081; } server { location / { proxy_pass http://a; } }",
        );
        assert_eq!(ids(&inspected(&fake)), ["inspected/nginx-config/port 8081"]);
    }

    #[test]
    fn whatever_names_the_port_silences_it() {
        let fake = with_nginx(PASS);
        unit(&fake, "a.service", "[Service]\nExecStart=/run/x -p 8081\n");
        assert_eq!(ids(&inspected(&fake)), [""; 0]);

        let fake = with_nginx(PASS);
        let settings = fake.store_file("settings", "", "port = 8081");
        let script = fake.store_file("script", "", format!("exec x --config {settings}"));
        unit(
            &fake,
            "a.service",
            &format!("[Service]\nExecStart=/run/x {script}\n"),
        );
        assert_eq!(ids(&inspected(&fake)), [""; 0]);

        let fake = with_nginx(PASS);
        fake.file("etc/app/settings", "listen: 8081");
        assert_eq!(ids(&inspected(&fake)), [""; 0]);

        let fake = with_nginx(&format!("server {{ listen 127.0.0.1:8081; }} {PASS}"));
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
    }

    #[test]
    fn files_of_the_store_that_are_missing_fail() {
        let fake = with_nginx(&format!("server {{ ssl_certificate {GONE}; }}"));
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/nginx-config/ssl_certificate"]);
        assert_eq!(inspection.verdict, Verdict::Fail);
        let fake = with_nginx(&format!("include {GONE};"));
        assert_eq!(ids(&inspected(&fake)), ["inspected/nginx-config/include"]);
    }

    #[test]
    fn certificates_that_are_made_at_run_time_are_silent() {
        let fake = with_nginx("server { ssl_certificate /var/lib/acme/a/fullchain.pem; }");
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
    }
}
