//! What a simulation of clients does to them.

use std::time::Duration;

use stocking_core::{
    Router,
    client::{ClientConfig, ClientEvent, ClientMachine},
    testing::{Chance, Network, Simulation, TestServer},
};

fn simulation() -> Simulation {
    let mut simulation = Simulation::new(TestServer::new(Router::new()), Network::default(), Chance::new(1));
    let machine = ClientMachine::new("ws://localhost/ws", ClientConfig::new(), simulation.now()).unwrap();
    simulation.add(machine);
    simulation.run_for(Duration::from_secs(1));
    assert!(matches!(simulation.poll_event(), Some((0, ClientEvent::Connected { .. }))));
    simulation
}

fn events(simulation: &mut Simulation) -> Vec<ClientEvent> {
    simulation.run_for(Duration::from_secs(60));
    std::iter::from_fn(|| simulation.poll_event()).map(|(_, event)| event).collect()
}

#[test]
fn a_client_whose_connection_is_cut_resumes() {
    let mut simulation = simulation();
    simulation.cut(0);
    let events = events(&mut simulation);
    assert!(matches!(events[..], [ClientEvent::Disconnected { .. }, ClientEvent::Resumed]), "{events:?}");
}

#[test]
fn a_client_whose_connection_is_cut_while_it_is_made_makes_another() {
    let mut simulation = simulation();
    let mut slow = Network::default();
    slow.connects_in = Duration::from_secs(9);
    simulation.set_network(slow);
    simulation.cut(0);
    simulation.run_for(Duration::from_millis(501));
    simulation.cut(0);
    let events = events(&mut simulation);
    let [ClientEvent::Disconnected { .. }, ClientEvent::ConnectFailed { .. }, ClientEvent::Resumed] =
        events[..]
    else {
        panic!("{events:?}")
    };
}

#[test]
fn a_server_that_replaces_another_has_another_session() {
    let mut simulation = simulation();
    let other = TestServer::on(simulation.server().runtime(), Router::new());
    simulation.replace_server(other);
    let events = events(&mut simulation);
    assert!(
        matches!(
            events[..],
            [ClientEvent::Disconnected { .. }, ClientEvent::Reset(_), ClientEvent::Connected { .. }]
        ),
        "{events:?}"
    );
}

#[test]
#[should_panic(expected = "make the server by `TestServer::on(simulation.server().runtime(), …)`")]
fn a_server_of_another_clock_replaces_none() {
    simulation().replace_server(TestServer::new(Router::new()));
}
