import Testing

@testable import Documents

/// Reads `text` off the wire.
func tolerant(_ text: String) throws -> Document { try Document(Array(text.utf8), dialect: .tolerant) }

@Suite struct ParsingTests {
  @Test func `json keeps order, exact decimals, escapes and surrogate pairs`() throws {
    let text = #"{"z":0.1,"a":[1,-2.50,3e2,true,false,null],"t":"line\n\"\u00e9\ud83d\ude00\/"}"#
    let document = try Document(json: text)
    #expect(document.root["z"]?.number?.description == "0.1")
    #expect(document.root["a"]?[1]?.number?.integer(scaledBy: 1) == -25)
    #expect(document.root["t"]?.string == "line\n\"é😀/")
    #expect(document.root.value.json == #"{"z":0.1,"a":[1,-2.5,300,true,false,null],"t":"line\n\"é😀/"}"#)
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\":1,}", "01", "1.", ".5", "+1", "NaN", "Infinity", "'a'", "{a:1}", "// c\n1", "\"\\x41\"", "\"\\ud800\"",
    "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"a\nb\"", "tru", "nulll", "[1 2]", "1 2", "{\"a\":1,\"a\":2}", "0x10", "--1", "1e",
    "[,1]",
  ])
  func `what is not json is refused`(_ text: String) {
    #expect(throws: DocumentError.self) { try Document(json: text) }
  }

  @Test(arguments: ["+-5", "--1.5", "+-.5", "-+1", "0x", "0xG", "1..2", ".", "5.e", "+", "1e5.5", "0x1.8"])
  func `what json5 does not take for a number is refused`(_ text: String) {
    #expect(throws: DocumentError.self) { try Document(json5: text) }
  }

  @Test func `invalid UTF-8 is refused, whatever its kind`() {
    for bytes: [UInt8] in [[0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0xFF], [0x80]] {
      #expect(throws: DocumentError.self) { try Document([0x22] + bytes + [0x22], dialect: .json) }
    }
  }

  @Test func `json5 takes what people write`() throws {
    let document = try Document(
      json5: """
        // a site
        { unquoted: 'single "quotes"', "quoted": +1, hex: 0xFF, half: .5, five: 5., /* between */ list: [1, 2, ],
          long: 'one \\
        line', tab: "a\\x41\\v\\0", $id_1: -0.25, }
        """)
    let root = document.root
    #expect(root["unquoted"]?.string == "single \"quotes\"")
    #expect(root["quoted"]?.integer == 1)
    #expect(root["hex"]?.integer == 255)
    #expect(root["half"]?.number == ExactNumber(5, decimals: 1))
    #expect(root["five"]?.integer == 5)
    #expect(root["list"]?.count == 2)
    #expect(root["long"]?.string == "one line")
    #expect(root["tab"]?.string == "aA\u{B}\0")
    #expect(root["$id_1"]?.number?.description == "-0.25")
    #expect(document.problems.isEmpty)
  }

  @Test func `json5 reports NaN, Infinity and keys that stand twice, with their places`() throws {
    let document = try Document(json5: "{a: NaN,\n b: -Infinity,\n  a: 1}", name: "x.json5")
    #expect(
      document.problems.map(\.description) == [
        "x.json5:1:5: found `NaN`, expected a finite number", "x.json5:2:5: found `-Infinity`, expected a finite number",
        "x.json5:3:3: found `a` a second time, expected each key once",
      ])
  }

  @Test func `an error names its line and column in characters`() {
    let error = #expect(throws: DocumentError.self) { try Document(json5: "{\r\n  ä: 'é', b: ?\n}", name: "f") }
    #expect(error?.description == "f:2:14: found `?`, expected a value")
  }

  @Test func `nesting and size are bounded`() throws {
    let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
    #expect(try Document(json: deep).root.count == 1)
    #expect(throws: DocumentError.self) { try Document(json: "[" + deep + "]") }
    #expect(throws: DocumentError.self) { try tolerant(String(repeating: "[", count: 100_000)) }
    #expect(throws: DocumentError.self) { try Document(Array("[1,2,3]".utf8), dialect: .json, longest: 6) }
  }

  @Test func `a hundred thousand keys do not take a hundred thousand squared steps`() throws {
    let members = (0..<100_000).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
    let document = try Document(Array("{\(members),\"k7\":0}".utf8), dialect: .tolerant, longest: 4 << 20)
    #expect(document.root.count == 100_000)
    #expect(document.problems.count == 1)
  }
}

