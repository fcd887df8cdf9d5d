import Glibc

/// Lets the process open as many descriptors as it may: the usual 1024 are fewer than a large hub has stations.
public func raiseDescriptorLimit() {
  let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  var limit = rlimit()
  guard getrlimit(kind, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
  limit.rlim_cur = limit.rlim_max
  setrlimit(kind, &limit)
}

/// Descriptors this process may open, less those it needs for itself.
public func descriptorsLeft() -> Int {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1000 }
  return max(16, Int(clamping: limit.rlim_cur) - 64)
}
