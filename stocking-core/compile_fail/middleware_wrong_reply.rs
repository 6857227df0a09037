use stocking_core::{Context, Next, Router};

async fn log(ctx: Context, next: Next) {
    let _ = next.run(ctx).await;
}

fn main() {
    let _ = Router::new().with(log);
}
