//! Where nginx passes requests on to.

use super::UNIT;
use crate::closure::Named;
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::{Check, Finding, State};

/// A program may listen where its own source says: these can be no more than warnings.
pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let nginx = &subject.survey.nginx;
    let at_boot = subject
        .survey
        .units
        .get(UNIT)
        .is_some_and(|unit| unit.at_boot);
    for upstream in &nginx.upstreams {
        let place = upstream.place.to_string();
        let why = match &upstream.named {
            Named::No => "which no unit and no configuration of the closure names".to_owned(),
            // What starts nginx later may start the other too.
            Named::ByIdle(unit) if at_boot => {
                format!("which only {unit} names, and nothing starts {unit} at a boot")
            }
            Named::ByIdle(_) | Named::Yes => continue,
        };
        let summary =
            format!("nginx passes requests on to {place}, {why}: nothing may answer there");
        let configuration = nginx.configuration.as_deref().unwrap_or_default();
        outcome.findings.push(
            Finding::new(Check::NginxConfig, State::Inspected, place, summary)
                .as_warning()
                .with_evidence(&upstream.block, &upstream.written)
                .with_evidence(UNIT, configuration),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::with_nginx;
    use crate::closure::testing::{FakeClosure, elf};
    use crate::inspect::testing::{ids, inspected, server, unit};
    use crate::vocabulary::{ElfClass, Verdict};

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
    fn a_port_that_only_a_unit_without_a_starter_names_is_a_warning() {
        let idle = |fake: &FakeClosure, more: &str| {
            let text = format!("[Service]\nExecStart=/run/x -p 8081\n{more}");
            fake.file("etc/systemd/system/a.service", text);
        };
        let fake = with_nginx(PASS);
        idle(&fake, "");
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/nginx-config/port 8081"]);
        let summary = &inspection.findings[0].summary;
        assert!(summary.contains("nothing starts a.service"), "{summary}");
        assert_eq!(inspection.verdict, Verdict::Pass);

        let fake = with_nginx(PASS);
        idle(&fake, "BusName=org.x\n");
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
        let starters = [
            (
                "etc/udev/rules.d/x.rules",
                "ENV{SYSTEMD_WANTS}+=\"a.service\"\n",
            ),
            ("etc/systemd/system/other.wants/a.service", ""),
            (
                "etc/systemd/system/b.service",
                "[Unit]\nOnFailure=a.service\n",
            ),
            ("etc/crontab", "@reboot root systemctl start a\n"),
            ("etc/app/settings", "listen: 8081\n"),
        ];
        for (path, text) in starters {
            let fake = with_nginx(PASS);
            idle(&fake, "");
            fake.file(path, text);
            assert_eq!(ids(&inspected(&fake)), [""; 0], "{path}");
        }
        let fake = with_nginx(PASS);
        idle(&fake, "");
        unit(
            &fake,
            "b.service",
            "[Unit]\nAfter=a.service\n[Service]\nExecStart=/run/y\n",
        );
        assert_eq!(ids(&inspected(&fake)), ["inspected/nginx-config/port 8081"]);
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
