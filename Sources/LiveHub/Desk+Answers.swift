import Control
import Documents
import Explanation
import Glibc
import GridLimits
import Journal
import Loop
import Quantities
import Record
import Site
import SiteFiles
import WebLink
import Window

extension Desk {
  /// Answers one request. On the desk's loop.
  func serve(_ request: WebRequest, _ asker: WebDoor.Asker, _ listener: SiteFile.Listener, on doorLoop: EventLoop) {
    if request.path.first == "oscp", request.path.count > 2, listener.purposes.contains(.gridOperator),
      let link = hub.hub?.gridOperator
    {
      return link.take(request, asker)
    }
    do throws(Problem) {
      let (endpoint, values) = try Endpoint.find(request.method, request.path)
      guard let roles = endpoint.roles else { return serveOpenly(endpoint, asker) }
      let audience = try audience(request, listener)
      guard roles.contains(audience.role) else { throw .forbidden(audience, Set(roles.map(\.rawValue))) }
      try serve(endpoint, values, request, audience, asker, on: doorLoop)
    } catch {
      asker.answer(.problem(error))
    }
  }

  // Packed once for all.
  private static let html = Body(Pages.html), script = Body(Pages.script), style = Body(Pages.style), icon = Body(Pages.icon)
  private static let openAPI = Body(Array(OpenAPI.json.utf8))

  private func serveOpenly(_ endpoint: Endpoint, _ asker: WebDoor.Asker) {
    switch endpoint.operation {
    case .page: asker.answer(WebResponse(200, type: "text/html; charset=utf-8", body: Self.html))
    case .pageScript: asker.answer(WebResponse(200, type: "text/javascript; charset=utf-8", body: Self.script))
    case .pageStyle: asker.answer(WebResponse(200, type: "text/css; charset=utf-8", body: Self.style))
    case .icon: asker.answer(WebResponse(200, type: "image/svg+xml", body: Self.icon))
    case .openAPI: asker.answer(WebResponse(200, body: Self.openAPI))
    case .health, .readiness: health(isReady: endpoint.operation == .readiness, asker)
    default: preconditionFailure("\(endpoint.operation) is open to anybody and not answered")
    }
  }

