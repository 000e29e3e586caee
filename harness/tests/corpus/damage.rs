//! Damage to bytes, the same each time: no clock, no system randomness.

/// Cuts, flips and insertions of each kind that are tried.
const CUTS: usize = 24;
const FLIPS: usize = 40;
const INSERTIONS: usize = 3;
/// A large file is damaged in fewer places, so that the test stays short.
const LARGE: usize = 16 << 10;

/// What is put in, with its name.
const INSERTED: &[(&str, &[u8])] = &[
    ("NUL", b"\0"),
    ("a huge number", b"18446744073709551616"),
    ("minus one", b"-1"),
    ("no UTF-8", b"\xff\xfe"),
    ("an escape sequence", b"\x1b]0;x\x07"),
    ("opened braces", b"{{{{{{{{[[[[[[[["),
    ("quotes and backslashes", b"\\\"'\\"),
    ("a line", b"\n"),
];
/// What a binary number is replaced with, with its name.
const NUMBERS: &[(&str, [u8; 8])] = &[
    ("zeros", [0; 8]),
    ("ones", [0xff; 8]),
    ("2^31-1", [0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0]),
    ("2^63-1", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
];

/// The bytes as they are, and damaged, each with a name of the damage.
pub(crate) fn variants(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut variants = vec![
        ("whole".to_owned(), bytes.to_vec()),
        ("twice".to_owned(), bytes.repeat(2)),
    ];
    let few = if bytes.len() > LARGE { 8 } else { 1 };
    for cut in 0..CUTS / few {
        let end = bytes.len() * cut / (CUTS / few);
        variants.push((format!("cut at {end}"), bytes[..end].to_vec()));
    }
    let mut random = Random(bytes.len() as u64);
    for (name, number) in NUMBERS {
        for at in (0..bytes.len()).step_by(bytes.len() / 16 * few + 8) {
            let mut damaged = bytes.to_vec();
            let end = bytes.len().min(at + 8);
            damaged[at..end].copy_from_slice(&number[..end - at]);
            variants.push((format!("{name} at {at}"), damaged));
        }
    }
    for (name, inserted) in INSERTED {
        for _ in 0..INSERTIONS {
            let at = random.below(bytes.len() + 1);
            let mut damaged = bytes.to_vec();
            damaged.splice(at..at, inserted.iter().copied());
            variants.push((format!("{name} at {at}"), damaged));
        }
    }
    for _ in 0..FLIPS / few {
        let mut damaged = bytes.to_vec();
        for _ in 0..=random.below(4) {
            if let Some(byte) = damaged.get_mut(random.below(bytes.len())) {
                *byte ^= 1 << random.below(8);
            }
        }
        variants.push((format!("bits flipped: {damaged:02x?}"), damaged));
    }
    variants
}

/// Numbers that look random (Marsaglia's xorshift64), from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }
}