@Suite struct ToleranceTests {
  @Test func `a stray comma in a list loses nothing (lbbrhzn#1078)`() throws {
    let document = try tolerant(#"[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"sampledValue":[,{"value":"16.0"}]}]}]"#)
    #expect(document.root[3]?["meterValue"]?[0]?["sampledValue"]?[0]?["value"]?.string == "16.0")
    #expect(document.problems.count == 1)
  }
  @Test func `a member without a value loses that member only (lbbrhzn#2032)`() throws {
    let document = try tolerant(#"[2,"1","MeterValues",{"connectorId":1,"transactionId":,"meterValue":[]}]"#)
    #expect(document.root[3]?["transactionId"] == nil)
    #expect(document.root[3]?["connectorId"]?.integer == 1)
    #expect(document.root[3]?["meterValue"]?.count == 0)
  }
  @Test func `a raw line break inside a text is kept (evcc#15612)`() throws {
    #expect(try tolerant("{\"value\":\"\n239.14\"}").root["value"]?.string == "\n239.14")
  }
  @Test(arguments: [
    (#"{"a":01,"b":2}"#, #"{"b":2}"#), (#"{"a":NaN,"b":2}"#, #"{"b":2}"#), (#"{"a":1,,"b":2,}"#, #"{"a":1,"b":2}"#),
    (#"{"a":"\ud800","b":2}"#, #"{"b":2}"#), (#"{"a":1 "b":2}"#, #"{"a":1,"b":2}"#), (#"{a:1,"b":2}"#, #"{"a":1,"b":2}"#),
    (#"{"a":1,"a":3}"#, #"{"a":1}"#), (#"{"a":{"x":?,"y":1},"b":2}"#, #"{"a":{"y":1},"b":2}"#), (#"[1,]"#, #"[1]"#),
    (#"{"a":undefined,"b":[True,1]}"#, #"{"b":[1]}"#), (#"{"a" 5,"b":2}"#, #"{"b":2}"#),
  ])
  func `only the broken member is lost`(_ text: String, _ kept: String) throws {
    let document = try tolerant(text)
    #expect(document.root.value.json == kept)
    #expect(!document.problems.isEmpty)
  }
  @Test(arguments: ["{\"a\":1", "[2,\"1\"", "{\"a\":\"x", "[1}", "", "]", "{]", "\"\\"])
  func `a torn frame is refused`(_ text: String) {
    #expect(throws: DocumentError.self) { try tolerant(text) }
  }
}

@Suite struct FuzzTests {
  /// xorshift64*; the seed is in each message.
  struct Dice {
    var state: UInt64
    mutating func roll(_ sides: Int) -> Int {
      state ^= state >> 12
      state ^= state << 25
      state ^= state >> 27
      return Int((state &* 2_685_821_657_736_338_717) >> 33) % sides
    }
  }
  static let seeds = [
    #"[2,"a1","MeterValues",{"connectorId":1,"transactionId":7,"meterValue":[{"timestamp":"2026-11-22T06:00:00Z","sampledValue":[{"value":"16.0","unit":"A"}]}]}]"#,
    "{ // c\n a: [0x1F, +.5, 5., 'x\\u00e9\\\n', -Infinity], /* b */ 'k': null, }",
    #"{"a":{"b":{"c":[[[1e5,-0.0]]]}},"é":"\ud83d\ude00"}"#,
    "[+0x1F, -.5, +5., -12345678901234567.5e-30]",
  ]

  @Test(arguments: 1...12) func `no mutation of a text crashes, and what is read can be written and read again`(_ seed: Int) throws
  {
    var dice = Dice(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
    let letters = Array("{}[]\",:\\'/*0123456789.eE+-truefalsnNI \n\u{0}é".utf8)
    for _ in 0..<400 {
      var bytes = Array(Self.seeds[dice.roll(Self.seeds.count)].utf8)
      for _ in 0...dice.roll(4) {
        let at = dice.roll(max(1, bytes.count))
        switch dice.roll(5) {
        case 0: bytes.insert(letters[dice.roll(letters.count)], at: min(at, bytes.count))
        case 1: if !bytes.isEmpty { bytes.remove(at: at) }
        case 2: if !bytes.isEmpty { bytes[at] = UInt8(dice.roll(256)) }
        case 3: bytes.removeLast(min(bytes.count, dice.roll(20)))
        default: bytes.insert(contentsOf: bytes.prefix(at), at: at)
        }
      }
      for dialect in [Dialect.json, .json5, .tolerant] {
        guard let document = try? Document(bytes, dialect: dialect) else { continue }
        let once = document.root.value
        // Compared as text: digits beyond the eighteenth are cut when first read, and only that reading knows it.
        let again = try Document(json: once.json).root.value
        #expect(again.json == once.json, "seed \(seed): \(bytes)")
        #expect(try Document(json: once.pretty(width: 20)).root.value == again, "seed \(seed): \(bytes)")
      }
    }
  }
}
