import Control
import Documents
import Glibc
import Journal
import Loop
import Quantities
import Record
import Site
import WebLink
import Window
import Threads

/// A client of the stream. On the loop of its door only, but for what never changes.
final class Follower: @unchecked Sendable {
  let stream: EventStream
  let loop: EventLoop
  let audience: Audience
  var feed: Feed
  /// The last entry that it has, or that it does not see.
  var last: UInt64
  /// The journal is being read for it.
  var isReading = false
  var isOver = false
  init(_ stream: EventStream, loop: EventLoop, audience: Audience, feed: Feed, last: UInt64) {
    (self.stream, self.loop, self.audience, self.feed, self.last) = (stream, loop, audience, feed, last)
  }
}

/// Entries for those who were away and for those who follow: from the ring as far as it reaches, from the journal before that.
extension Desk {
  /// More is not put into a client's buffer at once.
  private static let comfortable = 256 * 1024
  private static let portion = 500
  /// What comes within that time is told in one go: while the guard lowers everybody, those who follow do not take its processor.
  private static let gathering = Duration.milliseconds(50)
  /// A crash takes at most so many entries.
  private static let mostLost: UInt64 = 50_000

  /// Something new is in the ring. On the hub's loop; costs nothing when nobody follows.
  func entriesCame() {
    guard streams.with({ !$0.isEmpty }) else { return }
    guard
      isWoken.with({ woken in
        defer { woken = true }
        return !woken
      })
    else { return }
    for loop in [loop, hubLoop] {
      loop.run { [self] in loop.after(Self.gathering) { [self] in pumpAll(on: loop) } }
    }
  }

  /// Those who follow go on with the new names, and whoever asks is shown them.
  func reconfigured(_ hub: Hub, _ relaxing: LimitSeries.Relaxing) {
    outdatePicture()
    self.relaxing.with { $0 = relaxing }
    for follower in streams.with({ $0 }) {
      follower.loop.run { follower.feed = Feed(hub, for: follower.audience) }
    }
  }

  private func pumpAll(on loop: EventLoop) {
    isWoken.with { $0 = false }
    for follower in streams.with({ $0.filter { $0.loop === loop } }) { pump(follower) }
  }

  func stream(_ request: WebRequest, _ audience: Audience, _ asker: WebDoor.Asker, on doorLoop: EventLoop) throws(Problem) {
    let header = request["last-event-id"].flatMap { $0.isEmpty ? nil : $0 }
    let cursor = try cursor(header ?? request.parameter("after"))
    guard let stream = asker.stream() else { return }
    let newest = entries.with { $0.newest } ?? run
    let follower = Follower(
      stream, loop: doorLoop, audience: audience, feed: Feed(Hub(id: "", circuits: []), for: audience), last: newest)
    stream.whenOver = { [unowned self] in
      follower.isOver = true
      streams.with { $0.removeAll { $0 === follower } }
    }
    stream.whenDrained = { [unowned self, unowned follower] in pump(follower) }
    follower.isReading = true
    withPicture { [self] picture in
      begin(from: cursor) { [self] last in
        doorLoop.run { [self] in
          guard !follower.isOver else { return }
          follower.feed = Feed(picture.hub, for: audience)
          (follower.last, follower.isReading) = (last ?? newest, false)
          streams.with { $0.append(follower) }
          pump(follower)
        }
      }
    }
  }

  private func cursor(_ text: String?) throws(Problem) -> Cursor? {
    guard let text else { return nil }
    guard let cursor = Cursor(text) else { throw .wrong("the cursor is `\(text)`; expected one that this API has given") }
    return cursor
  }

