//! A channel of more than 4,096 members is told in slices: in one order for all, and with a bounded line.

use std::{task::Poll, time::Duration};

use stocking_core::{
    Accept, Admission, Config, Connection, Context, Result, Router, SendError, Service,
    driver::Runtime,
    testing::{TestClient, TestServer},
};

use crate::wire::{Wire, assert_lives};

const MEMBERS: usize = 5000;

async fn mark(ctx: Context, content: String) -> Result<()> {
    Ok(ctx.hub().broadcast("b", &content)?)
}

/// A server whose channels `a` and `b` are large; those who listen are the first, one in the middle, and the last.
struct Crowd {
    server: TestServer,
    listeners: Vec<TestClient>,
    /// Members whom nobody drives: what they are sent stays in their outboxes.
    _others: Vec<Connection>,
}

impl Crowd {
    fn gather(max_backlog: usize) -> Self {
        let config = Config::new().max_backlog(max_backlog);
        let server = TestServer::new(Service::new(Router::new().on("mark", mark)).with_config(config));
        let (mut listeners, mut others) = (Vec::new(), Vec::new());
        for number in 0..MEMBERS {
            if [0, MEMBERS / 2, MEMBERS - 1].contains(&number) {
                let client = server.connect();
                client.send_bytes(&[TestClient::text("6,1,a"), TestClient::text("6,1,b")].concat());
                server.run();
                listeners.push(client);
            } else {
                let now = server.runtime().now();
                let mut connection = Connection::upgraded(
                    Admission::new(server.service().clone(), Ok(Accept::new())),
                    now,
                    &mut Vec::new(),
                );
                let mut joins = [TestClient::text("6,1,a"), TestClient::text("6,1,b")].concat();
                connection.handle_input(&mut joins, now, &mut Vec::new());
                others.push(connection);
            }
        }
        assert_eq!(server.hub().channel("a").len(), MEMBERS);
        Self { server, listeners, _others: others }
    }

    /// Everybody has read these, in this order.
    #[track_caller]
    fn assert_read(&self, texts: &[&str]) {
        for listener in &self.listeners {
            assert_eq!(listener.texts(), texts);
        }
    }
}

#[test]
fn the_application_is_told_that_too_much_waits_and_everybody_reads_the_rest_in_order() {
    assert_eq!(Config::default().max_backlog, 1024 * 1024);
    let crowd = Crowd::gather(20);
    let hub = crowd.server.hub();
    let bystander = crowd.server.connect();
    assert_eq!(hub.broadcast("a", "1"), Ok(()));
    assert_eq!(hub.broadcast("a", "2"), Ok(()));
    assert_eq!(hub.broadcast("a", "3"), Err(SendError::Congested));
    // Another channel has a line of its own.
    assert_eq!(hub.broadcast("b", "1"), Ok(()));
    crowd.assert_read(&["5,a,1", "5,b,1", "5,a,2"]);
    assert_eq!(hub.broadcast("a", "4"), Ok(()));
    crowd.assert_read(&["5,a,4"]);
    assert_lives(&bystander);
}

#[test]
fn the_default_line_holds_a_mebibyte() {
    let crowd = Crowd::gather(Config::default().max_backlog);
    let content = "x".repeat(64 * 1024 - 8);
    for _ in 0..16 {
        assert_eq!(crowd.server.hub().broadcast("a", &content), Ok(()));
    }
    assert_eq!(crowd.server.hub().broadcast("a", ""), Err(SendError::Congested));
}

#[test]
fn a_client_that_publishes_waits_and_what_it_asks_next_waits_behind() {
    let crowd = Crowd::gather(20);
    let mut publisher = Wire::connect(&crowd.server);
    for text in ["1", "2"] {
        assert_eq!(crowd.server.hub().broadcast("a", text), Ok(()));
        assert_eq!(crowd.server.hub().broadcast("b", text), Ok(()));
    }
    let mark = r#"4,1,{"e":"mark","p":"5"}"#;
    let mut frames = ["5,a,3", "5,b,3", "5,a,4", mark].map(TestClient::text).concat();
    let now = publisher.now();
    publisher.connection.handle_input(&mut frames, now, &mut Vec::new());
    let task = publisher.connection.poll_task().expect("it waits");
    assert!(publisher.connection.poll_task().is_none(), "for one thing at a time");
    crowd.server.runtime().spawn(task);
    crowd.server.run();
    for listener in &crowd.listeners {
        let texts = listener.texts();
        for (channel, contents) in [("a", &["1", "2", "3", "4"][..]), ("b", &["1", "2", "3", "5"])] {
            let expected: Vec<_> = contents.iter().map(|content| format!("5,{channel},{content}")).collect();
            let read: Vec<_> =
                texts.iter().filter(|text| text.starts_with(&format!("5,{channel},"))).cloned().collect();
            assert_eq!(read, expected);
        }
    }
    assert_eq!(publisher.texts(), [r#"4,1,{"c":-1,"p":null}"#]);
    publisher.advance(Duration::from_secs(1));
    publisher.assert_open();
}

#[test]
fn who_waits_for_room_has_its_turn_before_those_who_come_later() {
    let service = Service::new(Router::new()).with_config(Config::new().max_backlog(100));
    let server = TestServer::new(service);
    let members: Vec<_> = (0..8193).map(|_| server.connect()).collect();
    members.iter().for_each(|member| member.send("6,1,big"));
    let publisher = server.connect();
    server.run();
    let hub = server.hub().clone();
    server.runtime().spawn(async move {
        for _ in 0..20_000 {
            // Whether there is room or not: it comes again at once.
            hub.broadcast("big", "s").ok();
            let mut yielded = false;
            std::future::poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
    });
    let waited = format!("5,big,{}", "W".repeat(95));
    publisher.send(&waited);
    let texts = members[0].texts();
    let place = texts.iter().position(|text| *text == waited).expect("it is told");
    assert!(place < texts.len() / 2, "number {place} of {}", texts.len());
}
