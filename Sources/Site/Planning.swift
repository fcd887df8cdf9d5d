import Quantities

/// How a hub looks ahead.
public struct PlanningPolicy: Hashable, Sendable, Codable {
  /// No plan looks further.
  public static let longestHorizon = TimeSpan.hours(48)
  /// Length of one slot of the plan; divides an hour.
  public var slot = TimeSpan.minutes(15)
  /// How far the plan looks; whole slots, at most two days.
  public var horizon = TimeSpan.hours(24)
  /// Micro-euros for each kW by which the month's highest mean of a quarter of an hour at the connection grows; 0: peaks cost nothing.
  public var peakPrice = 0
  /// Micro-euros for each kg of CO2 that the tariff states; 0: not weighed.
  public var carbonPrice = 0
  /// The price where no tariff says another.
  public var price = EnergyPrice.euros(0)
  /// What a kilowatt-hour brings that is fed into the grid; nil: as much as one that is taken costs.
  public var feedIn: EnergyPrice?
  /// What the first kilowatt-hours of each vehicle are worth, how many they are, and what the others are worth: everybody's first
  /// before anybody's last.
  public var firstWorth = EnergyPrice.euros(3)
  public var firstPart = Energy.wattHours(8000)
  public var laterWorth = EnergyPrice.euros(1)
  /// Assumed of a vehicle of which nobody knows anything, until the hub has seen enough of its own.
  public var assumedStay = TimeSpan.hours(4)
  public var assumedEnergy = Energy.wattHours(15_000)
  /// How many steps the planner may take: the bound that makes its answer the same on any machine.
  public var iterations = 220
  public init() {}
}

/// What energy costs, by time.
public struct Tariff: Hashable, Sendable, Codable {
  public struct Step: Hashable, Sendable, Codable {
    public var from: Instant
    public var price: EnergyPrice
    /// Grams of CO2 per kWh; nil: not stated.
    public var carbon: Int?
    public init(from: Instant, price: EnergyPrice, carbon: Int? = nil) {
      (self.from, self.price, self.carbon) = (from, price, carbon)
    }
  }
  /// In rising order of time.
  public var steps: [Step]
  /// Where the last step ends.
  public var until: Instant
  public init(steps: [Step], until: Instant) { (self.steps, self.until) = (steps, until) }

  /// - Returns: nil before the first step and after the end.
  /// - Complexity: O(log *n*).
  public func step(at instant: Instant) -> Step? {
    guard instant < until else { return nil }
    var (low, high) = (0, steps.count)
    while low < high {
      let middle = (low + high) / 2
      if steps[middle].from <= instant { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? steps[low - 1] : nil
  }
}

/// What a session's driver, or whoever speaks for them, has asked for.
public struct SessionNeed: Hashable, Sendable, Codable {
  /// When the vehicle leaves; nil: not said.
  public var departure: Instant?
  /// What it wants in the whole session; nil: not said.
  public var energy: Energy?
  public init(departure: Instant? = nil, energy: Energy? = nil) { (self.departure, self.energy) = (departure, energy) }
}
