import Glibc
import LiveHub
import Site

/// `sluice password`: the hash of a station's Basic password, for the site file.
enum PasswordCommand {
  static let usage = """
    usage: sluice password    reads a password from the terminal, or a line of standard input, and prints its hash for `password_hash`
      a password has 1 to 40 characters (OCPP security whitepaper: 16 to 20 bytes are usual)
    """

  /// - Returns: the exit status: 0, 1 when it cannot be done, 2 when the command line is wrong.
  static func run(_ arguments: [String]) throws -> Int32 {
    if let word = arguments.first { throw CommandLineOptions.Misuse(description: "not understood: \(word)") }
    guard let password = readPassword(), (1...40).contains(password.utf8.count) else {
      StandardError.write("sluice: expected a password of 1 to 40 bytes in one line")
      return 1
    }
    guard let hash = PasswordHash.made(of: password) else {
      StandardError.write("sluice: the hash cannot be worked out: the library refuses")
      return 1
    }
    print(hash.text)
    return 0
  }

  /// Without showing it, where a terminal is there to type it.
  private static func readPassword() -> String? {
    guard isatty(STDIN_FILENO) == 1 else { return readLine() }
    var before = termios()
    guard tcgetattr(STDIN_FILENO, &before) == 0 else { return readLine() }
    var silent = before
    silent.c_lflag &= ~tcflag_t(ECHO)
    StandardError.write("password (it is not shown):")
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
    defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) }
    return readLine()
  }
}
