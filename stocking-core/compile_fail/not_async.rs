use stocking_core::{Context, Result, Router};

fn greet(_: Context, name: String) -> Result<String> {
    Ok(name)
}

fn main() {
    let _ = Router::new().on("greet", greet);
}
