import Documents
import Foundation
import Quantities
import Site
import Testing

@testable import Metering

/// The profile files as they stand in the repository.
enum ProfileFiles {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Profiles/meters")
  static func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json5") }
      .map { String($0.dropLast(6)) }.sorted()
  }
  static func load(_ name: String) throws -> MeterProfile {
    let text = try String(contentsOf: folder.appendingPathComponent("\(name).json5"), encoding: .utf8)
    return try MeterProfile(json5: text, name: name)
  }
  static func all() throws -> [MeterProfile] { try names().map(load) }
}

@Suite struct MeterProfileTests {
  @Test func `at least 25 models have a register map, each with its source and a vector`() throws {
    let profiles = try ProfileFiles.all()
    #expect(profiles.filter { $0.map != nil }.count >= 25)
    for profile in profiles where profile.map != nil {
      #expect(profile.source.contains("@") || profile.source.contains("Register"), "\(profile.name) names no commit")
      #expect(!profile.vectors.isEmpty, "\(profile.name)")
    }
  }

  @Test func `the words of each vector are read as the values written beside them`() throws {
    for profile in try ProfileFiles.all() {
      guard let map = profile.map else { continue }
      let decoder = MeterDecoder(map, everything: true)
      for vector in profile.vectors {
        let words = try #require(vector.image.words(decoder.plan), "\(profile.name): words for all registers")
        let (values, missing) = decoder.values(in: words)
        #expect(missing == nil, "\(profile.name)")
        for quantity in MeterQuantity.allCases {
          #expect(values[quantity] == vector.expected[quantity], "\(profile.name): \(quantity.name)")
        }
        #expect(decoder.plausibility.flaw(in: values) == nil, "\(profile.name)")
      }
    }
  }

  @Test func `an emulated meter of each model is read back as what it measures`() throws {
    for profile in try ProfileFiles.all() {
      guard let map = profile.map, let vector = profile.vectors.first else { continue }
      let image = try RegisterImage(vector.expected, as: map)
      let decoder = MeterDecoder(map, everything: true)
      let words = try #require(image.words(decoder.plan))
      #expect(decoder.values(in: words).values == vector.expected, "\(profile.name)")
    }
  }

  @Test func `models without a current per phase say why they must not limit phases`() throws {
    for name in ["eastron-sdm72dm", "sma-home-manager", "victron-gx-system"] {
      #expect(try ProfileFiles.load(name).unfit?.contains("no current per phase") == true, "\(name)")
    }
    for profile in try ProfileFiles.all() where profile.unfit == nil {
      #expect(profile.map?.phases.isEmpty != true, "\(profile.name)")
    }
  }

  @Test func `no profile needs a request larger than its model answers`() throws {
    for profile in try ProfileFiles.all() {
      guard let map = profile.map else { continue }
      for range in map.plan(everything: true).ranges { #expect(range.count <= map.largestRequest, "\(profile.name)") }
    }
  }

  @Test func `a wrong profile is refused with all its errors and their lines`() {
    let text = """
      {
        meter: "Example", source: "a page", addresses: "zero-based",
        registers: [
          { reads: "current L4", address: 1, words: "float32", unit: "A" },
          { reads: "current L1", address: 65535, words: "float32", unit: "A" },
          { reads: "current L2", address: 4, words: "float32", unit: "V" },
          { reads: "current L3", address: 6, words: "float32", unit: "A", scale: 0 },
          { reads: "voltage L1", address: 8, words: "float32", unit: "V", scal: 2 },
          { reads: "voltage L1", address: 10, words: "float32", unit: "V" },
        ],
        vectors: [{ words: [{ at: 8, are: [0x4366, 0x10000] }], reads: { "voltage L9": 230 } }],
      }
      """
    let error = #expect(throws: DocumentErrors.self) { try MeterProfile(json5: text, name: "example") }
    let lines = Set(error?.errors.map(\.position.line) ?? [])
    #expect(lines.isSuperset(of: [4, 5, 6, 7, 8, 9, 11]))
    #expect(error?.description.contains("`scale` perhaps") == true)
    #expect(error?.description.hasPrefix("example.json5:") == true)
  }

  @Test func `a map without currents must say that it is unfit`() {
    let text = """
      { meter: "m", source: "s", addresses: "zero-based",
        registers: [{ reads: "power total", address: 0, words: "int16", unit: "W" }],
        vectors: [{ words: [{ at: 0, are: [5] }], reads: { "power total": 5 } }] }
      """
    #expect(throws: DocumentErrors.self) { try MeterProfile(json5: text, name: "m") }
    #expect(throws: Never.self) {
      try MeterProfile(json5: text.replacing("source", with: "unfit: 'total only', source"), name: "m")
    }
  }
}
