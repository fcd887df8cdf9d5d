import ChargingProfiles
import Documents
import Quantities
import Site
import Testing

@testable import OCPP

/// SplitMix64 (Steele, Lea, Flood 2014): the same seed, the same frames.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite struct FuzzTests {
  static let valid = [
    #"[2,"m1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M","firmwareVersion":"1.0"}]"#,
    #"[2,"m1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"2026-05-04T10:00:00Z"}]"#,
    #"[2,"m1","StartTransaction",{"connectorId":1,"idTag":"T","meterStart":0,"timestamp":"2026-05-04T10:00:00Z"}]"#,
    #"[2,"m1","StopTransaction",{"transactionId":7,"meterStop":10,"timestamp":"2026-05-04T10:00:00Z","reason":"Local"}]"#,
    #"[2,"m1","MeterValues",{"connectorId":1,"transactionId":7,"meterValue":[{"timestamp":"2026-05-04T10:00:00Z","sampledValue":[{"value":"16.0","measurand":"Current.Import","unit":"A","phase":"L1"},{"value":"1","unit":"kWh"}]}]}]"#,
    #"[2,"m1","Heartbeat",{}]"#, #"[2,"m1","Authorize",{"idTag":"T"}]"#, #"[2,"m1","DataTransfer",{"vendorId":"V"}]"#,
    #"[3,"1-1",{"status":"Accepted"}]"#, #"[3,"1-1",{"configurationKey":[{"key":"A","readonly":false,"value":"1"}]}]"#,
    #"[4,"1-1","InternalError","",{}]"#,
    #"[3,"1-1",{"status":"Accepted","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":16.0}]}}]"#,
  ]
  static let tokens = [
    "null", "{}", "[]", "\"\"", "-1", "1e999", "9223372036854775808", "-9223372036854775808", "0.1", "true", ",", ":", "{", "}",
    "[", "]", "\"",
    "\\", "\\u0000", "\\ud800", "\u{0}", "é", "2", "3", "4", "[[[[[[[[", "NaN", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
  ]

  /// One to four changes: a byte flipped, taken out, doubled or cut off; a token put in; a value replaced.
  static func mutate(_ text: String, _ random: inout SplitMix) -> [UInt8] {
    var bytes = Array(text.utf8)
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let i = Int.random(in: 0..<bytes.count, using: &random)
      let token = Array(tokens[Int.random(in: 0..<tokens.count, using: &random)].utf8)
      switch Int.random(in: 0..<7, using: &random) {
      case 0: bytes[i] ^= UInt8(1 << Int.random(in: 0..<8, using: &random))
      case 1: bytes.remove(at: i)
      case 2: bytes.insert(bytes[i], at: i)
      case 3: bytes.removeLast(bytes.count - i)
      case 4: bytes.insert(contentsOf: token, at: i)
      case 5: bytes.removeSubrange(i..<min(bytes.count, i + Int.random(in: 1...12, using: &random)))
      default:
        // From a colon to the next comma or bracket: a member's value.
        let colon = bytes[i...].firstIndex(of: UInt8(ascii: ":")) ?? i
        let end = bytes[colon...].dropFirst().firstIndex { [UInt8(ascii: ","), UInt8(ascii: "}")].contains($0) } ?? bytes.count
        bytes.replaceSubrange(min(colon + 1, end)..<end, with: token)
      }
    }
    return bytes
  }

  @Test func `ten thousand broken frames get right errors and no more, and the connection goes on, as does another`() {
    let seed: UInt64 = 0x5EED_0CB9
    var random = SplitMix(state: seed)
    var dialogue = openDialogue()
    var other = openDialogue()
    var errors = 0
    for i in 0..<10_000 {
      let now = at(Double(i))
      if dialogue.queued == 0 {
        _ = dialogue.command(
          CommandID(UInt64(i)), .readComposite(connector: 1, duration: .seconds(60), unit: .amperes), urgency: .routine, at: now)
      }
      let frame = Self.mutate(Self.valid[Int.random(in: 0..<Self.valid.count, using: &random)], &random)
      let text = String(decoding: frame, as: UTF8.self)
      let out = dialogue.received(frame, at: now)
      for reply in out.frames {
        guard let root = try? Document(json: reply).root else {
          Issue.record("seed \(seed), frame \(i) \(text): our own frame cannot be read: \(reply)")
          continue
        }
        guard root[0]?.integer == 4 else { continue }
        errors += 1
        let code = root[2]?.string.flatMap(CallErrorCode.init(rawValue:))
        #expect(code != nil && code != .internalError, "seed \(seed), frame \(i) \(text)")
        #expect(root.count == 5 && root[4]?.kind == .object, "seed \(seed), frame \(i) \(text)")
      }
      // A message is answered once at most, apart from the next CALL of ours.
      #expect(out.frames.filter { !$0.hasPrefix("[2,") }.count <= 1, "seed \(seed), frame \(i) \(text)")
      for case .started(_, let request) in out.events { _ = dialogue.answer(request, .start(transaction: i, .accepted), at: now) }
      for case .stopped(_, let request) in out.events { _ = dialogue.answer(request, .stop(nil), at: now) }
      for case .booted(_, let request) in out.events {
        _ = dialogue.answer(request, .boot(accepted: true, interval: .seconds(60)), at: now)
      }
      for case .authorise(_, let request) in out.events { _ = dialogue.answer(request, .authorise(.invalid), at: now) }
      if i % 100 == 0 {
        #expect(dialogue.received(#"[2,"h","Heartbeat",{}]"#, at: now).frames.contains { $0.hasPrefix(#"[3,"h",{"currentTime":"#) })
        #expect(other.received(#"[2,"h","Heartbeat",{}]"#, at: now).frames.count == 1)
      }
    }
    #expect(errors > 1000, "seed \(seed): so few errors cannot be right")
    _ = dialogue.deadline(at: at(20_000))
    let sent = dialogue.command(CommandID(99_999), .clearCache, urgency: .routine, at: at(20_000))
    guard let frame = sent.frames.first ?? dialogue.deadline(at: at(20_100)).frames.last else {
      Issue.record("the dialogue sends nothing any more")
      return
    }
    #expect(dialogue.received("[3,\"\(messageID(frame))\",{\"status\":\"Accepted\"}]", at: at(20_101)).told.isEmpty == false)
  }

  @Test func `the station's side bears ten thousand broken frames as well`() {
    let seed: UInt64 = 0x5EED_57A7
    var random = SplitMix(state: seed)
    let frames = ConversationTests.session().frames.filter(\.fromCentral).map(\.text)
    var station = StationSideDialogue()
    _ = station.opened(at: at(0))
    for i in 0..<10_000 {
      let frame = Self.mutate(frames[Int.random(in: 0..<frames.count, using: &random)], &random)
      let out = station.received(frame, at: at(Double(i)))
      for case .asked(let id, _) in out.events { _ = station.reply(id, .status("Accepted"), at: at(Double(i))) }
    }
    #expect(station.send(.heartbeat, at: at(10_001)).frames.count == 1)
  }
}
