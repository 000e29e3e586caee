//! The JSON Schema of `bootproof.toml` for editors, which is made of the types that read it and kept beside them.

use std::fs;
use std::path::Path;

use super::model::Written;

#[test]
fn planned_downtime_has_a_budget_for_each_host() {
    let text = |value: &str| {
        format!(
            "format_version = 1\n[hosts.web.downtime]\nswitch = \"20 s\"\nreboot = \"{value}\"\n"
        )
    };
    let read = super::parse(&text("2 minutes")).unwrap();
    let downtime = read.host("web").unwrap().settings.downtime;
    assert_eq!((downtime.switch, downtime.reboot), (Some(20), Some(120)));
    let error = super::parse(&text("soon")).unwrap_err().to_string();
    assert!(
        error.contains("hosts.web.downtime.reboot = \"soon\" is no length of time"),
        "{error}"
    );
}

#[test]
fn a_slow_host_is_given_time_and_watched_for_longer() {
    let text = |window: &str| {
        format!(
            "format_version = 1\n[hosts.web.rehearsal]\nstart = \"10 minutes\"\nwindow = \"{window}\"\n"
        )
    };
    let read = super::parse(&text("90 s")).unwrap();
    let times = read.host("web").unwrap().settings.times;
    assert_eq!(times.start_seconds, Some(600));
    assert_eq!(times.window_seconds, Some(90));
    let error = super::parse(&text("2 hours")).unwrap_err().to_string();
    assert!(
        error.contains(
            "hosts.web.rehearsal.window = \"2 hours\" is no length of time up to an hour"
        ),
        "{error}"
    );
}

#[test]
fn the_schema_that_is_published_is_that_of_the_types() {
    let mut schema = schemars::schema_for!(Written);
    schema.insert("title".to_owned(), "bootproof.toml".into());
    let made = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/bootproof.toml.schema.json");
    if std::env::var_os("BOOTPROOF_UPDATE_SCHEMA").is_some() {
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, &made).unwrap();
    }
    let kept = fs::read_to_string(&place).unwrap_or_default();
    assert!(
        kept == made,
        "{} is not what the types say: BOOTPROOF_UPDATE_SCHEMA=1 cargo test -p bootproof schema writes it",
        place.display()
    );
}
