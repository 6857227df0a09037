//! The bodies of the fuzz targets. Each takes any bytes and panics where a promise is broken.

mod parse_frame;
#[path = "../../stocking-proto/tests/support/reference.rs"]
mod reference;

pub use parse_frame::parse_frame;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_keep_every_promise() {
        let mut seeds = 0;
        for seed in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/parse_frame")).unwrap() {
            parse_frame(&std::fs::read(seed.unwrap().path()).unwrap());
            seeds += 1;
        }
        assert!(seeds > 0);
    }

    #[test]
    fn bytes_that_are_no_text_are_passed_over() {
        parse_frame(b"5,news,\xff");
    }
}
