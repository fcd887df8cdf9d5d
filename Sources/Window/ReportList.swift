import Documents

/// The compliance reports, a line each.
public enum ReportList {
  public struct Row: Sendable {
    let values: [(String, String)]
    let verdict: String
    /// - Parameter text: of a member of the report.
    public init(verdict: String, _ text: (String) -> String) {
      self.verdict = verdict
      values = ["report", "limit", "source", "circuit", "from", "ended", "met_s", "above_wh", "quarters", "quarters_inside"].map {
        ($0, text($0))
      }
    }
  }

  public static func json(_ rows: [Row]) -> String {
    var writer = JSONWriter(reserving: 4096)
    writer.object {
      $0.array("reports", rows) { writer, row in
        writer.object {
          for (name, value) in row.values { $0.member(name, name == "met_s" && value.isEmpty ? nil : value) }
          $0.member("verdict", row.verdict)
        }
      }
    }
    return writer.text
  }
}
