//! A deploy by somebody else's command.

use super::Deploy;

/// Deploys what it is told, as a deploy tool does.
const TOOL: &str = r#"
cp "$store/store-paths" "$store/registration" "$host"
echo "tool $*" >>"$host/log"
echo "$2" >"$host/current"
echo "$2" >"$host/system"
printf 'menuentry "NixOS" {\nlinux /k init=%s/init\n}\n' "$2" >"$host/files/boot/grub/grub.cfg"
"#;

#[test]
fn a_foreign_command_deploys_what_was_proven() {
    let deploy = Deploy::proven();
    deploy.install("deploy-tool", TOOL);
    let new = &deploy.sandbox.toplevel.path;
    let told = deploy.run(&["--dry-run", "--", "deploy-tool", "activate", "{toplevel}"]);
    deploy.assert(told, 0, &[&format!("would run deploy-tool activate {new}")]);
    deploy.assert_untouched();
    let told = deploy.run(&["--", "deploy-tool", "activate", "{toplevel}"]);
    deploy.assert(told, 0, &["may be deployed to web", "pass: web runs"]);
    let log = deploy.host.log();
    let done: Vec<&String> = log
        .iter()
        .filter(|line| !line.starts_with("ssh "))
        .collect();
    assert_eq!(done, [&format!("tool activate {new}")]);
}

#[test]
fn a_foreign_command_that_evaluates_again_is_not_run() {
    let deploy = Deploy::proven();
    deploy.install("deploy-tool", TOOL);
    let told = deploy.run(&["--", "deploy-tool", "switch", "--flake", ".#web"]);
    deploy.assert(
        told,
        2,
        &["does not name {toplevel}", "would evaluate again"],
    );
    assert!(deploy.host.log().is_empty());
}

#[test]
fn a_foreign_command_that_deploys_something_else_is_found_out() {
    let deploy = Deploy::proven();
    let other = format!("/nix/store/{}-nixos-system-other", "0".repeat(32));
    deploy.install("deploy-tool", &TOOL.replace("\"$2\"", &other));
    let told = deploy.run(&["--", "deploy-tool", "activate", "{toplevel}"]);
    let words = [
        "fail: web is not as it must be",
        &format!("current-system is {other}, and not the candidate"),
        &format!("the next boot starts {other}"),
    ];
    deploy.assert(told, 1, &words);

    // The very path, with other contents.
    let deploy = Deploy::proven();
    let rebuilt = format!("{TOOL}sed -i s/1111/2222/ \"$host/registration\"\n");
    deploy.install("deploy-tool", &rebuilt);
    let told = deploy.run(&["--", "deploy-tool", "activate", "{toplevel}"]);
    deploy.assert(
        told,
        1,
        &["is not what was proven", "current-system is the candidate"],
    );
}

#[test]
fn a_foreign_command_that_fails_or_is_not_there_is_told() {
    let deploy = Deploy::proven();
    deploy.install("deploy-tool", "echo no >&2; exit 7\n");
    let told = deploy.run(&["--", "deploy-tool", "{toplevel}"]);
    let old = &deploy.sandbox.baseline.path;
    let words = [
        "no\n",
        "the command ended with 7",
        &format!("current-system is {old}"),
    ];
    deploy.assert(told, 1, &words);
    let told = deploy.run(&["--", "no-such-tool", "{toplevel}"]);
    deploy.assert(told, 2, &["cannot start `no-such-tool`"]);
    // The gate is asked before.
    let deploy = Deploy::new();
    deploy.install("deploy-tool", TOOL);
    let new = &deploy.sandbox.toplevel.path;
    let told = deploy.run(&[new, "--", "deploy-tool", "activate", "{toplevel}"]);
    deploy.assert(told, 1, &["there is no receipt"]);
    deploy.assert_untouched();
}