  /// Where a client goes on: what a crash took from the journal is told again as the next run has it.
  /// - Parameter then: with the last sequence that the client has; nil: it begins now. On any thread.
  private func begin(from cursor: Cursor?, _ then: @escaping @Sendable (UInt64?) -> Void) {
    let newest = entries.with { $0.newest } ?? run
    guard let cursor else { return then(nil) }
    if cursor.run == 0 || cursor.run == run { return then(min(cursor.sequence, newest)) }
    reading.async { [journal, run] in
      // The next run began with `.restarted`; its entry may have the number of one that was lost.
      var next: UInt64 = run
      let low = max(cursor.run + 1, min(cursor.sequence, newest) &- min(Self.mostLost, min(cursor.sequence, newest)))
      if low < run, let reader = try? JournalReader(path: journal) {
        try? reader.batches(low...run) { batch in
          for case .whole(let entry) in (try? batch.entries()) ?? [] where entry.stamp.sequence >= low {
            if case .restarted = entry.event {
              next = min(next, entry.stamp.sequence)
              return false
            }
          }
          return true
        }
      }
      then(min(cursor.sequence, next - 1))
    }
  }

  /// Writes what there is to a client, as much as it takes.
  private func pump(_ follower: Follower) {
    while !follower.isOver, !follower.isReading, follower.stream.backlog < Self.comfortable {
      let run = run
      guard
        let portion = entries.with({
          $0.portion(after: follower.last, count: Self.portion, follower.feed, follower.audience, run: run)
        })
      else { return readJournal(for: follower) }
      guard portion.through > follower.last else { return }
      follower.last = portion.through
      follower.stream.write(portion.events)
    }
  }

  private func readJournal(for follower: Follower) {
    follower.isReading = true
    let (last, feed) = (follower.last, follower.feed)
    reading.async { [self] in
      let (told, through) = durable(after: last, feed)
      follower.loop.run { [self] in
        follower.isReading = false
        guard !follower.isOver else { return }
        follower.stream.write(SharedBytes(told.events))
        if through > last {
          follower.last = through
        } else if let oldest = entries.with({ $0.oldest }) {
          // Neither in the journal nor here: it is said, not passed over.
          let text = #"{"from":\#(last + 1),"through":\#(oldest - 1)}"#
          follower.stream.send(event: "gap", id: nil, data: Array(text.utf8))
          follower.last = oldest - 1
        }
        pump(follower)
      }
    }
  }

  /// Entries from the journal itself, the next portion.
  private func durable(after last: UInt64, _ feed: Feed) -> (told: [Told], through: UInt64) {
    var told: [Told] = []
    var (through, count) = (last, 0)
    do {
      try JournalReader(path: journal).batches((last + 1)...UInt64(Int.max)) { batch in
        guard let kept = try? batch.entries() else {
          through = batch.last
          return count < Self.portion
        }
        for remains in kept where remains.stamp.sequence > last {
          let cursor = Cursor(sequence: remains.stamp.sequence, run: 0)
          if let json = feed.json(remains.stamp, remains.event, remains.effects, remains.mentions, cursor: cursor) {
            told.append(Told(cursor: cursor, json: json))
          }
          (through, count) = (remains.stamp.sequence, count + 1)
        }
        return count < Self.portion
      }
    } catch {
      log("stream_unread", ["why": "\(error)"])
    }
    return (told, through)
  }

  // MARK: Page by page

  func events(_ request: WebRequest, _ audience: Audience, _ asker: WebDoor.Asker) throws(Problem) {
    let cursor = try cursor(request.parameter("after")), count = try count(request)
    withPicture { [self] picture in
      let feed = Feed(picture.hub, for: audience)
      begin(from: cursor) { [self] last in
        let newest = entries.with { $0.newest } ?? run
        let start = last ?? newest - min(newest, UInt64(count))
        let run = run
        if let (told, through) = entries.with({ $0.after(start, count: count, feed, audience, run: run) }) {
          return asker.answer(WebResponse(200, json: EventPage.json(told.map(\.json), next: Cursor(sequence: through, run: run))))
        }
        reading.async { [self] in
          var (told, through) = durable(after: start, feed)
          // What is not durable yet is here.
          if told.count < count, let newer = entries.with({ $0.after(through, count: count, feed, audience, run: run) }) {
            told += newer.told
            through = newer.through
          }
          let page = told.prefix(count)
          let next = page.count < told.count ? page.last?.cursor : nil
          let end = Cursor(sequence: max(start, through), run: through >= run ? run : 0)
          asker.answer(WebResponse(200, json: EventPage.json(page.map(\.json), next: next ?? end)))
        }
      }
    }
  }
}
