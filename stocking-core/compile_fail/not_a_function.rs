use stocking_core::Router;

fn main() {
    let _ = Router::new().on("greet", "Hello");
}
