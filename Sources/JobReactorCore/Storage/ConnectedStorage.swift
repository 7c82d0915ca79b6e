/// A storage on a server, whose connection is made again when it is lost.
package protocol ConnectedStorage: JobStorage {
    /// How often that was so. From any thread.
    var reconnectCount: Int { get }
}
