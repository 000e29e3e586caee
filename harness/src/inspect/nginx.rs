//! What nginx needs and the rest of the closure does not have.

use super::rules::{Outcome, Subject};
use crate::closure::Place;
use crate::vocabulary::{Check, Finding, State};

const UNIT: &str = "nginx.service";

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let nginx = &subject.survey.nginx;
    let unit = subject.survey.units.get(UNIT);
    let is_certain = unit.is_some_and(|unit| unit.at_boot && !unit.conditional);
    for (directive, path) in &nginx.missing {
        let finding = missing(directive, path, is_certain);
        if is_certain {
            outcome.cause(
                format!("{} ({path})", finding.summary),
                "correct the path, or add the package that holds it to the configuration",
                [finding],
            );
        } else {
            outcome.findings.push(finding);
        }
    }
    // A program may listen where its own source says: this can be no more than a warning.
    for upstream in nginx.upstreams.iter().filter(|upstream| !upstream.named) {
        let place = match &upstream.place {
            Place::Port(port) => format!("port {port}"),
            Place::Socket(path) => path.clone(),
        };
        let summary = format!(
            "nginx passes requests on to {place}, which no unit and no configuration of the closure names: \
             nothing may answer there"
        );
        let configuration = nginx.configuration.as_deref().unwrap_or_default();
        outcome.findings.push(
            Finding::new(Check::NginxConfig, State::Inspected, place, summary)
                .as_warning()
                .with_evidence(&upstream.block, &upstream.written)
                .with_evidence(UNIT, configuration),
        );
    }
    note_state(subject, outcome);
}

fn missing(directive: &str, path: &str, is_certain: bool) -> Finding {
    let will = if is_certain { "will" } else { "would" };
    let summary =
        format!("nginx {will} not start: {directive} names a file that is not in the closure");
    let finding = Finding::new(Check::NginxConfig, State::Inspected, directive, summary)
        .with_evidence(directive, path);
    if is_certain {
        finding
    } else {
        finding.as_warning()
    }
}

/// What ACME or an operator puts there says nothing of the closure, and nginx does not start without it.
fn note_state(subject: &Subject, outcome: &mut Outcome) {
    let files = &subject.survey.nginx.made_at_run_time;
    let Some((directive, path)) = files.first() else {
        return;
    };
    let more = match files.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    outcome.notes.push(format!(
        "nginx opens at its start what is made at run time ({directive} {path}{more}): files of the closure prove nothing of it"
    ));
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

    #[test]
    fn a_certificate_that_is_made_at_run_time_is_noted() {
        let fake = with_nginx("server { ssl_certificate /var/lib/acme/a/fullchain.pem; }");
        let notes = inspected(&fake).notes;
        let is_it = |note: &String| note.contains("ssl_certificate /var/lib/acme/a/fullchain.pem");
        assert!(notes.iter().any(is_it), "{notes:?}");
        fake.file("etc/ssl/a.pem", "");
        let fake = with_nginx("server { ssl_certificate $x; }");
        assert!(inspected(&fake).notes.is_empty());
    }

    const SOCKET: &str =
        "server { server_name a.example; location ~ x { fastcgi_pass unix:/run/phpfpm/a.sock; } }";

    #[test]
    fn a_socket_that_nothing_names_is_a_warning_with_its_place() {
        let fake = with_nginx(SOCKET);
        let inspection = inspected(&fake);
        assert_eq!(
            ids(&inspection),
            ["inspected/nginx-config//run/phpfpm/a.sock"]
        );
        assert_eq!(inspection.verdict, Verdict::Pass);
        let evidence = &inspection.findings[0].evidence[0];
        assert_eq!(evidence.source, "server a.example, location ~ x");
        assert_eq!(evidence.text, "fastcgi_pass unix:/run/phpfpm/a.sock");
        let upstream = "upstream u { server unix:/run/x.sock; server unix:/run/y.sock down; }";
        let fake = with_nginx(upstream);
        assert_eq!(
            ids(&inspected(&fake)),
            ["inspected/nginx-config//run/x.sock"]
        );
    }

    #[test]
    fn a_pool_a_socket_unit_or_a_runtime_directory_serves_a_socket() {
        let fake = with_nginx(SOCKET);
        let pool = fake.store_file("pool.conf", "", "[a]\nlisten = /run/phpfpm/a.sock\n");
        let text = format!("[Service]\nExecStart=/run/php-fpm -y {pool}\n");
        unit(&fake, "phpfpm-a.service", &text);
        assert_eq!(ids(&inspected(&fake)), [""; 0]);

        for text in [
            "[Socket]\nListenStream=/run/phpfpm/a.sock\n",
            "[Service]\nExecStart=/run/x\nRuntimeDirectory=phpfpm\n",
        ] {
            let fake = with_nginx(SOCKET);
            let kind = if text.starts_with("[Socket]") {
                "socket"
            } else {
                "service"
            };
            unit(&fake, &format!("a.{kind}"), text);
            if kind == "socket" {
                unit(&fake, "a.service", "[Service]\nExecStart=/run/x\n");
            }
            assert_eq!(ids(&inspected(&fake)), [""; 0], "{text}");
        }
    }

    #[test]
    fn an_nginx_that_the_boot_does_not_start_is_no_error() {
        let fake = server();
        let config = fake.store_file("nginx.conf", "", format!("http {{ include {GONE}; }}"));
        let text = format!("[Service]\nExecStart=/run/nginx -c {config}\n");
        fake.file("etc/systemd/system/nginx.service", text);
        assert_eq!(inspected(&fake).verdict, Verdict::Pass);
    }

    #[test]
    fn the_configuration_itself_names_nothing_by_whatever_name_it_is_met() {
        let fake = server();
        let program = fake.program("nginx", "bin/nginx", elf(ElfClass::X86_64));
        let config = fake.store_file("nginx.conf", "", format!("http {{ {PASS} }}"));
        fake.link("toplevel", "etc/nginx/nginx.conf", &config);
        let text = format!("[Service]\nExecStart={program} -c /etc/nginx/nginx.conf\n");
        unit(&fake, "nginx.service", &text);
        let text = format!("[Service]\nExecStart=/run/x\n[Unit]\nX-Restart-Triggers={config}\n");
        unit(&fake, "nginx-config-reload.service", &text);
        assert_eq!(ids(&inspected(&fake)), ["inspected/nginx-config/port 8081"]);
    }
}
