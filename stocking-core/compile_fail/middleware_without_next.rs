use stocking_core::{Context, Reply, Payload, Router};

async fn log(_: Context) -> Reply {
    Ok(Payload::null())
}

fn main() {
    let _ = Router::new().with(log);
}
