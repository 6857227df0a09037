use stocking_core::{Context, Result, Router};

async fn read(_: Context, name: String) -> Result<String> {
    Ok(std::fs::read_to_string(name)?)
}

fn main() {
    let _ = Router::new().on("read", read);
}
