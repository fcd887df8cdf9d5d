import Documents
import Quantities

extension Picture {
  static func history(_ circuit: String, _ track: LoadHistory.Track, now: Instant) -> String {
    var writer = JSONWriter(reserving: 16384)
    writer.object {
      $0.member("circuit", circuit)
      $0.member("step_s", track.step)
      $0.member("until", track.points.isEmpty ? now : Instant(milliseconds: (track.newest + 1) * track.step.raw))
      $0.array("load_a", track.points) { writer, point in phases(point?.load, &writer) }
      $0.array("limit_a", track.points) { writer, point in phases(point?.limit, &writer) }
    }
    return writer.text
  }

  private static func phases(_ value: PerPhase<Current>?, _ writer: inout JSONWriter) {
    guard let value else { return writer.null() }
    writer.beginArray()
    for phase in Phase.allCases { writer.decimal(value[phase].milliamperes, 3) }
    writer.endArray()
  }
}
