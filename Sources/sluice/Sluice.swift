/// The door: the command line.
@main struct Sluice {
  static func main() async {
    print("sluice")
  }
}
