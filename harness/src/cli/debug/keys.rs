//! What the person types: keys for the guest, and after Ctrl-] one for bootproof. Pure.

/// Ctrl-], as telnet(1) and virsh(1) have it.
const ESCAPE: u8 = 0x1d;

/// What one or more typed bytes mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// For the guest.
    Bytes(Vec<u8>),
    Console,
    Shell,
    Quit,
    Help,
}

/// Remembers whether the last byte was Ctrl-].
#[derive(Debug, Default)]
pub(super) struct Keys {
    escaped: bool,
}

impl Keys {
    /// What was typed, in order.
    pub(super) fn take(&mut self, typed: &[u8]) -> Vec<Key> {
        let mut keys = Vec::new();
        for &byte in typed {
            if !self.escaped && byte == ESCAPE {
                self.escaped = true;
                continue;
            }
            let key = match (std::mem::take(&mut self.escaped), byte) {
                (false, byte) | (true, byte @ ESCAPE) => Key::Bytes(vec![byte]),
                (true, b's' | b'S') => Key::Shell,
                (true, b'c' | b'C') => Key::Console,
                (true, b'q' | b'Q' | b'.') => Key::Quit,
                (true, _) => Key::Help,
            };
            match (keys.last_mut(), key) {
                (Some(Key::Bytes(before)), Key::Bytes(more)) => before.extend(more),
                (_, key) => keys.push(key),
            }
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_what_follows_the_escape_key_is_the_guests() {
        let mut keys = Keys::default();
        assert_eq!(keys.take(b"ls\r"), [Key::Bytes(b"ls\r".to_vec())]);
        assert_eq!(
            keys.take(b"a\x1dsb\x1dc\x1dx\x1dq"),
            [
                Key::Bytes(b"a".to_vec()),
                Key::Shell,
                Key::Bytes(b"b".to_vec()),
                Key::Console,
                Key::Help,
                Key::Quit
            ]
        );
    }

    #[test]
    fn the_escape_key_may_come_alone_and_twice_is_itself() {
        let mut keys = Keys::default();
        assert_eq!(keys.take(b"\x1d"), []);
        assert_eq!(keys.take(b"q"), [Key::Quit]);
        assert_eq!(keys.take(b"\x1d\x1dq"), [Key::Bytes(b"\x1dq".to_vec())]);
    }
}
