import Testing

@testable import Documents

@Suite struct ExactNumberTests {
  @Test(arguments: [
    ("0.1", "0.1"), ("1.0", "1"), ("-0", "0"), ("100", "100"), ("1e3", "1000"), ("1.5E-3", "0.0015"), ("21.4", "21.4"),
    ("1e-9", "1e-9"), ("123456789012345678", "123456789012345678"), ("1e400", "1e400"), ("-0.05", "-0.05"),
    ("0.000001", "0.000001"), ("\n239.14 ", "239.14"),
  ])
  func `a number is written as it was meant`(_ read: String, _ written: String) {
    #expect(ExactNumber(read)?.description == written)
  }
  @Test func `conversion to whole numbers is lossless, or says no`() throws {
    let value = try #require(ExactNumber("16.55"))
    #expect(value.integer(scaledBy: 3) == 16550)
    #expect(value.integer(scaledBy: 1) == nil)
    #expect(value.floored(scaledBy: 1) == 165)
    #expect(ExactNumber("-16.55")?.floored(scaledBy: 1) == -166)
    #expect(ExactNumber("1e30")?.integer == nil)
    #expect(ExactNumber("-1e-30")?.floored(scaledBy: 3) == -1)
    #expect(ExactNumber("9007199254740993")?.integer == 9_007_199_254_740_993)
  }
  @Test(arguments: ["", " ", "1,5", "0x10", "NaN", "abc", "1.", "--1"]) func `a text that is no number is none`(_ text: String) {
    #expect(ExactNumber(text) == nil)
  }
  @Test func `more digits than fit are cut off, and that is said`() {
    let long = ExactNumber("0.1000000000000000055511151231257827")
    #expect(long?.isExact == false)
    #expect(long?.double == 0.1)
    #expect(ExactNumber(0.1)?.description == "0.1")
    #expect(ExactNumber(Double.nan) == nil)
  }
}

@Suite struct TimestampTests {
  /// Milliseconds as `date -u -d ... +%s` gives them.
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0), ("2026-11-22T06:00:00Z", 1_795_327_200_000), ("2026-11-22t07:00:00.250+01:00", 1_795_327_200_250),
    ("2026-11-22 06:00:00z", 1_795_327_200_000), ("2024-02-29T12:00:00-00:30", 1_709_209_800_000),
    ("1969-12-31T23:59:59.999Z", -1), ("2016-12-31T23:59:60Z", 1_483_228_800_000),
    ("2026-11-22T06:00:00.1234567Z", 1_795_327_200_123),
    ("2026-11-22T07:00:00+0100", 1_795_327_200_000),
  ])
  func `times are read`(_ text: String, _ milliseconds: Int) {
    #expect(Timestamp(text)?.milliseconds == milliseconds)
    #expect(Timestamp(text)?.hasZone == true)
  }
  @Test func `a time without a zone is read as UTC and says so (evcc#10399)`() {
    #expect(Timestamp("2026-11-22T06:00:00")?.milliseconds == 1_795_327_200_000)
    #expect(Timestamp("2026-11-22T06:00:00")?.hasZone == false)
  }
  @Test(arguments: [
    "", "2026-11-22", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T06:00:00.Z",
    "2026-11-22T06:00:00+25:00", "2026-11-22T06:00:00Zx", "26-11-22T06:00:00Z", "2026-11-22T06:60:00Z", "2026-11-31T06:00:00Z",
    // Beyond what four digits can say in UTC.
    "9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00",
  ])
  func `nonsense is no time`(_ text: String) { #expect(Timestamp(text) == nil) }

  @Test func `a sum of times that no year can say is written as the nearest end`() {
    #expect(Timestamp.text(253_402_300_799_999 + 3_600_000) == "9999-12-31T23:59:59.999Z")
    #expect(Timestamp.text(.max / 2) == "9999-12-31T23:59:59.999Z")
    #expect(Timestamp.text(.min / 2) == "0000-01-01T00:00:00Z")
  }

  @Test func `what is written is read back, through four centuries`() {
    #expect(Timestamp.text(1_795_327_200_000) == "2026-11-22T06:00:00Z")
    #expect(Timestamp.text(1_795_327_200_007) == "2026-11-22T06:00:00.007Z")
    for step in -2000..<6000 {
      let time = step * 3_155_692_597 + step
      #expect(Timestamp(Timestamp.text(time))?.milliseconds == time)
    }
  }
}

@Suite struct ObjectReaderTests {
  @Test func `all that is wrong is reported at once, with the key that was perhaps meant`() throws {
    let document = try Document(json5: "{\n id: 5,\n limt_a: 63,\n unit: 300 }", name: "s.json5")
    let findings = Findings()
    let reader = ObjectReader(document.root, findings: findings)
    #expect(reader.required("id", .text) == nil)
    #expect(reader.optional("limit_a", .scaled(3, 0...1000, "a current in amperes")) == nil)
    #expect(reader.optional("unit", .whole(0...255)) == nil)
    #expect(reader.required("name", .text) == nil)
    reader.finish()
    let thrown = #expect(throws: DocumentErrors.self) { try findings.throwIfAny() }
    #expect(
      thrown?.description == """
        s.json5:1:1: found no `name` here, expected `name`: a text
        s.json5:2:6: found `5`, expected a text
        s.json5:3:2: found the unknown key `limt_a`, expected `limit_a` perhaps
        s.json5:4:8: found `300`, expected a whole number from 0 to 255
        """)
  }
  @Test func `what is wrong within a list is named where it stands`() throws {
    let document = try Document(json5: "{ units: [1, 2,\n 300], one: \"x\" }", name: "s.json5")
    let findings = Findings()
    let reader = ObjectReader(document.root, findings: findings)
    let count = Shape<[Int]>.list(.whole(0...255)).map { $0.count }
    #expect(reader.optional("units", count) == nil)
    #expect(reader.optional("one", .list(.whole(0...255))) == nil)
    let thrown = #expect(throws: DocumentErrors.self) { try findings.throwIfAny() }
    #expect(
      thrown?.description == """
        s.json5:2:2: found `300`, expected a whole number from 0 to 255
        s.json5:2:13: found `"x"`, expected a list, each a whole number from 0 to 255
        """)
  }
  @Test func `the writer escapes what must be, and no more`() {
    let value: DocumentValue = ["a": "q\"\\\n\u{1}é/", "b": .decimal(165, 1), "c": [1, nil, true]]
    #expect(value.json == #"{"a":"q\"\\\n\u0001é/","b":16.5,"c":[1,null,true]}"#)
  }
}
