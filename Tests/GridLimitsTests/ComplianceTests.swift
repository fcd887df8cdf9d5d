import Documents
import Foundation
import Quantities
import Site
import Testing

@testable import GridLimits

/// How a limit was kept, worked out by hand: 16 A on each phase at 230 V from noon for half an hour.
@Suite struct ComplianceTests {
  private let noon = Instant(seconds: 1_800_014_400)  // a quarter hour by the clock begins here
  private func series(_ amount: Limit.Amount, minutes: Int? = 30) -> LimitSeries {
    LimitSeries(
      id: "dso", source: "DSO", owner: "grid", circuit: 0,
      blocks: [.init(from: noon, until: minutes.map { noon + .minutes($0) }, amount: amount)])
  }
  private func amperes(_ value: Int) -> PerPhase<Current> { PerPhase(all: .amperes(value)) }

  @Test func `a limit that is met after twelve seconds says when, how much was above, and which quarter hours were inside`() throws
  {
    #expect(noon.floored(to: .minutes(15)) == noon)
    var tracker = ComplianceTracker()
    _ = tracker.set(series(.current(amperes(16))), names: ["connection"], voltage: .volts(230), at: noon)
    _ = tracker.measured(amperes(26), circuit: 0, at: noon)
    tracker.lowered(at: noon + .milliseconds(40))
    var over: [ComplianceReport] = []
    for second in 1...1800 {
      over += tracker.measured(amperes(second < 12 ? 26 : 15), circuit: 0, at: noon + .seconds(second))
    }
    let report = try #require(over.first)
    #expect(over.count == 1)
    #expect(report.firstProfile == noon + .milliseconds(40))
    #expect(report.metAt == noon + .seconds(12))
    #expect(report.largestExcess == .watts(6900) && report.largestExcessCurrent == .amperes(10))
    // 6.9 kW for twelve seconds.
    #expect(report.above == .wattHours(23))
    #expect(report.quarters == 2 && report.quartersInside == 2)
    #expect(report.unseen == .zero)
    let forms = try ReportForms(json: report.json(hub: "hub"), name: "r")
    #expect(forms.verdict == "met")
    #expect(forms.csv.contains("# energy above, Wh,23\n") && forms.csv.contains("seconds,load_a,limit_a\n"))
    #expect(forms.html(signature: "00", key: "11").contains("<svg"))
  }

  @Test func `a quarter hour whose mean is above, or of which too little was seen, is not inside`() throws {
    var tracker = ComplianceTracker()
    _ = tracker.set(series(.power(.watts(11_040))), names: ["connection"], voltage: .volts(230), at: noon)
    for second in 0...900 { _ = tracker.measured(amperes(17), circuit: 0, at: noon + .seconds(second)) }
    // Nothing is read for ten minutes.
    var over: [ComplianceReport] = []
    for second in 1500...1800 { over += tracker.measured(amperes(10), circuit: 0, at: noon + .seconds(second)) }
    let report = try #require(over.first)
    #expect(report.quarters == 2 && report.quartersInside == 0)
    #expect(report.unseen == .seconds(600))
    #expect(try ReportForms(json: report.json(hub: "h"), name: "r").verdict == "met late or not throughout")
  }

  @Test func `one that is never met says so, and one that is replaced or withdrawn ends there`() throws {
    var tracker = ComplianceTracker()
    _ = tracker.set(series(.current(amperes(10)), minutes: nil), names: ["connection"], voltage: .volts(230), at: noon)
    for second in 0..<60 { _ = tracker.measured(amperes(11), circuit: 0, at: noon + .seconds(second)) }
    let replaced = tracker.set(
      series(.current(amperes(20)), minutes: nil), names: ["connection"], voltage: .volts(230), at: noon + .seconds(60))
    #expect(replaced.count == 1 && replaced[0].metAt == nil && replaced[0].ended == noon + .seconds(60))
    #expect(try ReportForms(json: replaced[0].json(hub: "h"), name: "r").verdict == "not met")
    _ = tracker.measured(amperes(11), circuit: 0, at: noon + .seconds(61))
    let same = tracker.set(
      series(.current(amperes(20)), minutes: nil), names: ["connection"], voltage: .volts(230), at: noon + .seconds(70))
    #expect(same.isEmpty && tracker.open.count == 1)
    #expect(tracker.withdrawn("dso", at: noon + .seconds(80)).first?.metAt == noon + .seconds(61))
    #expect(tracker.open.isEmpty)
  }

