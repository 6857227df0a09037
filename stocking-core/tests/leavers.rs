//! What the hooks of a service can tell everybody else.

use stocking_core::{Accept, Router, Service, testing::TestServer};

#[test]
fn a_hook_that_sees_a_session_end_can_tell_those_who_stay() {
    let service = Service::new(Router::new())
        .on_connect(async |_| Ok(Accept::new().identity("doge")))
        .on_open(|session| session.join("lobby").unwrap())
        .on_close(|session, reason| {
            let name = session.identity().unwrap();
            session.hub().broadcast("lobby", &format!("{name} has gone: {reason}")).unwrap();
        });
    let server = TestServer::new(service);
    let (leaver, stays) = (server.connect(), server.connect());
    leaver.send("3");
    stays.send("3");
    server.run();
    assert_eq!(stays.texts(), ["3"]);
    leaver.send("2");
    server.run();
    assert_eq!(stays.texts(), ["5,lobby,doge has gone: goodbye"]);
}
