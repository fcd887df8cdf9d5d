import Documents
import Loop

/// The API in the words of OpenAPI 3.1, made of `Endpoint.all`, so that it says what is there.
public enum OpenAPI {
  public static let json: String = document.json

  private static func raw(_ text: String) -> DocumentValue {
    do throws(DocumentError) { return try Document(json: text, name: "schema").root.value } catch {
      preconditionFailure("a schema that is no JSON: \(error)")
    }
  }

  private static var document: DocumentValue {
    var paths: [DocumentValue.Member] = []
    for endpoint in Endpoint.all {
      let operation = DocumentValue.Member(endpoint.method.rawValue.lowercased(), self.operation(endpoint))
      if let place = paths.firstIndex(where: { $0.key == endpoint.path }), case .object(let others) = paths[place].value {
        paths[place].value = .object(others + [operation])
      } else {
        paths.append(.init(endpoint.path, .object([operation])))
      }
    }
    return .object([
      .init("openapi", "3.1.0"),
      .init(
        "info",
        .object([
          .init("title", "Sluice"), .init("version", "1"),
          .init(
            "description", "Load management of a charging hub: live values, limits from the grid operator, commands, the journal."),
        ])),
      .init("paths", .object(paths)),
      .init(
        "components",
        .object([
          .init("schemas", .object(schemas.map { .init($0.0, raw($0.1)) })),
          .init("securitySchemes", raw(#"{"token":{"type":"http","scheme":"bearer"}}"#)),
        ])),
    ])
  }

  private static func operation(_ endpoint: Endpoint) -> DocumentValue {
    var members: [DocumentValue.Member] = [
      .init("operationId", .string(endpoint.operation.rawValue)), .init("summary", .string(endpoint.summary)),
    ]
    if let roles = endpoint.roles {
      let names = roles.map(\.rawValue).sorted().joined(separator: ", ")
      members.append(.init("description", .string("For \(names).")))
      members.append(.init("security", raw(#"[{"token":[]}]"#)))
    }
    var parameters = endpoint.template.filter { $0.hasPrefix("{") }.map { part in
      let name = String(part.dropFirst().dropLast())
      let schema =
        switch name {
        case "number": #"{"type":"integer","minimum":0,"maximum":1000}"#
        case "transaction": #"{"type":"integer","minimum":0,"maximum":2147483647}"#
        default: #"{"type":"string","pattern":"^[A-Za-z0-9_.:-]{1,48}$"}"#
        }
      return raw(#"{"name":"\#(name)","in":"path","required":true,"schema":\#(schema)}"#)
    }
    for query in endpoint.query {
      parameters.append(
        .object([
          .init("name", .string(query.name)), .init("in", "query"), .init("description", .string(query.about)),
          .init("schema", raw(query.schema)),
        ]))
    }
    if !parameters.isEmpty { members.append(.init("parameters", .array(parameters))) }
    if let body = endpoint.body {
      members.append(
        .init(
          "requestBody",
          raw(##"{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/\##(body)"}}}}"##)))
    }
    members.append(.init("responses", .object(responses(endpoint))))
    return .object(members)
  }

  private static func responses(_ endpoint: Endpoint) -> [DocumentValue.Member] {
    let schema = endpoint.answer.map { ##"{"$ref":"#/components/schemas/\##($0)"}"## } ?? #"{"type":"string"}"#
    var found: [DocumentValue.Member] = [
      .init("200", raw(##"{"description":"So it is.","content":{"\##(endpoint.answerType)":{"schema":\##(schema)}}}"##))
    ]
    var statuses: [(Int, String)] = [(400, "The request is malformed."), (429, "Asked too often.")]
    if endpoint.roles != nil { statuses += [(401, "No token that is known."), (403, "Not for this role.")] }
    if endpoint.template.contains(where: { $0.hasPrefix("{") }) || endpoint.operation == .heartbeat {
      statuses.append((404, "It is not there."))
    }
    if endpoint.body != nil || !endpoint.query.isEmpty { statuses.append((422, "The request means nothing here.")) }
    if endpoint.canConflict {
      statuses += [(409, "It cannot be done now: the detail says why."), (413, "The body is too long.")]
      found.append(
        .init(
          "202",
          raw(
            ##"{"description":"Done, and the station has not answered yet.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Done"}}}}"##
          )))
    }
    if endpoint.operation == .readiness || endpoint.operation == .health {
      found.append(
        .init(
          "503",
          raw(##"{"description":"It is not.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Health"}}}}"##)))
    } else if endpoint.roles != nil {
      statuses.append((503, "The hub does not answer, or cannot keep what it is told."))
    }
    for (status, about) in statuses.sorted(by: { $0.0 < $1.0 }) {
      found.append(
        .init(
          "\(status)",
          raw(
            ##"{"description":"\##(about)","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}}"##
          )))
    }
    return found
  }
}
