//! What a server costs: by the operating system's accounting, from outside.

mod cores;
mod limits;
mod machine;
mod process;
mod statistics;
#[cfg(feature = "memory")]
mod thread_time;

#[cfg(feature = "memory")]
pub(crate) use self::thread_time::thread_time;
pub(crate) use self::{
    cores::Cores,
    limits::raise_open_files,
    machine::{Machine, compiler},
    process::{Process, Unmetered},
    statistics::{lower_quartile, median},
};
