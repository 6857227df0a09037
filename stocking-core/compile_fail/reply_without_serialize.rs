use stocking_core::{Context, Result, Router};

struct Greeting(String);

async fn greet(_: Context, name: String) -> Result<Greeting> {
    Ok(Greeting(name))
}

fn main() {
    let _ = Router::new().on("greet", greet);
}
