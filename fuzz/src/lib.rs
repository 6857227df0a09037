//! The bodies of the fuzz targets. Each takes any bytes and panics where a promise is broken.

mod client;
mod connection;
mod parse_frame;
#[path = "../../stocking-proto/tests/support/reference.rs"]
mod reference;
#[path = "../../stocking-core/tests/limits/torment.rs"]
mod torment;

pub use client::client;
pub use connection::connection;
pub use parse_frame::parse_frame;

#[cfg(test)]
mod tests {
    use super::*;

    fn run_seeds(target: &str, run: fn(&[u8])) {
        let mut seeds = 0;
        for seed in std::fs::read_dir(format!("{}/seeds/{target}", env!("CARGO_MANIFEST_DIR"))).unwrap() {
            run(&std::fs::read(seed.unwrap().path()).unwrap());
            seeds += 1;
        }
        assert!(seeds > 0, "{target}");
    }

    #[test]
    fn the_seeds_keep_every_promise() {
        run_seeds("parse_frame", parse_frame);
        run_seeds("connection", connection);
        run_seeds("client", client);
    }

    #[test]
    fn bytes_that_are_no_text_are_passed_over() {
        parse_frame(b"5,news,\xff");
    }
}
