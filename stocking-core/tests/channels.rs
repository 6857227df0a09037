//! Channels and direct messages, as clients meet them.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use serde_json::Value;
use stocking_core::{
    ClientId, Context, Result, Router,
    testing::{TestClient, TestServer},
};

const NOTHING: [&str; 0] = [];

async fn id(ctx: Context, _: Value) -> Result<ClientId> {
    Ok(ctx.session().id())
}

fn server() -> TestServer {
    TestServer::new(Router::new().on("id", id))
}

fn id_of(client: &TestClient) -> String {
    let texts = client.ask(r#"4,1,{"e":"id"}"#);
    let reply = texts[0].strip_prefix(r#"4,1,{"c":-1,"p":""#).unwrap();
    reply.strip_suffix(r#""}"#).unwrap().to_owned()
}

#[test]
fn joining_twice_is_joining_once_and_all_of_it_is_silent() {
    let server = server();
    let (member, other) = (server.connect(), server.connect());
    assert_eq!(member.ask("6,1,news"), NOTHING);
    assert_eq!(member.ask("6,1,news"), NOTHING);
    assert_eq!(server.hub().channel("news").len(), 1);
    assert_eq!(other.ask("5,news,hi"), NOTHING);
    assert_eq!(member.texts(), ["5,news,hi"]);
    assert_eq!(member.ask("6,0,news"), NOTHING);
    assert_eq!(other.ask("5,news,hi"), [r#"1,0,Channel "news" not found"#]);
    assert_eq!(member.ask("6,0,news"), NOTHING);
    assert_eq!(member.ask("6,0,never there"), NOTHING);
}

#[test]
fn everybody_in_the_channel_is_told_but_the_broadcaster() {
    let server = server();
    let [a, b, outside] = [server.connect(), server.connect(), server.connect()];
    for member in [&a, &b] {
        assert_eq!(member.ask("6,1,news"), NOTHING);
    }
    assert_eq!(a.ask("5,news,1"), NOTHING);
    assert_eq!(b.texts(), ["5,news,1"]);
    // The broadcaster need not be a member.
    assert_eq!(outside.ask("5,news,2"), NOTHING);
    assert_eq!(a.texts(), ["5,news,2"]);
    assert_eq!(b.texts(), ["5,news,2"]);
    assert_eq!(outside.texts(), NOTHING);
}

#[test]
fn a_broadcast_of_the_only_member_is_silent() {
    let client = server().connect();
    client.send_all(["6,1,news", "5,news,1", "5,news,2"]);
    assert_eq!(client.texts(), NOTHING);
}

#[test]
fn the_content_arrives_byte_for_byte() {
    let server = server();
    let (member, other) = (server.connect(), server.connect());
    assert_eq!(member.ask("6,1,news"), NOTHING);
    let long = "x".repeat(60_000);
    let contents = ["a,b,,c", "\r\n\0\u{7f}", "{\"c\":", "🧦 größe", ",", " ", "5,news,x", &long];
    for content in contents {
        let frame = format!("5,news,{content}");
        assert_eq!(other.ask(&frame), NOTHING);
        assert_eq!(member.texts(), [frame]);
    }
}

#[test]
fn an_empty_content_arrives_with_both_commas() {
    let server = server();
    let (member, other) = (server.connect(), server.connect());
    assert_eq!(member.ask("6,1,news"), NOTHING);
    other.send_all(["5,news,", "5,news"]);
    server.run();
    assert_eq!(member.texts(), ["5,news,", "5,news,"]);
}

#[test]
fn a_channel_that_is_not_there_is_named_exactly_as_it_came() {
    let client = server().connect();
    let unknown = ClientId::from_bits(7).to_string();
    for name in ["nobody", "a \"b\" größe", " ", "🧦", "NEWS\\", "{}", "@", "@nobody", &unknown] {
        let told = [format!(r#"1,0,Channel "{name}" not found"#)];
        assert_eq!(client.ask(&format!("5,{name},hi")), told);
        assert_eq!(client.ask(&format!("5,{name}")), told);
    }
}

#[test]
fn a_channel_ends_with_its_last_member() {
    let not_found = [r#"1,0,Channel "news" not found"#];
    let server = server();
    let other = server.connect();
    let ends: [fn(&TestClient); 3] =
        [|member| member.send("6,0,news"), |member| member.send("2"), TestClient::disconnect];
    for end in ends {
        let (first, last) = (server.connect(), server.connect());
        for member in [&first, &last] {
            assert_eq!(member.ask("6,1,news"), NOTHING);
        }
        end(&first);
        assert_eq!(other.ask("5,news,hi"), NOTHING);
        assert_eq!((server.hub().channels(), server.hub().channel("news").len()), (1, 1));
        end(&last);
        assert_eq!(other.ask("5,news,hi"), not_found);
        assert_eq!((server.hub().channels(), server.hub().channel("news").len()), (0, 0));
    }
    // A new one of that name is another one.
    let member = server.connect();
    assert_eq!(member.ask("6,1,news"), NOTHING);
    assert_eq!(other.ask("5,news,again"), NOTHING);
    assert_eq!(member.texts(), ["5,news,again"]);
}

#[test]
fn a_direct_message_reaches_its_addressee_alone() {
    let server = server();
    let [a, b, c] = [server.connect(), server.connect(), server.connect()];
    let ids = [&a, &b, &c].map(id_of);
    for (from, to, others) in [(&a, 1, [&a, &c]), (&b, 2, [&a, &b]), (&c, 0, [&b, &c])] {
        let frame = format!("5,{},psst, you", ids[to]);
        assert_eq!(from.ask(&frame), NOTHING);
        assert_eq!([&a, &b, &c][to].texts(), [frame]);
        for other in others {
            assert_eq!(other.texts(), NOTHING);
        }
    }
    // Alone in that channel, and so not told by itself.
    assert_eq!(a.ask(&format!("5,{},to myself", ids[0])), NOTHING);
}

#[test]
fn the_id_of_a_client_that_has_gone_is_not_found() {
    let server = server();
    let (client, other) = (server.connect(), server.connect());
    let id = id_of(&client);
    client.disconnect();
    assert_eq!(other.ask(&format!("5,{id},hi")), [format!(r#"1,0,Channel "{id}" not found"#)]);
}

#[test]
fn nobody_joins_or_leaves_an_id() {
    let server = server();
    let (client, other) = (server.connect(), server.connect());
    let (own, others) = (id_of(&client), id_of(&other));
    for name in [own.as_str(), &others, "@", "@nobody"] {
        for frame in [format!("6,1,{name}"), format!("6,0,{name}")] {
            let texts = client.ask(&frame);
            assert!(texts.len() == 1 && texts[0].starts_with("1,-32003,"), "{frame}: {texts:?}");
        }
    }
    assert_eq!(server.hub().channels(), 0);
    assert_eq!(other.ask(&format!("5,{own},hi")), NOTHING);
    assert_eq!(client.texts(), [format!("5,{own},hi")]);
}

#[test]
fn names_differ_by_every_byte() {
    let server = server();
    let (member, other) = (server.connect(), server.connect());
    assert_eq!(member.ask("6,1,News"), NOTHING);
    for name in ["news", "News ", " News", "New"] {
        assert_eq!(other.ask(&format!("5,{name},hi")), [format!(r#"1,0,Channel "{name}" not found"#)]);
    }
    assert_eq!(member.texts(), NOTHING);
}

#[test]
fn broadcasts_to_several_channels_keep_the_order_of_each_and_of_what_is_between() {
    let server = server();
    let [a, b, sender] = [server.connect(), server.connect(), server.connect()];
    for frame in ["6,1,x", "6,1,y"] {
        assert_eq!(a.ask(frame), NOTHING);
    }
    assert_eq!(b.ask("6,1,y"), NOTHING);
    let own = id_of(&b);
    sender.send_all([
        "5,x,1".into(),
        "5,x,2".into(),
        "5,y,3".into(),
        format!("5,{own},4"),
        "5,nobody,5".into(),
        "5,x,6".into(),
        "3".into(),
        "5,y,7".into(),
        "6,1,y".into(),
        "5,y,8".into(),
    ]);
    assert_eq!(sender.texts(), [r#"1,0,Channel "nobody" not found"#, "3"]);
    assert_eq!(a.texts(), ["5,x,1", "5,x,2", "5,y,3", "5,x,6", "5,y,7", "5,y,8"]);
    assert_eq!(b.texts(), ["5,y,3", &format!("5,{own},4"), "5,y,7", "5,y,8"]);
}
