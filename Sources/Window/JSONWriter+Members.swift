import Documents
import Quantities
import Site

/// Members with their units, as every answer writes them: currents in amperes with up to three decimals, times in RFC 3339.
extension JSONWriter {
  mutating func object(_ name: String? = nil, _ body: (inout JSONWriter) -> Void) {
    if let name { key(name) }
    beginObject()
    body(&self)
    endObject()
  }
  mutating func array<Element>(
    _ name: String? = nil, _ elements: some Sequence<Element>, _ body: (inout JSONWriter, Element) -> Void
  ) {
    if let name { key(name) }
    beginArray()
    for element in elements { body(&self, element) }
    endArray()
  }
  mutating func member(_ name: String, _ value: String?) {
    key(name)
    if let value { string(value) } else { null() }
  }
  mutating func member(_ name: String, _ value: Int?) {
    key(name)
    if let value { integer(value) } else { null() }
  }
  mutating func member(_ name: String, _ value: Bool) {
    key(name)
    bool(value)
  }
  mutating func member(_ name: String, _ value: Instant?) { member(name, value.map(Self.text)) }
  /// In seconds.
  mutating func member(_ name: String, _ value: TimeSpan?) {
    key(name)
    if let value { decimal(value.milliseconds, 3) } else { null() }
  }
  mutating func member(_ name: String, _ value: Current?) {
    key(name)
    if let value { decimal(value.milliamperes, 3) } else { null() }
  }
  mutating func member(_ name: String, _ value: PerPhase<Current>?) {
    key(name)
    guard let value else { return null() }
    beginArray()
    for phase in Phase.allCases { decimal(value[phase].milliamperes, 3) }
    endArray()
  }
  /// In watts.
  mutating func member(_ name: String, _ value: Power?) {
    key(name)
    if let value { decimal(value.milliwatts, 3) } else { null() }
  }
  /// In watt-hours.
  mutating func member(_ name: String, _ value: Energy?) {
    key(name)
    if let value { decimal(value.milliwattHours, 3) } else { null() }
  }
  mutating func member(_ name: String, _ value: Phases) {
    array(name, Phase.allCases.filter { value.contains($0) }) { $0.string($1.name) }
  }
  mutating func members(of amount: Limit.Amount) {
    switch amount {
    case .current(let current): member("limit_a", current)
    case .power(let power): member("limit_w", power)
    }
  }

  /// A time of this era; others, which only a broken clock gives, are brought to its nearest end.
  static func text(_ instant: Instant) -> String {
    Timestamp.text(min(max(instant.milliseconds, 0), 253_402_300_799_999))
  }
}
