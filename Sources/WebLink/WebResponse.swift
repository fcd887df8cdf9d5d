import Loop

/// An answer to a request.
public struct WebResponse: Sendable {
  public var status: Int
  public var type: String
  public var body: Body
  public var fields: [RequestHead.Field]

  public init(_ status: Int, type: String = "application/json", body: Body, fields: [RequestHead.Field] = []) {
    (self.status, self.type, self.body, self.fields) = (status, type, body, fields)
  }
  public init(_ status: Int, type: String = "application/json", bytes: [UInt8] = [], fields: [RequestHead.Field] = []) {
    self.init(status, type: type, body: Body(bytes), fields: fields)
  }
  public init(_ status: Int, json: String, fields: [RequestHead.Field] = []) {
    self.init(status, bytes: Array(json.utf8), fields: fields)
  }

  /// What every answer says to a browser: believe the type, load nothing from elsewhere, show it in no frame, keep nothing.
  static func securityFields(isTLS: Bool) -> [RequestHead.Field] {
    var fields: [RequestHead.Field] = [
      .init("X-Content-Type-Options", "nosniff"),
      .init(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
          + "form-action 'none'; frame-ancestors 'none'"),
      .init("X-Frame-Options", "DENY"), .init("Referrer-Policy", "no-referrer"),
      .init("Cross-Origin-Opener-Policy", "same-origin"), .init("Cross-Origin-Resource-Policy", "same-origin"),
      .init("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
    ]
    if isTLS { fields.append(.init("Strict-Transport-Security", "max-age=31536000")) }
    return fields
  }
}
