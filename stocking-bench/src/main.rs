//! `stocking-bench`: the program. What it does is in the library, where tests find it.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    return stocking_bench::run(std::env::args_os().skip(1));
    #[cfg(not(target_os = "linux"))]
    {
        eprintln!("stocking-bench speaks to epoll and reads /proc: it runs on Linux only");
        ExitCode::FAILURE
    }
}
