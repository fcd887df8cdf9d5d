import Documents
import Quantities

/// One line of the log: the UTC time, what happened, and details as `key=value`.
public struct LogLine: Hashable, Sendable, CustomStringConvertible {
  public var at: Instant
  public var what: String
  public var details: [Detail]
  public struct Detail: Hashable, Sendable {
    public var key: String
    public var value: String
  }

  init(_ what: String, at: Instant, _ details: KeyValuePairs<String, String>) {
    (self.what, self.at) = (what, at)
    self.details = details.map { Detail(key: $0.key, value: $0.value) }
  }

  public var description: String {
    (["time=\(Timestamp.text(at.milliseconds))", "event=\(what)"] + details.map { "\($0.key)=\(Self.quoted($0.value))" })
      .joined(separator: " ")
  }
  /// Without the time.
  public var short: String { ([what] + details.map { "\($0.key)=\(Self.quoted($0.value))" }).joined(separator: " ") }

  private static func quoted(_ text: String) -> String {
    let isPlain = !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "\"" && $0 != "=" && $0.value != 0x7f }
    if isPlain { return text }
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7f ? " " : scalar)
      }
    }
    return result + "\""
  }
}
