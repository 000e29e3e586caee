//! Real boots of the lab's closures, in one process: they take turns, as many at a time as the machine carries.

mod for_real;
