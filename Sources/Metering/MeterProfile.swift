import Quantities
import Site

/// A model of meter as `Profiles/meters` describes it.
public struct MeterProfile: Hashable, Sendable {
  /// File name without its ending; what a site file names.
  public var name: String
  /// Maker and model, for people.
  public var meter: String
  /// Where the map comes from.
  public var source: String
  /// What is uncertain or must be known.
  public var notes: [String]
  /// Why the model must not limit phases (no current per phase, ...); nil: it may.
  public var unfit: String?
  /// The unit identifier the maker delivers.
  public var defaultUnit: Int
  public var layout: Layout
  /// Registers that only this model, or its family, answers so.
  public var identification: [Identification]
  public var vectors: [Vector]

  public enum Layout: Hashable, Sendable {
    case registers(RegisterMap)
    /// The registers are found by SunSpec discovery, starting at these addresses.
    case sunSpec(bases: [Int])
  }

  /// One of `words` stands at `range`.
  public struct Identification: Hashable, Sendable {
    public var range: WordRange
    public var anyOf: [[UInt16]]
    public init(range: WordRange, anyOf: [[UInt16]]) { (self.range, self.anyOf) = (range, anyOf) }
  }

  /// Words and what they must be read as.
  public struct Vector: Hashable, Sendable {
    public var image: RegisterImage
    public var expected: MeterValues
    public init(image: RegisterImage, expected: MeterValues) { (self.image, self.expected) = (image, expected) }
  }

  public init(
    name: String, meter: String, source: String, notes: [String] = [], unfit: String? = nil, defaultUnit: Int = 1, layout: Layout,
    identification: [Identification] = [], vectors: [Vector] = []
  ) {
    (self.name, self.meter, self.source, self.notes, self.unfit) = (name, meter, source, notes, unfit)
    (self.defaultUnit, self.layout, self.identification, self.vectors) = (defaultUnit, layout, identification, vectors)
  }

  /// The map, unless it must be discovered first.
  public var map: RegisterMap? { if case .registers(let map) = layout { map } else { nil } }
}
