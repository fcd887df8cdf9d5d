import ChargingProfiles
import Documents
import Quantities
import Site

@testable import OCPP

/// 2026-05-04T10:00:00Z plus some seconds, on both clocks.
func at(_ seconds: Double) -> Moment {
  let milliseconds = Int(seconds * 1000)
  return Moment(utc: noon + .milliseconds(milliseconds), monotonic: Monotonic(milliseconds: 1_000_000 + milliseconds))
}
let noon = Instant(seconds: 1_777_888_800)

/// An open dialogue with a station.
func openDialogue(_ change: (inout StationTraits) -> Void = { _ in }) -> CentralDialogue {
  var traits = StationTraits(model: "test")
  change(&traits)
  var dialogue = CentralDialogue(stationID: "S1", traits: traits)
  _ = dialogue.opened(at: at(0))
  return dialogue
}

/// A profile of one period.
func profile(
  _ tenths: Int, _ purpose: ChargingProfile.Purpose = .transaction(id: 7), level: Int = 0, id: Int = 1,
  unit: StationTraits.RateUnit = .amperes
) -> ChargingProfile {
  guard let schedule = try? Schedule(unit: unit, start: noon, periods: [Schedule.Period(start: .zero, tenths: tenths)])
  else { preconditionFailure("one period from zero is a schedule") }
  return ChargingProfile(id: id, stackLevel: level, purpose: purpose, kind: .absolute, schedule: schedule)
}

func limit(_ connector: Int, _ tenths: Int) -> StationCommand { .setProfile(connector: connector, profile(tenths)) }

/// The message id of a frame that we sent.
func messageID(_ frame: String) -> String {
  (try? Document(json: frame))?.root[1]?.string ?? ""
}
func action(_ frame: String) -> String {
  (try? Document(json: frame))?.root[2]?.string ?? ""
}
func payload(_ frame: String) -> Node? {
  let root = (try? Document(json: frame))?.root
  return root?[root?[0]?.integer == 2 ? 3 : 2]
}

extension DialogueOutput {
  /// Without the deviations, which tests of other things need not repeat.
  var told: [StationEvent] {
    events.filter { if case .deviated = $0 { false } else { true } }
  }
  var samples: [ConnectorSample] {
    events.compactMap { if case .sampled(_, _, let sample) = $0 { sample } else { nil } }
  }
}
