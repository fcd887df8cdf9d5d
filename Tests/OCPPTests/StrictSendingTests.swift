import ChargingProfiles
import Documents
import Foundation
import Quantities
import Site
import Testing

@testable import OCPP

@Suite struct StrictSendingTests {
  /// Writes every frame of a whole session to `.build/ocpp-frames.jsonl`, for `Tests/Peers/ocpp_schemas.py` to hold against the schemas.
  @Test func `every frame of a session is kept for the schemas, and limits have one decimal at most`() throws {
    var lines: [String] = []
    var actions: [String: String] = [:]
    var wires = [ConversationTests.session()]
    var profiles = Wire()
    for (i, variant) in Self.profiles().enumerated() {
      profiles.command(UInt64(i), .setProfile(connector: variant.connector, variant.profile), Double(i))
      profiles.reply(.status("Accepted"), Double(i))
    }
    wires.append(profiles)
    for wire in wires {
      for (fromCentral, text) in wire.frames {
        let root = try Document(json: text).root
        let id = root[1]?.string ?? ""
        if root[0]?.integer == 2 { actions[id] = root[2]?.string }
        let action = try #require(actions[id])
        lines.append("{\"from\":\"\(fromCentral ? "central" : "station")\",\"action\":\"\(action)\",\"frame\":\(text)}")
      }
    }
    #expect(lines.count > 90)
    for line in lines {
      for piece in line.split(separator: "\"limit\":").dropFirst() {
        let number = piece.prefix { $0.isNumber || $0 == "." }
        #expect((number.split(separator: ".").dropFirst().first?.count ?? 0) <= 1, "\(line)")
      }
    }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let file = root.appendingPathComponent(".build/ocpp-frames.jsonl")
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: file)
  }

  /// Profiles of each purpose, kind and unit, with every optional member there and not.
  static func profiles() -> [(connector: Int, profile: ChargingProfile)] {
    var result: [(connector: Int, profile: ChargingProfile)] = []
    for tenths in [0, 1, 60, 81, 161, 214, 1240, 110_001] {
      result.append((1, profile(tenths)))
      result.append((0, profile(tenths, .stationMaximum, unit: .watts)))
    }
    for kind: ChargingProfile.Kind in [.absolute, .daily, .weekly, .relative] {
      guard
        let schedule = try? Schedule(
          unit: .amperes, duration: .seconds(86_400), start: kind == .relative ? nil : noon + .milliseconds(250),
          periods: [
            Schedule.Period(start: .zero, tenths: 160, phases: 3), Schedule.Period(start: .seconds(600), tenths: 60, phases: 1),
          ], minimumTenths: 61)
      else { continue }
      result.append(
        (
          0,
          ChargingProfile(
            id: 3, stackLevel: 2, purpose: .transactionDefault, kind: kind, validFrom: noon, validTo: noon + .hours(1),
            schedule: schedule)
        ))
    }
    return result
  }
}
