import Glibc
import Loop
import Metering
import ModbusLink
import StationLink

/// Thousands of stations in one process, for the benchmarks: they connect to any central system on 127.0.0.1, and do what a line on
/// standard input says. Each line is answered by one line of `key=value` words on standard output.
///
///     fleet PORT COUNT [--tls] [--meter PROFILE-FOLDER PROFILE PORT]
///
/// - `open`: all connect and boot. Answered when nothing has been said for two seconds.
/// - `heartbeats ROUNDS`: each station says a Heartbeat, ROUNDS times, the next when the one before is answered.
/// - `storm`: all lose their connection at once, come back at once and boot. Answered when the last boot is answered.
/// - `charge`: each starts a transaction, says every eight seconds what it draws, and draws what it is allowed from then on.
/// - `settle SECONDS`: waits until no limit has changed for that long.
/// - `reach AMPERES`: waits until all limits together are at least so much, and none has changed for a second; for five minutes at most.
/// - `base AMPERES`: the emulated meter shows this load beside the stations from now on.
/// - `watch`: tells of the limits that came since the last `mark` or `base`, when none has come for 1.5 s.
/// - `mark`: forgets what came before.
@main struct Fleet {
  static func main() throws {
    raiseDescriptorLimit()
    var words = CommandLine.arguments.dropFirst()[...]
    guard let port = words.popFirst().flatMap({ UInt16($0) }), let count = words.popFirst().flatMap({ Int($0) }) else {
      complain("usage: fleet PORT COUNT [--tls] [--meter FOLDER PROFILE PORT]")
      exit(2)
    }
    var isTLS = false
    var meter: GridMeter?
    while let word = words.popFirst() {
      switch word {
      case "--tls": isTLS = true
      case "--meter":
        guard let folder = words.popFirst(), let profile = words.popFirst(), let port = words.popFirst().flatMap({ Int($0) }) else {
          complain("--meter wants a folder of profiles, a profile and a port")
          exit(2)
        }
        meter = try GridMeter(folder: folder, profile: profile, port: port)
      default:
        complain("what is `\(word)`?")
        exit(2)
      }
    }
    let crowd = try Crowd(port: port, count: count, isTLS: isTLS, meter: meter)
    while let line = readLine() {
      let words = line.split(separator: " ").map(String.init)
      guard let verb = words.first else { continue }
      guard let answer = crowd.obey(verb, words.dropFirst().first.flatMap { Double($0) }) else {
        complain("`\(line)` is no command")
        exit(2)
      }
      print(answer)
      fflush(nil)
    }
    exit(0)  // with everything as it is: connections end with the process
  }

  static func complain(_ text: String) {
    let line = "fleet: \(text)\n"
    _ = line.withCString { write(2, $0, strlen($0)) }
  }
}

/// Milliseconds of the monotonic clock, which all processes of a machine share.
func monotonicMilliseconds() -> Double { Double(MonotonicTime.now.nanoseconds) / 1e6 }
