//! A POSIX shell on this machine or, over ssh, on another.
//!
//! `deploy` and `audit` run scripts on live machines through it. It knows nothing of what the scripts say, but for the frames in which
//! they may answer. A script goes to the standard input
//! of `sh -s`, so that nothing of it is quoted for a shell on the way, whatever the login shell there is.

mod destination;
mod frames;
mod run;

pub use destination::{BadDestination, Destination};
pub use frames::{End, Frame, Frames, asking};
pub use run::{Output, ShellError, run, run_live};

/// A word that nobody can have written into a file before.
///
/// # Errors
/// When the system gives no random bytes.
pub fn mark() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(base16ct::lower::encode_string(&bytes))
}

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
