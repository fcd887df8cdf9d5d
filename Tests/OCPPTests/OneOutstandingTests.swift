import ChargingProfiles
import Quantities
import Site
import Testing

@testable import OCPP

@Suite struct OneOutstandingTests {
  @Test func `a second command waits until the first is answered`() {
    var dialogue = openDialogue()
    let first = dialogue.command(CommandID(1), limit(1, 160), urgency: .decrease, at: at(1))
    #expect(first.frames.count == 1)
    #expect(first.events == [.outcome(CommandID(1), .sent)])
    #expect(dialogue.command(CommandID(2), limit(2, 100), urgency: .decrease, at: at(1)) == DialogueOutput())
    let answer = dialogue.received("[3,\"\(messageID(first.frames[0]))\",{\"status\":\"Accepted\"}]", at: at(2))
    #expect(answer.events == [.outcome(CommandID(1), .accepted), .outcome(CommandID(2), .sent)])
    #expect(answer.frames.map(action) == ["SetChargingProfile"])
  }

  @Test func `decreases go first, then increases, then the rest`() {
    var dialogue = openDialogue()
    var out = dialogue.command(CommandID(1), .clearCache, urgency: .routine, at: at(0))
    _ = dialogue.command(CommandID(2), .unlock(connector: 1), urgency: .routine, at: at(0))
    _ = dialogue.command(CommandID(3), limit(1, 160), urgency: .increase, at: at(0))
    _ = dialogue.command(CommandID(4), limit(2, 60), urgency: .decrease, at: at(0))
    var order: [StationEvent] = []
    while let frame = out.frames.first {
      out = dialogue.received("[3,\"\(messageID(frame))\",{\"status\":\"Accepted\"}]", at: at(1))
      order += out.events.filter { if case .outcome(_, .sent) = $0 { true } else { false } }
    }
    #expect(order == [4, 3, 2].map { .outcome(CommandID($0), .sent) })
  }

  @Test func `of two profiles for the same place that wait, only the newer is sent`() {
    var dialogue = openDialogue()
    let busy = dialogue.command(CommandID(1), .clearCache, urgency: .routine, at: at(0))
    _ = dialogue.command(CommandID(2), limit(1, 160), urgency: .increase, at: at(0))
    let newer = dialogue.command(CommandID(3), limit(1, 80), urgency: .decrease, at: at(0))
    #expect(newer.events == [.outcome(CommandID(2), .superseded)])
    let next = dialogue.received("[3,\"\(messageID(busy.frames[0]))\",{\"status\":\"Accepted\"}]", at: at(1))
    #expect(next.frames.count == 1)
    #expect(next.frames[0].contains("\"limit\":8"))
    #expect(dialogue.queued == 0)
  }

  @Test func `a decrease withdraws the rise that waits for the same connector under another purpose, and spares other connectors`()
  {
    var dialogue = openDialogue()
    _ = dialogue.command(CommandID(1), .clearCache, urgency: .routine, at: at(0))
    _ = dialogue.command(CommandID(2), limit(1, 160), urgency: .increase, at: at(0))
    _ = dialogue.command(CommandID(3), limit(2, 160), urgency: .increase, at: at(0))
    let lower = StationCommand.setProfile(connector: 1, profile(60, .transactionDefault, id: 9))
    #expect(dialogue.command(CommandID(4), lower, urgency: .decrease, at: at(0)).events == [.outcome(CommandID(2), .superseded)])
  }

  @Test func `a fallback of another purpose that is being installed is not displaced by an offer`() {
    var dialogue = openDialogue()
    _ = dialogue.command(CommandID(1), .clearCache, urgency: .routine, at: at(0))
    let fallback = StationCommand.setProfile(connector: 1, profile(60, .transactionDefault, id: 9))
    _ = dialogue.command(CommandID(2), fallback, urgency: .routine, at: at(0))
    #expect(dialogue.command(CommandID(3), limit(1, 160), urgency: .increase, at: at(0)).events == [])
  }

  @Test func `what was to be cleared before a profile is never cleared after it`() {
    var dialogue = openDialogue()
    let busy = dialogue.command(CommandID(1), .clearCache, urgency: .routine, at: at(0))
    _ = dialogue.command(CommandID(2), .clearProfiles(ProfileFilter()), urgency: .routine, at: at(0))
    _ = dialogue.command(CommandID(3), limit(1, 60), urgency: .decrease, at: at(0))
    let next = dialogue.received("[3,\"\(messageID(busy.frames[0]))\",{\"status\":\"Accepted\"}]", at: at(1))
    #expect(next.frames.map(action) == ["ClearChargingProfile"])
  }

  @Test func `a withdrawn command is superseded while it waits, and goes its way once it is on the wire`() {
    var dialogue = openDialogue()
    _ = dialogue.command(CommandID(1), limit(1, 160), urgency: .increase, at: at(0))
    _ = dialogue.command(CommandID(2), limit(2, 160), urgency: .increase, at: at(0))
    #expect(dialogue.cancel(CommandID(2)).events == [.outcome(CommandID(2), .superseded)])
    #expect(dialogue.cancel(CommandID(1)).events == [])
    #expect(dialogue.queued == 0)
  }

