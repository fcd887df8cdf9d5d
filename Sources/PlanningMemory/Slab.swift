/// A run of plain values in memory that an `Arena` owns: what the kernels read and write. A view, not an owner.
///
/// It may be shared between threads as long as no two of them write the same element.
@safe @frozen public struct Slab<Element: BitwiseCopyable>: @unchecked Sendable {
  @usableFromInline let base: UnsafeMutablePointer<Element>
  public let count: Int
  @inlinable init(base: UnsafeMutablePointer<Element>, count: Int) { unsafe (self.base, self.count) = (base, count) }

  /// Traps outside of `0..<count`, in release too.
  @inlinable public subscript(_ index: Int) -> Element {
    @inline(__always) get {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
      return unsafe base[index]
    }
    @inline(__always) nonmutating set {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
      unsafe base[index] = newValue
    }
  }
  /// The same, without looking in release: for the kernels alone, whose every index follows from what `PlanningMemory.requireWhole` has
  /// checked.
  @inlinable public subscript(unchecked index: Int) -> Element {
    @inline(__always) get {
      assert(index >= 0 && index < count)
      return unsafe base[index]
    }
    @inline(__always) nonmutating set {
      assert(index >= 0 && index < count)
      unsafe base[index] = newValue
    }
  }

  @inlinable public func fill(_ value: Element) { for index in 0..<count { unsafe base[index] = value } }
  /// Takes over the values of another run of the same length.
  @inlinable public func copy(_ other: Slab) {
    precondition(count == other.count)
    unsafe base.update(from: other.base, count: count)
  }
  /// The same memory, `count` elements from `start`.
  @inlinable public func part(_ start: Int, _ count: Int) -> Slab {
    precondition(start >= 0 && count >= 0 && start + count <= self.count)
    return unsafe Slab(base: base + start, count: count)
  }
}

extension Slab where Element == SIMD8<Float> {
  /// The same memory, number by number.
  @inlinable public var numbers: Slab<Float> {
    unsafe Slab<Float>(base: UnsafeMutableRawPointer(base).assumingMemoryBound(to: Float.self), count: count * 8)
  }
}
extension Slab where Element == SIMD8<Double> {
  @inlinable public var numbers: Slab<Double> {
    unsafe Slab<Double>(base: UnsafeMutableRawPointer(base).assumingMemoryBound(to: Double.self), count: count * 8)
  }
}