  /// A hub whose thread does not give a picture within five seconds does not live.
  private func health(isReady: Bool, _ asker: WebDoor.Asker) {
    loop.after(.seconds(5)) {
      asker.answer(WebResponse(503, json: #"{"status":"dead","checks":{"thread":"gave no answer within 5 s"}}"#))
    }
    withPicture { picture in
      let (isWell, json) = picture.health(isReady: isReady)
      asker.answer(WebResponse(isWell ? 200 : 503, json: json))
    }
  }

  private func serve(
    _ endpoint: Endpoint, _ values: [String], _ request: WebRequest, _ audience: Audience, _ asker: WebDoor.Asker,
    on doorLoop: EventLoop
  ) throws(Problem) {
    switch endpoint.operation {
    case .site: showAll(.site, audience, asker) { $0.site(for: audience) }
    case .circuits: showAll(.circuits, audience, asker) { $0.circuits(audience) }
    case .circuit: show(asker) { (picture) throws(Problem) in Array(try picture.circuit(values[0], audience).utf8) }
    case .history:
      let isDay = try day(request)
      show(asker) { [self] (picture) throws(Problem) in
        _ = try picture.circuit(values[0], audience)
        return Array(history.with { $0.json(values[0], day: isDay, now: picture.stamp.utc) }.utf8)
      }
    case .stations: showAll(.stations, audience, asker) { $0.stations() }
    case .station: show(asker) { (picture) throws(Problem) in Array(try picture.station(values[0]).utf8) }
    case .connectors: showAll(.connectors, audience, asker) { $0.connectors(audience) }
    case .connector:
      let number = try self.number(values[1])
      show(asker) { (picture) throws(Problem) in Array(try picture.connector(values[0], number, audience).utf8) }
    case .sessions: showAll(.sessions, audience, asker) { $0.sessions(audience) }
    case .limits: showAll(.limits, audience, asker) { $0.limits(audience) }
    case .limit: show(asker) { (picture) throws(Problem) in Array(try picture.limit(values[0], audience).utf8) }
    case .plan: showAll(.plan, audience, asker) { $0.planned() }
    case .configuration: showAll(.configuration, audience, asker) { $0.configuration() }
    case .metrics: showAll(.metrics, audience, asker, type: "text/plain; version=0.0.4") { $0.metrics() }
    case .transactions: try transactions(request, audience, asker)
    case .transaction: try transaction(values[0], request, asker)
    case .reports: reports(audience, asker)
    case .report: try report(values[0], audience, asker)
    case .events: try events(request, audience, asker)
    case .stream: try stream(request, audience, asker, on: doorLoop)
    case .putLimit, .deleteLimit, .heartbeat, .command, .priority, .need, .cap, .maintenance:
      try order(endpoint.operation, values, request, audience, asker)
    case .page, .pageScript, .pageStyle, .icon, .openAPI, .health, .readiness: serveOpenly(endpoint, asker)
    }
  }

  /// Answers with what `render` makes of the picture.
  private func show(_ asker: WebDoor.Asker, _ render: @escaping @Sendable (Picture) throws(Problem) -> [UInt8]) {
    withPicture { picture in
      do throws(Problem) { asker.answer(WebResponse(200, bytes: try render(picture))) } catch { asker.answer(.problem(error)) }
    }
  }

  /// Answers with what `render` makes of the picture: made once for each role and picture, however many ask.
  private func showAll(
    _ operation: Endpoint.Operation, _ audience: Audience, _ asker: WebDoor.Asker, type: String = "application/json",
    _ render: @escaping @Sendable (Picture) -> String
  ) {
    let sight = audience.isGridOperator ? nil : Sight(operation: operation, role: audience.role)
    withPicture { [self] picture in
      let known = state.with { state in
        state.picture?.picture.stamp == picture.stamp ? sight.flatMap { state.shown[$0] } : nil
      }
      if let known { return asker.answer(WebResponse(200, type: type, body: known)) }
      let body = Body(Array(render(picture).utf8))
      if let sight { state.with { if $0.picture?.picture.stamp == picture.stamp { $0.shown[sight] = body } } }
      asker.answer(WebResponse(200, type: type, body: body))
    }
  }

  private func day(_ request: WebRequest) throws(Problem) -> Bool {
    switch request.parameter("span") {
    case nil, "hour": return false
    case "day": return true
    case .some(let other): throw .wrong("span is `\(other)`; expected hour or day")
    }
  }
  func number(_ text: String) throws(Problem) -> Int {
    guard let number = Int(text), (0...1000).contains(number) else {
      throw .notFound("`\(text)` is no number of a connector; expected 0 to 1000.")
    }
    return number
  }
  func count(_ request: WebRequest) throws(Problem) -> Int {
    guard let text = request.parameter("limit") else { return 100 }
    guard let number = Int(text), (1...1000).contains(number) else { throw .wrong("limit is `\(text)`; expected 1 to 1000") }
    return number
  }

  // MARK: The journal

  private func transactions(_ request: WebRequest, _ audience: Audience, _ asker: WebDoor.Asker) throws(Problem) {
    let count = try count(request)
    read(asker) { reader, picture in
      let records = try reader.transactions(limit: count)
      return TransactionList.json(
        records.map {
          .init(
            id: $0.id, station: $0.station, connector: $0.connector, idTag: $0.idTag, startedAt: $0.startedAt,
            meterStart: $0.meterStart, endedAt: $0.endedAt, meterStop: $0.meterStop, reason: $0.reason, late: $0.late)
        }, picture.hub, audience)
    }
  }

  private func transaction(_ text: String, _ request: WebRequest, _ asker: WebDoor.Asker) throws(Problem) {
    guard let id = Int(text), (0...Int(Int32.max)).contains(id) else { throw .notFound("`\(text)` is no number of a transaction.") }
    var at: Instant?
    if let text = request.parameter("at") {
      guard let time = Timestamp(text), time.hasZone else {
        throw .wrong("at is `\(text)`; expected a time with its zone, like 2026-11-22T06:00:00Z")
      }
      at = Instant(milliseconds: time.milliseconds)
    }
    let moment = at
    read(asker) { reader, _ in try reader.explain(transaction: id, at: moment).json(history: moment == nil) }
  }

  private func reports(_ audience: Audience, _ asker: WebDoor.Asker) {
    reading.async { [folder] in
      let found = folder.names().suffix(200).reversed().compactMap { name -> ReportList.Row? in
        guard let text = try? folder.read(name), let forms = try? ReportForms(json: text.json, name: name),
          !audience.isGridOperator || forms.text("owner") == audience.name
        else { return nil }
        return ReportList.Row(verdict: forms.verdict) { forms.text($0) }
      }
      asker.answer(WebResponse(200, json: ReportList.json(found)))
    }
  }

  private func report(_ name: String, _ audience: Audience, _ asker: WebDoor.Asker) throws(Problem) {
    guard ReportFolder.isName(name) else { throw .notFound("There is no report `\(name)`.") }
    reading.async { [folder] in
      guard let text = try? folder.read(name), let forms = try? ReportForms(json: text.json, name: name),
        !audience.isGridOperator || forms.text("owner") == audience.name
      else { return asker.answer(.problem(.notFound("There is no report `\(name)`."))) }
      asker.answer(WebResponse(200, json: text.json, fields: [.init("Signature", "ed25519=\(text.signature)")]))
    }
  }

  /// Reads the journal beside everything else.
  private func read(_ asker: WebDoor.Asker, _ work: @escaping @Sendable (JournalReader, Picture) throws -> String) {
    withPicture { [self] picture in
      reading.async { [journal] in
        do {
          let text = try work(try JournalReader(path: journal), picture)
          asker.answer(WebResponse(200, json: text))
        } catch let fault as ExplainingFault {
          if case .outside = fault { return asker.answer(.problem(.wrong("\(fault)"))) }
          asker.answer(.problem(.notFound("\(fault)")))
        } catch {
          asker.answer(.problem(Problem(503, "The journal cannot be read", "\(error)")))
        }
      }
    }
  }
}

extension WebResponse {
  static func problem(_ problem: Problem) -> WebResponse {
    var fields: [RequestHead.Field] = []
    if problem.status == 401 { fields.append(.init("WWW-Authenticate", "Bearer realm=\"sluice\"")) }
    if let allowed = problem.allowed { fields.append(.init("Allow", allowed)) }
    return WebResponse(problem.status, type: "application/problem+json", bytes: Array(problem.json.utf8), fields: fields)
  }
}
