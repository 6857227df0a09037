use stocking_core::{Context, Result, Router};

async fn greet(_: Context, name: &str) -> Result<String> {
    Ok(name.to_owned())
}

fn main() {
    let _ = Router::new().on("greet", greet);
}
