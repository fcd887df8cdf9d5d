import Commissioning
import Control
import Glibc
import LiveHub
import Loop
import Quantities
import Site

/// The terminal, or whatever stands in its place, before a commissioning run, and the protocol's two files.
final class CommissionDesk: CommissioningDesk {
  struct Fault: Error, CustomStringConvertible {
    var description: String
  }
  private let path: String
  private let asks: Bool
  private let stop: Latch
  private let isTerminal = isatty(STDOUT_FILENO) == 1
  private var hasProgress = false
  /// The protocol could not be kept.
  private(set) var fault: Fault?

  /// - Parameter path: of the protocol, without its endings.
  init(path: String, asks: Bool, stop: Latch) { (self.path, self.asks, self.stop) = (path, asks, stop) }

  // MARK: Telling

  func tell(_ news: CommissioningNews) {
    switch news {
    case .station(let id): say("station \(id)")
    case .waiting(_, let gap): say("  waiting: \(gap.map(Self.words) ?? "ready")")
    case .device(let station):
      say("  \(station.identity.map(CommissioningWords.device) ?? "it does not say what it is")")
      if let can = station.capabilities { say("  can: \(CommissioningWords.capabilities(can))") }
      say("  known of model \(station.traits.model): \(CommissioningWords.quirks(station.traits))")
      if let offset = station.clockOffset { say("  clock: \(Words.seconds(offset)) off") }
      say("  fallback installed; trust so far: \(station.trustBefore.rawValue)")
    case .plugIn(_, let connector, let load):
      say(
        "  connector \(connector): plug in \(load == 1 ? "a vehicle or a test load" : "load \(load), on other conductors"), and start charging"
      )
    case .unplug(_, let connector): say("  connector \(connector): unplug it")
    case .charging(_, let connector, let offered, let measured):
      let drawn = measured.map { Words.amperes($0) } ?? "nothing measured"
      progress("  connector \(connector): offered \(offered.map { Words.amperes($0) } ?? "-") A, station measures \(drawn)")
    case .step(let entry): say("  step \(CommissioningWords.step(entry))")
    case .connector(let station, let connector): tell(connector, station)
    case .note(let note): say("  \(CommissioningWords.note(note))")
    case .test(let name, let test):
      say("  \(name): \(test.outcome.rawValue)")
      for note in test.notes { say("    \(CommissioningWords.note(note))") }
    case .trust(let station, let trust): say("  trust in the fallback of \(station): \(trust.rawValue)")
    }
  }

  private func tell(_ connector: CommissioningProtocol.ConnectorRecord, _ station: String) {
    say("  connector \(connector.number): \(connector.outcome.rawValue)")
    say("    keeps to its offer: \(connector.obedience.outcome.rawValue), \(CommissioningWords.obedience(connector.obedience))")
    for circuit in connector.circuits {
      say("    at meter \(circuit.meter) of \(circuit.id): \(circuit.verdict.outcome.rawValue)")
      for fault in circuit.verdict.faults {
        let (text, correction) = CommissioningWords.fault(fault, station: station, connector, circuit)
        say("      \(text)" + (correction.map { "; site file: \($0.text)" } ?? ""))
      }
    }
  }

  func sum(up record: CommissioningProtocol) {
    say(record.isInterrupted ? "interrupted; \(record.outcome.rawValue)" : record.outcome.rawValue)
    let corrections = record.stations.flatMap { CommissioningWords.corrections($0) }
    if !corrections.isEmpty { say("the site file would be right with:") }
    for one in corrections { say("  \(one.text)") }
    say("protocol: \(path).json, \(path).html")
  }

  private static func words(_ gap: ControlGap) -> String {
    switch gap {
    case .disconnected: "it is not connected"
    case .commissioning: "it is learnt, and takes its fallback"
    case .fallbackRefused: "it refuses its fallback"
    case .clock(let offset): "its clock is \(Words.seconds(offset)) off"
    case .disobedient: "it does not obey"
    case .planned: "it is only planned"
    }
  }

  private func say(_ line: String) {
    print((hasProgress ? "\r\u{1B}[K" : "") + line)
    hasProgress = false
    fflush(nil)
  }
  private func progress(_ line: String) {
    guard isTerminal else { return }
    print("\r\u{1B}[K" + line, terminator: "")
    hasProgress = true
    fflush(nil)
  }

  // MARK: Asking

  func ask(_ question: CommissioningQuestion) -> Bool {
    guard asks else { return false }
    switch question {
    case .anotherLoad(_, let connector):
      say("  connector \(connector): is there another load, on other conductors? [y/N]")
    case .powerCycle(let station):
      say("  switch station \(station) off, wait ten seconds, switch it on; may that be done now? [y/N]")
    }
    while !stop.wait(patience: .zero) {
      var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
      guard poll(&descriptor, 1, 200) > 0 else { continue }
      guard let line = readLine() else { return false }
      return ["y", "yes"].contains(line.lowercased())
    }
    return false
  }

  // MARK: Keeping

  func keep(_ record: CommissioningProtocol) {
    do {
      try write(CommissioningDocument.json(record), to: path + ".json")
      try write(CommissioningPage.html(record), to: path + ".html")
    } catch let fault as Fault {
      if self.fault == nil { say("  \(fault)") }
      self.fault = fault
    } catch { preconditionFailure("\(error)") }
  }

  /// The file is whole at any moment: written beside its place, then moved there.
  private func write(_ text: String, to path: String) throws {
    let draft = path + ".draft"
    guard let file = fopen(draft, "w") else { throw Self.flaw(draft) }
    let bytes = Array(text.utf8)
    let written = fwrite(bytes, 1, bytes.count, file)
    guard written == bytes.count, fflush(file) == 0, fsync(fileno(file)) == 0 else {
      fclose(file)
      throw Self.flaw(draft)
    }
    guard fclose(file) == 0, rename(draft, path) == 0 else { throw Self.flaw(path) }
  }
  private static func flaw(_ path: String) -> Fault { Fault(description: "\(path): \(String(cString: strerror(errno)))") }
}
