//! What the compiler says to a wrong handler: each message is committed beside the mistake that it is about.
//!
//! `TRYBUILD=overwrite cargo test -p stocking-core --test compile_fail` writes them anew. They are those of the toolchain
//! that the workspace names as its oldest.

#[test]
fn a_wrong_handler_is_told_its_exact_mistake() {
    trybuild::TestCases::new().compile_fail("compile_fail/*.rs");
}
