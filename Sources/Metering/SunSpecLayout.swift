/// Where the points of a SunSpec meter model stand, counted from its identifier register.
/// Source: sunspec/models model_201 to model_204 (integers with scale factors), model_211 to model_214 (float32).
public struct SunSpecLayout: Hashable, Sendable {
  /// 201...204, 211...214.
  public let model: Int
  /// As the model's own length register says: 105 or 124.
  var length: Int { isFloat ? 124 : 105 }
  private var isFloat: Bool { model > 210 }
  /// Words from the identifier to the last point that is read.
  var words: Int { isFloat ? 70 : 55 }

  /// nil: not a meter model.
  public init?(model: Int) {
    guard (201...204).contains(model) || (211...214).contains(model) else { return nil }
    self.model = model
  }

  /// Conductors that the model has: one, two (split phase) or three.
  private var conductors: Int { model % 10 == 1 ? 1 : model % 10 == 2 ? 2 : 3 }

  /// - Parameter address: of the identifier register.
  func registers(at address: Int) -> [Register] {
    isFloat ? floats(address) : integers(address)
  }

  private func integers(_ base: Int) -> [Register] {
    func point(_ reads: MeterQuantity, _ offset: Int, _ factor: Int, _ format: WordFormat = .int16) -> Register {
      Register(
        reads: reads, function: 3, address: base + offset, format: format, scale: Scale(1000), scaleFactor: base + factor,
        absence: .smallest)
    }
    var result: [Register] = []
    for i in 0..<conductors { result.append(point(MeterQuantity.currents[i], 3 + i, 6)) }
    for i in 0..<conductors { result.append(point(MeterQuantity.voltages[i], 8 + i, 15)) }
    result.append(point(.frequency, 16, 17))
    result.append(point(.totalPower, 18, 22))
    for i in 0..<conductors { result.append(point(MeterQuantity.powers[i], 19 + i, 22)) }
    return result + [point(.exported, 38, 54, .acc32), point(.imported, 46, 54, .acc32)]
  }

  private func floats(_ base: Int) -> [Register] {
    func point(_ reads: MeterQuantity, _ offset: Int) -> Register {
      Register(reads: reads, function: 3, address: base + offset, format: .float32, scale: Scale(1000))
    }
    var result: [Register] = []
    for i in 0..<conductors { result.append(point(MeterQuantity.currents[i], 4 + 2 * i)) }
    for i in 0..<conductors { result.append(point(MeterQuantity.voltages[i], 12 + 2 * i)) }
    result += [point(.frequency, 26), point(.totalPower, 28)]
    for i in 0..<conductors { result.append(point(MeterQuantity.powers[i], 30 + 2 * i)) }
    return result + [point(.exported, 60), point(.imported, 68)]
  }

  /// The whole address space of an emulated meter: marker, common model (65 words), this model, end.
  public func image(_ values: MeterValues, base: Int = 40000, maker: String, device: String) throws(RegisterImage.Flaw)
    -> RegisterImage
  {
    let block = base + 69
    var image = RegisterImage()
    image.put([UInt16](repeating: 0, count: 69 + 2 + length + 2), function: 3, at: base)
    image.put([0x5375, 0x6E53, 1, 65], function: 3, at: base)
    image.put(Self.words(maker, count: 16), function: 3, at: base + 4)
    image.put(Self.words(device, count: 16), function: 3, at: base + 20)
    image.put([UInt16(model), UInt16(length)], function: 3, at: block)
    image.put([0xFFFF, 0], function: 3, at: block + 2 + length)
    let map = RegisterMap(registers: registers(at: block), largestGap: 125, takesSignFromPower: false)
    image.put(try RegisterImage(values, as: map))
    return image
  }

  private static func words(_ text: String, count: Int) -> [UInt16] {
    var bytes = Array(text.utf8.prefix(count * 2))
    bytes += [UInt8](repeating: 0, count: count * 2 - bytes.count)
    return (0..<count).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
  }
}
