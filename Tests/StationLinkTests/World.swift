import Loop
import Testing
import Threads

@testable import StationLink

/// A server on a port of its own and what it told the house, for one test.
final class World: Sendable {
  let loop: EventLoop
  let server: StationServer
  let port: UInt16
  let inbox = Mailbox<StationEvent>()
  /// Who waits to be told whether it may come in.
  let held = Mailbox<StationServer.Answer>()
  private let stations = Locked<[Station]>([])

  /// Stations are known by any id except `nobody`; `guarded` needs the password `secret`, and `waiting` waits until the test answers.
  init(_ change: (inout StationServer.Configuration) -> Void = { _ in }) throws {
    loop = try EventLoop()
    var configuration = StationServer.Configuration()
    change(&configuration)
    let (inbox, held) = (inbox, held)
    server = StationServer(
      loop: loop, configuration: configuration,
      admit: { knock, answer in
        switch knock.stationID {
        case "nobody": answer(.unknown)
        case "guarded": answer(knock.password == "secret" ? .accept : .unauthorized)
        case "waiting": held.post(answer)
        default: answer(.accept)
        }
      }, deliver: { inbox.post($0) })
    port = try server.start()
  }

  deinit {
    // Nothing may be left on a loop that stops, whatever state a test left it in.
    for station in stations.with({ $0 }) { station.client.abort() }
    server.stop(within: .seconds(1))
    loop.stop()
  }

  func endpoint(_ station: String, _ change: (inout StationClient.Endpoint) -> Void = { _ in }) throws -> StationClient.Endpoint {
    var endpoint = try StationClient.Endpoint(host: "127.0.0.1", port: port, path: "/ocpp/\(station)")
    change(&endpoint)
    return endpoint
  }

  func station(_ name: String, _ change: (inout StationClient.Endpoint) -> Void = { _ in }) throws -> Station {
    let station = Station(loop: loop, endpoint: try endpoint(name, change))
    stations.with { $0.append(station) }
    return station
  }
}

/// An emulated station and what it heard.
final class Station: Sendable {
  let client: StationClient
  let heard = Mailbox<StationClient.Event>()
  private let backlog = Locked<[StationClient.Event]>([])

  init(loop: EventLoop, endpoint: StationClient.Endpoint) {
    let heard = heard
    client = StationClient(loop: loop, endpoint: endpoint) { heard.post($0) }
    client.connect()
  }

  /// The next event, at most five seconds later.
  func next() -> StationClient.Event? { nextItem(of: heard, backlog) }
}

/// What the house hears, one event at a time.
final class House: Sendable {
  private let world: World
  private let backlog = Locked<[StationEvent]>([])

  init(_ world: World) { self.world = world }

  func next() -> StationEvent? { nextItem(of: world.inbox, backlog) }

  func nextOpened() -> (handle: LinkHandle, station: String, notes: LinkNotes)? {
    guard case .opened(let handle, let station, let notes) = next() else { return nil }
    return (handle, station, notes)
  }
}

private func nextItem<Item>(of mailbox: Mailbox<Item>, _ backlog: Locked<[Item]>) -> Item? {
  if let item = backlog.with({ $0.isEmpty ? nil : $0.removeFirst() }) { return item }
  guard let batch = mailbox.take(patience: .seconds(5)), let first = batch.first else { return nil }
  backlog.with { $0 = Array(batch.dropFirst()) }
  return first
}
