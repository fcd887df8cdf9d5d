import ChargingProfiles
import Control
import Documents
import Loop
import Quantities
import Site
import WebLink
import Window
import Threads

extension Desk {
  /// How long a station may take to answer before the asker is told that it has not yet.
  private static let stationPatience = Duration.seconds(15)
  private static let storePatience = Duration.seconds(10)
  private static let otherHub = Problem(409, "Reconfigured", "Another site file has come into force meanwhile; ask again.")

  /// Turns a request into an order and hands it to the mind.
  func order(
    _ operation: Endpoint.Operation, _ values: [String], _ request: WebRequest, _ audience: Audience, _ asker: WebDoor.Asker
  ) throws(Problem) {
    let body = request.body
    let relaxing = drawRelaxing()
    withPicture { [self] picture in
      do throws(Problem) {
        let order = try Orders.order(operation, values, body, audience, picture, relaxing)
        ask(order, of: picture, audience, asker)
      } catch {
        asker.answer(.problem(error))
      }
    }
  }

  /// Dice are thrown here: the mind is told what came up, and the journal keeps it.
  private func drawRelaxing() -> LimitSeries.Relaxing {
    let most = relaxing.with { $0 }
    return LimitSeries.Relaxing(delay: TimeSpan(raw: Int.random(in: 0...max(0, most.delay.raw))), ramp: most.ramp)
  }

  private func ask(_ order: Order, of picture: Picture, _ audience: Audience, _ asker: WebDoor.Asker) {
    let number = state.with { state in
      state.lastRequest += 1
      return state.lastRequest
    }
    let id = "\(run)-\(number)"
    let request = Request(id: id, by: audience.signature, order: order)
    let feed = Feed(picture.hub, for: audience)
    let answer = Locked<Reply?>(nil)
    let (hub, me, hubLoop) = (hub, self, hubLoop)
    let done: @Sendable (Int, Reply, CommandOutcome?) -> Void = { status, reply, outcome in
      asker.answer(WebResponse(status, json: feed.done(reply, by: audience.signature, at: picture.stamp.utc, outcome)))
    }
    hubLoop.run {
      guard let hub = hub.hub else { return }
      // The order names circuits and connectors by their places in the picture.
      guard hub.plan.site.hub == picture.hub else {
        me.outdatePicture()
        return asker.answer(.problem(Self.otherHub))
      }
      hub.ask(request) { heard in
        switch heard {
        case .reply(let reply):
          me.outdatePicture()
          if let refusal = reply.refusal { return asker.answer(.problem(Orders.problem(refusal))) }
          answer.with { $0 = reply }
          if reply.command == nil { done(200, reply, nil) }
        case .outcome(let outcome):
          if let reply = answer.with({ $0 }) { done(200, reply, outcome) }
        }
      }
    }
    loop.after(Self.storePatience) {
      guard answer.with({ $0 }) == nil else { return }
      asker.answer(
        .problem(Problem(503, "Not kept", "It is in force, but the journal has not kept it yet: it may be lost in a crash.")))
      hubLoop.run { hub.hub?.asked.forget(id) }
    }
    loop.after(Self.stationPatience) {
      if let reply = answer.with({ $0 }), reply.command != nil { done(202, reply, nil) }
    }
  }
}
