import Control
import Loop
import Metering
import ModbusLink
import OCPP
import Quantities
import Site
import SiteFiles
import StationLink

extension LiveHub {
  // MARK: Stations

  /// One post for each station of the plan; those of stations that keep their id are kept.
  func prepareStations() throws(Flaw) {
    var posts: [StationPost] = []
    // Request ids of an earlier process must not come again: the time keeps them apart.
    let firstRequest = UInt64(max(1, utc.milliseconds)) << 10
    for station in plan.site.hub.stations {
      var password: PasswordHash?
      if let text = station.passwordHash {
        guard let hash = PasswordHash(text) else { throw .password(station: station.id) }
        password = hash
      }
      posts.append(
        StationPost(
          dialogue: CentralDialogue(stationID: station.id, traits: station.traits, firstRequest: firstRequest), password: password))
    }
    stations = posts
    places = Dictionary(plan.site.hub.stations.enumerated().map { ($0.element.id, $0.offset) }) { first, _ in first }
    deadlines = Deadlines(count: posts.count)
  }

  /// Says whether a station may come in: at once, unless its password has to be worked out. Planned and unknown ones are refused at the
  /// socket.
  func admit(_ knock: Knock, _ answer: @escaping StationServer.Answer) {
    guard !isStopping else { return answer(.later) }
    guard let index = places[knock.stationID] else { return refuse(knock, "refused_unknown", .unknown, answer) }
    guard plan.site.hub.stations[index].state == .installed else { return refuse(knock, "refused_planned", .unknown, answer) }
    if tests.shutOut.contains(index) {
      tests.watcher?(.knock(station: index))
      return answer(.later)
    }
    guard let hash = stations[index].password else { return answer(.accept) }
    guard knock.user == knock.stationID, let password = knock.password else {
      return refuse(knock, "refused_password", .unauthorized, answer)
    }
    if passwords.knows(password, of: knock.stationID, hash) { return answer(.accept) }
    let (loop, box) = (loop, box)
    let isBegun = passwords.check(password, of: knock.stationID, hash) { isRight in
      loop.run { box.hub?.checked(knock, password, hash, isRight: isRight, answer) }
    }
    if !isBegun { refuse(knock, "refused_for_now", .later, answer) }
  }

  /// A password has been worked out. Meanwhile the site may have become another: a station that is right knocks once more, and so does one
  /// whose hash has changed.
  private func checked(
    _ knock: Knock, _ password: String, _ hash: PasswordHash, isRight: Bool, _ answer: @escaping StationServer.Answer
  ) {
    passwords.checked(password, of: knock.stationID, hash, isRight: isRight)
    if !isRight, let index = places[knock.stationID], stations[index].password == hash {
      return refuse(knock, "refused_password", .unauthorized, answer)
    }
    admit(knock, answer)
  }

  private func refuse(_ knock: Knock, _ what: String, _ admission: Admission, _ answer: StationServer.Answer) {
    tell(what, ["station": knock.stationID, "remote": knock.remote])
    answer(admission)
  }

  func heard(_ event: StationLink.StationEvent, server: Int) {
    // A hub that ends closes its links itself; after a restart the mind takes none for open.
    guard !isStopping else { return }
    switch event {
    case .opened(let link, let stationID, let notes):
      guard let index = places[stationID] else { return }
      tell("station_connected", ["station": stationID, "remote": notes.remote])
      if let old = stations[index].link { links[old] = nil }
      links[link] = (index, server)
      (stations[index].link, stations[index].server) = (link, server)
      stations[index].watch.opened(at: monotonic)
      accept(stations[index].dialogue.opened(at: now), index)
    case .received(let link, let bytes):
      guard let index = links[link]?.station else { return }
      counts.received += 1
      stations[index].watch.heard(at: monotonic)
      accept(stations[index].dialogue.received(bytes, at: now), index)
    case .closed(let link, let end):
      guard let index = links.removeValue(forKey: link)?.station, stations[index].link == link else { return }
      tell("station_disconnected", ["station": plan.site.hub.stations[index].id, "end": "\(end)"])
      stations[index].link = nil
      stations[index].watch.closed(at: monotonic)
      accept(stations[index].dialogue.closed(at: now), index)
    }
  }

  // MARK: Meters

  func startMeters() throws(Flaw) {
    meterLink = try preparedMeters(of: plan, generation: meterGeneration)
    meterLink?.begin()
  }

  /// A link to a plan's meters that has all it needs and asks nothing yet; nil: there are none. From any thread.
  private func preparedMeters(of plan: Plan, generation: Int) throws(Flaw) -> MeterLink? {
    guard !plan.site.hub.meters.isEmpty else { return nil }
    let (loop, box) = (loop, box)
    let link = MeterLink(plan.site.hub.meters, profiles: plan.meterProfiles) { reports in
      loop.run { box.hub?.heard(reports, generation: generation) }
    }
    do throws(MeterBus.Flaw) { try link.prepare() } catch { throw .meters(error) }
    return link
  }

  /// Has meters read by another link from now on, or by none. On the hub's loop, and it does not block.
  /// - Returns: the link before, which asks nothing more; its threads are to be waited for elsewhere.
  private func readMeters(by fresh: MeterLink?) -> MeterLink? {
    defer { meterLink = fresh }
    meterGeneration += 1
    if let fresh { fresh.begin(insteadOf: meterLink) } else { meterLink?.close() }
    return meterLink
  }

