/// The Lua text of a library, as the build put it into the code.
enum EmbeddedSource {
    static let hash = text(PackageResources.hash_lua)
    static let http = text(PackageResources.http_lua)
    static let exec = text(PackageResources.exec_lua)
    static let redis = text(PackageResources.redis_lua)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
