import Documents

/// What went wrong with a request, for programs and for people. Source: RFC 9457.
public struct Problem: Error, Hashable, Sendable {
  public var status: Int
  public var title: String
  /// What was found, and what would be right.
  public var detail: String
  /// For 405: the methods that the path knows.
  public var allowed: String?
  public init(_ status: Int, _ title: String, _ detail: String, allowed: String? = nil) {
    (self.status, self.title, self.detail, self.allowed) = (status, title, detail, allowed)
  }

  public var json: String {
    var writer = JSONWriter()
    writer.object {
      $0.member("type", "about:blank")
      $0.member("title", title)
      $0.member("status", status)
      $0.member("detail", detail)
    }
    return writer.text
  }

  public static func notFound(_ detail: String) -> Problem { Problem(404, "Not found", detail) }
  public static func wrong(_ detail: String) -> Problem { Problem(422, "Unprocessable content", detail) }
  public static let noToken = Problem(
    401, "Unauthorized", "No token that this listener knows; expected `Authorization: Bearer TOKEN`, made by `sluice token make`.")
  public static func forbidden(_ audience: Audience, _ allowed: Set<String>) -> Problem {
    Problem(
      403, "Forbidden",
      "A \(audience.role.rawValue) may not do this; expected the role \(allowed.sorted().joined(separator: " or ")).")
  }
}
