//! A POSIX shell on this machine or, over ssh, on another.
//!
//! `deploy` and `audit` run scripts on live machines through it. It knows nothing of what the scripts say. A script goes to the standard input
//! of `sh -s`, so that nothing of it is quoted for a shell on the way, whatever the login shell there is.

mod destination;
mod run;

pub use destination::{BadDestination, Destination};
pub use run::{Output, ShellError, run, run_live};

/// One word of a script, whatever it holds.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_word_stays_one_word() {
        let hostile = "a'b \"$(touch /tmp/x)\" \\ `x`\n*";
        let script = format!("printf %s {}", quoted(hostile));
        let output = run(&Destination::Local, &script).unwrap();
        assert_eq!(output.stdout, hostile);
    }
}
