//! The answers of a script: frames that a mark tells apart from whatever stands in them.
//!
//! The mark is drawn anew for each look at a machine, so that no file of it can hold the mark. A frame that has no end was cut off, and
//! says so.

use std::collections::BTreeMap;

/// The functions that a script says its frames with: they write nothing.
const PRELUDE: &str = include_str!("prelude.sh");

/// A script that answers in frames, from lines that call the prelude's functions.
pub fn asking(mark: &str, body: &str) -> String {
    format!("mark={mark}\n{PRELUDE}{body}printf '=%s done\\n' \"$mark\"\n")
}

/// How the machine ended a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    Whole,
    Absent,
    /// A link that leads nowhere.
    Dangling,
    Unreadable,
    /// Longer than its bound.
    Cut,
    /// Of a command.
    Code(i32),
    /// The answer ended within it, or another began.
    Lost,
}

impl End {
    fn parse(word: &str) -> Self {
        match word {
            "0" => Self::Whole,
            "absent" => Self::Absent,
            "dangling" => Self::Dangling,
            "unreadable" => Self::Unreadable,
            "cut" => Self::Cut,
            word => word.parse().map_or(Self::Lost, Self::Code),
        }
    }

    /// Why there is not all of it, after the name of what it is.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Whole => "it is whole",
            Self::Absent => "there is none",
            Self::Dangling => "it is a link that leads nowhere",
            Self::Unreadable => "it cannot be read",
            Self::Cut => "it is longer than what is read of it",
            Self::Code(_) => "the command failed",
            Self::Lost => "the machine's answer ended before it did",
        }
    }
}

/// What one question was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub body: String,
    pub end: End,
}

/// All frames of a look at a machine, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frames {
    by_name: BTreeMap<String, Frame>,
    bytes: usize,
}

/// More than a machine with thousands of units gives.
const MAX_FRAMES: usize = 100_000;
const MAX_BYTES: usize = 128 << 20;

impl Frames {
    /// Adds the frames of an answer; of two of one name the first counts. Gives whether the answer has its last line.
    pub fn add(&mut self, answer: &str, mark: &str) -> bool {
        let mark = format!("={mark} ");
        let mut open: Option<(String, String)> = None;
        for line in answer.split_inclusive('\n') {
            let Some(word) = line.strip_prefix(&mark) else {
                if let Some((_, body)) = &mut open {
                    body.push_str(line);
                }
                continue;
            };
            let word = word.trim_end_matches(['\n', '\r']);
            let end = word.strip_prefix("end ").map(End::parse);
            if let Some((name, mut body)) = open.take() {
                // That which keeps the mark at the beginning of a line.
                if body.ends_with('\n') {
                    body.pop();
                }
                let end = end.clone().unwrap_or(End::Lost);
                self.put(name, Frame { body, end });
            }
            if word == "done" {
                return true;
            }
            if end.is_none() {
                open = Some((word.to_owned(), String::new()));
            }
        }
        if let Some((name, body)) = open {
            let end = End::Lost;
            self.put(name, Frame { body, end });
        }
        false
    }

    /// Adds a frame; of two of one name the first counts.
    pub fn put(&mut self, name: String, frame: Frame) {
        let Frame { body, end } = frame;
        self.bytes += name.len() + body.len();
        let fits = self.by_name.len() < MAX_FRAMES && self.bytes < MAX_BYTES;
        let (body, end) = match fits {
            true => (body, end),
            // What is left out is said to be cut, and its name is kept as long as there is room.
            false if self.by_name.len() < 2 * MAX_FRAMES => (String::new(), End::Cut),
            false => return,
        };
        self.by_name.entry(name).or_insert(Frame { body, end });
    }

    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    pub fn get(&self, name: &str) -> Option<&Frame> {
        self.by_name.get(name)
    }

    /// What a whole frame has.
    pub fn whole(&self, name: &str) -> Option<&str> {
        let frame = self.get(name)?;
        (frame.end == End::Whole).then_some(frame.body.as_str())
    }

    /// One line of a whole frame, fit for a terminal; `None` where it is blank.
    pub fn line(&self, name: &str) -> Option<String> {
        let line = crate::fold::sanitise::line(self.whole(name)?);
        (!line.is_empty()).then_some(line)
    }

    /// The bytes that `od` printed.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let words = self.whole(name)?.split_ascii_whitespace();
        words
            .map(|word| u8::from_str_radix(word, 16).ok())
            .collect()
    }

    /// Frames whose name begins so, each with the rest of its name.
    pub fn named<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Frame)> {
        self.by_name
            .range(prefix.to_owned()..)
            .map_while(move |(name, frame)| Some((name.strip_prefix(prefix)?, frame)))
    }

    /// Why there is not all of a frame.
    pub fn reason(&self, name: &str) -> &'static str {
        self.get(name)
            .map_or("the machine did not say it", |frame| frame.end.reason())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(answer: &str) -> (Frames, bool) {
        let mut frames = Frames::default();
        let done = frames.add(answer, "m");
        (frames, done)
    }

    #[test]
    fn frames_have_names_bodies_and_ends() {
        let (frames, done) = frames(
            "banner\n=m a\nx\ny\n=m end 0\n=m b c\n\n=m end absent\nnoise\n=m d\nz\n\n=m end 3\n=m done\nlater",
        );
        assert!(done);
        assert_eq!(frames.whole("a"), Some("x\ny"));
        assert_eq!(frames.get("b c").unwrap().end, End::Absent);
        assert_eq!(frames.get("d").unwrap().end, End::Code(3));
        assert_eq!(frames.whole("d"), None);
        assert_eq!(frames.named("b ").next().unwrap().0, "c");
    }

    #[test]
    fn a_frame_that_is_cut_off_is_not_whole() {
        let (frames, done) = frames("=m a\nx\n=m b\ny");
        assert!(!done);
        for name in ["a", "b"] {
            assert_eq!(frames.get(name).unwrap().end, End::Lost, "{name}");
            assert_eq!(frames.whole(name), None);
        }
    }

    #[test]
    fn what_stands_in_a_file_is_no_frame() {
        let (frames, _) = frames("=m a\n=other end 0\n =m end absent\n=m\n\n=m end 0\n=m done\n");
        assert_eq!(
            frames.whole("a"),
            Some("=other end 0\n =m end absent\n=m\n")
        );
    }

    #[test]
    fn the_first_of_a_name_counts_and_hex_must_be_hex() {
        let (frames, _) =
            frames("=m a\n 7f 45\n\n=m end 0\n=m a\n00\n=m end 0\n=m b\nzz\n=m end 0\n");
        assert_eq!(frames.bytes("a"), Some(vec![0x7f, 0x45]));
        assert_eq!(frames.bytes("b"), None);
        assert_eq!(frames.bytes("c"), None);
    }
}
