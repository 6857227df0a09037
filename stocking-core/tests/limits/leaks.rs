//! Whoever comes and goes, in whatever way, leaves nothing.

use std::time::Duration;

use stocking_core::{
    Context, Result, Router,
    testing::{TestClient, TestServer},
};

async fn echo(_: Context, body: String) -> Result<String> {
    Ok(body)
}

#[test]
fn ten_thousand_clients_leave_nothing_behind() {
    let server = TestServer::new(Router::new().on("echo", echo));
    for number in 0..10_000 {
        let client = server.connect();
        client.send(&format!("6,1,c{}", number % 7));
        client.send(r#"4,1,{"e":"echo","p":"x"}"#);
        client.send("5,c1,hello");
        match number % 5 {
            0 => client.disconnect(),
            1 => client.send("2"),
            2 => client.send_bytes(&TestClient::frame(0x88, b"")),
            3 => client.send_bytes(&TestClient::frame(0x82, b"binary")),
            // Gone without a word, in the middle of one.
            _ => client.send_bytes(&[0x81, 0xff, 0]),
        }
        if number % 100 == 0 {
            server.run();
        }
    }
    server.advance(Duration::from_secs(60));
    assert_eq!((server.hub().sessions(), server.hub().channels()), (0, 0));
    assert_eq!((server.service().connections(), server.runtime().tasks()), (0, 0));
}
