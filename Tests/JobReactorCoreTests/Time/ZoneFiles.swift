/// A file of time zone data, of version 2: changes of the offset, and the rule after them.
func zoneFile(
    offsets: [Int32] = [0], changes: [(at: Int64, offset: UInt8)] = [], footer: String = "", leapSeconds: UInt32 = 0,
    version: UInt8 = 50
) -> [UInt8] {
    func header(_ counts: [UInt32]) -> [UInt8] {
        Array("TZif".utf8) + [version] + Array(repeating: 0, count: 15) + counts.flatMap { bigEndian($0) }
    }
    var file = header([0, 0, 0, 0, 1, 4]) + Array(repeating: 0, count: 10)
    file += header([0, 0, leapSeconds, UInt32(changes.count), UInt32(offsets.count), 4])
    file += changes.flatMap { bigEndian($0.at) } + changes.map(\.offset)
    file += offsets.flatMap { bigEndian($0) + [0, 0] } + Array("ABC\0".utf8)
    file += Array(repeating: 0, count: 12 * Int(leapSeconds))
    return file + Array("\n\(footer)\n".utf8)
}

private func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
}
