import Quantities
import Site
import Testing

@Suite struct LocalTimeTests {
  /// Central Europe in 2027: +1 h, from 28 March 01:00 UTC +2 h, from 31 October 01:00 UTC +1 h.
  let clocks = LocalTime(steps: [
    .init(from: Instant(seconds: 1_792_890_000), offset: .hours(1)),
    .init(from: Instant(seconds: 1_806_195_600), offset: .hours(2)),
    .init(from: Instant(seconds: 1_824_944_400), offset: .hours(1)),
  ])

  @Test func `half past seven is half past seven, before and after the clocks are moved`() {
    for day in 0..<400 {
      let asked = Instant(seconds: 1_798_761_600) + .hours(24) * day + .minutes(day)  // from 2027-01-01
      let next = clocks.next(.minutes(450), after: asked)
      let shown = clocks.shown(at: next)
      #expect(next > asked && next <= asked + .hours(25), "day \(day)")
      #expect(shown == shown.floored(to: .days(1)) + .minutes(450), "day \(day)")
      #expect(clocks.next(.minutes(450), after: next - .milliseconds(1)) == next, "day \(day)")
    }
  }

  @Test func `a skipped time is met when the clocks are moved, one that comes twice is met twice`() {
    let spring = clocks.steps[1].from
    #expect(clocks.next(.minutes(150), after: spring - .hours(1)) == spring)
    #expect(clocks.next(.minutes(150), after: spring) == spring + .hours(23) + .minutes(30))
    let autumn = clocks.steps[2].from
    let first = clocks.next(.minutes(150), after: autumn - .hours(1))
    #expect(first == autumn - .minutes(30))
    #expect(clocks.next(.minutes(150), after: first) == autumn + .minutes(30))
  }

  @Test func `without steps clocks show UTC`() {
    let noon = Instant(seconds: 1_800_014_400)
    #expect(LocalTime.utc.shown(at: noon) == noon && LocalTime.utc.offset(at: noon) == .zero)
  }
}
