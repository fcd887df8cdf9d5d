import ChargingProfiles
import Documents
import Quantities
import Site
import Testing

@testable import OCPP

@Suite struct ClockTests {
  /// The offsets told when stations send a status at the given seconds, stamped so many seconds off.
  func offsets(_ sightings: [(second: Double, off: Double)]) -> [Double] {
    var dialogue = openDialogue()
    return sightings.flatMap { sighting in
      let stamp = Timestamp.text(at(sighting.second + sighting.off).utc.milliseconds)
      let out = dialogue.received(
        "[2,\"1\",\"StatusNotification\",{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Available\",\"timestamp\":\"\(stamp)\"}]",
        at: at(sighting.second))
      return out.events.compactMap { if case .clock(let offset) = $0 { offset.seconds } else { nil } }
    }
  }

  @Test func `the first live time is told, then only changes above a second, then the same again after five minutes`() {
    #expect(offsets([(0, -0.5), (10, -0.3), (20, 0.4), (30, 0.6)]) == [-0.5, 0.6])
    #expect(offsets([(0, -0.5), (299, -0.5), (301, -0.5)]) == [-0.5, -0.5])
  }

  @Test func `a message that waited in the station does not make its clock late`() {
    #expect(offsets([(0, -1800), (1, -0.2), (2, -900)]) == [-0.2])
  }

  @Test func `old messages poured out at once are not believed, a clock that stays late is`() {
    #expect(offsets([(0, -1800), (0.2, -1700), (0.4, -1600)]) == [])
    #expect(offsets([(0, -7200), (10, -7200.5)]) == [-7200])
  }

  @Test func `a clock ahead is told at once: no message waits into the future (Chago, steve#136)`() {
    #expect(offsets([(0, 7200)]) == [7200])
  }

  @Test func `a step of our own clock moves the offset that is known with it`() {
    var dialogue = openDialogue()
    func status(_ stamp: Instant, _ now: Moment) -> [StationEvent] {
      dialogue.received(
        "[2,\"1\",\"StatusNotification\",{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Available\",\"timestamp\":\""
          + "\(Timestamp.text(stamp.milliseconds))\"}]", at: now
      ).events.filter { if case .clock = $0 { true } else { false } }
    }
    #expect(status(noon, at(0)) == [.clock(offset: .zero)])
    // Our clock jumps ten seconds ahead: the station, right as before, now looks ten seconds late.
    let later = Moment(utc: at(60).utc + .seconds(10), monotonic: at(60).monotonic)
    #expect(status(noon + .seconds(60), later) == [])
    #expect(dialogue.clockOffset == .seconds(-10))
  }
}
