use stocking_core::{Context, Result, Router};

struct Person {
    name: String,
}

async fn greet(_: Context, person: Person) -> Result<String> {
    Ok(person.name)
}

fn main() {
    let _ = Router::new().on("greet", greet);
}
