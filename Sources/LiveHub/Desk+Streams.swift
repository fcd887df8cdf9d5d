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

/// A client of the stream. On the desk's loop only, but for what never changes, and its stream, which is on the loop of its door.
final class Follower: @unchecked Sendable {
  let stream: EventStream
  let doorLoop: EventLoop
  let audience: Audience
  var feed: Feed
  /// The last entry that it has, or that it does not see.
  var last: UInt64
  /// What comes next is being read from the journal, or on its way to the door.
  var isBusy = true
  /// No more is written before its buffer is empty.
  var isFull = false
  var isOver = false
  init(_ stream: EventStream, doorLoop: EventLoop, audience: Audience, last: UInt64) {
    (self.stream, self.doorLoop, self.audience, self.last) = (stream, doorLoop, audience, last)
    feed = Feed(Hub(id: "", circuits: []), for: audience)
  }
}

/// Entries for those who were away and for those who follow: from the ring as far as it reaches, from the journal before that.
extension Desk {
  /// More is not put into a client's buffer at once.
  private static let comfortable = 256 * 1024
  private static let portion = 500
  /// What comes within that time is told in one go: while the guard lowers everybody, those who follow do not take its processor.
  private static let gathering = Duration.milliseconds(200)
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
    loop.after(Self.gathering) { [self] in pumpAll() }
  }

  /// Those who follow go on with the new names, and whoever asks is shown them.
  func reconfigured(_ hub: Hub, _ relaxing: LimitSeries.Relaxing) {
    outdatePicture()
    self.relaxing.with { $0 = relaxing }
    loop.run { [self] in
      for follower in streams.with({ $0 }) { follower.feed = Feed(hub, for: follower.audience) }
    }
  }

  private func pumpAll() {
    isWoken.with { $0 = false }
    for follower in streams.with({ $0 }) { pump(follower) }
  }

  func stream(_ request: WebRequest, _ audience: Audience, _ asker: WebDoor.Asker, on doorLoop: EventLoop) throws(Problem) {
    let header = request["last-event-id"].flatMap { $0.isEmpty ? nil : $0 }
    let cursor = try cursor(header ?? request.parameter("after"))
    let newest = entries.with { $0.newest } ?? run
    doorLoop.reach { [self] in
      guard let stream = asker.stream() else { return }
      let follower = Follower(stream, doorLoop: doorLoop, audience: audience, last: newest)
      stream.whenOver = { [unowned self] in ended(follower) }
      stream.whenDrained = { [unowned self, unowned follower] in drained(follower) }
      loop.reach { [self] in follow(follower, from: cursor) }
    }
  }

  /// Tells a new client what it does not have, and from then on what comes.
  private func follow(_ follower: Follower, from cursor: Cursor?) {
    withPicture { [self] picture in
      begin(from: cursor) { [self] last in
        loop.reach { [self] in
          guard !follower.isOver else { return }
          follower.feed = Feed(picture.hub, for: follower.audience)
          (follower.last, follower.isBusy) = (last ?? follower.last, false)
          streams.with { $0.append(follower) }
          pump(follower)
        }
      }
    }
  }

  private func ended(_ follower: Follower) {
    loop.reach { [self] in
      follower.isOver = true
      streams.with { $0.removeAll { $0 === follower } }
    }
  }

  private func drained(_ follower: Follower) {
    loop.reach { [self] in
      follower.isFull = false
      pump(follower)
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

  /// Puts together what there is for a client, as much as it takes. On the desk's loop.
  private func pump(_ follower: Follower) {
    guard !follower.isOver, !follower.isBusy, !follower.isFull else { return }
    let run = run
    guard
      let portion = entries.with({
        $0.portion(after: follower.last, count: Self.portion, follower.feed, follower.audience, run: run)
      })
    else { return readJournal(for: follower) }
    guard portion.through > follower.last else { return }
    follower.last = portion.through
    write(portion.events, to: follower)
  }

  /// Leaves to the door what is ready, and goes on once it is written.
  private func write(_ events: SharedBytes, to follower: Follower) {
    follower.isBusy = true
    follower.doorLoop.reach { [self] in
      follower.stream.write(events)
      let isFull = follower.stream.backlog >= Self.comfortable
      loop.reach { [self] in
        (follower.isBusy, follower.isFull) = (false, isFull)
        pump(follower)
      }
    }
  }

  private func readJournal(for follower: Follower) {
    follower.isBusy = true
    let (last, feed) = (follower.last, follower.feed)
    reading.async { [self] in
      let (told, through) = durable(after: last, feed)
      let events = told.events
      loop.run { [self] in
        var events = events
        if through > last {
          follower.last = through
        } else if let oldest = entries.with({ $0.oldest }) {
          // Neither in the journal nor here: it is said, not passed over.
          let text = #"{"from":\#(last + 1),"through":\#(oldest - 1)}"#
          EventStream.append(event: "gap", id: nil, data: Array(text.utf8), to: &events)
          follower.last = oldest - 1
        }
        write(SharedBytes(events), to: follower)
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