  @Test func `what is replaced within seconds is told with what took its place, and nothing of it is lost`() throws {
    var tracker = ComplianceTracker()
    var over: [ComplianceReport] = []
    func set(_ value: Int, _ at: TimeSpan) {
      over += tracker.set(
        series(.current(amperes(value)), minutes: nil), names: ["connection"], voltage: .volts(230), at: noon + at)
    }
    for second in 0..<40 {
      set(10 + second % 2, .seconds(second))
      over += tracker.measured(amperes(12), circuit: 0, at: noon + .seconds(second))
    }
    #expect(over.isEmpty)
    for second in 40..<60 { over += tracker.measured(amperes(9), circuit: 0, at: noon + .seconds(second)) }
    over += tracker.withdrawn("dso", at: noon + .seconds(60))
    let report = try #require(over.first)
    #expect(over.count == 1 && report.from == noon + .seconds(39))
    let brief = try #require(report.brief)
    #expect(brief.count == 39 && brief.since == noon)
    // 2 A on each of three phases above the lower ones.
    #expect(brief.largestExcess == .watts(1380))
    // Half of them 2 A, half of them 1 A above, for a second each, each whole mWh by itself.
    #expect(abs(brief.above.raw - (20 * 1380 + 19 * 690) * 1000 / 3600) <= 39)
    let json = report.json(hub: "h")
    #expect(json.contains(#""brief_limits":39,"brief_since":"2027-01-15T12:00:00Z""#), "\(json)")
    #expect(try ReportForms(json: json, name: "r").csv.contains("# limits replaced within seconds before,39\n"))
    let again = try JSONDecoder().decode(ComplianceReport.self, from: JSONEncoder().encode(report))
    #expect(again == report)
  }

  @Test func `one that nothing replaced, or that has gone on like that for a quarter of an hour, has its own report`() {
    var tracker = ComplianceTracker()
    _ = tracker.set(series(.current(amperes(10)), minutes: nil), names: ["connection"], voltage: .volts(230), at: noon)
    #expect(tracker.withdrawn("dso", at: noon + .seconds(1)).count == 1)
    var over: [ComplianceReport] = []
    for step in 0...500 {
      over += tracker.set(
        series(.current(amperes(10 + step % 2)), minutes: nil), names: ["connection"], voltage: .volts(230),
        at: noon + .seconds(4 * step))
    }
    #expect(over.count == 2)
    #expect(over.allSatisfy { $0.brief.map { $0.count > 200 } ?? false })
  }

  @Test func `a long event keeps its peaks among at most two thousand points`() throws {
    var tracker = ComplianceTracker()
    _ = tracker.set(series(.current(amperes(16)), minutes: nil), names: ["connection"], voltage: .volts(230), at: noon)
    for second in 0..<20_000 { _ = tracker.measured(amperes(second == 7001 ? 40 : 10), circuit: 0, at: noon + .seconds(second)) }
    let report = try #require(tracker.withdrawn("dso", at: noon + .seconds(20_000)).first)
    #expect(report.points.count <= 2000 && report.points.count > 900)
    #expect(report.largestExcessCurrent == .amperes(24))
  }

  @Test func `what is kept and read again at any moment goes on as if nothing had been`() throws {
    func live(_ keepsAfter: Int?) throws -> ComplianceReport {
      var tracker = ComplianceTracker()
      _ = tracker.set(series(.current(amperes(16))), names: ["connection"], voltage: .volts(230), at: noon)
      var over: [ComplianceReport] = []
      for second in 0...1800 {
        if second == keepsAfter {
          tracker = try JSONDecoder().decode(ComplianceTracker.self, from: JSONEncoder().encode(tracker))
          over += tracker.resume(["dso"], names: ["connection"], at: noon + .seconds(second))
          over += tracker.set(
            series(.current(amperes(16))), names: ["connection"], voltage: .volts(230), at: noon + .seconds(second), isResumed: true
          )
        }
        if second == 1 { tracker.lowered(at: noon + .milliseconds(990)) }
        over += tracker.measured(amperes(second < 12 ? 26 : 15 + second % 2), circuit: 0, at: noon + .seconds(second))
      }
      #expect(over.count == 1)
      return try #require(over.first)
    }
    let whole = try live(nil)
    for second in [1, 2, 11, 12, 13, 899, 900, 1500, 1800] { #expect(try live(second) == whole, "kept after \(second) s") }
  }

  @Test func `what is not there any more when the controller is started again ends there`() throws {
    for (limits, names, isOver) in [
      (["dso"], ["connection"], false), ([], ["connection"], true), (["dso"], ["feeder", "connection"], true),
    ] {
      var tracker = ComplianceTracker()
      _ = tracker.set(series(.current(amperes(16)), minutes: nil), names: ["connection"], voltage: .volts(230), at: noon)
      _ = tracker.measured(amperes(15), circuit: 0, at: noon)
      let over = tracker.resume(Set(limits), names: names, at: noon + .seconds(60))
      #expect(over.map(\.ended) == (isOver ? [noon + .seconds(60)] : []) && tracker.isWatching == !isOver)
    }
    var tracker = ComplianceTracker()
    _ = tracker.set(series(.current(amperes(16))), names: ["connection"], voltage: .volts(230), at: noon)
    _ = tracker.measured(amperes(15), circuit: 0, at: noon)
    #expect(tracker.resume(["dso"], names: ["connection"], at: noon + .days(1)).map(\.ended) == [noon + .minutes(30)])
  }
}
