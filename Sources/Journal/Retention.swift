import Record

/// Up to where a journal was thinned.
///
/// The table `retention` says so from the moment on at which something is thinned. The next batch carries the same as its marks, which are
/// part of its link: from then on the chain tells what was thinned from what was lost, and when.
public struct Retention: Hashable, Sendable {
  /// Before and at this entry no inputs were kept as blocks.
  public var inputsSince: UInt64 = 0
  /// The raw readings of batches up to these entries were thinned away: the first from `inputsSince` on, the second from the beginning.
  public var readings: UInt64 = 0
  public var earlyReadings: UInt64 = 0
  /// The blocks of entries up to this one may have been thinned away.
  public var blocks: UInt64 = 0

  /// The raw readings of the batch that begins with `first` may be missing.
  public func mayLackReadings(first: UInt64) -> Bool { first <= earlyReadings || first > inputsSince && first <= readings }
}

extension Retention {
  /// As the table has it now.
  init(in database: Database) throws(DatabaseError) {
    self.init()
    var found = self
    try database.each("SELECT what, through FROM retention") { row in
      let through = row.unsigned(1)
      switch row.text(0) {
      case "inputs since": found.inputsSince = through
      case "readings": found.readings = through
      case "early readings": found.earlyReadings = through
      case "blocks": found.blocks = through
      default: break
      }
      return true
    }
    self = found
  }

  /// As the newest marks in the chain have it. Marks that cannot be read count as none: that they are others, their batch's link shows.
  init(chainedIn database: Database) throws(DatabaseError) {
    let newest = try database.query(
      "SELECT marks FROM batches WHERE marks IS NOT NULL ORDER BY first DESC LIMIT 1", [], { $0.blob(0) }
    ).first
    self = newest.flatMap { try? Retention(marks: $0) } ?? Retention()
  }

  /// The form of the marks: its number, and the four entries.
  private static let form: UInt64 = 1
  var marks: [UInt8] {
    var writer = ByteWriter()
    for number in [Self.form, inputsSince, readings, earlyReadings, blocks] { writer.put(unsigned: number) }
    return writer.bytes
  }
  init(marks: [UInt8]) throws(RecordFault) {
    var reader = ByteReader(marks)
    let form = try reader.unsigned()
    guard form == Self.form else { throw .otherVersion(Int(clamping: form), known: Int(Self.form)) }
    (inputsSince, readings) = (try reader.unsigned(), try reader.unsigned())
    (earlyReadings, blocks) = (try reader.unsigned(), try reader.unsigned())
    try reader.finish()
  }
}
