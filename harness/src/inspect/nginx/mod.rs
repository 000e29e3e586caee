//! What nginx needs and the rest of the closure does not have.

mod names;
mod upstreams;

use super::rules::{Outcome, Subject};
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
    refused(subject, is_certain, outcome);
    upstreams::rule(subject, outcome);
    names::note(subject, outcome);
    note_state(subject, outcome);
}

/// Where the boot does not start nginx, what could not be read is no more than a gap.
fn refused(subject: &Subject, is_certain: bool, outcome: &mut Outcome) {
    let refused = &subject.survey.nginx.refused;
    for (file, reason) in refused.iter().filter(|_| is_certain) {
        let summary = format!("nginx will not start: it refuses {file}, for {reason}");
        let finding = Finding::new(Check::NginxConfig, State::Inspected, file, summary.as_str())
            .with_evidence(file, reason);
        outcome.cause(
            summary,
            "correct the configuration: `nginx -t` says the line",
            [finding],
        );
    }
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
pub(super) mod tests {
    use crate::closure::testing::{FakeClosure, elf};
    use crate::inspect::testing::{ids, inspected, server, unit};
    use crate::vocabulary::{ElfClass, Verdict};

    const GONE: &str = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone/x";

    pub(super) fn with_nginx(http: &str) -> FakeClosure {
        let fake = server();
        let program = fake.program("nginx", "bin/nginx", elf(ElfClass::X86_64));
        let config = fake.store_file("nginx.conf", "", format!("http {{ {http} }}"));
        let text = format!("[Service]\nExecStart={program} -c {config}\n");
        unit(&fake, "nginx.service", &text);
        fake
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

    #[test]
    fn an_nginx_that_the_boot_does_not_start_is_no_error() {
        let fake = server();
        let config = fake.store_file("nginx.conf", "", format!("http {{ include {GONE}; }}"));
        let text = format!("[Service]\nExecStart=/run/nginx -c {config}\n");
        fake.file("etc/systemd/system/nginx.service", text);
        assert_eq!(inspected(&fake).verdict, Verdict::Pass);
    }

    #[test]
    fn a_configuration_that_every_nginx_refuses_fails() {
        let fake = with_nginx("server { listen 80;");
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/nginx-config/nginx.conf"]);
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn what_may_be_a_template_or_has_lua_is_a_gap_and_no_error() {
        let fake = with_nginx("server { content_by_lua_block { x = [[ } ' ]] }");
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
        let fake = server();
        let config = fake.store_file("nginx.conf", "", "http {");
        let shell = fake.path_of("bash", "bin/bash");
        let script = format!("#!{shell}\necho {config} > /run/n\n");
        let script = fake.program("start", "bin/start", script);
        let text = format!("[Service]\nExecStart={script}\n");
        unit(&fake, "nginx.service", &text);
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
        // Nothing starts this one.
        let fake = server();
        let config = fake.store_file("nginx.conf", "", "http {");
        let text = format!("[Service]\nExecStart=/run/nginx -c {config}\n");
        fake.file("etc/systemd/system/nginx.service", text);
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
    }
}
