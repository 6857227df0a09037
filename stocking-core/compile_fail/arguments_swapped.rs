use stocking_core::{Context, Result, Router};

async fn greet(name: String, _: Context) -> Result<String> {
    Ok(name)
}

fn main() {
    let _ = Router::new().on("greet", greet);
}
