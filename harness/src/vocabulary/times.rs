/// How long a state may take to start, and for how long it is watched, where somebody says other than bootproof does; in seconds of the
/// reference machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    pub start_seconds: Option<u32>,
    pub window_seconds: Option<u32>,
}
