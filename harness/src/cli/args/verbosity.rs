use clap::Args;

use crate::cli::tell;

/// How much is told while a command works, and at its end. What goes to stdout by `--format` is the same for all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Args)]
pub(in crate::cli) struct Verbosity {
    /// Tell more: each observation as it is made, and all of what was found
    #[arg(short, long, conflicts_with = "quiet")]
    pub(in crate::cli) verbose: bool,
    /// Tell nothing but the verdict, in one line, and errors
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
}

impl Verbosity {
    /// Tells what is beside the verdict, unless it is not wanted.
    pub(in crate::cli) fn tell(self, text: &str) {
        if !self.quiet {
            tell(text);
        }
    }

    /// Tells what a command ends with: the first line is the verdict.
    pub(in crate::cli) fn tell_verdict(self, text: &str) {
        match text.split_inclusive('\n').next() {
            Some(verdict) if self.quiet => tell(verdict),
            _ => tell(text),
        }
    }
}
