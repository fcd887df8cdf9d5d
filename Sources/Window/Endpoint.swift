import Loop
import Site

/// One path and method of the API: who may use it, what it takes and gives. The router and the OpenAPI document are both made of this.
public struct Endpoint: Sendable {
  public enum Operation: String, Sendable, CaseIterable {
    case page, pageScript, pageStyle, icon
    case health, readiness, openAPI = "getOpenAPI"
    case metrics = "getMetrics"
    case site = "getSite"
    case circuits = "listCircuits"
    case circuit = "getCircuit"
    case stations = "listStations"
    case station = "getStation"
    case connectors = "listConnectors"
    case connector = "getConnector"
    case sessions = "listSessions"
    case transactions = "listTransactions"
    case transaction = "explainTransaction"
    case plan = "getPlan"
    case configuration = "getConfiguration"
    case history = "getHistory"
    case events = "listEvents"
    case stream = "streamEvents"
    case limits = "listLimits"
    case limit = "getLimit"
    case reports = "listReports"
    case report = "getReport"
    case putLimit = "putLimit"
    case deleteLimit = "withdrawLimit"
    case heartbeat = "heartbeatLimits"
    case command = "commandStation"
    case priority = "putPriority"
    case need = "putNeed"
    case cap = "putCap"
    case maintenance = "putMaintenance"
  }
  public var operation: Operation
  public var method: RequestHead.Method
  /// Segments; in braces: a parameter.
  public var template: [String]
  /// nil: anybody, without a token.
  public var roles: Set<Role>?
  public var summary: String
  var query: [QueryParameter] = []
  /// Name of the schema of the body.
  var body: String?
  /// Name of the schema of the answer to 200; nil: it is no JSON.
  var answer: String?
  var answerType = "application/json"
  /// It can be refused for what it asks, or names something that is not there.
  var canConflict = false

  struct QueryParameter: Sendable {
    var name: String
    var schema: String
    var about: String
  }

  public var path: String { "/" + template.joined(separator: "/") }

  init(
    _ operation: Operation, _ method: RequestHead.Method, _ path: String, _ roles: Set<Role>?, _ summary: String,
    query: [QueryParameter] = [], body: String? = nil, answer: String? = nil, type: String = "application/json",
    canConflict: Bool = false
  ) {
    (self.operation, self.method, self.roles, self.summary) = (operation, method, roles, summary)
    template = path.split(separator: "/").map(String.init)
    (self.query, self.body, self.answer, answerType) = (query, body, answer, type)
    self.canConflict = canConflict
  }

  /// The values of the parameters in order; nil: another path.
  func match(_ path: [String]) -> [String]? {
    guard path.count == template.count else { return nil }
    var values: [String] = []
    for (part, given) in zip(template, path) {
      if part.hasPrefix("{") { values.append(given) } else if part != given { return nil }
    }
    return values
  }
}

extension Endpoint {
  private static let everybody = Set(Role.allCases)
  private static let insiders: Set<Role> = [.viewer, .operator, .administrator]
  private static let operators: Set<Role> = [.operator, .administrator]
  private static let limiters: Set<Role> = [.operator, .gridOperator, .administrator]

