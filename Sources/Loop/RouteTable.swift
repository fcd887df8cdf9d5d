/// Which handler answers which paths: prefixes, the longest first.
struct RouteTable<Handler> {
  private var entries: [(prefix: String, handler: Handler)] = []

  subscript(prefix: String) -> Handler? {
    get { entries.first { $0.prefix == prefix }?.handler }
    set {
      entries.removeAll { $0.prefix == prefix }
      guard let newValue else { return }
      entries.append((prefix, newValue))
      entries.sort { ($0.prefix.utf8.count, $1.prefix) > ($1.prefix.utf8.count, $0.prefix) }
    }
  }

  func handler(of path: String) -> Handler? {
    entries.first { path.hasPrefix($0.prefix) }?.handler
  }
}
