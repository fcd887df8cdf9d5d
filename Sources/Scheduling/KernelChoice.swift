import CLinux
import PlanningKernels
import PlanningKernelsAVX2
import PlanningMemory

/// The kernels are one source built twice, for every x86-64 and for AVX2; both give the same bits.
public enum KernelChoice: Sendable, CaseIterable {
  case everywhere, avx2

  /// What the processor can do, asked once.
  public static let best: KernelChoice = sluice_has_avx2() != 0 ? .avx2 : .everywhere
  public static var available: [KernelChoice] { best == .avx2 ? [.everywhere, .avx2] : [.everywhere] }

  func spreadPrices(_ m: PlanningMemory) {
    switch self {
    case .everywhere: PlanningKernels.spreadPrices(m)
    case .avx2: PlanningKernelsAVX2.spreadPrices(m)
    }
  }
  func answer(_ m: PlanningMemory, _ terms: StepTerms, _ circuits: Range<Int>, _ scratch: Slab<SIMD8<Float>>) {
    switch self {
    case .everywhere: PlanningKernels.answer(m, terms, from: circuits.lowerBound, to: circuits.upperBound, scratch: scratch)
    case .avx2: PlanningKernelsAVX2.answer(m, terms, from: circuits.lowerBound, to: circuits.upperBound, scratch: scratch)
    }
  }
  func reprice(_ m: PlanningMemory, _ terms: StepTerms) -> Double {
    switch self {
    case .everywhere: PlanningKernels.reprice(m, terms)
    case .avx2: PlanningKernelsAVX2.reprice(m, terms)
    }
  }
  func distances(_ m: PlanningMemory) -> (plan: Double, price: Double) {
    switch self {
    case .everywhere: PlanningKernels.distances(m)
    case .avx2: PlanningKernelsAVX2.distances(m)
    }
  }
  func spreadExactPrices(_ m: PlanningMemory, extra: Slab<SIMD8<Double>>) -> Double {
    switch self {
    case .everywhere: PlanningKernels.spreadExactPrices(m, extra: extra)
    case .avx2: PlanningKernelsAVX2.spreadExactPrices(m, extra: extra)
    }
  }
  func boundGains(_ m: PlanningMemory, _ circuits: Range<Int>, _ scratch: Slab<SIMD8<Double>>) {
    switch self {
    case .everywhere: PlanningKernels.boundGains(m, from: circuits.lowerBound, to: circuits.upperBound, scratch: scratch)
    case .avx2: PlanningKernelsAVX2.boundGains(m, from: circuits.lowerBound, to: circuits.upperBound, scratch: scratch)
    }
  }
}