  public static let all: [Endpoint] = [
    Endpoint(.page, .get, "/", nil, "The dashboard", type: "text/html"),
    Endpoint(.pageScript, .get, "/window.js", nil, "Its script", type: "text/javascript"),
    Endpoint(.pageStyle, .get, "/window.css", nil, "Its style", type: "text/css"),
    Endpoint(.icon, .get, "/favicon.svg", nil, "Its icon", type: "image/svg+xml"),
    Endpoint(.health, .get, "/healthz", nil, "Whether the controller lives and thinks", answer: "Health"),
    Endpoint(.readiness, .get, "/readyz", nil, "Whether it controls: journal, meters, stations", answer: "Health"),
    Endpoint(.openAPI, .get, "/openapi.json", nil, "This document", answer: "OpenAPI"),
    Endpoint(.metrics, .get, "/metrics", insiders, "Figures for Prometheus", type: "text/plain"),
    Endpoint(.site, .get, "/v1/site", everybody, "The tree with its live values, and what hangs on it", answer: "Site"),
    Endpoint(.circuits, .get, "/v1/circuits", everybody, "The circuits with limit, load and headroom", answer: "Circuits"),
    Endpoint(.circuit, .get, "/v1/circuits/{circuit}", everybody, "One circuit", answer: "Circuit"),
    Endpoint(
      .history, .get, "/v1/circuits/{circuit}/history", everybody, "Load against limit of the last hour or day",
      query: [.init(name: "span", schema: #"{"enum":["hour","day"],"default":"hour"}"#, about: "How far back")], answer: "History"),
    Endpoint(.stations, .get, "/v1/stations", insiders, "The stations", answer: "Stations"),
    Endpoint(.station, .get, "/v1/stations/{station}", insiders, "One station", answer: "Station"),
    Endpoint(.connectors, .get, "/v1/connectors", insiders, "The connectors", answer: "Connectors"),
    Endpoint(.connector, .get, "/v1/connectors/{station}/{number}", insiders, "One connector", answer: "Connector"),
    Endpoint(.sessions, .get, "/v1/sessions", insiders, "The connectors with a transaction", answer: "Sessions"),
    Endpoint(
      .transactions, .get, "/v1/transactions", insiders, "The transactions, newest first",
      query: [
        .init(name: "limit", schema: #"{"type":"integer","minimum":1,"maximum":1000,"default":100}"#, about: "At most so many")
      ],
      answer: "Transactions"),
    Endpoint(
      .transaction, .get, "/v1/transactions/{transaction}", insiders,
      "A transaction with its profiles, and what the one that applied was worked out from",
      query: [
        .init(name: "at", schema: #"{"type":"string","format":"date-time"}"#, about: "A moment; without it the last, or now")
      ],
      answer: "Explanation"),
    Endpoint(.plan, .get, "/v1/plan", insiders, "The plan for the next hours", answer: "Plan"),
    Endpoint(
      .configuration, .get, "/v1/configuration", operators, "What the site file says, without secrets", answer: "Configuration"),
    Endpoint(
      .events, .get, "/v1/events", everybody, "Entries of the journal from a cursor on",
      query: [
        .init(
          name: "after", schema: #"{"type":"string","pattern":"^[0-9]{1,18}-[0-9]{1,18}$"}"#,
          about: "Cursor of the last entry known; without it the newest"),
        .init(name: "limit", schema: #"{"type":"integer","minimum":1,"maximum":1000,"default":100}"#, about: "At most so many"),
      ], answer: "Events"),
    Endpoint(
      .stream, .get, "/v1/stream", everybody, "The same as server-sent events: resume with `Last-Event-ID` or `after`",
      query: [
        .init(
          name: "after", schema: #"{"type":"string","pattern":"^[0-9]{1,18}-[0-9]{1,18}$"}"#,
          about: "Cursor of the last entry known; without it from now on")
      ], type: "text/event-stream"),
    Endpoint(.limits, .get, "/v1/limits", everybody, "The limits from outside; a grid operator sees its own", answer: "Limits"),
    Endpoint(.limit, .get, "/v1/limits/{limit}", everybody, "One limit", answer: "Limit"),
    Endpoint(
      .reports, .get, "/v1/reports", everybody, "How limits that are over were kept, newest first; a grid operator sees its own",
      answer: "Reports"),
    Endpoint(
      .report, .get, "/v1/reports/{report}", everybody, "One of them as it was signed; the signature is in the field Signature",
      answer: "Report"),
    Endpoint(
      .putLimit, .put, "/v1/limits/{limit}", limiters, "Sets or replaces a limit; answered once it is durable", body: "LimitAsked",
      answer: "Done", canConflict: true),
    Endpoint(.deleteLimit, .delete, "/v1/limits/{limit}", limiters, "Withdraws a limit", answer: "Done", canConflict: true),
    Endpoint(
      .heartbeat, .post, "/v1/limits/heartbeat", limiters, "Says that the sender of its limits lives", answer: "Done",
      canConflict: true),
    Endpoint(
      .command, .post, "/v1/stations/{station}/commands", operators, "A command to a station, with its outcome", body: "Command",
      answer: "Done", canConflict: true),
    Endpoint(
      .priority, .put, "/v1/connectors/{station}/{number}/priority", operators, "Who is served first when there is not enough",
      body: "Priority", answer: "Done", canConflict: true),
    Endpoint(
      .need, .put, "/v1/connectors/{station}/{number}/need", operators, "Departure and energy of the session there, for the plan",
      body: "Need", answer: "Done", canConflict: true),
    Endpoint(
      .cap, .put, "/v1/circuits/{circuit}/cap", operators, "A cap set by hand; null takes it away", body: "Cap", answer: "Done",
      canConflict: true),
    Endpoint(
      .maintenance, .put, "/v1/circuits/{circuit}/maintenance", operators, "Holds everything below at 0 A", body: "Maintenance",
      answer: "Done", canConflict: true),
  ]

  /// The endpoint of a request and the values of its parameters.
  /// - Throws: 404 for a path that nobody has, 405 for one that has other methods.
  public static func find(_ method: RequestHead.Method, _ path: [String]) throws(Problem) -> (Endpoint, [String]) {
    // A template without parameters goes before one with them.
    let here = all.compactMap { endpoint in endpoint.match(path).map { (endpoint, $0) } }.sorted { $0.1.count < $1.1.count }
    if let found = here.first(where: { $0.0.method == method || method == .head && $0.0.method == .get }) { return found }
    guard !here.isEmpty else { throw .notFound("There is no such path; /openapi.json lists them.") }
    let methods = here.map(\.0.method.rawValue).sorted().joined(separator: ", ")
    throw Problem(405, "Method not allowed", "Expected \(methods).", allowed: methods)
  }
}
