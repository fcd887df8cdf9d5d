import ChargingProfiles
import Documents
import Quantities
import Site

extension StationCommand {
  /// What the payload of a CALLRESULT means for the command.
  ///
  /// "Scheduled" and "RebootRequired" are `refused` with that word: what was asked is not in force yet. "Unknown" to ClearChargingProfile is
  /// `accepted`: there is no such profile now. An answer that says neither yes nor no is none: `timedOut`, for what was asked may be in
  /// force.
  func outcome(of reader: inout PayloadReader) -> CommandOutcome {
    switch self {
    case .readComposite: return Self.composite(&reader)
    case .getConfiguration:
      let (keys, unknown) = Self.configuration(&reader)
      return .configuration(keys, unknown: unknown)
    case .getDiagnostics:
      return reader.text("fileName", limit: 255) == nil ? .refused("no file") : .accepted
    default:
      guard let status = reader.node.optional(at: "status")?.string else {
        reader.deviate("no status")
        return .timedOut
      }
      if isGranted(status) { return .accepted }
      guard Self.denials.contains(status.lowercased()) else {
        reader.deviate("an unknown status")
        return .timedOut
      }
      return .refused(status)
    }
  }

  /// Every word with which OCPP 1.6 (§7) says that what was asked is not, or not yet, so.
  private static let denials: Set = [
    "rejected", "notsupported", "notimplemented", "scheduled", "rebootrequired", "unlockfailed", "unknown", "failed",
  ]

  private func isGranted(_ status: String) -> Bool {
    let word = status.lowercased()
    switch self {
    case .unlock: return word == "unlocked"
    case .clearProfiles: return word == "accepted" || word == "unknown"
    default: return word == "accepted"
    }
  }

  private static func composite(_ reader: inout PayloadReader) -> CommandOutcome {
    let status = reader.node.optional(at: "status")?.string ?? "no status"
    guard status.lowercased() == "accepted" else { return .refused(status.cut(to: 50)) }
    // An empty schedule: evcc#16002.
    guard let node = reader.node.optional(at: "chargingSchedule"), node.count > 0 else { return .composite(nil) }
    do throws(ProfileOnWire.Flaw) {
      return .composite(try ProfileOnWire.schedule(node))
    } catch {
      reader.deviate("chargingSchedule: \(error.kind)")
      return .composite(nil)
    }
  }

  /// Keys and unknown keys, whatever is well formed of them.
  static func configuration(_ reader: inout PayloadReader) -> (keys: [CommandOutcome.ConfigurationKey], unknown: [String]) {
    var keys: [CommandOutcome.ConfigurationKey] = []
    for element in reader.elements("configurationKey") {
      guard let key = element["key"]?.string else {
        reader.deviate("configurationKey without a key")
        continue
      }
      let value = element.optional(at: "value")
      let text = value?.string ?? (value?.kind == .number || value?.kind == .bool ? value?.source : nil)
      keys.append(CommandOutcome.ConfigurationKey(key: key, readOnly: element["readonly"]?.bool ?? false, value: text))
    }
    let unknown = reader.elements("unknownKey").compactMap(\.string)
    return (keys, unknown)
  }
}
