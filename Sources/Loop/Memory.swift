import CLinux

/// Gives pages that hold nothing any more back to the system. After thousands of TLS handshakes at once most of the heap is such pages,
/// between what stays: the C library gives back by itself only what lies at the end.
/// - Complexity: a walk over the free chunks, some ten milliseconds after such a storm, during which allocation waits.
public func giveBackFreeMemory() {
  malloc_trim(0)
}
