use stocking_core::{Context, Router};

async fn greet(_: Context, name: String) -> String {
    name
}

fn main() {
    let _ = Router::new().on("greet", greet);
}
