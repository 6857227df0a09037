use std::rc::Rc;

use stocking_core::{Context, Result, Router};

async fn greet(_: Context, name: String) -> Result<String> {
    let name = Rc::new(name);
    std::future::ready(()).await;
    Ok(name.to_string())
}

fn main() {
    let _ = Router::new().on("greet", greet);
}
