//! A client that opens a session (`0,0,`) is told what was taken in and where it is a member; one that does not never
//! sees any of it.

use std::time::Duration;

use stocking_core::{
    Config, Context, Error, Next, Payload, Reply, Request, Result, Router, Service,
    connection::CloseReason,
    testing::{Message, TestClient, TestRuntime, TestServer},
};

async fn echo(_: Context, body: u64) -> Result<u64> {
    Ok(body)
}

async fn enter(ctx: Context, channel: String) -> Result<()> {
    Ok(ctx.session().join(&channel)?)
}

async fn exit(ctx: Context, channel: String) -> Result<()> {
    ctx.session().leave(&channel);
    Ok(())
}

async fn members_only(ctx: Context, next: Next) -> Reply {
    match next.request() {
        Request::Join { channel } if channel == "secret" => Err(Error::new("members only").with_code(403)),
        Request::Leave { channel } if channel == "club" => Err(Error::new("members stay").with_code(403)),
        Request::Join { channel } if channel == "void" => Ok(Payload::null()),
        _ => next.run(ctx).await,
    }
}

fn router() -> Router {
    Router::new().with(members_only).on("echo", echo).on("enter", enter).on("exit", exit)
}

fn opened(server: &TestServer) -> TestClient {
    let client = server.connect();
    client.send("0,0,whatever");
    let texts = client.texts();
    let [text] = &texts[..] else { panic!("{texts:?}") };
    assert!(
        text.starts_with(r#"0,0,{"id":"@"#) && text.ends_with(r#""ttl":120,"ping":25,"max":65536}"#),
        "{text}"
    );
    client
}

#[test]
fn an_opened_session_has_the_id_that_it_is_told() {
    let server = TestServer::new(router());
    let client = server.connect();
    client.send("0,0,");
    let text = client.texts().remove(0);
    let id = stocking_core::ClientId::parse(&text[11..34]).unwrap();
    server.hub().to(id).send("psst").unwrap();
    assert_eq!(client.texts(), [format!("5,{id},psst")]);
}

#[test]
fn a_resume_of_a_session_that_nobody_has_opens_a_new_one() {
    let server = TestServer::new(router());
    let client = server.connect();
    client.send(r#"0,1,{"id":"@0000000000000000000000","key":"0000000000000000000000","got":0,"try":1}"#);
    assert!(client.texts()[0].starts_with(r#"0,0,{"id":"@"#));
}

#[test]
fn what_is_no_resume_is_told_and_closed() {
    let whole = r#"{"id":"@0000000000000000000000","key":"0000000000000000000000","got":0,"try":1}"#;
    let twice = whole.replace(r#""got":0"#, r#""got":0,"got":0"#);
    for content in ["{", "[]", r#"{"id":"@x"}"#, &twice] {
        let server = TestServer::new(router());
        let client = server.connect();
        client.send(&format!("0,1,{content}"));
        let received = client.receive();
        assert!(
            matches!(&received[..], [Message::Text(error), Message::Close(1008, reason)]
                if error.starts_with("1,-32600,") && *reason == CloseReason::MalformedResume.to_string()),
            "{received:?}"
        );
    }
}

#[test]
fn every_join_and_leave_of_a_session_is_answered_in_order() {
    let server = TestServer::new(router());
    let client = opened(&server);
    let cases = [
        ("6,1,news", vec!["6,1,news"]),
        ("6,1,news", vec!["6,1,news"]),
        ("6,0,news", vec!["6,0,news"]),
        ("6,0,news", vec!["6,0,news"]),
        ("6,1,secret", vec!["1,403,members only", "6,0,secret"]),
        ("6,1,club", vec!["6,1,club"]),
        ("6,0,club", vec!["1,403,members stay", "6,1,club"]),
        ("6,1,void", vec!["6,0,void"]),
        (r#"4,1,{"e":"enter","p":"lobby"}"#, vec!["6,3,lobby", r#"4,1,{"c":-1,"p":null}"#]),
        (r#"4,2,{"e":"enter","p":"lobby"}"#, vec![r#"4,2,{"c":-1,"p":null}"#]),
        (r#"4,3,{"e":"exit","p":"lobby"}"#, vec!["6,2,lobby", r#"4,3,{"c":-1,"p":null}"#]),
        (r#"4,4,{"e":"exit","p":"lobby"}"#, vec![r#"4,4,{"c":-1,"p":null}"#]),
    ];
    for (request, answers) in cases {
        client.send(request);
        assert_eq!(client.texts(), answers, "{request}");
    }
    client.send("6,1,@x");
    assert!(matches!(&client.texts()[..], [error] if error.starts_with("1,-32003,")), "the error alone");
}

#[test]
fn a_base_connection_is_told_of_no_membership() {
    let server = TestServer::new(router());
    let client = server.connect();
    client.send("6,1,news");
    client.send("6,0,news");
    client.send(r#"4,1,{"e":"enter","p":"lobby"}"#);
    client.send("3,7,");
    assert_eq!(client.texts(), [r#"4,1,{"c":-1,"p":null}"#, "3"]);
}

#[test]
fn a_ping_is_answered_with_what_was_taken_in() {
    let server = TestServer::new(router());
    let client = opened(&server);
    client.send("3");
    client.send(r#"4,1,{"e":"echo","p":1}"#);
    client.send("3,1,");
    client.send("6,2,malformed frames count too");
    client.send("7,but not of a type that does not exist");
    client.send("3,3,");
    let texts = client.texts();
    assert_eq!(texts[..3], ["3,0,", r#"4,1,{"c":-1,"p":1}"#, "3,1,"]);
    assert_eq!(texts[5], "3,2,");
}

#[test]
fn the_server_tells_unasked_after_128_frames_or_64_kib() {
    let server = TestServer::new(router());
    let client = opened(&server);
    for _ in 0..127 {
        client.send("6,0,x");
        assert_eq!(client.texts(), ["6,0,x"]);
    }
    client.send("6,0,x");
    assert_eq!(client.texts(), ["6,0,x", "3,128,"]);
    let long = format!("5,nobody,{}", "x".repeat(40_000));
    client.send(&long);
    assert_eq!(client.texts().len(), 1);
    client.send(&long);
    assert_eq!(client.texts()[1], "3,130,");
}

#[test]
fn a_false_acknowledgement_ends_the_session() {
    for acknowledgements in [&["3,1,"][..], &["3", "4", "3,1,", "3,0,"], &["3,9007199254740991,"]] {
        let server = TestServer::new(router());
        let client = opened(&server);
        for text in acknowledgements {
            client.send(&text.replace('4', r#"4,1,{"e":"echo","p":1}"#));
        }
        let received = client.receive();
        let reason = CloseReason::FalseAcknowledgement.to_string();
        let [.., Message::Text(error), close] = &received[..] else { panic!("{received:?}") };
        assert!(error.starts_with("1,-32600,"), "{error}");
        assert_eq!(*close, Message::Close(1008, reason));
        assert_eq!(server.hub().sessions(), 0);
    }
}

#[test]
fn a_count_that_is_none_is_malformed_in_a_session() {
    let server = TestServer::new(router());
    let client = opened(&server);
    client.send("3,x,");
    assert!(matches!(&client.texts()[..], [error] if error.starts_with("1,-32600,")));
}

#[test]
fn a_session_that_is_not_read_is_told_every_ping_what_was_taken_in() {
    let runtime = TestRuntime::default();
    let clock = runtime.clone();
    let slow = move |_: Context, (): ()| {
        let clock = clock.clone();
        async move {
            clock.sleep(Duration::from_secs(60)).await;
            Ok::<_, Error>(())
        }
    };
    let service = Service::new(router().on("slow", slow)).with_config(Config::new().max_in_flight(1));
    let server = TestServer::on(&runtime, service);
    let client = opened(&server);
    client.send(r#"4,1,{"e":"slow"}"#);
    server.advance(Duration::from_secs(55));
    assert_eq!(client.texts(), ["3,1,", "3,1,"]);
    server.advance(Duration::from_secs(6));
    assert_eq!(client.texts(), [r#"4,1,{"c":-1,"p":null}"#]);
}

#[test]
fn a_first_frame_that_is_none_is_told_of_and_counts_for_nothing() {
    let server = TestServer::new(router());
    for wrong in ["", "7", "4,x,y", "0,2,", "1,0,x"] {
        let client = server.connect();
        client.send_all([wrong, "6,1,news", "3,1,", "0,0,"]);
        let texts = client.texts();
        let [error, pong, second] = &texts[..] else { panic!("{wrong:?}: {texts:?}") };
        assert!(error.starts_with("1,-32600,") && second.starts_with("1,-32600,"), "{texts:?}");
        assert_eq!(pong, "3", "a base connection counts nothing, and no error of it");
    }
}

#[test]
fn a_session_that_is_joined_to_a_channel_as_it_begins_is_told_so_first() {
    let service = Service::new(router()).on_open(|session| session.join("lobby").unwrap());
    let server = TestServer::new(service);
    let client = server.connect();
    client.send_all(["0,0,", "6,1,lobby"]);
    let texts = client.texts();
    assert!(texts[0].starts_with("0,0,{"), "{texts:?}");
    assert_eq!(texts[1..], ["6,3,lobby", "6,1,lobby"]);
    server.hub().broadcast("lobby", "welcome").unwrap();
    assert_eq!(client.texts(), ["5,lobby,welcome"]);
}

#[test]
fn what_follows_the_opening_in_one_read_is_numbered_from_1() {
    let server = TestServer::new(router());
    let client = server.connect();
    let read = ["0,0,", r#"4,1,{"e":"echo","p":1}"#, "3", "6,1,news", "3"].map(TestClient::text).concat();
    client.send_bytes(&read);
    let texts = client.texts();
    assert!(texts[0].starts_with("0,0,{"), "{texts:?}");
    assert_eq!(texts.iter().filter(|text| text.starts_with('3')).collect::<Vec<_>>(), ["3,1,", "3,2,"]);
    client.send("3,2,");
    assert_eq!(client.texts(), ["3,2,"], "the answers are two as well");
}
