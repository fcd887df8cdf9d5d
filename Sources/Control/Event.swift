import ChargingProfiles
import Quantities
import Site

/// Everything that can reach the mind. Each is journaled before the mind thinks about it.
public enum Event: Hashable, Sendable, Codable {
  /// The first event of a journal, and the event of a valid new site file (rule 19). Readings, transactions and beliefs of
  /// elements that keep their id are kept.
  case configured(Hub, version: String)
  /// The process came back: no link is up, and what was under way is unknown.
  case restarted(version: String)
  case reading(MeterReading)
  case meterFault(meter: Int, MeterFault)
  /// `station` indexes `Hub.stations`.
  case station(Int, StationEvent)
  case limitSet(Limit)
  case limitWithdrawn(id: String)
  /// The wall clock was moved by this much; the monotonic clock was not.
  case clockStepped(by: TimeSpan)
  /// Increases that were held back and will not be sent.
  case cancelled([CommandID])
  /// The journal cannot keep what it is given: nothing may rise.
  case storeFailed
  case storeRecovered
  /// What a commissioning run proved.
  case trust(station: Int, FallbackTrust)
  case order(Order)
  /// An order that somebody answers for; the mind says what became of it with `Effect.answered`.
  case asked(Request)
  /// What energy costs from now on; it takes the place of an earlier tariff.
  case tariff(Tariff)
  /// The plan that was asked for (`Effect.plan`), worked out elsewhere. It may be late, or never come.
  case planned(Planned)
  /// The deadline that the mind asked for has come.
  case deadline
  /// What became of `Effect.trip`; nil: the coil was written.
  case tripped(circuit: Int, fault: String?)
}

/// What a person or an interface asks of the hub.
public enum Order: Hashable, Sendable, Codable {
  /// A command to a station, e.g. remote start or unlock, that is not control of current.
  case station(Int, StationCommand)
  case manualCap(circuit: Int, PerPhase<Current>?)
  case maintenance(circuit: Int, Bool)
  case priority(connector: Int, Int)
  /// Holds one connector at a fixed current for a step test; nil ends it. Never above what the circuits allow.
  case hold(connector: Int, Current?)
  /// What the session at a connector needs; nil: nobody knows.
  case need(connector: Int, SessionNeed?)
  /// As `hold`, and its offers above the fallback end after `ends` instead of H: for a link-loss test. What ends sooner allows less.
  case holdBriefly(connector: Int, Current, ends: TimeSpan)
  /// While its fallback is being tested a station counts at its worst when it is unheard, whatever was proven before.
  case doubt(station: Int, Bool)
  /// Sets or replaces a limit from outside; its sender was heard.
  case limit(LimitSeries)
  /// `owner` nil: whoever set it.
  case withdrawLimit(id: String, owner: String?, LimitSeries.Relaxing)
  /// All whose limits these are have been heard.
  case heartbeat(owner: String)
  /// What somebody outside would like to be drawn at most, over time: the plan keeps to it as far as nobody lacks energy for it; the
  /// guard knows nothing of it. It takes the place of the one of the same id; without blocks that is withdrawn.
  case optimum(LimitSeries)
}
