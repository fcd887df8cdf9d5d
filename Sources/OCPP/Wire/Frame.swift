import Documents

/// One message of OCPP-J 1.6 (§4.2), read from text.
enum Frame: Sendable {
  case call(id: MessageID, action: String, payload: Node)
  case result(id: String, payload: Node)
  case error(id: String, code: String, description: String)

  /// A message's own id.
  struct MessageID: Hashable, Sendable {
    var text: String
    /// Some stations send a number; it is echoed as one.
    var isNumber = false
    init(_ text: String) { self.text = text }
    init(number: Int) { (text, isNumber) = (String(number), true) }
    var value: DocumentValue { isNumber ? .number(ExactNumber(text) ?? 0) : .string(text) }

    /// In characters. Source: OCPP-J 1.6 §4.2.1.
    static let limit = 36
    var isTooLong: Bool { text.unicodeScalars.count > Self.limit }
    /// By which a repeat is known for as long as transactions are remembered: one that is too long by its beginning and a digest of all
    /// of it (FNV-1a).
    var remembered: String {
      guard isTooLong else { return text }
      var digest: UInt64 = 0xcbf2_9ce4_8422_2325
      for byte in text.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01b3 }
      return text.cut(to: 19) + "-" + String(digest, radix: 16)
    }
  }

  /// Why a text is no message.
  enum Fault: Error, Hashable, Sendable {
    /// A CALL that can be answered with a CALLERROR.
    case call(MessageID, CallFault)
    /// An answer to a CALL of ours that cannot be read.
    case answer(id: String, String)
    /// Nothing in it says whom it concerns (OCPP-J 1.6 §4.2.3: nothing to answer).
    case unanswerable(String)
  }

  /// - Parameter problems: what the tolerant reader left out.
  static func read(_ bytes: [UInt8], problems: inout [String]) throws(Fault) -> Frame {
    let document: Document
    do {
      document = try Document(bytes, dialect: .tolerant)
    } catch {
      throw salvage(bytes, found: "\(error.expected) expected, found \(error.found)")
    }
    for problem in document.problems { problems.append("\(problem.expected) expected, found \(problem.found)") }
    let isWhole = document.problems.isEmpty
    let root = document.root
    guard root.kind == .array, let type = root[0]?.integer else {
      throw .unanswerable("not a list that starts with a message type")
    }
    guard (2...4).contains(type) else { throw .unanswerable("message type \(type)") }
    guard let id = root[1].flatMap(messageID), !id.text.isEmpty else { throw .unanswerable("no message id") }
    switch type {
    case 2: return try call(root, id, isWhole: isWhole)
    case 3:
      guard let payload = root[2] else { throw .answer(id: id.text, "no payload") }
      return .result(id: id.text, payload: payload)
    default:
      return .error(id: id.text, code: root[2]?.string ?? "", description: root[3]?.string ?? "")
    }
  }

  private static func call(_ root: Node, _ id: MessageID, isWhole: Bool) throws(Fault) -> Frame {
    guard let action = root[2]?.string else { throw .call(id, CallFault(.formationViolation, "the action is not a text")) }
    guard let payload = root[3] else {
      throw .call(
        id, CallFault(isWhole ? .protocolError : .formationViolation, isWhole ? "no payload" : "the payload cannot be read"))
    }
    // null for an empty payload: steve#1109.
    guard payload.kind == .object || payload.isNull else {
      throw .call(id, CallFault(.formationViolation, "the payload is not an object"))
    }
    return .call(id: id, action: action, payload: payload)
  }

  private static func messageID(_ node: Node) -> MessageID? {
    if let text = node.string { return MessageID(text) }
    return node.integer.map { MessageID(number: $0) }
  }

  /// Finds type and id at the front of a text that is broken further on.
  private static func salvage(_ bytes: [UInt8], found: String) -> Fault {
    var at = 0
    func skipBlanks() { while at < bytes.count && bytes[at] <= 0x20 { at += 1 } }
    func skip(_ byte: UInt8) -> Bool {
      skipBlanks()
      guard at < bytes.count, bytes[at] == byte else { return false }
      at += 1
      return true
    }
    guard skip(UInt8(ascii: "[")) else { return .unanswerable(found) }
    skipBlanks()
    guard at < bytes.count, (0x32...0x34).contains(bytes[at]) else { return .unanswerable(found) }
    let type = bytes[at]
    at += 1
    guard skip(UInt8(ascii: ",")), skip(UInt8(ascii: "\"")) else { return .unanswerable(found) }
    let start = at
    while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\"), (0x20..<0x7F).contains(bytes[at]) {
      at += 1
    }
    guard at > start, at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { return .unanswerable(found) }
    let id = String(decoding: bytes[start..<at], as: UTF8.self)
    return type == 0x32
      ? .call(MessageID(id), CallFault(.formationViolation, "the message cannot be read")) : .answer(id: id, found)
  }
}

extension Frame {
  static func call(_ id: String, _ action: String, _ payload: DocumentValue) -> String {
    DocumentValue.array([2, .string(id), .string(action), payload]).json
  }
  static func result(_ id: MessageID, _ payload: DocumentValue) -> String {
    DocumentValue.array([3, id.value, payload]).json
  }
  static func error(_ id: MessageID, _ fault: CallFault) -> String {
    let description = String(fault.description.unicodeScalars.prefix(255))
    return DocumentValue.array([4, id.value, .string(fault.code.rawValue), .string(description), WireObject.empty]).json
  }
}