  @Test func `a call without an answer runs out of time, the next one goes, and the late answer is known for what it is`() {
    var dialogue = openDialogue { $0.callTimeout = .seconds(30) }
    let first = dialogue.command(CommandID(1), limit(1, 160), urgency: .increase, at: at(0))
    _ = dialogue.command(CommandID(2), limit(2, 100), urgency: .increase, at: at(1))
    #expect(dialogue.nextDeadline == at(30).monotonic)
    #expect(dialogue.deadline(at: at(29.999)) == DialogueOutput())
    let late = dialogue.deadline(at: at(30))
    #expect(late.events == [.outcome(CommandID(1), .timedOut), .outcome(CommandID(2), .sent)])
    #expect(late.isUnanswered && late.answeredAfter == nil)
    let answer = dialogue.received("[3,\"\(messageID(first.frames[0]))\",{\"status\":\"Accepted\"}]", at: at(31))
    #expect(answer.told == [])
    #expect(answer.deviations.map(\.what) == ["an answer after its time-out"])
    #expect(answer.answeredAfter == nil && !answer.isUnanswered)
    let real = dialogue.received("[3,\"\(messageID(late.frames[0]))\",{\"status\":\"Rejected\"}]", at: at(32))
    #expect(real.events == [.outcome(CommandID(2), .refused("Rejected"))])
    #expect(real.answeredAfter == .seconds(2) && !real.isUnanswered)
    #expect(dialogue.nextDeadline == nil)
  }

  @Test func `a lost connection loses what was on the wire and what waited`() {
    var dialogue = openDialogue()
    _ = dialogue.command(CommandID(1), limit(1, 160), urgency: .increase, at: at(0))
    _ = dialogue.command(CommandID(2), limit(2, 160), urgency: .increase, at: at(0))
    #expect(
      dialogue.closed(at: at(1)).events == [.disconnected, .outcome(CommandID(1), .lost), .outcome(CommandID(2), .lost)])
    #expect(dialogue.command(CommandID(3), limit(1, 60), urgency: .decrease, at: at(2)).events == [.outcome(CommandID(3), .lost)])
    #expect(dialogue.nextDeadline == nil)
  }

  @Test func `a new connection replaces an open one, and an answer to the old one's request goes nowhere`() {
    var dialogue = openDialogue()
    let boot = "[2,\"1\",\"BootNotification\",{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\"}]"
    let old = dialogue.received(boot, at: at(1))
    #expect(old.events == [.booted(StationIdentity(vendor: "V", model: "M"), RequestID(1))])
    #expect(dialogue.opened(at: at(2)).events == [.disconnected, .connected])
    #expect(dialogue.received(boot, at: at(3)).events == [.booted(StationIdentity(vendor: "V", model: "M"), RequestID(2))])
    let answer = Answer.boot(accepted: true, interval: .seconds(300))
    #expect(dialogue.answer(RequestID(1), answer, at: at(4)) == DialogueOutput())
    #expect(
      dialogue.answer(RequestID(2), answer, at: at(4)).frames == [
        "[3,\"1\",{\"status\":\"Accepted\",\"currentTime\":\"2026-05-04T10:00:04Z\",\"interval\":300}]"
      ])
  }

  @Test func `a station that hangs on calls before its boot is answered hears nothing before (lbbrhzn#1503)`() {
    var dialogue = openDialogue { $0.boot = .silentBeforeBoot }
    #expect(dialogue.command(CommandID(1), limit(1, 60), urgency: .decrease, at: at(0)).frames == [])
    _ = dialogue.received("[2,\"1\",\"BootNotification\",{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\"}]", at: at(1))
    let answer = dialogue.answer(RequestID(1), .boot(accepted: true, interval: .seconds(60)), at: at(2))
    #expect(answer.frames.count == 2)
    #expect(answer.frames.last.map(action) == "SetChargingProfile")
  }

  @Test func `a station that comes back without a boot is spoken to after a while`() {
    var dialogue = openDialogue { $0.boot = .silentBeforeBoot }
    _ = dialogue.command(CommandID(1), limit(1, 60), urgency: .decrease, at: at(0))
    #expect(dialogue.nextDeadline == at(90).monotonic)
    #expect(dialogue.deadline(at: at(90)).frames.map(action) == ["SetChargingProfile"])
  }

  @Test func `an answer that cannot be read counts as never come`() {
    var dialogue = openDialogue()
    let sent = dialogue.command(CommandID(1), limit(1, 60), urgency: .decrease, at: at(0))
    let answer = dialogue.received("[3,\"\(messageID(sent.frames[0]))\",{\"status\":\"Acc", at: at(1))
    #expect(answer.told == [.outcome(CommandID(1), .timedOut)])
  }
}
