import ChargingProfiles
import Control
import Site

/// What must not stand in the journal: values of a station's configuration that are secrets. The mind is told a name in their place, and
/// what leaves for the station gets them back. They are in memory only: a command that a crash cut short is not sent again.
struct Secrets {
  private var values: [String: String] = [:]
  /// In the order in which they came.
  private var names: [String] = []
  private static let most = 200
  private static let prefix = "sealed:"

  /// The order with a name for its secret, if it has one.
  mutating func seal(_ order: Order) -> Order {
    guard case .station(let station, .changeConfiguration(let key, let value)) = order,
      StationCommand.isSecret(configurationKey: key)
    else { return order }
    var random = SystemRandomNumberGenerator()
    let name = Self.prefix + (0..<2).map { _ in String(UInt64.random(in: 0...UInt64.max, using: &random), radix: 16) }.joined()
    values[name] = value
    names.append(name)
    if names.count > Self.most { values[names.removeFirst()] = nil }
    return .station(station, .changeConfiguration(key: key, value: name))
  }

  /// The command as the station shall have it, once; nil: its secret is not known any more, and nothing may be sent.
  mutating func open(_ command: StationCommand) -> StationCommand? {
    guard case .changeConfiguration(let key, let name) = command, StationCommand.isSecret(configurationKey: key) else {
      return command
    }
    guard let value = values.removeValue(forKey: name) else { return nil }
    names.removeAll { $0 == name }
    return .changeConfiguration(key: key, value: value)
  }

  /// What a station says of its configuration, without what is secret in it.
  static func masked(_ event: StationEvent) -> StationEvent {
    guard case .outcome(let command, .configuration(let keys, let unknown)) = event else { return event }
    let shown = keys.map { key in
      var key = key
      if StationCommand.isSecret(configurationKey: key.key) { key.value = nil }
      return key
    }
    return .outcome(command, .configuration(shown, unknown: unknown))
  }
}
