import Metering

/// The registers of emulated meters by unit identifier, and how each misbehaves. Safe to use from any thread.
public final class EmulatedMeters: Sendable {
  public enum Mood: Hashable, Sendable {
    case answers
    /// Answers what it held when it froze, whatever is set since.
    case frozen
    case silent
    /// Answers this Modbus exception code.
    case exception(Int)
  }
  private struct Unit {
    var image = RegisterImage()
    var shown = RegisterImage()
    var mood = Mood.answers
  }
  private let units = Gate<[Int: Unit]>([:])
  public init() {}

  /// The unit's registers from now on. A unit that was never set does not answer.
  public func set(_ image: RegisterImage, unit: Int) {
    units.with { units in
      units[unit, default: Unit()].image = image
      if units[unit]?.mood != .frozen { units[unit]?.shown = image }
    }
  }
  public func setMood(_ mood: Mood, unit: Int) {
    units.with { units in
      units[unit, default: Unit()].mood = mood
      if let image = units[unit]?.image, mood != .frozen { units[unit]?.shown = image }
    }
  }

  /// What `ModbusServer` asks.
  public func answer(unit: Int, _ range: WordRange) -> ModbusServer.Answer {
    units.with { units in
      guard let found = units[unit] else { return .silence }
      switch found.mood {
      case .silent: return .silence
      case .exception(let code): return .exception(code)
      case .answers, .frozen: return found.shown.words(range).map { .words($0) } ?? .exception(2)
      }
    }
  }
}
