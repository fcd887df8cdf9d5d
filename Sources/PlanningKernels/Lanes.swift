typealias Lanes = SIMD8<Float>
typealias Wide = SIMD8<Double>

// Plain selects, and sums in a fixed order: the same bits whatever the machine. Nothing here may be generic, allocate or call out:
// the compiler must not share one body between the build for every machine and the build for AVX2.

@inline(__always) func clamp(_ value: Lanes, _ most: Lanes) -> Lanes {
  let positive = value.replacing(with: Lanes.zero, where: value .< Lanes.zero)
  return positive.replacing(with: most, where: positive .> most)
}

@inline(__always) func total(_ v: Lanes) -> Float {
  let four = v.lowHalf + v.highHalf
  let two = four.lowHalf + four.highHalf
  return two.x + two.y
}

@inline(__always) func total(_ v: Wide) -> Double {
  let four = v.lowHalf + v.highHalf
  let two = four.lowHalf + four.highHalf
  return two.x + two.y
}

@inline(__always) func positive(_ v: Wide) -> Wide { v.replacing(with: Wide.zero, where: v .< Wide.zero) }
