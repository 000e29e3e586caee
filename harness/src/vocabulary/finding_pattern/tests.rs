use super::*;

fn means(pattern: &str, id: &str) -> bool {
    let mut parts = id.splitn(3, '/');
    let state = parts.next().unwrap();
    let state = State::ALL.into_iter().find(|s| s.as_str() == state);
    let check = parts.next().unwrap();
    let check = Check::ALL.into_iter().find(|c| c.as_str() == check);
    let finding = Finding::new(check.unwrap(), state.unwrap(), parts.next().unwrap(), "x");
    assert_eq!(finding.id(), id);
    FindingPattern::parse(pattern).unwrap().means(&finding)
}

#[test]
fn a_pattern_means_what_its_parts_say_and_no_more() {
    let id = "rebooted/unit-failed/acme-web.example.service";
    for pattern in [
        id,
        "*/unit-failed/acme-*.service",
        "rebooted/unit-*/acme-web.example.service",
        "*/*/*acme*",
    ] {
        assert!(means(pattern, id), "{pattern}");
    }
    for pattern in [
        "switched/unit-failed/acme-*.service",
        "*/restart-loop/acme-*.service",
        "*/unit-failed/acme-*.timer",
        "*/unit-failed/acme-web",
    ] {
        assert!(!means(pattern, id), "{pattern}");
    }
    let url = "rebooted/http-gateway/http://alpha.example/a/b";
    assert!(means("*/http-gateway/http://alpha.example/*", url));
    assert!(means("*/http-gateway/*", url));
    assert!(!means("*/http-gateway/http://beta.example/*", url));
}

#[test]
fn what_would_let_the_outage_through_unseen_is_refused() {
    for pattern in [
        "*/*/*",
        "*/executability/*",
        "inspected/architecture/*",
        "*/kernel-architecture/*",
        "*/*/*.service",
        "*/exec-failed/**.service",
        "*/e*/a*.service",
        "*/restart-loop/*",
        "*/unit-failed/*-*.service",
        "*/http-*/*",
    ] {
        let refused = FindingPattern::parse(pattern);
        let wide = FindingPatternError::TooWide(pattern.to_owned());
        match pattern {
            // Answers alone say nothing of what can run.
            "*/http-*/*" => assert!(refused.is_ok()),
            _ => assert_eq!(refused, Err(wide)),
        }
    }
    let kernel = FindingPattern::parse("rebooted/kernel-architecture/kernel");
    assert!(kernel.is_ok(), "whoever names it means it");
    for unit in ["*", "*.service", "a*.service"] {
        assert!(FindingPattern::of_unit(unit).is_err(), "{unit}");
    }
    assert!(FindingPattern::of_unit("acme@*.service").is_ok());
}

#[test]
fn without_a_boot_nothing_can_be_suppressed() {
    let refused = FindingPattern::parse("*/boot-failed/warm-reboot").unwrap_err();
    assert!(matches!(refused, FindingPatternError::Fundamental { .. }));
    assert!(!means(
        "*/*/warm-reboot",
        "rebooted/boot-failed/warm-reboot"
    ));
}

#[test]
fn a_state_or_check_that_is_none_is_told_with_the_nearest() {
    let told = |text: &str| FindingPattern::parse(text).unwrap_err().to_string();
    assert!(told("rebooted/unit-faild/x.service").contains("did you mean `unit-failed`?"));
    assert!(told("reboted/unit-failed/x.service").contains("did you mean `rebooted`?"));
    assert!(told("x.service").contains("STATE/CHECK/SUBJECT"));
    assert!(told("a/b/\u{1b}[31m").contains("STATE/CHECK/SUBJECT"));
    assert!(told("after/unit-failed/x.service").contains("there are inspected"));
}

#[test]
fn many_stars_take_no_more_than_their_time() {
    let pattern = "*a".repeat(300);
    assert!(!matches(&pattern, &"a".repeat(299)));
    assert!(matches(&pattern, &"a".repeat(300)));
    assert!(matches("", "") && matches("**", "") && !matches("", "a"));
}