  /// What a link that has been replaced was still reading is dropped: its meters are others.
  func heard(_ reports: [MeterReport], generation: Int) {
    guard !isStopping, generation == meterGeneration else { return }
    for report in reports {
      switch report.outcome {
      case .reading(var reading):
        counts.readings += 1
        reading.age = reading.age + max(.zero, monotonic - report.received)
        think(.reading(reading))
      case .fault(let fault):
        counts.meterFaults += 1
        think(.meterFault(meter: report.meter, fault))
      }
    }
  }

  // MARK: Another site file

  /// Puts a new plan in force. Listeners, the limit server and OSCP stay as they were at the start, and it is told if they would be
  /// others now. From any thread but the loop's, one at a time and before `stop`; it waits until buses that are read no more have ended.
  /// - Throws: why it is refused; the old plan stays then, with its meters.
  public func reload(_ next: Plan) throws(Flaw) {
    let (proven, before, generation) = loop.sync { [self] in
      (driver.controller.commissionedTrust, plan, meterGeneration)
    }
    let refusals = Self.refusals(of: next.site, knowing: proven, isTrial: false)
    guard refusals.isEmpty else { throw .refused(refusals) }
    for station in next.site.hub.stations {
      if let text = station.passwordHash, PasswordHash(text) == nil { throw .password(station: station.id) }
    }
    guard before.site.hub.meters != next.site.hub.meters || before.meterProfiles != next.meterProfiles else {
      return try loop.sync { [self] () throws(Flaw) in try replace(with: next) }
    }
    let fresh = try preparedMeters(of: next, generation: generation + 1)
    let old: MeterLink?
    do throws(Flaw) {
      old = try loop.sync { [self] () throws(Flaw) -> MeterLink? in
        try replace(with: next)
        return readMeters(by: fresh)
      }
    } catch {
      fresh?.stop()
      throw error
    }
    guard let old else { return }
    if let fresh { fresh.follow(old) } else { old.stop() }
  }

  private func replace(with next: Plan) throws(Flaw) {
    catchUp()  // what waits speaks of stations by their old places
    let (old, before, oldPlaces) = (stations, plan, places)
    plan = keepingDoors(of: before, next)
    try prepareStations()
    for index in stations.indices {
      guard let place = oldPlaces[next.site.hub.stations[index].id] else { continue }
      stations[index].dialogue = old[place].dialogue
      stations[index].watch = old[place].watch
      stations[index].dialogue.traits = next.site.hub.stations[index].traits
      (stations[index].link, stations[index].server) = (old[place].link, old[place].server)
      deadlines.set(index, stations[index].dialogue.nextDeadline)
    }
    links = [:]
    tell("reconfigured", ["site": next.site.hub.id, "stations": "\(next.site.hub.stations.count)"])
    // First of all, even where what was said before has yet to leave: what follows speaks of stations by their new places, and so does
    // whatever the mind says from now on.
    think(.configured(next.site.hub, version: Self.version))
    catchUp()
    for (index, post) in stations.enumerated() {
      guard let link = post.link else { continue }
      if next.site.hub.stations[index].state == .installed {
        links[link] = (index, post.server)
      } else {
        servers[post.server].close(link, reason: "not installed")
        stations[index].link = nil
        stations[index].watch.closed(at: monotonic)
        accept(stations[index].dialogue.closed(at: now), index)
      }
    }
    for post in old where places[post.dialogue.stationID] == nil {
      if let link = post.link { servers[post.server].close(link, reason: "no longer of this site") }
    }
    for limit in before.site.limits where !next.site.limits.contains(where: { $0.id == limit.id }) {
      think(.limitWithdrawn(id: limit.id))
    }
    announceLimits()
    if before.site.tariff != next.site.tariff { checkTariff() }
    announceTrust()
    checkCalendar()
    desk?.reconfigured(next.site.hub, next.site.relaxing)
  }

  /// What is opened once stays as it was opened, circuits and all.
  private func keepingDoors(of before: Plan, _ next: Plan) -> Plan {
    var kept = next
    let doors = [
      ("listeners", before.site.listeners != next.site.listeners),
      ("limit_server", before.site.limitServer != next.site.limitServer),
      ("oscp", before.site.oscp != next.site.oscp),
    ]
    for (name, isOther) in doors where isOther {
      tell("\(name)_unchanged", ["why": "what the site file says of \(name) takes effect at the next start"])
    }
    kept.site.listeners = before.site.listeners
    kept.site.limitServer = before.site.limitServer
    kept.site.oscp = before.site.oscp
    let (old, new) = (before.site.hub, next.site.hub)
    if let circuit = kept.site.limitServer?.circuit { kept.site.limitServer?.circuit = Self.place(of: circuit, from: old, in: new) }
    if let circuit = kept.site.oscp?.circuit { kept.site.oscp?.circuit = Self.place(of: circuit, from: old, in: new) }
    return kept
  }

  /// Where a circuit of the old hub is in the new one: the nearest above it that is still there.
  private static func place(of circuit: Int, from old: Hub, in new: Hub) -> Int {
    var place: Int? = circuit
    while let k = place {
      if let found = new.circuits.firstIndex(where: { $0.id == old.circuits[k].id }) { return found }
      place = old.circuits[k].parent
    }
    return 0
  }
}
