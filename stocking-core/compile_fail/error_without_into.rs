use stocking_core::{Context, Router};

async fn read(_: Context, name: String) -> Result<String, std::io::Error> {
    std::fs::read_to_string(name)
}

fn main() {
    let _ = Router::new().on("read", read);
}
