//! What a server costs: by the operating system's accounting, from outside.

mod cores;
mod limits;
mod machine;
mod process;
mod statistics;
mod thread_time;

pub(crate) use self::{
    cores::Cores,
    limits::raise_open_files,
    machine::{Machine, compiler},
    process::{Process, Unmetered},
    statistics::{lower_quartile, median},
    thread_time::thread_time,
};
