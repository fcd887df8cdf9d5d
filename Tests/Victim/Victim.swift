import CFaultyVFS
import ChargingProfiles
import Control
import Foundation
import Journal
import Quantities
import Record
import Site

/// A hub's driver on a real journal, made to be killed: `victim JOURNAL WRITES` runs until its disk has been written to WRITES times
/// and is then killed with SIGKILL in the middle of that write. Says on stdout what it answered and what it was told is durable.
@main enum Victim {
  static let stations = 8

  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3, let writes = Int(arguments[2]) else { exit(2) }
    guard let disk = faulty_disk_make() else { exit(3) }
    let signal = DispatchSemaphore(value: 0)
    let store = try JournalStore(path: arguments[1], vfs: String(cString: faulty_disk_name(disk))) { signal.signal() }
    let restored = FileManager.default.fileExists(atPath: arguments[1]) ? try JournalReader(path: arguments[1]).restore() : nil
    faulty_disk_arm(disk, Int32(FAULTY_KILL), writes)

    var driver = Driver(
      store: store, version: "victim", restored: restored,
      timing: RecordTiming(linger: .milliseconds(50), snapshots: .seconds(5)), keepsInputs: true)
    let start = max(Instant(seconds: 1_767_614_400), restored?.stamp.utc ?? Instant(milliseconds: 0))
    say(
      driver.handle(
        restored == nil ? .configured(hub(), version: "victim") : .restarted(version: "victim"), utc: start, monotonic: at(0)))
    var asked: [(station: Int, command: CommandID, StationCommand)] = []
    for step in 1...1_000_000 {
      let now = step * 100
      let station = step % stations
      var effects = driver.handle(
        event(step, station: station, life: restored?.stamp.sequence ?? 0), utc: start + .milliseconds(now), monotonic: at(now))
      // The stations say yes to all that they are asked.
      for (place, one) in asked.enumerated() {
        for outcome in [CommandOutcome.sent, answer(to: one.2)] {
          effects += driver.handle(
            .station(one.station, .outcome(one.command, outcome)), utc: start + .milliseconds(now + place + 1),
            monotonic: at(now + place + 1))
        }
      }
      asked = effects.compactMap {
        if case .command(let id, let station, let command, _) = $0 { (station, id, command) } else { nil }
      }
      say(effects)
      if step % 16 == 0 {
        // Lets the store get somewhere: a group of events per commit.
        while case .timedOut = signal.wait(timeout: .now() + 0.002), !driver.isDurable {}
        let woken = driver.wake(utc: start + .milliseconds(now + 50), monotonic: at(now + 50))
        asked += woken.compactMap {
          if case .command(let id, let station, let command, _) = $0 { (station, id, command) } else { nil }
        }
        say(woken)
        tell("durable \(driver.durableThrough)")
      }
    }
  }

  /// Unbuffered: what was said is said.
  static func tell(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

  static func at(_ milliseconds: Int) -> Monotonic { Monotonic(milliseconds: milliseconds) }

  static func say(_ effects: [Effect]) {
    for case .answer(_, _, .start(let transaction, .accepted)) in effects { tell("answered \(transaction)") }
    // A raise leaves only once it is durable.
    for case .command(let id, _, .setProfile(_, let profile), .increase) in effects {
      if case .transaction = profile.purpose { tell("raised \(id.value)") }
    }
  }

  static func answer(to command: StationCommand) -> CommandOutcome {
    switch command {
    case .learn: .learned(StationCapabilities())
    case .readComposite: .composite(nil)
    default: .accepted
    }
  }

  static func event(_ step: Int, station: Int, life: UInt64) -> Event {
    switch step / stations % 8 {
    case 0: .station(station, .connected)
    case 1:
      .station(station, .booted(StationIdentity(vendor: "v", model: "m"), RequestID(UInt64(step))))
    case 2: .station(station, .status(connector: 1, .preparing, error: nil))
    case 3:
      .station(
        station,
        .started(
          TransactionStart(
            connector: 1, idTag: "T", meterStart: .wattHours(Int(life) * 1000 + step),
            at: Instant(seconds: 1_767_614_400 + Int(life) * 1000 + step / 10),
            messageID: "\(life)-\(step)"),
          RequestID(UInt64(step))))
    case 4, 5:
      .station(
        station,
        .sampled(
          connector: 1, transaction: nil,
          ConnectorSample(takenAt: nil, current: PerPhase(all: .amperes(6 + step % 9)), register: .wattHours(step))))
    case 6: .reading(MeterReading(meter: 0, current: PerPhase(all: .amperes(10 + step % 40)), registers: UInt64(step)))
    default: .station(station, .disconnected)
    }
  }

  static func hub() -> Hub {
    var hub = Hub(
      id: "yard",
      circuits: [
        Circuit(
          id: "connection", rating: PerPhase(all: .amperes(400)), baseWorst: PerPhase(all: .amperes(20)),
          measurement: .init(meter: 0))
      ],
      meters: [Meter(id: "m", profile: "generic", bus: .tcp(host: "localhost", port: 502))])
    for i in 0..<stations {
      hub.stations.append(Station(id: "S\(i)", connectors: i..<(i + 1)))
      hub.connectors.append(Connector(station: i, number: 1, circuit: 0))
    }
    return hub
  }
}
