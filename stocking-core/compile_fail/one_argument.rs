use stocking_core::{Result, Router};

async fn greet(name: String) -> Result<String> {
    Ok(name)
}

fn main() {
    let _ = Router::new().on("greet", greet);
}
